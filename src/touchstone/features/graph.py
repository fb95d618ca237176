"""From trees to one graph: every distinct thing computed once, and known by its content."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, NoReturn

import numpy as np

from touchstone.arrays import Int64
from touchstone.features.language import OF_TIMEFRAME, Origin, Tree, nearest, parse
from touchstone.features.moments import JOINTS, Moments
from touchstone.features.primitives import (
    CONSTANTS,
    DERIVED,
    HALVES,
    INPUTS,
    OF_TWO,
    OPERATORS,
    PRIMITIVES,
    SWAPPED,
)

LONGEST_WINDOW = 100_000
"""Bars a primitive may look back."""


class Node(NamedTuple):
    """One column: an input, a constant or a primitive of columns before it."""

    op: str
    """A primitive's name, or a joint's, or "input", "constant" or "higher"."""
    args: tuple[int, ...] = ()
    """Places of its arguments in the graph, all before its own."""
    parameters: tuple[float, ...] = ()
    name: str = ""
    """Of an input; of `higher`, its timeframe and the fingerprint of what it looks at there."""

    @property
    def kind(self) -> str:
        """The primitive's kind ("point" of a joint too), or the name of what is none."""
        if self.op in JOINTS:
            return "point"
        return PRIMITIVES[self.op].kind if self.op in PRIMITIVES else self.op

    @property
    def kernel(self) -> Callable[..., None]:
        """What computes it."""
        kernel = JOINTS[self.op] if self.op in JOINTS else PRIMITIVES[self.op].kernel
        assert kernel is not None, self.op
        return kernel


@dataclass(frozen=True)
class Plan:
    """Checked expressions as one graph without duplicates, ready to be evaluated or streamed."""

    expressions: Mapping[str, str]
    """Name of a feature -> its text, in the order of the columns."""
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    """Node of each feature, (n_features,)."""
    side: tuple[str, ...]
    """Side columns that a panel must carry, sorted."""
    higher: Mapping[str, "Plan"] = field(default_factory=dict)
    """Timeframe -> what is computed on its bars, each column named by its fingerprint."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, (n_features,)."""
        return tuple(self.expressions)

    @cached_property
    def warmups(self) -> tuple[int, ...]:
        """Leading bars of an instrument on which a node has no value, (n_nodes,)."""
        bars: list[int] = []
        for node in self.nodes:
            before = max((bars[a] for a in node.args), default=0)
            if node.kind == "delay":
                before += int(node.parameters[0])
            elif node.kind in ("window", "recursion") and node.parameters:
                before += int(node.parameters[0]) - 1
            bars.append(before)
        return tuple(bars)

    @property
    def warmup(self) -> Int64:
        """Leading rows of each instrument that are NaN, in its own bars, (n_features,)."""
        return np.array([self.warmups[node] for node in self.outputs], np.int64)

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of what each feature computes, (n_features,), however it is written."""
        digests: list[str] = []
        for node in self.nodes:
            digests.append(_digest(node, digests))
        return tuple(digests[node] for node in self.outputs)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all features and their names in order, 64 hex digits."""
        content = repr(list(zip(self.names, self.fingerprints, strict=True)))
        return hashlib.sha256(content.encode()).hexdigest()


def _digest(node: Node, digests: Sequence[str]) -> str:
    """SHA-256 of what a node computes, from those of the nodes before it."""
    content = repr((node.op, [digests[a] for a in node.args], node.parameters, node.name))
    return hashlib.sha256(content.encode()).hexdigest()


def plan(expressions: Mapping[str, str], side: Collection[str]) -> Plan:
    """Texts by the name of their feature -> the plan that computes them all.

    Raises:
        ExpressionError: a text that cannot be read, an unknown name, a wrong argument, or a side
            column whose name means something else here.
    """
    for name in side:
        if name in {*INPUTS, *PRIMITIVES, *DERIVED, *CONSTANTS, *OF_TIMEFRAME}:
            Origin(name, name).refuse(1, "a side column may not carry this name: rename it.")
    graph = _Graph(frozenset(side))
    outputs = tuple(
        _Builder(graph, Origin(name, text)).build(parse(name, text), {})
        for name, text in expressions.items()
    )
    return _planned(graph, dict(expressions), outputs)


def _planned(graph: "_Graph", expressions: Mapping[str, str], outputs: tuple[int, ...]) -> Plan:
    inputs = {node.name.removesuffix("_known") for node in graph.nodes if node.op == "input"}
    inputs |= {node.name for node in graph.nodes if node.op == "input"}
    higher = {}
    for timeframe in sorted(graph.higher):
        inner = graph.higher[timeframe]
        higher[timeframe] = _planned(inner, inner.asked, tuple(inner.outputs.values()))
        inputs |= set(higher[timeframe].side)
    needed = tuple(sorted(inputs & graph.side))
    return Plan(expressions, tuple(graph.nodes), outputs, needed, higher)


