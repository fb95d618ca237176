"""Where each column of a program lies in memory, and how much room they need together.

Three kinds of room: columns, which have a row for every bar of a block and some of history
before them; the table of outputs; and tiles, where a chain keeps what only it reads.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from touchstone.features.chains import TILE
from touchstone.features.graph import Node, Plan
from touchstone.features.primitives import PRIMITIVES

LINE: Final = 8
"""Numbers in a line of the cache: every column begins with one."""


class Column(NamedTuple):
    """Where a node's values lie in the arena."""

    first: int
    """Where its rows begin."""
    history: int
    """How many of them come before the current ones."""
    shift: int = 0
    """How many bars ago the node sees them: a delay has no rows of its own."""
    is_tile: bool = False
    """Whether it has the elements of one tile only, and those for a while."""


class Program(NamedTuple):
    """The part of a plan that runs without anything from outside but its leaves."""

    plan: Plan
    places: tuple[int, ...]
    """Nodes to compute, rising."""
    leaves: tuple[int, ...]
    """Nodes to be given: inputs, columns of longer bars, and sections computed before."""
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
        if node.op in ("input", "higher") or given(node):
            leaves.append(place)
        else:
            places.append(place)
            wanted.update(node.args)
    return Program(plan, tuple(places[::-1]), tuple(leaves[::-1]), tuple(outputs))


class Layout:
    """Places of all columns of a program.

    Args:
        program: whose columns.
        lanes: instruments side by side.
        rows: bars of each in a block.
        reuse: whether columns without history may share memory once read.
    """

    def __init__(self, program: Program, lanes: int, rows: int, reuse: bool) -> None:
        self.columns: dict[int, Column] = {}
        self.stride = -(-rows * lanes // LINE) * LINE + LINE
        """From a row of the table to the next: no power of 2, or they would share cache sets."""
        self.size = len(program.outputs) * self.stride
        self._program, self._lanes, self._rows = program, lanes, rows
        self._needs = _lookbacks(program)
        order = [*program.leaves]
        chain_of: dict[int, int] = {}
        for number, (points, others) in enumerate(program.steps()):
            order += [*points, *others]
            chain_of.update(dict.fromkeys(points, number))
        self._turn = {place: i for i, place in enumerate(order)}
        self._last, self._outside = self._readers(chain_of)
        self._tiles = _Room(TILE)
        self._blocks = _Room(rows * lanes)
        for place in order:
            self.columns[place] = self._column(place, reuse)

    def rings(self) -> set[int]:
        """First elements of columns with history that chains alone write and read."""
        part, nodes = self._program, self._program.plan.nodes
        others = [p for p in part.places if nodes[p].kind not in ("point", "delay")]
        read = {arg for p in others for arg in nodes[p].args} | set(part.outputs)
        barred = {self.columns[p].first for p in read}
        chained = (p for p in part.places if nodes[p].kind == "point" and self._needs[p] > 1)
        return {self.columns[p].first for p in chained} - barred

    def _readers(self, chain_of: dict[int, int]) -> tuple[dict[int, int], set[int]]:
        """The turn of each node's last reader; the nodes that more than their own chain reads."""
        part = self._program
        nodes, last = part.plan.nodes, dict.fromkeys(self._turn, -1)
        outside = {*part.leaves, *part.outputs}
        for place in part.places:
            for arg in nodes[place].args:
                last[arg] = max(last[arg], self._turn[place])
                same = chain_of.get(place, -1) == chain_of.get(arg, -2)
                if nodes[place].kind != "point" or not (same or nodes[arg].kind == "constant"):
                    outside.add(arg)
        return last, outside

    def _column(self, place: int, reuse: bool) -> Column:
        part, need, kind = self._program, self._needs[place], self._program.plan.nodes[place].kind
        node, turn, until = part.plan.nodes[place], self._turn[place], self._last[place]
        is_leaf = place in part.leaves
        if kind == "delay" and not is_leaf:
            source = self.columns[node.args[0]]
            return source._replace(shift=source.shift + int(node.parameters[0]))
        if not need and place not in self._outside:
            if kind == "constant":  # filled once, for ever
                return Column(self.reserve(TILE), 0, is_tile=True)
            if kind == "point":
                return Column(self._tiles.take(self, turn, until), 0, is_tile=True)
        if place in part.outputs and not need and not is_leaf:
            return Column(part.outputs.index(place) * self.stride, 0)
        computed = kind in ("point", "window", "section") and not is_leaf
        if reuse and computed and not need and place not in part.outputs:
            return Column(self._blocks.take(self, turn, until), 0)
        memory = PRIMITIVES[node.op].memory if node.op in PRIMITIVES else 0
        return Column(self.reserve((need + self._rows) * self._lanes, memory * self._lanes), need)

    def reserve(self, size: int, before: int = 0) -> int:
        """Room for so many elements that begin a line, `before` others ahead of them."""
        first = -(-(self.size + before) // LINE) * LINE
        self.size = first + -(-size // LINE) * LINE + LINE
        return first


class _Room:
    """Pieces of one size, each taken again once the last who needs it has had its turn."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free: list[int] = []
        self._held: list[tuple[int, int]] = []

    def take(self, layout: Layout, turn: int, until: int) -> int:
        self._free += [first for end, first in self._held if end < turn]
        self._held = [(end, first) for end, first in self._held if end >= turn]
        first = self._free.pop() if self._free else layout.reserve(self._size)
        self._held.append((until, first))
        return first


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
