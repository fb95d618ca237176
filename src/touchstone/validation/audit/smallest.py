"""The smallest bars that still show a difference: for whoever has to find out why."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from touchstone.market import Panel
from touchstone.validation.audit.compare import Difference, first_difference
from touchstone.validation.audit.report import Slice
from touchstone.validation.audit.scrambles import kept_held
from touchstone.validation.audit.subject import World, scrambled, slice_of
from touchstone.validation.audit.trace import Trace

_SIZES: Final = (1, 4, 16, 64, 256, 1024)


class Shown(NamedTuple):
    """A difference on the smallest bars that were found to show one."""

    difference: Difference
    slice: Slice


def smallest(
    run: Callable[[World], Trace],
    panel: Panel,
    scramble: tuple[int, str, int],
    difference: Difference,
    n_runs: int = 12,
) -> Shown:
    """Leave out the other symbols, then try few bars around the row and the cut, then more.

    Args:
        run: computes a trace.
        panel: bars that show the difference.
        scramble: cut, how, seed.
        difference: what they show.
        n_runs: how many smaller slices are tried at most.
    """
    best, shown, n = panel, difference, 0
    for shrink in (_alone, _around):
        for smaller in shrink(best, scramble[0], difference):
            if n >= n_runs or len(smaller) >= len(best):
                break
            n += 1
            found = _differs(run, smaller, scramble)
            where = None if found is None else (found.stage, found.column)
            if found is not None and where == (difference.stage, difference.column):
                best, shown = smaller, found
                break
    return Shown(shown, slice_of(best))


def _differs(
    run: Callable[[World], Trace], panel: Panel, scramble: tuple[int, str, int]
) -> Difference | None:
    cut, how, seed = scramble
    if not len(panel) or panel.available_at.max() <= cut or panel.available_at.min() > cut:
        return None
    try:
        base = run(World(panel))
        return first_difference(base, run(scrambled(panel, cut, how, seed)), cut)
    except Exception:  # noqa: BLE001  too small to run: then it is not the smallest
        return None


def _alone(panel: Panel, _: int, difference: Difference) -> Iterator[Panel]:
    """The row's own instrument."""
    if difference.symbol in panel.symbols and panel.n_instruments > 1:
        yield kept_held(panel.where(panel.asset_id == panel.symbols.index(difference.symbol)))


def _around(panel: Panel, cut: int, difference: Difference) -> Iterator[Panel]:
    """From n bars before the row to n bars after the cut, n rising."""
    times = np.unique(panel.time)
    row = int(np.searchsorted(times, cut if difference.time is None else difference.time))
    last = int(np.searchsorted(np.unique(panel.available_at), cut, side="right"))
    for n in _SIZES:
        first, end = times[max(row - n, 0)], times[min(last + n, times.size) - 1]
        yield kept_held(panel.where((panel.time >= first) & (panel.time <= end)))
