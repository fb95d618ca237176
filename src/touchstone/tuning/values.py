"""The values that one key of a search can have: by a mark, or as a file says them."""

import difflib
import json
import math
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from touchstone.errors import ConfigError

_RANGE_KEYS: Final = ("low", "high", "step", "log")
_MOST_VALUES: Final = 1_000_000
"""Of a range with a step."""
_PLAIN: Final = (str, int, float, bool, type(None))


class Values(NamedTuple):
    """The values of one key: a range, or choices."""

    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    """Between values; None where any between is possible."""
    log: bool = False
    whole: bool = False
    """Whether they are whole numbers."""
    choices: tuple[Any, ...] = ()
    """Empty for a range."""

    @property
    def distribution(self) -> BaseDistribution:
        """As Optuna has it; choices that it cannot hold are their JSON text."""
        if self.choices:
            return CategoricalDistribution([_held(self.choices, one) for one in self.choices])
        if self.whole:
            step = 1 if self.log else int(self.step or 1)
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=step)
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def value(self, held: Any) -> Any:
        """The value that Optuna holds."""
        if self.choices:
            return next(one for one in self.choices if _same(_held(self.choices, one), held))
        return held


def range_of(low: float, high: float, step: float | None, kind: tuple[bool, bool]) -> Values:
    """A range; its highest value is the last that a step reaches.

    Args:
        low: lowest value.
        high: highest, at most.
        step: between values; None where any between is possible.
        kind: whether it is logarithmic, and whether it holds whole numbers.
    """
    log, whole = kind
    step = 1.0 if whole and step is None else step
    if step is not None and not log:
        high = low + step * int((high - low) / step + 1e-9)
    return Values(low, high, None if log and not whole else step, log, whole)


def told_values(said: Any, field: FieldInfo, where: str) -> Values:
    """What a file says of a key's values.

    Raises:
        ConfigError: values that the field cannot have; begins with `where`.
    """
    if isinstance(said, Mapping) and set(said) & {"low", "high"}:
        return _told_range(said, field, where)
    choices = tuple(said) if isinstance(said, list | tuple) else (said,)
    if not choices:
        raise ConfigError(f"{where}: needs at least one value, got an empty list")
    texts = [json.dumps(one, sort_keys=True, default=str) for one in choices]
    if len(set(texts)) < len(texts):
        raise ConfigError(f"{where}: a value comes twice: leave one out")
    for one in choices:
        _check(one, field, where)
    return Values(choices=choices)


def _told_range(said: Mapping[str, Any], field: FieldInfo, where: str) -> Values:
    for key in said:
        if key not in _RANGE_KEYS:
            raise ConfigError(f"{where}.{key}: no such key.{near(str(key), _RANGE_KEYS)}")
    base = _base(field.annotation)
    if base not in (int, float):
        raise ConfigError(f"{where}: is no number, so it needs a list of choices, got a range")
    numbers = [said.get(key) for key in ("low", "high")]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        raise ConfigError(f"{where}: needs low and high as numbers, got {dict(said)}")
    (low, high), step, log = numbers, said.get("step"), said.get("log", False)
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if not low < high or math.isinf(low) or math.isinf(high):
        raise ConfigError(f"{where}: needs low < high, both finite, got {low} and {high}")
    if not isinstance(log, bool):
        raise ConfigError(f"{where}.log: needs true or false, got {log!r}")
    if log and (low <= 0 or step is not None):
        raise ConfigError(f"{where}: log needs low > 0 and no step, got {dict(said)}")
    if step is not None and not (isinstance(step, int | float) and 0 < step <= high - low):
        raise ConfigError(f"{where}: step needs a number above 0, {high - low} at most, got {step}")
    whole = base is int
    apart = 1 if whole and not log and step is None else step
    if apart is not None and (high - low) / apart > _MOST_VALUES:
        raise ConfigError(
            f"{where}: has more than {_MOST_VALUES:,} values, {apart:g} apart: needs a wider step"
        )
    if whole and any(n is not None and n != int(n) for n in (low, high, step)):
        raise ConfigError(f"{where}: needs whole numbers, got {dict(said)}")
    values = range_of(float(low), float(high), step, (log, whole))
    for end in (values.low, values.high):
        _check(int(end) if whole else end, field, where)
    return values


def _check(value: Any, field: FieldInfo, where: str) -> None:
    """A value is one that its field can have."""
    kind: Any = field.annotation
    if field.metadata:
        kind = Annotated[(field.annotation, *field.metadata)]
    try:
        TypeAdapter(kind).validate_python(as_tuples(value))
    except ValidationError as error:
        said = "; ".join(str(one["msg"]) for one in error.errors())
        raise ConfigError(f"{where}: {value!r}: {said}") from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def as_tuples(value: Any) -> Any:
    """YAML's lists as tuples, so that a config is frozen through and through."""
    if isinstance(value, list | tuple):
        return tuple(as_tuples(one) for one in value)
    if isinstance(value, dict):
        return {key: as_tuples(one) for key, one in value.items()}
    return value


def _held(choices: tuple[Any, ...], value: Any) -> Any:
    """A choice as Optuna can hold it."""
    if all(isinstance(one, _PLAIN) for one in choices):
        return value
    return json.dumps(value, sort_keys=True, default=str)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def is_whole(field: FieldInfo) -> bool:
    """Whether a field holds whole numbers."""
    return _base(field.annotation) is int


def _base(annotation: Any) -> Any:
    """X of `Annotated[X, ...]` and of `X | None`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _base(args[0])
    if origin in (Union, types.UnionType):
        return next((_base(a) for a in args if a is not type(None)), None)
    return annotation


def all_of(field: FieldInfo) -> tuple[Any, ...]:
    """Every value that a marked field can have.

    Raises:
        ConfigError: it is neither a bool nor a Literal.
    """
    base = _base(field.annotation)
    if base is bool:
        return (False, True)
    if get_origin(base) is Literal:
        return get_args(base)
    raise ConfigError(f"{field.annotation}: only a bool or a Literal can be marked as a choice")


def near(name: str, known: Iterable[str]) -> str:
    """The name that was meant, or all there are: the end of an error's sentence."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {found[0]!r}?" if found else f" Known: {', '.join(sorted(known))}."
