"""The law that no combined score knows the future: change it, and see what changes before."""

import numpy as np

from touchstone.ensembles import Members, Outcomes


def scrambled(members, outcomes, t, seed):
    """Other scores, columns and outcomes after t, and other outcomes of what t did not know yet."""
    rng = np.random.default_rng(seed)
    later, unknown = members.instant > t, outcomes.known > t
    score = members.score.copy()
    score[:, later] = rng.permutation(score[:, later], axis=1)[rng.permutation(len(score))]
    named = {e: np.where(later, rng.normal(size=later.size), c) for e, c in members.named.items()}
    outcome = outcomes.outcome.copy()
    outcome[unknown] = rng.integers(-1, 2, unknown.sum())
    shift = rng.integers(1, 40, unknown.size) * 3_600_000_000_000
    known = np.where(unknown, np.maximum(t, members.instant) + shift, outcomes.known)
    other = Outcomes(
        outcome,
        np.where(unknown, rng.normal(size=unknown.size), outcomes.realised),
        known,
        np.where(unknown, rng.uniform(0.1, 9, unknown.size), outcomes.weight),
    )
    return Members(score, members.instant, members.asset, named, members.name), other


def leaks(combined, members, outcomes, seed):
    """Rows at or before some instants whose combination or weights the future changed."""
    rng = np.random.default_rng(seed)
    found = 0
    said = [f(members, outcomes) for f in (combined.combine, combined.weights)]
    for t in rng.choice(np.unique(members.instant)[5:-5], 4, replace=False):
        other = scrambled(members, outcomes, t, seed)
        seen = members.instant <= t
        for before, f in zip(said, (combined.combine, combined.weights), strict=True):
            found += int((before[seen] != f(*other)[seen]).any(1).sum())
    return found
