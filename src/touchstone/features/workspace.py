"""The engine: a plan's columns over a block of bars of many instruments side by side.

A workspace holds one flat column per node, rows of `lanes` instruments, each instrument at its
own bar number. The rows ahead of the current ones are the column's history, as many as its
readers look back, and they are the whole state of the plan. Backtest and live process differ in
nothing but the shape of the block: hundreds of bars of 16 instruments, or one bar of all.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.features.chains import KERNELS, TILE, WIDEST, chain
from touchstone.features.graph import Node
from touchstone.features.layout import LINE, Layout, Program
from touchstone.features.primitives import PRIMITIVES

Call = tuple[Callable[..., None], tuple[Any, ...]]
"""A kernel and the arrays it was bound to."""


class Workspace:
    """Columns of a program for `rows` bars of `lanes` instruments, and the calls that fill them.

    Args:
        program: what to compute.
        lanes: instruments side by side.
        rows: bars of each at a time.
        reuse: whether columns without history may share memory once read; not where an
            instrument can be absent, whose values must then stay as they are.
    """

    def __init__(self, program: Program, lanes: int, rows: int, reuse: bool) -> None:
        self.program, self.lanes, self.rows = program, lanes, rows
        self.age = np.zeros(lanes, np.int64)
        """Bars that each lane's instrument had before the current rows."""
        layout = Layout(program, lanes, rows, reuse)
        self.columns = layout.columns
        self.arena = _aligned(layout.size)
        """All columns, flat: everything that is remembered."""
        n_outputs = len(program.outputs)
        table = self.arena[: n_outputs * layout.stride].reshape(n_outputs, layout.stride)
        self.table = table[:, : rows * lanes]
        """Values of the outputs, (n_outputs, rows * lanes)."""
        self.calls = list(self._calls())
        kept = [c for c in self.columns.values() if c.history and not c.shift]
        self._kept = np.array([c[:2] for c in kept], np.int64).reshape(-1, 2)

    def view(self, place: int, back: int) -> Float64:
        """The current rows of a node and the `back` rows before them, flat."""
        first = self._current(place) - back * self.lanes
        return self.arena[first : first + (back + self.rows) * self.lanes]

    def advance(self, moving: Bool) -> None:
        """Let the last rows become history, in the lanes that are `moving`, (lanes,)."""
        _advance(self.arena, self._kept, self.rows, moving)

    def run(self) -> None:
        """Fill the current rows of every column from those of the leaves, then the table."""
        for kernel, args in self.calls:
            kernel(*args)

    def _current(self, place: int) -> int:
        first, history, shift, is_tile = self.columns[place]
        return first if is_tile else first + (history - shift) * self.lanes

    def _calls(self) -> Iterator[Call]:
        nodes = self.program.plan.nodes
        for points, others in self.program.steps():
            for place in (p for p in points if nodes[p].op == "constant"):
                first, history, _, is_tile = self.columns[place]
                n_elements = TILE if is_tile else (history + self.rows) * self.lanes
                self.arena[first : first + n_elements] = nodes[place].parameters[0]
            chained = [p for p in points if nodes[p].kind == "point"]
            if chained:
                code = np.array([self._code(p) for p in chained], np.int64)
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
        return _across, (kernel, *columns, self.age, *skips, out)

    def _memory(self, place: int, n_rows: int) -> list[Float64]:
        """The rows in front of a column that a recursion keeps for itself, if it keeps any."""
        first = self.columns[place].first
        return [self.arena[first - n_rows * self.lanes : first]] if n_rows else []


def _aligned(size: int) -> Float64:
    """Zeros that begin with a line of the cache."""
    room = np.zeros(size + LINE)
    return room[(-room.ctypes.data // room.itemsize) % LINE :][:size]


def _across(kernel: Callable[..., None], x: Float64, age: Int64, skip: int, out: Float64) -> None:
    """A section over the one row of a block that holds one time."""
    kernel(x, age >= skip, np.arange(age.size), np.array([0, age.size]), out)


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
