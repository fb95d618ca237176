"""Members made by hand: rows in time, members that know something and members that know nothing."""

import numpy as np

from touchstone.ensembles import ENSEMBLES, Members, Outcomes, columns_of
from touchstone.ensembles.rows import take

HOUR = 3_600_000_000_000
BEGIN = 1_600_000_000_000_000_000

VARIANTS = {
    "mean-geometric": {"kind": "mean", "how": "geometric"},
    "vote-hard": {"kind": "vote", "how": "hard"},
    "weighted-diverse": {"kind": "weighted", "diversity": 0.02},
    "blend-linear": {"kind": "blend", "blender": "linear"},
    "blend-pruned": {"kind": "blend", "prune": 3},
    "online-money": {"kind": "online", "loss": "money", "half_life": None},
    "regime-levels": {"kind": "regime", "levels": [-0.5, 0.5]},
    "hierarchy-online": {"kind": "hierarchy", "inner": {"kind": "online"},
                         "outer": {"kind": "regime"}},
    "hierarchy-stack": {"kind": "hierarchy", "groups": {"odd": ["1", "3", "5"]},
                        "inner": {"kind": "stack"}, "outer": {"kind": "stack"}},
}  # fmt: skip
"""Beside every kind as it comes."""


def configs():
    """Every kind as it comes, then the variants, by name."""
    plain = {kind: ENSEMBLES.config(kind)() for kind in ENSEMBLES.kinds()}
    return plain | {name: ENSEMBLES.parse(told) for name, told in VARIANTS.items()}


def softmax(logits):
    odds = np.exp(logits)
    return odds / odds.sum(-1, keepdims=True)


def gathered(seed, n_outcomes=3, noises=(0.3, 0.7, 1.1, 1.6), n_blind=1, n_rows=1500, n_assets=3):
    """Members that see one state, each with noise of its own, and some that see none of it.

    Outcomes are drawn from the state; they are known 1 to 8 hours after the row, so that they
    overlap. Three columns or p(+1) alone.
    """
    rng = np.random.default_rng(seed)
    n_bars = n_rows // n_assets
    n = n_bars * n_assets
    instant = np.tile(BEGIN + HOUR * np.arange(n_bars), n_assets)
    asset = np.repeat(np.arange(n_assets), n_bars)
    state = rng.normal(size=n)

    def probability(seen):
        return softmax(np.stack([-0.5 - seen, np.full(n, 0.5), seen - 1.0], axis=1))

    truth = probability(state)
    outcome = (rng.random(n)[:, None] > truth.cumsum(1)).sum(1) - 1
    seen = [(state + s * rng.normal(size=n)) / (1 + s**2) for s in noises]
    seen += [rng.normal(size=n) for _ in range(n_blind)]
    score = np.stack([probability(one) for one in seen])
    if n_outcomes == 1:
        score = np.ascontiguousarray(score[:, :, 2:])
    wanted = {e for config in configs().values() for e in columns_of(config)}
    named = {e: rng.normal(size=n) for e in sorted(wanted)}
    for column in named.values():
        column[rng.random(n) < 0.02] = np.nan
    return (
        Members(score, instant, asset, named),
        Outcomes(
            outcome.astype(np.int8),
            0.02 * outcome + 0.005 * rng.normal(size=n),
            instant + HOUR * rng.integers(1, 9, n),
            rng.uniform(0.5, 1.5, n),
        ),
    )


def halves(members, outcomes):
    """Rows known before the middle of time, and those from then on."""
    cut = np.sort(members.instant)[members.instant.size // 2]
    earlier = np.flatnonzero((members.instant < cut) & (outcomes.known <= cut))
    later = np.flatnonzero(members.instant >= cut)
    return take(members, outcomes, earlier), take(members, outcomes, later)


def fit(config, members, outcomes, seed=0):
    return ENSEMBLES.part_of(config).fit(config, members, outcomes, seed)


def of(members, which):
    """Some of the members, under the names that they have among all."""
    names = tuple(members.names[k] for k in which)
    return members._replace(score=np.ascontiguousarray(members.score[which]), name=names)
