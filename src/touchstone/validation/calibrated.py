"""Do probabilities mean what they say? Error and slope with intervals over days, and the bar."""

from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.metrics import classification as c
from touchstone.metrics.grouped import grouped, grouped_ece, grouped_slope
from touchstone.validation.day_bootstrap import counted_interval, days_of

FEWEST_POSITIVES: Final = 200
"""Rows that hit below which nothing is decided."""
LARGEST_ERROR: Final = 0.02
"""Of the calibration error, wherever the base rate is higher than five times it."""
SHARE_OF_BASE_RATE: Final = 0.2
"""And of the base rate: an error of 0.02 is no small one where a fiftieth of the rows hit."""
SLOPES: Final = (0.8, 1.25)
"""Least and largest calibration slope, both included."""

Word = Literal["met", "missed", "not decidable"]
Interval = tuple[float, float] | None


class Calibrated(NamedTuple):
    """How well some probabilities are calibrated."""

    ece: float | None
    ece_interval: Interval
    slope: float | None
    slope_interval: Interval
    n_positives: int
    largest_ece: float | None
    """The error that is allowed at this base rate; None without rows."""
    word: Word


def calibrated(p: Float64, hit: Bool, stretch: Int64, rng: np.random.Generator) -> Calibrated:
    """Measure and judge; days are resampled whole, and those whose outcomes overlap together.

    Resampling adds to the noise of every bin, so that the error's interval leans upward: where
    probabilities are right it may lie above the error that was found, though never below it all.

    Args:
        p: (n,) probabilities.
        hit: (n,) what came of them.
        stretch: (n,) of days that share outcomes, see `stretches`.
        rng: of the intervals.
    """
    days = days_of(stretch)
    rows = grouped(p, hit, days.at, days.n)
    for_error, for_slope = rng.spawn(2)
    error, slope = c.ece(p, hit), c.calibration_slope(p, hit)
    n_positives = int(np.count_nonzero(hit))
    largest = largest_error(n_positives / p.size) if p.size else None
    return Calibrated(
        ece=error,
        ece_interval=counted_interval(lambda counts: grouped_ece(rows, counts), days.n, for_error),
        slope=slope,
        slope_interval=counted_interval(
            lambda counts: grouped_slope(rows, counts), days.n, for_slope
        ),
        n_positives=n_positives,
        largest_ece=largest,
        word=word(error, slope, n_positives, p.size),
    )


def largest_error(base_rate: float) -> float:
    """The calibration error that is allowed where so large a share of the rows hits.

    >>> largest_error(0.3), largest_error(0.04)
    (0.02, 0.008)
    """
    return min(LARGEST_ERROR, SHARE_OF_BASE_RATE * base_rate)


def word(error: float | None, slope: float | None, n_positives: int, n_rows: int) -> Word:
    """`met` where error and slope both lie inside; nothing is decided by too few hits."""
    if n_positives < FEWEST_POSITIVES or error is None or slope is None:
        return "not decidable"
    is_inside = error <= largest_error(n_positives / n_rows) and SLOPES[0] <= slope <= SLOPES[1]
    return "met" if is_inside else "missed"
