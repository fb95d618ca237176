"""Was the search only lucky? Its score among the scores of the same search on surrogate markets.

A surrogate market has no edge (`simulation.surrogate`), so what a search finds there is luck, the
luck of having looked at many candidates included. Whoever runs the searches hands the scores on.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from touchstone.arrays import Float64
from touchstone.errors import DataError
from touchstone.validation.bootstrap import studentised_mean

MOST_EXCEEDANCES: Final = 3
"""Surrogates at least as good after which no more are searched."""
MULTIPLE: Final = 20
"""R + 1 is a multiple of it, so that a level of 5 % can be met exactly."""


class SurrogateTest(NamedTuple):
    """One-sided test of "the search found more than it finds where nothing is"."""

    p: float
    """As in `surrogate_test`."""
    best: float
    """Score of the study's own search."""
    scores: tuple[float, ...]
    """Scores of the surrogates that count, in the order of their numbers."""
    n_exceedances: int
    """How many of them are at least `best`."""
    budget: int
    """R: how many would have been searched at most."""

    @property
    def stopped(self) -> bool:
        """Whether the rule ended the search of surrogates before the budget did."""
        return self.n_exceedances >= MOST_EXCEEDANCES


def search_score(daily: Float64 | None) -> float:
    """What a whole search is ranked by: the studentised mean return of the candidate it chose.

    Mean over HAC error, so that candidates and markets of different volatility compare. A search
    that would carry nothing on, since no candidate traded enough and earned anything, scores 0.

    Args:
        daily: (n_days,) pooled walk-forward net excess returns of the chosen candidate, before
            the seal; None where none was chosen.
    """
    found = None if daily is None else studentised_mean(daily)
    return 0.0 if found is None else max(0.0, found)


def n_needed(best: float, scores: Sequence[float], budget: int) -> int:
    """How many more surrogates must be searched at least; 0 where the test has ended.

    A search without a score needs none: every surrogate's is at least 0.
    """
    if best <= 0:
        return 0
    missing = MOST_EXCEEDANCES - sum(score >= best for score in scores)
    return max(0, min(missing, budget - len(scores)))


def surrogate_test(best: float, scores: Sequence[float], budget: int) -> SurrogateTest:
    """The p-value of a search, sequential: surrogates beyond the end of the rule do not count.

    Surrogates are looked at in the order of their numbers. When h = `MOST_EXCEEDANCES` of the
    first l score at least `best`, the rule ends and `p = h / l`; else, with all R searched and g
    of them at least as good, `p = (1 + g) / (R + 1)`. Ties count against the search. Where own
    score and surrogates' are exchangeable, `P(p <= a) <= a` for every a: l draws or more are
    taken exactly where the own score is among the h best of the first l (itself one of them).
    A search that scores 0 ties with any surrogate, so p is 1 without searching one.

    Args:
        best: the study's own score, as `search_score` gives it.
        scores: (n,) scores of surrogates 0, 1, ... in that order, as many as `n_needed` asks for.
        budget: R, 1 at least.

    Raises:
        DataError: the rule has not ended with these scores.

    Source: Besag & Clifford (1991), Sequential Monte Carlo p-values, Biometrika 78, section 3.
    """
    if best <= 0:
        return SurrogateTest(1.0, best, (), 0, budget)
    n_exceedances = 0
    for n, score in enumerate(scores[:budget], 1):
        n_exceedances += score >= best
        if n_exceedances == MOST_EXCEEDANCES:
            return SurrogateTest(n_exceedances / n, best, tuple(scores[:n]), n_exceedances, budget)
    if len(scores) < budget:
        raise DataError(f"{len(scores)} of {budget} surrogates scored: more are needed")
    p = (1 + n_exceedances) / (budget + 1)
    return SurrogateTest(p, best, tuple(scores[:budget]), n_exceedances, budget)
