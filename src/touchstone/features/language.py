"""The language of features: text in, a tree of names, numbers and calls out, and back to text.

Python's own parser reads the text; only the handful of forms below pass, so an expression can
name inputs and primitives and nothing else: no attribute, no subscript, no keyword, and no
string but one of a closed list of timeframes, as the first argument of `higher`.
"""

import ast
import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, NoReturn

from touchstone.errors import ExpressionError

LONGEST: Final = 4_000
"""Characters an expression may have."""
DEEPEST: Final = 60
"""Levels of brackets, calls and operators an expression may be nested."""
LARGEST: Final = 1e100
"""Size of the largest number, written or computed: products and powers stop there."""

TIMEFRAMES: Final = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
"""Timeframes that `higher` may look at."""
OF_TIMEFRAME: Final = ("higher", "higher_known")
"""Functions whose first argument is a timeframe, as a string."""

_BINARY: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_INSTEAD: Final[dict[type[ast.AST], str]] = {
    ast.BoolOp: "write a * b for 'and', max(a, b) for 'or'",
    ast.IfExp: "write where(condition, a, b)",
    ast.Attribute: "names have no parts: write close, not bars.close",
    ast.Subscript: "write lag(x, n) for the value n bars ago",
    ast.FloorDiv: "write a / b",
}


@dataclass(frozen=True)
class Tree:
    """One form of an expression; two trees are equal when they say the same, wherever they stand.

    `head` is the name of an input or a function, or the operator's symbol ("neg" for the sign);
    a number has its `value`, whose type tells a literal 20 (bars) from 20.0 (a number); a
    timeframe is its `head`.
    """

    form: Literal["number", "name", "operator", "call", "timeframe"]
    head: str = ""
    args: tuple["Tree", ...] = ()
    value: float | int = 0
    column: int = field(default=1, compare=False)

    @property
    def whole(self) -> bool:
        """Whether this is an integer literal: a count of bars where a primitive takes one."""
        return self.form == "number" and isinstance(self.value, int)

    def __str__(self) -> str:
        """The tree as text that parses to an equal tree."""
        if self.form == "number":
            text = repr(self.value)
            return f"({text})" if text.startswith("-") else text
        if self.form == "name":
            return self.head
        if self.form == "timeframe":
            return f'"{self.head}"'
        if self.form == "call":
            return f"{self.head}({', '.join(map(str, self.args))})"
        if self.head == "neg":
            return f"(-{self.args[0]})"
        return f"({self.args[0]} {self.head} {self.args[1]})"


@dataclass(frozen=True)
class Origin:
    """Whose text is being read: what an error must name."""

    feature: str
    text: str

    def refuse(self, column: int, problem: str) -> NoReturn:
        """Raise the error that points at a column (from 1) of the text."""
        raise ExpressionError(
            f"feature {self.feature!r}, column {column}: {problem} In: {self.text[:200]}"
        )


def parse(feature: str, text: str) -> Tree:
    """The text of an expression -> its tree.

    Raises:
        ExpressionError: anything but numbers, names, calls of names with positional arguments,
            + - * / **, single comparisons, and a timeframe as the first argument of `higher`;
            text too long or nested too deep.
    """
    origin = Origin(feature, text)
    if len(text) > LONGEST:
        origin.refuse(1, f"{len(text)} characters, {LONGEST} at most: split it into features.")
    if "#" in text:
        origin.refuse(text.index("#") + 1, "no comments: what follows # would not be read.")
    line = " ".join(text.splitlines()).replace("\t", " ")
    start = len(line) - len(line.lstrip())
    try:
        body = ast.parse(line.strip(), mode="eval").body
    except SyntaxError as error:
        at = error.offset or len(line.strip()) + 1  # it ends too early
        origin.refuse(start + at, f"cannot be read: {error.msg}.")
    except (ValueError, RecursionError, MemoryError) as error:
        origin.refuse(1, f"cannot be read: {error or 'nested too deep'}.")
    return _Reader(origin, line.strip().encode(), start).read(body, 0)


def nearest(word: str, known: Iterable[str]) -> str:
    """The way out of a wrong name: " Did you mean 'close'?", or nothing where none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


@dataclass(frozen=True)
class _Reader:
    origin: Origin
    line: bytes
    start: int

    def read(self, node: ast.expr, depth: int) -> Tree:
        column = self.column(node)
        if depth > DEEPEST:
            self.origin.refuse(column, f"nested deeper than {DEEPEST} levels: split it.")
        if isinstance(node, ast.Constant):
            return self.number(node.value, column)
        if isinstance(node, ast.Name):
            return Tree("name", node.id, column=column)
        head, parts = self.form(node, column)
        if isinstance(node, ast.Call) and head in OF_TIMEFRAME and parts:
            args = (self.timeframe(head, parts[0]), *self.all(parts[1:], depth))
        else:
            args = self.all(parts, depth)
        if head in ("neg", "pos"):
            return _signed(head, args[0], column)
        form: Literal["call", "operator"] = "call" if isinstance(node, ast.Call) else "operator"
        return Tree(form, head, args, column=column)

    def all(self, parts: list[ast.expr], depth: int) -> tuple[Tree, ...]:
        return tuple(self.read(part, depth + 1) for part in parts)

    def column(self, node: ast.expr) -> int:
        """Where in the text a node begins, from 1."""
        return self.start + len(self.line[: node.col_offset].decode(errors="ignore")) + 1

    def timeframe(self, head: str, node: ast.expr) -> Tree:
        """The one string of the language: which longer bars `head` looks at."""
        column = self.column(node)
        value = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(value, str) or value not in TIMEFRAMES:
            near = nearest(value, TIMEFRAMES) if isinstance(value, str) else ""
            known = ", ".join(f'"{name}"' for name in TIMEFRAMES)
            self.origin.refuse(
                column, f'{head} takes a timeframe first, as in {head}("1d", x): {known}.{near}'
            )
        return Tree("timeframe", value, column=column)

    def form(self, node: ast.expr, column: int) -> tuple[str, list[ast.expr]]:
        """The head and the parts of a form that has parts."""
        match node:
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=part):
                return "neg" if isinstance(node.op, ast.USub) else "pos", [part]
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)], [left, right]
            case ast.Compare(ops=[op], left=left, comparators=[right]) if type(op) in _BINARY:
                return _BINARY[type(op)], [left, right]
            case ast.Call(func=ast.Name(id=name), keywords=[], args=args):
                return name, args
        self.refuse(node, column)

    def number(self, value: object, column: int) -> Tree:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.origin.refuse(column, f"{value!r} is not a number.")
        if abs(value) > LARGEST or math.isnan(value):
            self.origin.refuse(column, f"a number beyond {LARGEST:g}.")
        return Tree("number", value=value, column=column)

    def refuse(self, node: ast.expr, column: int) -> NoReturn:
        kind: ast.AST = node.op if isinstance(node, ast.BinOp) else node
        instead = _INSTEAD.get(type(kind), "")
        if isinstance(node, ast.Compare):
            instead = "compare two things at a time: (a < b) * (b < c)"
        if isinstance(node, ast.Call):
            instead = "call a primitive by its name, with its arguments in order"
        way_out = f" ({instead})" if instead else ""
        self.origin.refuse(column, f"{type(kind).__name__} is not part of the language{way_out}.")


def _signed(head: str, tree: Tree, column: int) -> Tree:
    if head == "pos":
        return tree
    if tree.form == "number":
        return Tree("number", value=-tree.value, column=column)
    return Tree("operator", "neg", (tree,), column=column)
