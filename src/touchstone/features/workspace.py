"""The engine: a plan's columns over a block of bars of many instruments side by side.

A workspace holds one flat column per node, rows of `lanes` instruments, each instrument at its
own bar number. The rows ahead of the current ones are the column's history, as many as its
readers look back, and they are the whole state of the plan. Backtest and live process differ in
nothing but the shape of the block: hundreds of bars of 16 instruments, or one bar of all.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.features.graph import Node, Plan
from touchstone.features.points import ONE, THREE, TWO, chain
from touchstone.features.primitives import PRIMITIVES

Call = tuple[Callable[..., None], tuple[Any, ...]]
"""A kernel and the arrays it was bound to."""


class Column(NamedTuple):
    """Where a node's values lie in the arena."""

    first: int
    """Where its rows begin."""
    history: int
    """How many of them come before the current ones."""
    shift: int = 0
    """How many bars ago the node sees them: a delay has no rows of its own."""


class Program(NamedTuple):
    """The part of a plan that runs without anything from outside but its leaves."""

    plan: Plan
    places: tuple[int, ...]
    """Nodes to compute, rising."""
    leaves: tuple[int, ...]
    """Nodes to be given: inputs, and sections computed before."""
    outputs: tuple[int, ...]

    def steps(self) -> Iterator[tuple[list[int], list[int]]]:
        """The nodes in an order of computing: all points that can be, then all others, again."""
        nodes, done, waiting = self.plan.nodes, set(self.leaves), list(self.places)
        while waiting:
            points = []
            for place in waiting:
                is_point = nodes[place].kind in ("point", "delay", "constant")
                if is_point and done.issuperset(nodes[place].args):
                    points.append(place)
                    done.add(place)
            others = [p for p in waiting if p not in done and done.issuperset(nodes[p].args)]
            done.update(others)
            waiting = [p for p in waiting if p not in done]
            yield points, others


def program(plan: Plan, outputs: Sequence[int], given: Callable[[Node], bool]) -> Program:
    """What must run for the outputs when the nodes that are `given` come from outside."""
    wanted, places, leaves = set(outputs), [], []
    for place in range(len(plan.nodes) - 1, -1, -1):
        if place not in wanted:
            continue
        node = plan.nodes[place]
        if node.op == "input" or given(node):
            leaves.append(place)
        else:
            places.append(place)
            wanted.update(node.args)
    return Program(plan, tuple(places[::-1]), tuple(leaves[::-1]), tuple(outputs))


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
        layout = _Layout(program, lanes, rows, reuse)
        self.columns = layout.columns
        self.arena = np.zeros(layout.size)
        """All columns, flat: everything that is remembered."""
        n_outputs = len(program.outputs)
        self.table = self.arena[: n_outputs * rows * lanes].reshape(n_outputs, rows * lanes)
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
        first, history, shift = self.columns[place]
        return first + (history - shift) * self.lanes

    def _calls(self) -> Iterator[Call]:
        nodes = self.program.plan.nodes
        for points, others in self.program.steps():
            for place in (p for p in points if nodes[p].op == "constant"):
                first, history, _ = self.columns[place]
                rows = self.arena[first : first + (history + self.rows) * self.lanes]
                rows[:] = nodes[place].parameters[0]
            code = [self._code(p, nodes[p]) for p in points if nodes[p].kind == "point"]
            if code:
                yield chain, (np.array(code, np.int64), self.arena, self.rows * self.lanes)
            for place in others:
                yield self._call(place, nodes[place])
        for row, place in enumerate(self.program.outputs):
            current = self.view(place, 0)
            if not np.shares_memory(current, self.table[row]):
                yield np.copyto, (self.table[row], current)

    def _code(self, place: int, node: Node) -> list[int]:
        family = (ONE, TWO, THREE)[len(node.args) - 1]
        args = [self._current(a) for a in node.args]
        args += [args[0]] * (3 - len(args))
        which = family.index(PRIMITIVES[node.op].kernel)
        return [len(node.args), which, self._current(place), *args]

    def _call(self, place: int, node: Node) -> Call:
        kernel, parameters = PRIMITIVES[node.op].kernel, node.parameters
        assert kernel is not None, node.op
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


class _Layout:
    """Where each column of a program lies, and how much room they need together."""

    def __init__(self, program: Program, lanes: int, rows: int, reuse: bool) -> None:
        self.columns: dict[int, Column] = {}
        self.size = len(program.outputs) * rows * lanes
        self._program, self._lanes, self._rows = program, lanes, rows
        self._needs = _lookbacks(program)
        order = [*program.leaves, *(p for step in program.steps() for part in step for p in part)]
        turn = {place: i for i, place in enumerate(order)}
        last: dict[int, int] = {}
        for place in program.places:
            for arg in program.plan.nodes[place].args:
                last[arg] = max(last.get(arg, 0), turn[place])
        free: list[int] = []
        held: list[tuple[int, int]] = []
        for place in order:
            passing = reuse and self._passes(place)
            if passing:
                free += [first for until, first in held if until < turn[place]]
                held = [slot for slot in held if slot[0] >= turn[place]]
            self.columns[place] = self._column(place, free if passing else [])
            if passing:
                held.append((last[place], self.columns[place].first))

    def _passes(self, place: int) -> bool:
        """Whether a column is of no use once its last reader ran."""
        part, kind = self._program, self._program.plan.nodes[place].kind
        computed = kind in ("point", "window", "section") and place not in part.leaves
        return computed and not self._needs[place] and place not in part.outputs

    def _column(self, place: int, free: list[int]) -> Column:
        part, need = self._program, self._needs[place]
        node, block = part.plan.nodes[place], self._rows * self._lanes
        if node.kind == "delay":
            source = self.columns[node.args[0]]
            return source._replace(shift=source.shift + int(node.parameters[0]))
        if place in part.outputs and not need and place not in part.leaves:
            return Column(part.outputs.index(place) * block, 0)
        if free:
            return Column(free.pop(), 0)
        memory = PRIMITIVES[node.op].memory if node.op in PRIMITIVES else 0
        first = self.size + memory * self._lanes
        self.size = first + (need + self._rows) * self._lanes
        return Column(first, need)


def _lookbacks(part: Program) -> dict[int, int]:
    """Rows of history that each node must keep."""
    nodes = part.plan.nodes
    needs = dict.fromkeys((*part.leaves, *part.places), 0)
    for place in reversed(part.places):
        node, back = nodes[place], 0
        if node.kind == "recursion":
            needs[place] = max(needs[place], 1)
        elif node.kind == "delay":
            back = int(node.parameters[0]) + needs[place]
        elif node.kind == "window":
            back = int(node.parameters[0]) - 1
        for arg in node.args:
            needs[arg] = max(needs[arg], back)
    return needs


def _across(kernel: Callable[..., None], x: Float64, age: Int64, skip: int, out: Float64) -> None:
    """A section over the one row of a block that holds one time."""
    kernel(x, age >= skip, np.arange(age.size), np.array([0, age.size]), out)


@njit(nogil=True, cache=True)
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
