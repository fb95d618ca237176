"""The smallest bars that still show a difference: for whoever has to find out why."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from touchstone.market import Panel
from touchstone.validation.audit.compare import Difference, first_difference
from touchstone.validation.audit.report import Slice
from touchstone.validation.audit.scrambles import kept_held
from touchstone.validation.audit.subject import World, scrambled, slice_of
from touchstone.validation.audit.trace import Trace


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
    """Leave out symbols, then history, then future, while the same column still differs.

    Args:
        run: computes a trace.
        panel: bars that show the difference.
        scramble: cut, how, seed.
        difference: what they show.
        n_runs: how many smaller slices are tried at most.
    """
    best, shown = panel, difference
    n = 0
    for shrink in (_symbols, _history, _future):
        for smaller in shrink(best, scramble[0], difference):
            if n >= n_runs:
                break
            n += 1
            found = _differs(run, smaller, scramble)
            if found is None or (found.stage, found.column) != (
                difference.stage, difference.column
            ):  # fmt: skip
                break
            best, shown = smaller, found
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


def _symbols(panel: Panel, _: int, difference: Difference) -> Iterator[Panel]:
    if difference.symbol in panel.symbols and panel.n_instruments > 1:
        alone = panel.asset_id == panel.symbols.index(difference.symbol)
        yield kept_held(panel.where(alone))


def _history(panel: Panel, cut: int, difference: Difference) -> Iterator[Panel]:
    """Half of what lies before the row, again and again."""
    end = cut if difference.time is None else min(difference.time, cut)
    times = np.unique(panel.time[panel.time <= end])
    while times.size > 2:
        times = times[times.size // 2 :]
        yield kept_held(panel.where(panel.time >= times[0]))


def _future(panel: Panel, cut: int, _: Difference) -> Iterator[Panel]:
    """Half of what lies after the cut, again and again."""
    times = np.unique(panel.available_at[panel.available_at > cut])
    while times.size > 1:
        times = times[: times.size // 2]
        yield kept_held(panel.until(int(times[-1])))
