"""What attributions of rows to features come to: sizes with intervals, a map, what is left over."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.explain import Subject
from touchstone.seeding import generator
from touchstone.validation.day_bootstrap import part_intervals

UNSAID: Final = 0.05
"""Share of the usual movement of a fold's margin that the values of a row may leave unsaid."""


class Shares(NamedTuple):
    """How the margin of each row of one fold comes about."""

    values: Float64
    """(n, n_parts, n_features) what each part of each feature adds to the margin."""
    margin: Float64
    """(n,) of +1, see `margin_of`."""
    base: Float64
    """(n,) the margin from which the values count."""


class Attribution(NamedTuple):
    """The same over all folds, rows in the order of the folds, rising within each."""

    method: str
    names: tuple[str, ...]
    """Features."""
    parts: tuple[str, ...]
    """Bars of the window, oldest first: -23 ... 0; of tabular kinds last, recent, mean."""
    size: Float64
    """Mean over rows of the absolute sum over a feature's parts, in units of the margin,
    (n_features,)."""
    interval: tuple[tuple[float, float] | None, ...]
    """95 % over days of each size; None with too few days or no variance."""
    mean: Float64
    """Mean over rows of the signed sum, (n_features,)."""
    by_part: Float64
    """Mean over rows of each part's absolute value, (n_parts, n_features)."""
    signed_by_part: Float64
    """Mean over rows of each part's value, (n_parts, n_features)."""
    values: Float64
    """The signed sum of each row, (n_rows, n_features)."""
    level: Float64
    """The feature's scaled value on the row's own bar, (n_rows, n_features)."""
    margin: Float64
    """(n_rows,)."""
    base: Float64
    """(n_rows,)."""

    @property
    def gap(self) -> Float64:
        """What the values do not account for, (n_rows,): margin - base - their sum."""
        return np.asarray(self.margin - self.base - self.values.sum(1))

    @property
    def gap_share(self) -> float:
        """Root mean square of the gap over that of margin - base; 0 where nothing moves."""
        moved = float(np.sqrt(np.mean((self.margin - self.base) ** 2)))
        return float(np.sqrt(np.mean(self.gap**2))) / moved if moved else 0.0


def attribution(
    method: str, subjects: Sequence[Subject], parts: tuple[str, ...], shares: Sequence[Shares]
) -> Attribution:
    """Put the folds' shares together.

    Args:
        method: its name.
        subjects: folds in order, their rows rising.
        parts: names of the second axis of the values.
        shares: of each fold.
    """
    every = np.concatenate([one.values for one in shares])
    values = every.sum(1)
    newest = [s.windows.gather(s.rows)[:, -1].astype(np.float64) for s in subjects]
    day = np.concatenate([s.day for s in subjects])
    return Attribution(
        method, subjects[0].names, parts, np.abs(values).mean(0),
        size_intervals(values, day, subjects[0].seed), values.mean(0),
        np.abs(every).mean(0), every.mean(0), values, np.concatenate(newest),
        np.concatenate([one.margin for one in shares]),
        np.concatenate([one.base for one in shares]),
    )  # fmt: skip


def summed_up(
    walk: Callable[[Int64, int], Float64], moved: Float64, ladder: Sequence[int], unsaid: float
) -> Float64:
    """Values along the way to each row, by as few places on it as make them add up.

    All rows are walked with the fewest places; those whose sum misses what moved by more than
    `unsaid` of the root mean square of all with the next, up to the last of the ladder. If every
    row gets there, `Attribution.gap_share` is at most `unsaid`.

    Args:
        walk: (numbers of rows, places) -> values (n, n_parts, n_features).
        moved: (n_rows,) margin less base: what values have to sum to.
        ladder: numbers of places, rising.
        unsaid: share that may be missed; infinite: nobody walks twice.
    """
    left = np.arange(moved.size)
    found = walk(left, ladder[0])
    enough = unsaid * np.sqrt(np.mean(moved**2))
    for n_places in ladder[1:]:
        left = left[np.abs(moved[left] - found[left].sum((1, 2))) > enough]
        if not left.size:
            break
        found[left] = walk(left, n_places)
    return found


def size_intervals(
    values: Float64, day: Int64, seed: int
) -> tuple[tuple[float, float] | None, ...]:
    """95 % over days of each column's mean absolute value, all columns on the same days.

    Args:
        values: (n_rows, n_features).
        day: (n_rows,).
        seed: of the resamples.
    """
    n_rows, n_features = values.shape
    column = np.tile(np.arange(n_features), n_rows)
    rng = generator(seed, "attribution", "days")
    spread = np.repeat(day, n_features)
    return tuple(part_intervals(np.abs(values).ravel(), column, n_features, spread, rng))


def bars_back(lookback: int) -> tuple[str, ...]:
    """Names of a window's bars, oldest first; 0 is the row's own."""
    return tuple(str(-age) for age in range(lookback - 1, -1, -1))
