"""A stretch of bars that stands twice: a session, or a day, copied over another."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import PositiveInt

from touchstone.arrays import Bool, Float64, Int64
from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Clean, Cohort
from touchstone.data.doubt.robust import ALPHA, Chance, runs
from touchstone.data.faults import utc
from touchstone.market.findings import Finding, Severity

UInt64: TypeAlias = npt.NDArray[np.uint64]


class DuplicateDayConfig(Config):
    """How long a copy must be."""

    kind: Literal["duplicate_day"] = "duplicate_day"
    with_volume: PositiveInt = 3
    """Bars in a row whose prices and volumes stand twice; one bar of a day is enough."""
    without_volume: PositiveInt = 6
    """Bars in a row whose prices alone stand twice; two bars of a day are enough."""
    alpha: Chance = ALPHA
    """Copies that chance may make in one clean instrument."""


@CHECKS.register(DuplicateDayConfig)
def duplicate_day(config: DuplicateDayConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a copy, placed at the later of the two."""
    daily = cohort.timeframe.is_daily
    lengths = (1, 2) if daily else (config.with_volume, config.without_volume)
    for i, bars in enumerate(cohort.clean):
        source = np.full(bars.time.size, -1, np.int64)
        columns = [bars.open, bars.high, bars.low, bars.close]
        moving = bars.high > bars.low
        if cohort.has_volume[i]:
            usable = moving & (bars.volume > 0)
            least = max(lengths[0], _by_chance(columns, bars.volume, usable, config.alpha))
            _copies([*columns, bars.volume], usable, least, source)
        _copies(columns, moving, lengths[1], source)
        for first, end in _stretches(source):
            said = (
                f"{end - first:,} bars repeat those of {_when(bars, int(source[first]))} to the "
                "last digit: a copied session; fetch the days again"
            )
            rows = bars.at[first:end]
            yield cohort.finding(
                config.kind, Severity.DOUBT, (i, rows), (end - first, lengths[0]), said
            )


def _when(bars: Clean, row: int) -> str:
    return utc(bars.time[row])


def _by_chance(columns: list[Float64], volume: Float64, usable: Bool, alpha: float) -> int:
    """Rows in a row that must repeat before chance explains it less than `alpha` times.

    Of n (n - 1) / 2 pairs of rows, so many agree in prices and so many in volume; were the two
    independent, that many would agree in both. Thin names print few prices and few sizes.
    """
    n = int(usable.sum())
    pairs = n * (n - 1) / 2
    if pairs < 1:
        return 1
    same = [_n_pairs(key[usable]) / pairs for key in (_key(columns), _key([volume]))]
    both = max(same[0] * same[1], 1e-12)
    return int(np.ceil(np.log(alpha / pairs) / np.log(min(both, 0.9))))


def _n_pairs(key: UInt64) -> float:
    counts = np.unique(key, return_counts=True)[1]
    return float((counts * (counts - 1) / 2).sum())


def _key(columns: list[Float64]) -> UInt64:
    """One number a row, equal where all columns are equal to the last bit."""
    key = np.zeros(columns[0].size, np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            key = key * np.uint64(0x9E3779B97F4A7C15) + np.ascontiguousarray(column).view(np.uint64)
            key ^= key >> np.uint64(29)
    return key


def _copies(columns: list[Float64], usable: Bool, length: int, source: Int64) -> None:
    """Write into `source` where each row of a repeated stretch of `length` rows comes from."""
    n = usable.size
    if n < 2 * length:
        return
    key = _key(columns)
    with np.errstate(over="ignore"):
        block, fits = np.zeros(n - length + 1, np.uint64), np.ones(n - length + 1, bool)
        for k in range(length):
            part = slice(k, n - length + 1 + k)
            block = block * np.uint64(0xBF58476D1CE4E5B9) + key[part]
            fits &= usable[part]
    at = np.flatnonzero(fits)
    _, first, inverse = np.unique(block[at], return_index=True, return_inverse=True)
    origin = at[first[inverse]]
    later = at - origin >= length
    for row, came in zip(at[later].tolist(), origin[later].tolist(), strict=True):
        if _distinct(columns, came, length):
            source[row : row + length] = np.arange(came, came + length)


def _distinct(columns: list[Float64], row: int, length: int) -> bool:
    """Whether a stretch holds enough different closes to be no chance of a coarse tick."""
    return np.unique(columns[3][row : row + length]).size > length // 2


def _stretches(source: Int64) -> Iterator[tuple[int, int]]:
    for first, end in zip(*runs(source >= 0), strict=True):
        cuts = np.flatnonzero(np.diff(source[first:end]) != 1) + 1
        for part in np.split(np.arange(first, end), cuts):
            yield int(part[0]), int(part[-1]) + 1
