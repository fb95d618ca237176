"""Every leaf of a config, changed one at a time: for laws about fingerprints and caches."""

import copy
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from touchstone.config import Config
from touchstone.errors import ConfigError


def leaves(config: Config) -> Iterator[tuple[str, Config]]:
    """(path, the config with only the leaf at that path changed) for every leaf.

    Leaves are the values of a config, of the parts and tuples in it; an empty tuple or mapping is
    a leaf. A value with only one legal choice, such as `kind`, is none.

    Raises:
        AssertionError: a leaf for which no legal change was found: add one to `_changes`.
    """
    tree = _whole(config, config.model_dump(mode="json", serialize_as_any=True))
    for path, value, annotation in _walk(config, tree, ()):
        choices = _literals(annotation)
        if choices == [value]:
            continue
        changed = _changed(config, tree, path, value, choices)
        assert changed is not None, f"no legal change of {'.'.join(map(str, path))}: {value!r}"
        yield ".".join(map(str, path)), changed


def _whole(config: Config, tree: Any) -> Any:
    """The tree with the fields that it leaves out because they stand at their default."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            missing = value.model_dump(mode="json", serialize_as_any=True)
            tree[name] = _whole(value, tree.get(name, missing))
        elif isinstance(value, tuple) and value and isinstance(value[0], Config):
            tree[name] = [_whole(v, t) for v, t in zip(value, tree[name], strict=True)]
        elif name not in tree:
            tree[name] = list(value) if isinstance(value, tuple) else value
    return tree


def _walk(
    here: Any, tree: Any, path: tuple[str | int, ...], annotation: Any = None
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """(path, value as JSON, annotation) of every leaf."""
    if isinstance(here, Config):
        for name, field in type(here).model_fields.items():
            yield from _walk(getattr(here, name), tree[name], (*path, name), field.annotation)
    elif isinstance(tree, list) and tree:
        for i, value in enumerate(tree):
            yield from _walk(here[i], value, (*path, i), annotation)
    elif isinstance(tree, dict) and tree:
        inner = here if isinstance(here, Mapping) else tree
        for key, value in tree.items():
            yield from _walk(inner[key], value, (*path, key), annotation)
    else:
        yield path, tree, annotation


def _changed(
    config: Config, tree: Any, path: tuple[str | int, ...], value: Any, choices: list[Any]
) -> Config | None:
    for candidate in (*(c for c in choices if c != value), *_changes(value)):
        other = copy.deepcopy(tree)
        here = other
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = candidate
        try:
            changed = type(config).parse(other)
        except ConfigError:
            continue
        if changed != config:
            return changed
    return None


def _changes(value: Any) -> Iterator[Any]:
    """Other values of the same sort, likely ones first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, value * 2, value // 2, 1, 0, 19)
    elif isinstance(value, float):
        yield from (value * 1.25, value * 0.8, value + 0.125, value - 0.125, value + 0.01, 0.5)
    elif isinstance(value, str):
        for number in re.finditer(r"\d+", value):
            more = f"{int(number[0]) + 1:0{len(number[0])}d}"
            yield value[: number.start()] + more + value[number.end() :]
        yield from (f"{value}x", "close", "UTC", "1h", "XNYS", "12:00", "Asia/Tokyo", ";")
    elif value is None:
        yield from (
            1,
            0.5,
            "x",
            "close",
            "UTC",
            "1d",
            "2022-01-01",
            True,
            {},
            ["BTCUSDT"],
            [1],
            "hmm",
            "markov",
            {"seed": 1, "epochs": [1]},
        )
    elif isinstance(value, list):
        yield from ([1], [0.5], ["x"], ["BTCUSDT"], ["close"], ["clusters"], ["jitter"])
        yield [{"label": {"kind": "triple_barrier"}, "epochs": 1}]
    elif isinstance(value, dict):
        yield from ({"x": "close"}, {"x": 1}, {"x": 0.5}, {"x": {"kind": "table", "path": "x"}})


def _literals(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [choice for a in typing.get_args(annotation) for choice in _literals(a)]
