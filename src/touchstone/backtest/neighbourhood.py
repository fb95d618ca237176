"""What stands around the best point of a grid: a plateau, a slope, or a spike."""

import itertools
from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Float64

PLATEAU: Final = 0.8
"""Median of the neighbours over the best at or above which they stand on one plateau."""
SPIKE: Final = 0.5
"""Below it the best is a spike."""

Word = Literal["plateau", "slope", "spike", "alone"]


class Neighbourhood(NamedTuple):
    """The points that differ from one point by at most one step of each ordered axis."""

    places: tuple[tuple[int, ...], ...]
    """Of those that have a value."""
    median: float | None
    lowest: float | None
    above_zero: float | None
    """Share of them with a value above 0."""
    word: Word
    """alone: it has no neighbour, or is not above 0 itself."""


def neighbourhood(
    values: Float64, ordered: tuple[bool, ...], place: tuple[int, ...]
) -> Neighbourhood:
    """The neighbours of a point, and what they say of it.

    Args:
        values: one per combination, higher is better, nan where there is none; one dimension an
            axis.
        ordered: whether neighbours on an axis are near in value too; the others are held fixed.
        place: the point.
    """
    reach = [
        range(max(i - 1, 0), min(i + 2, n)) if near else range(i, i + 1)
        for i, n, near in zip(place, values.shape, ordered, strict=True)
    ]
    around = [p for p in itertools.product(*reach) if p != place and not np.isnan(values[p])]
    if not around:
        return Neighbourhood((), None, None, None, "alone")
    found = np.array([values[p] for p in around])
    median, best = float(np.median(found)), float(values[place])
    word: Word = "alone"
    if best > 0:
        held = median / best
        word = "plateau" if held >= PLATEAU else "spike" if held < SPIKE else "slope"
    return Neighbourhood(tuple(around), median, float(found.min()), float((found > 0).mean()), word)
