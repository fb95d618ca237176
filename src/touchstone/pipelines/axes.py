"""A strategy's file with lists in place of values: the axes of a sweep, and every combination."""

import copy
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from touchstone.errors import ConfigError
from touchstone.files import read_yaml
from touchstone.pipelines.backtested import BacktestConfig

MOST: Final = 20_000
"""Combinations that one sweep may hold."""
_RANGE: Final = ("from", "to", "step")
_SECTIONS: Final = ("strategy", "label", "account", "costs")
_ALIASES: Final = {"hold_bars": "label.horizon"}
_UNSWEPT: Final = ("seed", "tune")


class Axis(NamedTuple):
    """One key that takes several values."""

    key: str
    """Dotted, as in strategy.entry_threshold."""
    values: tuple[Any, ...]

    @property
    def name(self) -> str:
        """The key's last word."""
        return self.key.rpartition(".")[2]


class Point(NamedTuple):
    """One combination of values."""

    place: tuple[int, ...]
    """Place of its value on each axis."""
    config: BacktestConfig


class Combinations(NamedTuple):
    """All of a grid."""

    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    """Those that make a strategy, the last axis fastest."""
    refused: tuple[tuple[tuple[int, ...], str], ...]
    """Those that make none, and why: an exit above its entry, say."""


def read_combinations(path: Path, typed: Sequence[str] = ()) -> Combinations:
    """The combinations of a strategy's file and of what was typed over it.

    Every list of plain values in the file is an axis, and so is a range, {from: 0.5, to: 0.9,
    step: 0.05}, both ends in it. A strategy whose candidates are several by default (thresholds,
    margins) gives them as an axis.

    Args:
        path: YAML with strategy:, label:, costs:, account:, or a strategy alone.
        typed: KEY=A,B,C or KEY=FROM:TO:STEP; KEY is dotted, or one word that a section knows.

    Raises:
        ConfigError: a key that nobody knows, values that are none, a step that never ends, too
            many combinations, nothing to sweep, or a value with which no combination is a
            strategy; by file and key.
    """
    settings = read_yaml(path)
    if "kind" in settings:
        settings = {"strategy": settings}
    axes = dict(_found(settings))
    seen = set()
    for text in typed:
        key, values = _typed(text)
        key = _full(key, _first(settings, axes))
        if key in seen:
            raise ConfigError(f"--grid {key} is given twice: write all its values in one")
        seen.add(key)
        axes[key] = values
    try:
        return combinations(settings, [Axis(key, values) for key, values in axes.items()])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}", error.problems) from None


def combinations(settings: Mapping[str, Any], axes: Sequence[Axis]) -> Combinations:
    """Every combination of the axes' values, put into the settings."""
    for axis in axes:
        _check(axis)
    if settings.get("tune") is not None:
        raise ConfigError(
            "tune: finds one threshold, a sweep tries many; leave it out, or use backtest"
        )
    axes = (*_by_default(_first(settings, {a.key: a.values for a in axes})), *axes)
    n = math.prod(len(axis.values) for axis in axes)
    if n > MOST:
        counts = " x ".join(f"{len(a.values)} {a.name}" for a in axes)
        raise ConfigError(
            f"{counts} are {n:,} combinations, at most {MOST:,} fit one sweep: take larger steps, "
            "or sweep fewer keys at once"
        )
    if n == 1:
        raise ConfigError(
            "nothing to sweep: give a key a list or a range, as in entry_threshold: [0.5, 0.6], or "
            "--grid entry_threshold=0.5:0.9:0.05"
        )
    points, refused = [], []
    for place in itertools.product(*(range(len(a.values)) for a in axes)):
        values = {a.key: a.values[i] for a, i in zip(axes, place, strict=True)}
        try:
            points.append(Point(place, BacktestConfig.parse(_with(settings, values))))
        except ConfigError as error:
            refused.append((place, str(error)))
    for k, axis in enumerate(axes):
        for i, value in enumerate(axis.values):
            if not any(p.place[k] == i for p in points):
                why = next(said for place, said in refused if place[k] == i)
                raise ConfigError(f"{axis.key}: no combination with {value!r} works: {why}")
    return Combinations(tuple(axes), tuple(points), tuple(refused))