@dataclass
class _Graph:
    side: frozenset[str]
    is_higher: bool = False
    """Whether it is computed on longer bars."""
    nodes: list[Node] = field(default_factory=list)
    place: dict[Node, int] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    higher: dict[str, "_Graph"] = field(default_factory=dict)
    """By timeframe, what is looked at there."""
    asked: dict[str, str] = field(default_factory=dict)
    """Of such a graph: fingerprints of what is asked for, and its text."""
    outputs: dict[str, int] = field(default_factory=dict)
    """And where it is."""

    @cached_property
    def moments(self) -> Moments:
        return Moments(self)

    def add(self, node: Node) -> int:
        if node not in self.place:
            self.place[node] = len(self.nodes)
            self.nodes.append(node)
            self.digests.append(_digest(node, self.digests))
        return self.place[node]

    def constant(self, value: float) -> int:
        return self.add(Node("constant", parameters=(float(value) + 0.0,)))

    def lag(self, x: int, n: int) -> int:
        return self.add(Node("lag", (x,), (n,)))

    def joint(self, op: str, args: tuple[int, ...], weights: tuple[float, ...] = ()) -> int:
        return self.add(Node(op, args, weights))

    def halves(self, join: str, x: int, n: int) -> int:
        """The last n values joined pair by pair: n = 20 as 16 + 4, 16 as 8 + 8, ... log n columns.

        Each column is joined from parts of its own window alone, so it cannot drift, and columns
        of other lengths share its parts.
        """
        whole, covered, part, width = -1, 0, x, 1
        while True:
            if n & width:
                older = self.lag(part, covered) if covered else part
                whole = self.add(Node(join, (whole, older))) if covered else part
                covered += width
            if covered == n:
                return whole
            part = self.add(Node(join, (part, self.lag(part, width))))
            width *= 2

    @property
    def inputs(self) -> set[str]:
        return {*INPUTS, *self.side, *(f"{name}_known" for name in self.side)}


Bound = Tree | int
"""An argument of a derived word: a literal as written, or the node it has become."""


