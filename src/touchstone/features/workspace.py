"""The engine: a plan's columns over a block of bars of many instruments side by side.

A workspace holds one flat column per node, rows of `lanes` instruments, each instrument at its
own bar number. The rows ahead of the current ones are the column's history, as many as its
readers look back, and they are the whole state of the plan. Backtest and live process differ in
nothing but the shape of the block: hundreds of bars of 16 instruments, or one bar of all.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.features.chains import KERNELS, TILE, WIDEST, chain
from touchstone.features.graph import Node
from touchstone.features.layout import LINE, Layout, Program
from touchstone.features.primitives import PRIMITIVES

Call = tuple[Callable[..., object], tuple[Any, ...]]
"""A kernel and the arrays it was bound to."""


class Workspace:
    """Columns of a program for `rows` bars of `lanes` instruments, and the calls that fill them.

    Args:
        program: what to compute.
        lanes: instruments side by side.
        rows: bars of each at a time.
        live: whether instruments can be absent, whose values must then stay as they are: columns
            without history share no memory. With one row, what only chains read turns as a ring,
            so that a new bar moves no history.
    """

    def __init__(self, program: Program, lanes: int, rows: int, live: bool) -> None:
        self.program, self.lanes, self.rows = program, lanes, rows
        self.age = np.zeros(lanes, np.int64)
        """Bars that each lane's instrument had before the current rows."""
        self.member = np.ones(lanes, bool)
        """Whether sections measure the others by each lane's instrument."""
        self.turn = 0
        """Rows by which the rings have turned."""
        layout = Layout(program, lanes, rows, reuse=not live)
        self.columns = layout.columns
        self.arena = _aligned(layout.size)
        """All columns, flat: everything that is remembered."""
        n_outputs = len(program.outputs)
        table = self.arena[: n_outputs * layout.stride].reshape(n_outputs, layout.stride)
        self.table = table[:, : rows * lanes]
        """Values of the outputs, (n_outputs, rows * lanes)."""
        rings = layout.rings() if live and rows == 1 else set()
        self._turning: list[tuple[Int64, Int64]] = []
        self.calls = list(self._calls(rings))
        kept = [c for c in self.columns.values() if c.history and not c.shift]
        self._kept = _pairs(c[:2] for c in kept if c.first not in rings)
        self._rings = _pairs((c.first, c.history + 1) for c in kept if c.first in rings)
        self.point()

    def view(self, place: int, back: int) -> Float64:
        """The current rows of a node and the `back` rows before them, flat."""
        first = self._current(place) - back * self.lanes
        return self.arena[first : first + (back + self.rows) * self.lanes]

    def advance(self, moving: Bool) -> None:
        """Let the last rows become history, in the lanes that are `moving`, (lanes,)."""
        _advance(self.arena, self._kept, self.rows, moving)
        if len(self._rings):
            self.turn += 1
            _hold(self.arena, self._rings, self.turn, self.lanes, np.flatnonzero(~moving))
            self.point()

    def point(self) -> None:
        """Let the chains read the rings as they stand after `turn`."""
        for code, entries in self._turning:
            _point(code, entries, self.turn, self.lanes)

    def run(self) -> None:
        """Fill the current rows of every column from those of the leaves, then the table."""
        for kernel, args in self.calls:
            kernel(*args)

    def _current(self, place: int) -> int:
        first, history, shift, is_tile = self.columns[place]
        return first if is_tile else first + (history - shift) * self.lanes

    def _calls(self, rings: set[int]) -> Iterator[Call]:
        nodes = self.program.plan.nodes
        for points, others in self.program.steps():
            for place in (p for p in points if nodes[p].op == "constant"):
                first, history, _, is_tile = self.columns[place]
                n_elements = TILE if is_tile else (history + self.rows) * self.lanes
                self.arena[first : first + n_elements] = nodes[place].parameters[0]
            chained = [p for p in points if nodes[p].kind == "point"]
            if chained:
                code = np.array([self._code(p) for p in chained], np.int64)
                self._turning.append((code, self._entries(chained, rings)))
                weights = np.zeros((len(chained), 2))
                for row, place in enumerate(chained):
                    weights[row, : len(nodes[place].parameters)] = nodes[place].parameters
                yield chain, (code, weights, self.arena, self.rows * self.lanes)
            for place in others:
                yield self._call(place, nodes[place])
        for row, place in enumerate(self.program.outputs):
            current = self.view(place, 0)
            if not np.shares_memory(current, self.table[row]):
                yield np.copyto, (self.table[row], current)

    def _code(self, place: int) -> list[int]:
        node = self.program.plan.nodes[place]
        code = [len(node.args), KERNELS.index(node.kernel)]
        for column in (place, *node.args):
            code += [self._current(column), int(not self.columns[column].is_tile)]
        return code + [0] * (4 + 2 * WIDEST - len(code))

    def _entries(self, chained: list[int], rings: set[int]) -> Int64:
        """Where a code names a ring: row, place in it, first element, rows, bars ago; (n, 5)."""
        entries = []
        for row, place in enumerate(chained):
            for i, column in enumerate((place, *self.program.plan.nodes[place].args)):
                first, history, shift, _ = self.columns[column]
                if first in rings:
                    entries.append((row, 2 + 2 * i, first, history + 1, shift))
        return np.array(entries, np.int64).reshape(-1, 5)

    def _call(self, place: int, node: Node) -> Call:
        kernel, parameters = node.kernel, node.parameters
        out = self.view(place, 0)
        if node.kind == "window":
            back = int(parameters[0]) - 1
            windows = [self.view(a, back) for a in node.args]
            return kernel, (*windows, out, self.lanes, *parameters)
        columns = [self.view(a, 0) for a in node.args]
        skips = [self.program.plan.warmups[a] for a in node.args]
        if node.kind == "recursion":
            memory = self._memory(place, PRIMITIVES[node.op].memory)
            return kernel, (*columns, self.age, *skips, *memory, self.view(place, 1), *parameters)
        return _across, (kernel, *columns, self.age, *skips, self.member, out)

    def _memory(self, place: int, n_rows: int) -> list[Float64]:
        """The rows in front of a column that a recursion keeps for itself, if it keeps any."""
        first = self.columns[place].first
        return [self.arena[first - n_rows * self.lanes : first]] if n_rows else []


