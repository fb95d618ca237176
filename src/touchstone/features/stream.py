"""A plan live: one bar of all instruments at a time, bit-equal to the whole history at once."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import DataError
from touchstone.features.clock import CLOCK, clock
from touchstone.features.evaluation import known_or_zero
from touchstone.features.graph import Plan
from touchstone.features.layout import program
from touchstone.features.workspace import Workspace
from touchstone.market import Calendar, Panel

_ABSENT = -(1 << 40)


class Bar(NamedTuple):
    """One bar of many instruments, each field (n_instruments,); absent instruments are not read."""

    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64
    side: Mapping[str, Float64] = {}


class StreamState(NamedTuple):
    """All that a stream remembers."""

    plan: str
    """Fingerprint of the plan."""
    seen: Int64
    """Bars that each instrument has had, (n_instruments,)."""
    columns: Float64
    """All columns with their histories, flat."""


class Stream:
    """The features of a plan, fed one bar of all instruments at a time.

    Args:
        plan: from `compile_features` or `compile_expression`.
        n_instruments: how many instruments there are, in the order of the panel's symbols.
        calendar: whose trading days `session` counts.
    """

    def __init__(self, plan: Plan, n_instruments: int, calendar: Calendar | None = None) -> None:
        self.plan, self.n_instruments = plan, n_instruments
        self._calendar = calendar or Calendar("24/7")
        whole = program(plan, plan.outputs, given=lambda _: False)
        self._space = Workspace(whole, n_instruments, rows=1, reuse=False)
        self._seen = np.zeros(n_instruments, np.int64)

    def push(self, present: Bool, time: int, bar: Bar) -> Float64:
        """The features at the close of this bar.

        Args:
            present: which instruments have this bar, (n_instruments,).
            time: the bar's start, ns UTC.
            bar: its fields; a side column holds NaN where it is not known.

        Returns:
            (n_instruments, n_features) float64; NaN for absent instruments and in the warm-up.
        """
        space = self._space
        present = np.asarray(present, bool)
        space.advance(present)
        space.age[:] = np.where(present, self._seen, _ABSENT)
        for place in space.program.leaves:
            values = self._input(self.plan.nodes[place].name, time, bar)
            np.copyto(space.view(place, 0), values, where=present)
        space.run()
        known = space.age[:, None] >= self.plan.warmup
        self._seen += present
        return np.where(known, space.table.T, np.nan)

    def replay(self, panel: Panel) -> Float64:
        """Push all bars of a panel, oldest first; the features of its last time, as `push`."""
        last = np.full((self.n_instruments, len(self.plan.outputs)), np.nan)
        time, rows = panel.blocks()
        for now, row in zip(time.tolist(), rows, strict=True):
            at = np.maximum(row, 0)
            side = {name: column[at] for name, column in panel.side.items()}
            prices = (panel.open[at], panel.high[at], panel.low[at], panel.close[at])
            last = self.push(row >= 0, now, Bar(*prices, panel.volume[at], side))
        return last

    def state(self) -> StreamState:
        """A copy of all that the stream remembers."""
        return StreamState(self.plan.fingerprint, self._seen.copy(), self._space.arena.copy())

    def restore(self, state: StreamState) -> None:
        """Go on from a state.

        Raises:
            DataError: the state of another plan or of another number of instruments.
        """
        if state.plan != self.plan.fingerprint or state.columns.size != self._space.arena.size:
            raise DataError(
                f"the stream's state belongs to plan {state.plan[:12]} with {state.seen.size} "
                f"instruments, this is plan {self.plan.fingerprint[:12]} with "
                f"{self.n_instruments}: replay the history instead."
            )
        self._seen[:] = state.seen
        self._space.arena[:] = state.columns

    def _input(self, name: str, time: int, bar: Bar) -> npt.ArrayLike:
        if name in CLOCK:
            return clock(name, np.array([time], np.int64), self._calendar)
        if name in Bar._fields:
            return np.asarray(getattr(bar, name), np.float64)
        if name in bar.side:
            return known_or_zero(bar.side[name])[0]
        return known_or_zero(bar.side[name.removesuffix("_known")])[1]
