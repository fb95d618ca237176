"""A plan live: one bar of all instruments at a time, bit-equal to the whole history at once."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import ConfigError, DataError
from touchstone.features.clock import CLOCK, clock
from touchstone.features.evaluation import known_or_zero
from touchstone.features.graph import Node, Plan
from touchstone.features.layout import program
from touchstone.features.state import LongerState, StreamState
from touchstone.features.workspace import Workspace
from touchstone.market import Calendar, Panel, Timeframe
from touchstone.market.resample import refuse_unless_longer, spans

_ABSENT = -(1 << 40)
_NEVER = -(1 << 62)


class Bar(NamedTuple):
    """One bar of many instruments, each field (n_instruments,); absent instruments are not read."""

    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64
    side: Mapping[str, Float64] = {}


class Stream:
    """The features of a plan, fed one bar of all instruments at a time.

    An instrument that is not listed yet, or misses a bar, is absent; its own bars alone move its
    features. A bar that comes when a later one has been pushed is refused: what was computed
    stands, and a replay without that bar gives the same again.

    Args:
        plan: from `compile_features` or `compile_expression`.
        n_instruments: how many instruments there are, in the order of the panel's symbols.
        calendar: whose trading days `session` counts.
        timeframe: of the bars; needed where the plan looks at longer bars.

    Raises:
        ConfigError: the plan looks at longer bars, which these do not make up.
    """

    def __init__(
        self,
        plan: Plan,
        n_instruments: int,
        calendar: Calendar | None = None,
        timeframe: Timeframe | None = None,
    ) -> None:
        self.plan, self.n_instruments = plan, n_instruments
        self._calendar, self._timeframe = calendar or Calendar("24/7"), timeframe
        whole = program(plan, plan.outputs, given=lambda _: False)
        self._space = Workspace(whole, n_instruments, rows=1, live=True)
        self._seen = np.zeros(n_instruments, np.int64)
        self._warmup = plan.warmup
        self._time = _NEVER
        if plan.higher and timeframe is None:
            raise ConfigError(
                f"a feature looks at bars of {', '.join(plan.higher)}: a stream of it needs the "
                "timeframe of its own bars, Stream(..., timeframe=...)"
            )
        self._longer = {
            name: _Longer(inner, n_instruments, self._calendar, (timeframe, Timeframe(name)))
            for name, inner in plan.higher.items()
            if timeframe is not None
        }

    def push(self, present: Bool, time: int, bar: Bar, member: Bool | None = None) -> Float64:
        """The features at the close of this bar.

        Args:
            present: which instruments have this bar, (n_instruments,).
            time: the bar's start, ns UTC, later than that of every bar before.
            bar: its fields; a side column holds NaN where it is not known.
            member: which of them belong to the universe at this bar, by which the others are
                measured, (n_instruments,); None: all.

        Returns:
            (n_instruments, n_features) float64; NaN for absent instruments and in the warm-up.

        Raises:
            DataError: the bar begins no later than the last one, or lacks a column or an
                instrument; nothing has changed then.
        """
        space = self._space
        present = np.asarray(present, bool)
        if not present.any():
            return np.full((self.n_instruments, len(self.plan.outputs)), np.nan)
        inside = np.ones(self.n_instruments, bool) if member is None else np.asarray(member, bool)
        self._refuse_late(time)
        self._refuse_lacking(present, inside, bar)
        for longer in self._longer.values():
            longer.push(present, time, bar, inside)
        space.member[:] = inside
        space.advance(present)
        space.age[:] = np.where(present, self._seen, _ABSENT)
        for place in space.program.leaves:
            values = self._input(self.plan.nodes[place], time, bar)
            np.copyto(space.view(place, 0), values, where=present)
        space.run()
        self._seen += present
        self._time = time
        out = np.empty((self.n_instruments, self._warmup.size))
        _show(space.table, space.age, self._warmup, out)
        return out

    def replay(self, panel: Panel) -> Float64:
        """Push all bars of a panel, oldest first; the features of its last time, as `push`."""
        last = np.full((self.n_instruments, len(self.plan.outputs)), np.nan)
        time, rows = panel.blocks()
        members = panel.members
        for now, row in zip(time.tolist(), rows, strict=True):
            at = np.maximum(row, 0)
            side = {name: column[at] for name, column in panel.side.items()}
            prices = (panel.open[at], panel.high[at], panel.low[at], panel.close[at])
            bar = Bar(*prices, panel.volume[at], side)
            last = self.push(row >= 0, now, bar, members[at])
        return last

    def state(self) -> StreamState:
        """A copy of all that the stream remembers."""
        longer = tuple(each.state() for each in self._longer.values())
        space = self._space
        columns = space.arena.copy()
        return StreamState(
            self._identity(), self._time, space.turn, self._seen.copy(), columns, longer
        )

    def restore(self, state: StreamState) -> None:
        """Go on from a state.

        Raises:
            DataError: the state of another plan, calendar, timeframe or number of instruments, or
                of another layout of the columns; the stream is then as it was.
        """
        self._refuse(state)
        for longer, theirs in zip(self._longer.values(), state.longer, strict=True):
            longer.restore(theirs)
        self._seen[:] = state.seen
        self._space.arena[:] = state.columns
        self._space.turn = state.turn
        self._space.point()
        self._time = state.time

    def _refuse(self, state: StreamState) -> None:
        mine = self._identity()
        fits = state.columns.shape == self._space.arena.shape and len(state.longer) == len(
            self._longer
        )
        if state.of != mine or not fits or state.seen.shape != self._seen.shape:
            raise DataError(
                f"the stream's state {state.of[:12]}, of {state.seen.size} instruments, belongs to "
                f"another plan, calendar or timeframe than this stream {mine[:12]} of "
                f"{self.n_instruments}: replay the history instead."
            )
        for longer, theirs in zip(self._longer.values(), state.longer, strict=True):
            longer.refuse(theirs)

    def _refuse_late(self, time: int) -> None:
        if time <= self._time:
            late, last = (
                np.datetime64(t, "ns").astype("datetime64[s]") for t in (time, self._time)
            )
            raise DataError(
                f"a bar that begins at {late} UTC comes after that of {last} UTC: leave it out, or "
                "replay the history with it in its place."
            )

    def _refuse_lacking(self, present: Bool, member: Bool, bar: Bar) -> None:
        lacking = [name for name in self.plan.side if name not in bar.side]
        if lacking:
            raise DataError(
                f"the bar lacks the side column {lacking[0]!r}: give it, NaN where it is not known."
            )
        needed = (self.n_instruments,)
        columns: dict[str, npt.ArrayLike] = {"present": present, "member": member}
        columns |= dict(zip(Bar._fields[:5], bar[:5], strict=True))
        columns |= {name: bar.side[name] for name in self.plan.side}
        for name, column in columns.items():
            if np.shape(column) != needed:
                raise DataError(f"a bar's {name} is of shape {np.shape(column)}, needs {needed}.")

    def _identity(self) -> str:
        timeframe = self._timeframe.name if self._timeframe else ""
        lie = sorted(self._space.columns.items())
        noun = (self.plan.fingerprint, self._calendar.name, timeframe, self.n_instruments, lie)
        return hashlib.sha256(repr(noun).encode()).hexdigest()

    def _input(self, node: Node, time: int, bar: Bar) -> npt.ArrayLike:
        name = node.name
        if node.op == "higher":
            timeframe, column = name.split()
            return known_or_zero(self._longer[timeframe].column(column))[int(node.parameters[0])]
        if name in CLOCK:
            return clock(name, np.array([time], np.int64), self._calendar)
        if name in Bar._fields:
            return np.asarray(getattr(bar, name), np.float64)
        if name in bar.side:
            return known_or_zero(bar.side[name])[0]
        return known_or_zero(bar.side[name.removesuffix("_known")])[1]


@njit(nogil=True, cache=True, _nrt=False)
def _show(table: Float64, age: Int64, warmup: Int64, out: Float64) -> None:
    """The table turned round, (n_instruments, n_features), NaN where nothing is known."""
    for lane in range(age.size):
        row, column = out[lane], table[:, lane]
        for f in range(warmup.size):
            row[f] = column[f] if age[lane] >= warmup[f] else np.nan


class _Longer:
    """Bars of a longer timeframe under way, and the stream of what is computed on those over."""

    def __init__(
        self,
        plan: Plan,
        n_instruments: int,
        calendar: Calendar,
        frames: tuple[Timeframe, Timeframe],
    ) -> None:
        self._bars_of, self._timeframe = frames
        refuse_unless_longer(self._timeframe, self._bars_of)
        self._calendar, self._side = calendar, plan.side
        self._stream = Stream(plan, n_instruments, calendar)
        self._span = np.full(2, _NEVER, np.int64)
        self._under_way = np.zeros(n_instruments, bool)
        self._bars = np.zeros((5 + len(plan.side), n_instruments))
        self._member = np.ones(n_instruments, bool)
        self._values = np.full((n_instruments, len(plan.outputs)), np.nan)

    def push(self, present: Bool, time: int, bar: Bar, member: Bool) -> None:
        """Take a shorter bar in; a longer one that it shows to be over is computed first."""
        at = np.array([time], np.int64)
        span = np.concatenate(spans(at, self._timeframe, self._calendar))
        if span[0] != self._span[0]:
            self._finish()
        self._span[:] = span
        first, later = present & ~self._under_way, present & self._under_way
        fields = [np.asarray(x, np.float64) for x in bar[:5]]
        _, high, low, _, volume = self._bars[:5]
        np.maximum(high, fields[1], out=high, where=later)
        np.minimum(low, fields[2], out=low, where=later)
        np.add(volume, fields[4], out=volume, where=later)
        for row, values in zip(self._bars[:5], fields, strict=True):
            np.copyto(row, values, where=first)
        np.copyto(self._bars[3], fields[3], where=present)
        for row, name in zip(self._bars[5:], self._side, strict=True):
            np.copyto(row, np.asarray(bar.side[name], np.float64), where=present)
        np.copyto(self._member, member, where=present)
        self._under_way |= present
        if span[1] <= self._calendar.available_at(at, self._bars_of.ns)[0]:
            self._finish()

    def column(self, name: str) -> Float64:
        """What the last bar that was over gave, NaN where there is none, (n_instruments,)."""
        return self._values[:, self._stream.plan.names.index(name)]

    def state(self) -> LongerState:
        return LongerState(
            self._span.copy(),
            self._under_way.copy(),
            self._bars.copy(),
            self._member.copy(),
            self._values.copy(),
            self._stream.state(),
        )

    def refuse(self, state: LongerState) -> None:
        """Raise DataError where the state is another's."""
        self._stream._refuse(state.stream)
        mine: tuple[npt.NDArray[Any], ...] = (
            self._span, self._under_way, self._bars, self._member, self._values,
        )  # fmt: skip
        if any(a.shape != b.shape for a, b in zip(mine, state[:5], strict=True)):
            raise DataError("the stream's state is damaged: replay the history instead.")

    def restore(self, state: LongerState) -> None:
        self._span[:], self._under_way[:] = state.span, state.under_way
        self._bars[:], self._values[:] = state.bars, state.values
        self._member[:] = state.member
        self._stream.restore(state.stream)

    def _finish(self) -> None:
        if self._under_way.any():
            side = dict(zip(self._side, self._bars[5:], strict=True))
            open_, high, low, close, volume = self._bars[:5]
            bar = Bar(open_, high, low, close, volume, side)
            values = self._stream.push(self._under_way, int(self._span[0]), bar, self._member)
            self._values[self._under_way] = values[self._under_way]
            self._under_way[:] = False