def _aligned(size: int) -> Float64:
    """Zeros that begin with a line of the cache."""
    room = np.zeros(size + LINE)
    return room[(-room.ctypes.data // room.itemsize) % LINE :][:size]


def _pairs(pairs: Iterable[tuple[int, int]]) -> Int64:
    return np.array(list(pairs), np.int64).reshape(-1, 2)


def _across(
    kernel: Callable[..., None], x: Float64, age: Int64, skip: int, member: Bool, out: Float64
) -> None:
    """A section over the one row of a block that holds one time."""
    known = age >= skip
    kernel(x, known, known & member, np.arange(age.size), np.array([0, age.size]), out)


@njit(nogil=True, cache=True, _nrt=False)
def _advance(arena: Float64, kept: Int64, rows: int, moving: Bool) -> None:
    """In each kept column, (first, history), a row of the history takes the one `rows` later."""
    lanes = moving.size
    for k in range(kept.shape[0]):
        first, history = kept[k]
        for row in range(history):
            at = first + row * lanes
            into, after = arena[at : at + lanes], arena[at + rows * lanes :]
            for i in range(lanes):
                new, old = after[i], into[i]
                into[i] = new if moving[i] else old


@njit(nogil=True, cache=True, _nrt=False)
def _point(code: Int64, entries: Int64, turn: int, lanes: int) -> None:
    """Write where each ring that a chain names stands now into its code."""
    for k in range(entries.shape[0]):
        row, place, first, n_rows, shift = entries[k]
        code[row, place] = first + (turn - shift) % n_rows * lanes


@njit(nogil=True, cache=True, _nrt=False)
def _hold(arena: Float64, rings: Int64, turn: int, lanes: int, absent: Int64) -> None:
    """Turn the absent lanes back: what they had k bars ago they have k bars ago still.

    The current row is not written: a chain computes it again, from what has not changed.
    """
    for r in range(rings.shape[0]):
        first, n_rows = rings[r]
        for k in range(1, n_rows if absent.size else 0):
            into = first + (turn - k) % n_rows * lanes
            older = first + (turn - k - 1) % n_rows * lanes
            for i in absent:
                arena[into + i] = arena[older + i]