def _found(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Lists of plain values and ranges in the settings, by dotted key."""
    for key, value in settings.items():
        where = f"{above}{key}"
        if isinstance(value, Mapping) and set(value) == set(_RANGE):
            yield where, _range(where, *(value[word] for word in _RANGE))
        elif isinstance(value, Mapping):
            yield from _found(value, f"{where}.")
        elif isinstance(value, list) and not any(isinstance(v, (list, Mapping)) for v in value):
            yield where, tuple(value)


def _typed(text: str) -> tuple[str, tuple[Any, ...]]:
    key, equals, said = text.partition("=")
    wrong = (
        f"--grid {text!r}: needs KEY=A,B,C or KEY=FROM:TO:STEP, as in entry_threshold=0.5:0.9:0.05"
    )
    if not equals or not key.strip() or not said.strip():
        raise ConfigError(wrong)
    key = key.strip()
    if ":" in said:
        try:
            ends = [_number(part) for part in said.split(":")]
        except ValueError:
            raise ConfigError(wrong) from None
        if len(ends) != 3:
            raise ConfigError(wrong)
        return key, _range(key, *ends)
    try:
        values = yaml.safe_load(f"[{said.strip().removeprefix('[').removesuffix(']')}]")
    except yaml.YAMLError:
        raise ConfigError(wrong) from None
    return key, tuple(values)


def _number(text: str) -> float:
    return int(text) if text.strip().lstrip("+-").isdigit() else float(text)


def _range(key: str, first: Any, last: Any, step: Any) -> tuple[Any, ...]:
    ends = (first, last, step)
    if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in ends):
        raise ConfigError(f"{key}: a range needs three numbers, got {first!r}:{last!r}:{step!r}")
    if step == 0 or (last - first) / step < 0:
        raise ConfigError(f"{key}: no step of {step:g} leads from {first:g} to {last:g}")
    n = math.floor((last - first) / step + 1e-9) + 1
    if n > MOST:
        raise ConfigError(f"{key}: {n:,} steps of {step:g} from {first:g} to {last:g} are too many")
    values = [first + i * step for i in range(n)]
    return tuple(v if isinstance(v, int) else round(v, 12) for v in values)


def _check(axis: Axis) -> None:
    if axis.key in _UNSWEPT:
        raise ConfigError(f"{axis.key}: chooses no strategy, so it cannot be swept; give one value")
    if axis.key == "account.cash":
        raise ConfigError("account.cash: deposits cannot be compared by their returns; give one")
    if not axis.values:
        raise ConfigError(f"{axis.key}: an empty list, needs a value at least")
    for value in axis.values:
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{axis.key}: {value} is no value to sweep")
        if isinstance(value, (list, Mapping)):
            raise ConfigError(f"{axis.key}: {value!r} is no plain value")
    seen = set[Any]()
    for value in axis.values:
        if value in seen:
            raise ConfigError(f"{axis.key}: {value!r} stands twice: a trial would be counted twice")
        seen.add(value)


def _first(settings: Mapping[str, Any], axes: Mapping[str, tuple[Any, ...]]) -> BacktestConfig:
    """A config with some value of each axis, for what it knows of its keys."""
    error: ConfigError | None = None
    for values in itertools.islice(itertools.product(*axes.values()), MOST):
        try:
            return BacktestConfig.parse(_with(settings, dict(zip(axes, values, strict=True))))
        except ConfigError as problem:
            error = error or problem
    raise error or ConfigError("no combination of these values")


def _full(key: str, config: BacktestConfig) -> str:
    """A key of one word as the dotted key of the section that knows it."""
    if "." in key:
        return key
    if key in _ALIASES:
        return _ALIASES[key]
    for section in _SECTIONS:
        if key in type(getattr(config, section)).model_fields:
            return f"{section}.{key}"
    known = sorted(k for s in _SECTIONS for k in type(getattr(config, s)).model_fields)
    raise ConfigError(f"--grid {key}: no such key. Known here: {', '.join(dict.fromkeys(known))}")


def _by_default(config: BacktestConfig) -> tuple[Axis, ...]:
    """The axis of a strategy that compares several values of one field by default."""
    candidates = tuple(getattr(config.strategy, "candidates", tuple)())
    if len(candidates) < 2:
        return ()
    for name in type(config.strategy).model_fields:
        values = tuple(getattr(one, name) for one in candidates)
        if len(set(map(repr, values))) == len(values):
            alone = tuple(v[0] if isinstance(v, tuple) and len(v) == 1 else v for v in values)
            return (Axis(f"strategy.{name}", alone),)
    raise ConfigError("strategy: its candidates differ in more than one key; give each one value")


def _with(settings: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    out = copy.deepcopy(dict(settings))
    for section in {key.partition(".")[0] for key in values} - out.keys():
        kind = getattr(getattr(BacktestConfig(), section, None), "kind", None)
        out[section] = {} if kind is None else {"kind": kind}
    for key, value in values.items():
        here: dict[str, Any] = out
        *steps, last = key.split(".")
        for step in steps:
            below = here.setdefault(step, {})
            if not isinstance(below, dict):
                raise ConfigError(f"{key}: {step} holds {below!r}, no keys")
            here = below
        here[last] = value
    return {key: _frozen(value) for key, value in out.items()}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


def describe(axes: Sequence[Axis], place: Sequence[int]) -> dict[str, Any]:
    """A combination as key -> value."""
    return {axis.key: axis.values[i] for axis, i in zip(axes, place, strict=True)}


def is_ordered(axis: Axis) -> bool:
    """Whether neighbours on the axis are neighbours in value: numbers that rise or fall.

    A null at an end (no exit threshold, no limit) is its neighbour too.
    """
    numbers = [v for v in axis.values if v is not None]
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in numbers):
        return False
    steps = {b > a for a, b in itertools.pairwise(numbers)}
    return len(steps) <= 1 and None not in axis.values[1:-1]