@dataclass(frozen=True)
class _Builder:
    graph: _Graph
    origin: Origin

    def build(self, tree: Tree, scope: Mapping[str, Bound]) -> int:
        if tree.form == "number":
            return self.graph.constant(tree.value)
        if tree.form == "name":
            return self._name(tree, scope)
        if tree.form == "call":
            return self._call(tree, scope)
        if tree.head == "neg":
            args = (self.graph.constant(0.0), self.build(tree.args[0], scope))
            return self.graph.add(Node("subtract", args))
        left, right = (self.build(a, scope) for a in tree.args)
        args = (right, left) if tree.head in SWAPPED else (left, right)
        return self.graph.add(Node(OPERATORS[tree.head], args))

    def _name(self, tree: Tree, scope: Mapping[str, Bound]) -> int:
        bound = scope.get(tree.head)
        if bound is not None:
            return bound if isinstance(bound, int) else self.build(bound, {})
        if tree.head in CONSTANTS:
            return self.graph.constant(CONSTANTS[tree.head])
        if tree.head in self.graph.inputs:
            return self.graph.add(Node("input", name=tree.head))
        if tree.head in DERIVED and not DERIVED[tree.head].takes:
            return self._derived(tree, scope)
        if tree.head in {*PRIMITIVES, *DERIVED, *OF_TIMEFRAME}:
            self._refuse(tree, f"{tree.head} is a function: write {_usage(tree.head)}.")
        known = {*self.graph.inputs, *CONSTANTS, *PRIMITIVES, *DERIVED, *OF_TIMEFRAME}
        inputs = ", ".join(sorted(self.graph.inputs))
        self._refuse(
            tree, f"no input named {tree.head!r}.{nearest(tree.head, known)} Inputs: {inputs}."
        )

    def _call(self, tree: Tree, scope: Mapping[str, Bound]) -> int:
        of_two = tree.head in OF_TWO and len(tree.args) == 2
        second = self._resolved(tree.args[1], scope) if of_two else None
        if second is not None and second.form == "number" and tree.head in ("sum", "mean"):
            of_two = False  # nobody adds a number by this name: 20.0 was meant to be 20 bars
        if of_two and second is not None and not second.whole:
            bound = dict(zip("ab", (self._bind(a, scope) for a in tree.args), strict=True))
            return self.build(parse(tree.head, OF_TWO[tree.head]), bound)
        if tree.head in DERIVED:
            return self._derived(tree, scope)
        if tree.head in PRIMITIVES:
            return self._primitive(tree, scope)
        if tree.head in OF_TIMEFRAME:
            return self._higher(tree)
        known = {*PRIMITIVES, *DERIVED, *OF_TIMEFRAME}
        if tree.head in self.graph.inputs or tree.head in CONSTANTS:
            self._refuse(tree, f"{tree.head} is no function: write {tree.head} alone.")
        self._refuse(
            tree,
            f"no function named {tree.head!r}.{nearest(tree.head, known)} "
            f"Functions: {', '.join(sorted(known))}.",
        )

    def _derived(self, tree: Tree, scope: Mapping[str, Bound]) -> int:
        word = DERIVED[tree.head]
        takes = word.takes.split()
        self._count(tree, len(takes))
        bound = dict(zip(takes, (self._bind(a, scope) for a in tree.args), strict=True))
        at = [a.column for a in tree.args] or [tree.column]
        if "n" in bound and not isinstance(bound["n"], Tree):
            self._refuse(tree, f"n must be an integer literal: {_usage(tree.head)}.", max(at))
        return self.build(_moved(parse(tree.head, word.text), tree.column), bound)

    def _primitive(self, tree: Tree, scope: Mapping[str, Bound]) -> int:
        primitive = PRIMITIVES[tree.head]
        takes = primitive.takes.split()
        self._count(tree, len(takes))
        args: list[int] = []
        parameters: list[float] = []
        for name, arg in zip(takes, tree.args, strict=True):
            if name == "n":
                parameters.append(self._bars(tree, self._resolved(arg, scope), arg.column))
            elif name == "q":
                parameters.append(self._share(tree, self._resolved(arg, scope), arg.column))
            else:
                args.append(self.build(arg, scope))
        if primitive.kind == "halves":
            return self.graph.halves(HALVES[tree.head], args[0], int(parameters[0]))
        if primitive.kind == "moments":
            assert primitive.kernel is not None, tree.head
            return int(primitive.kernel(self.graph.moments, *args, int(parameters[0])))
        return self.graph.add(Node(tree.head, tuple(args), tuple(parameters)))

    def _higher(self, tree: Tree) -> int:
        """What stands inside is a graph of its own, on the bars of the timeframe."""
        self._count(tree, 2)
        if self.graph.is_higher:
            self._refuse(tree, f"{tree.head} inside higher: write it on the bars themselves.")
        timeframe = tree.args[0].head
        there = self.graph.higher.setdefault(timeframe, _Graph(self.graph.side, is_higher=True))
        place = _Builder(there, self.origin).build(tree.args[1], {})
        digest = there.digests[place]
        there.asked.setdefault(digest, str(tree.args[1]))
        there.outputs.setdefault(digest, place)
        known = float(tree.head == "higher_known")
        return self.graph.add(Node("higher", (), (known,), f"{timeframe} {digest}"))

    def _bars(self, tree: Tree, literal: Tree, column: int) -> int:
        fewest = PRIMITIVES[tree.head].fewest
        if not literal.whole:
            self._refuse(tree, f"n must be an integer literal: {_usage(tree.head)}.", column)
        if not fewest <= literal.value <= LONGEST_WINDOW:
            instead = f" Of two values: {tree.head}(x, {literal.value}.0)."
            is_extreme = tree.head in ("min", "max")
            self._refuse(
                tree,
                f"n is {literal.value}, needs {fewest} .. {LONGEST_WINDOW} bars."
                f"{instead if is_extreme else ''}",
                column,
            )
        return int(literal.value)

    def _share(self, tree: Tree, literal: Tree, column: int) -> float:
        if literal.form != "number" or not 0 <= literal.value <= 1:
            self._refuse(tree, f"q must be a number in 0 .. 1: {_usage(tree.head)}.", column)
        return float(literal.value)

    def _bind(self, tree: Tree, scope: Mapping[str, Bound]) -> Bound:
        literal = self._resolved(tree, scope)
        return literal if literal.form == "number" else self.build(tree, scope)

    def _resolved(self, tree: Tree, scope: Mapping[str, Bound]) -> Tree:
        bound = scope.get(tree.head) if tree.form == "name" else None
        return bound if isinstance(bound, Tree) else tree

    def _count(self, tree: Tree, needed: int) -> None:
        if len(tree.args) != needed:
            self._refuse(tree, f"{len(tree.args)} arguments, needs {needed}: {_usage(tree.head)}.")

    def _refuse(self, tree: Tree, problem: str, column: int | None = None) -> NoReturn:
        self.origin.refuse(tree.column if column is None else column, problem)


def _usage(name: str) -> str:
    if name in OF_TIMEFRAME:
        return f'{name}("1d", x)'
    takes = (PRIMITIVES[name] if name in PRIMITIVES else DERIVED[name]).takes
    return f"{name}({', '.join(takes.split())})"


def _moved(tree: Tree, column: int) -> Tree:
    """The tree of a derived word as if it stood where the word stands, for errors."""
    args = tuple(_moved(a, column) for a in tree.args)
    return Tree(tree.form, tree.head, args, tree.value, column)
