"""Where does a model err? Parts of its test rows, each measured, and which are unlike the rest.

A part with a bad figure is nothing yet: of a hundred parts five look odd by luck at p = 0.05. So
intervals draw whole days, every part is tested against all other rows, and the p-values are
corrected for how many parts were looked at.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import DataError
from touchstone.metrics import classification as c
from touchstone.metrics.ranked import ranked, ranked_pr_auc
from touchstone.seeding import generator
from touchstone.validation.day_bootstrap import counted_interval, days_of, part_intervals
from touchstone.validation.slices import Division, Screened, difference_p, screened

Interval = tuple[float, float] | None

_PASSES: Final = 20_000_000
"""Rows times resamples of the PR-AUC of one division."""
_RESAMPLES: Final = (99, 399)
"""Of the PR-AUC of one part: at least, and at most."""


class Answered(NamedTuple):
    """Test rows with what the model said and what came, (n,) each."""

    probability: Float64
    """Calibrated p(+1)."""
    accepted: Bool
    """The model's score reached the threshold of its fold."""
    hit: Bool
    """The row ended at the target."""
    net: Float64
    """Realised return less the round trip, fraction."""
    day: Int64
    """What an interval draws as one: the day, or its stretch."""


class Sliced(NamedTuple):
    """One part of the rows."""

    group: str
    name: str
    n_rows: int
    n_hits: int
    n_accepted: int
    precision: float | None
    """Hits among the accepted rows."""
    precision_interval: Interval
    recall: float | None
    """Accepted rows among the hits."""
    recall_interval: Interval
    pr_auc: float | None
    """Of the calibrated probability; without skill it is the part's base rate."""
    pr_auc_interval: Interval
    gap: float
    """Mean probability less the share of hits: above 0 the model promises too much."""
    gap_interval: Interval
    net: float | None
    """Mean of the accepted rows, fraction a row."""
    net_interval: Interval
    gap_p: float | None
    """Of "the gap is that of the other rows", days as clusters; None where it cannot be told."""
    net_p: float | None
    """The same of the net return of accepted rows."""

    @property
    def base_rate(self) -> float:
        """Share of hits."""
        return self.n_hits / self.n_rows

    @property
    def least_p(self) -> float:
        """The smaller p-value, 1 where there is none: what the parts are sorted by."""
        return min((p for p in (self.gap_p, self.net_p) if p is not None), default=1.0)


class Slices(NamedTuple):
    """All parts, those most unlike the rest first."""

    found: tuple[Sliced, ...]
    screen: Screened
    """Of both p-values of every part: gap and net of the first part, of the second, ..."""

    def survives(self, place: int) -> tuple[bool, bool]:
        """Whether gap and net of the part at a place are unlike the rest after the correction."""
        both = self.screen.survives[2 * place : 2 * place + 2]
        return both[0], both[1]


def slices(rows: Answered, ways: Sequence[Division], seed: int) -> Slices:
    """Measure every part of every division; parts without a row are left out.

    Args:
        rows: the pooled test rows.
        ways: how they are divided, `part` (n,) each.
        seed: of the intervals.

    Raises:
        DataError: columns, or a division, of another length than the rows.
    """
    for name, column in zip(rows._fields, rows, strict=True):
        if np.shape(column) != rows.hit.shape:
            raise DataError(f"{name}: {np.shape(column)} beside {rows.hit.shape} rows")
    found: list[Sliced] = []
    for way in ways:
        if way.part.shape != rows.hit.shape:
            raise DataError(f"by {way.group}: {way.part.shape} parts for {rows.hit.shape} rows")
        found += _divided(rows, way, seed)
    found.sort(key=lambda s: (s.least_p, -s.n_rows, s.group, s.name))
    return Slices(tuple(found), screened([p for s in found for p in (s.gap_p, s.net_p)]))


def _divided(rows: Answered, way: Division, seed: int) -> list[Sliced]:
    n, taken, hit = len(way.names), rows.accepted, rows.hit
    gap = rows.probability - hit
    streams = generator(seed, "error slices", way.group).spawn(5)

    def ends(values: Float64 | Bool, keep: Bool | slice, stream: int) -> list[Interval]:
        column = np.asarray(values[keep], np.float64)
        return part_intervals(column, way.part[keep], n, rows.day[keep], streams[stream])

    precision, recall = ends(hit, taken, 0), ends(taken, hit, 1)
    gaps, nets = ends(gap, slice(None), 2), ends(rows.net, taken, 3)
    found = []
    for k in range(n):
        mine = way.part == k
        if not mine.any():
            continue
        own, hits = mine & taken, mine & hit
        found.append(
            Sliced(
                group=way.group,
                name=way.names[k],
                n_rows=int(mine.sum()),
                n_hits=int(hits.sum()),
                n_accepted=int(own.sum()),
                precision=_mean(hit[own]),
                precision_interval=precision[k],
                recall=_mean(taken[hits]),
                recall_interval=recall[k],
                pr_auc=c.pr_auc(rows.probability[mine], hit[mine]),
                pr_auc_interval=_pr_auc_interval(rows, mine, streams[4]),
                gap=float(gap[mine].mean()),
                gap_interval=gaps[k],
                net=_mean(rows.net[own]),
                net_interval=nets[k],
                gap_p=difference_p(gap, mine, rows.day),
                net_p=difference_p(rows.net[taken], mine[taken], rows.day[taken]),
            )
        )
    return found


def _pr_auc_interval(rows: Answered, mine: Bool, rng: np.random.Generator) -> Interval:
    if not rows.hit[mine].any():
        return None
    days = days_of(rows.day[mine])
    order = ranked(rows.probability[mine], rows.hit[mine], days.at)
    n_resamples = min(max(_PASSES // int(mine.size), _RESAMPLES[0]), _RESAMPLES[1])
    return counted_interval(
        lambda counts: ranked_pr_auc(order, counts), days.n, rng, n_resamples=n_resamples
    )


def _mean(values: Float64 | Bool) -> float | None:
    return float(values.mean()) if values.size else None
