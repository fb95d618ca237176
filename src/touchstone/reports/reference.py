"""The reference of `result.json`, made from its models: every key, its unit, what it means."""

import types
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from touchstone.reports.backtested import BacktestResult, FillRow, HoldingRow, TradeRow
from touchstone.reports.contents import Unit
from touchstone.reports.result import SCHEMA_VERSION, StudyResult


class Key(NamedTuple):
    """One key of `result.json`."""

    path: str
    """As in `market.sealed.ladder[].sharpe`; `{}` stands for any name."""
    kind: str
    """`number`, `integer`, `text`, `true or false`, `object`, `list`; with `or null`."""
    unit: str
    """Empty for text and objects."""
    meaning: str


def explain_keys() -> tuple[Key, ...]:
    """Every key, parents before children, in the order of the file.

    An object of a kind that was told before (`null_twin`) is not told twice.
    """
    return tuple(_keys(StudyResult, "", {}))


def result_reference() -> str:
    """The reference as Markdown: one table per object, the same text for the same models."""
    lines = [
        "# result.json",
        "",
        f"Schema version {SCHEMA_VERSION}. Made from the models in `touchstone.reports.result`.",
        "The same study on the same data gives the same bytes. A number that does not exist is",
        "`null`, never NaN or infinite. Times are UTC.",
    ]
    group = None
    for key in explain_keys():
        parent, _, name = key.path.rpartition(".")
        if parent != group:
            group = parent
            title = f"`{parent}`" if parent else "The file"
            lines += ["", f"## {title}", "", "| key | is | unit | meaning |", "|---|---|---|---|"]
        cells = (f"`{name}`", key.kind, key.unit, key.meaning)
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def backtest_reference() -> str:
    """What `touchstone backtest --json` prints beside `performance`, as Markdown."""
    lines: list[str] = []
    for title, model in (
        ("The document", BacktestResult), ("trades[]", TradeRow), ("fills[]", FillRow),
        ("holdings[]", HoldingRow),
    ):  # fmt: skip
        lines += ["", f"### {title}", "", "| key | is | unit | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            kind = _kind(field.annotation).replace("|", "\\|")
            lines.append(f"| `{name}` | {kind} | {_unit(field)} | {_meaning(field)} |")
    return "\n".join(lines[1:]) + "\n"


def _keys(model: type[BaseModel], prefix: str, told: dict[type[BaseModel], str]) -> Iterator[Key]:
    """The keys of a model, then those of its parts that were not told before."""
    children: list[tuple[type[BaseModel], str]] = []
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        child = _model(field.annotation)
        meaning = _meaning(field)
        if child in told:
            meaning += f" Keys as in `{told[child]}`."
        elif child is not None:
            told[child] = path
            children.append((child, f"{path}{_suffix(field.annotation)}."))
        yield Key(path, _kind(field.annotation), _unit(field), meaning)
    for child, path in children:
        yield from _keys(child, path, told)


def _meaning(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _parts(annotation: Any) -> tuple[Any, ...]:
    """What a type is made of: the arguments of a union, a tuple, a mapping, an annotation."""
    return tuple(a for a in typing.get_args(annotation) if a is not types.NoneType)


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model(a) for a in _parts(annotation))
    return next((f for f in found if f is not None), None)


def _unit(field: FieldInfo) -> str:
    told = [m.text for m in field.metadata if isinstance(m, Unit)]
    return ", ".join(told) or _unit_inside(field.annotation)


def _unit_inside(annotation: Any) -> str:
    metadata = getattr(annotation, "__metadata__", ())
    told = [m.text for m in metadata if isinstance(m, Unit)]
    if told:
        return told[0]
    if _model(annotation) is not None:
        return ""
    return next((u for u in (_unit_inside(a) for a in _parts(annotation)) if u), "")


def _suffix(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is tuple:
        return "[]"
    if origin is dict:
        return ".{}"
    return ""


_SCALARS = {float: "number", int: "integer", str: "text", bool: "true or false"}


def _kind(annotation: Any) -> str:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        told = _kind(args[0])
    elif origin in (typing.Union, types.UnionType):
        known = " or ".join(_kind(a) for a in args if a is not types.NoneType)
        told = f"{known} or null" if types.NoneType in args else known
    elif origin is tuple:
        many = len(args) == 2 and args[1] is Ellipsis
        told = f"list of {_kind(args[0])}" if many else f"two of {_kind(args[0])}"
    elif origin is dict:
        told = f"object, name to {_kind(args[1])}"
    elif origin is typing.Literal:
        told = "one of " + ", ".join(f"`{a}`" for a in args)
    else:
        told = "any value" if annotation is Any else _SCALARS.get(annotation, "object")
    return told
