"""What a search may try: read from the configs' own marks, changed by what a file says.

A key is a field of the model, dotted into its parts, or of the recipe behind `training.`. A trial's
settings are a value for each key; `Space.configs` turns them into checked configs.
"""

import difflib
import json
import types
from collections.abc import Iterator, Mapping
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    TypeAlias,
    Union,
    get_args,
    get_origin,
)

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from touchstone.config import Choice, Config, Range
from touchstone.errors import ConfigError
from touchstone.models import MODELS
from touchstone.training import TrainingConfig

Settings: TypeAlias = Mapping[str, Any]
"""Key -> value, as YAML would hold it."""

TRAINING: Final = "training."
EVERY: Final = "all"
"""Says what holds for every architecture that has the key."""
_HEEDED: Final = ("metric", "patience")
"""What tabular kinds heed of a recipe."""
_NOT_BY_ITSELF: Final = ("training.curriculum",)
"""Labels of phases are part of the question: searched only where a file says so."""
_RANGE_KEYS: Final = ("low", "high", "step", "log")
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


class Space(NamedTuple):
    """What is searched of one architecture, and what the rest of it is."""

    model: Config
    """With what the file fixes."""
    training: TrainingConfig
    """The same of the recipe."""
    keys: Mapping[str, Values]
    """In the order of the configs."""

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Key -> values, as Optuna has them."""
        return {key: values.distribution for key, values in self.keys.items()}

    def settings(self, held: Mapping[str, Any]) -> dict[str, Any]:
        """What Optuna holds of a trial -> its settings."""
        return {key: values.value(held[key]) for key, values in self.keys.items() if key in held}

    def configs(self, settings: Settings) -> tuple[Config, TrainingConfig]:
        """A trial's settings -> its model and its recipe.

        Raises:
            ConfigError: values that do not go together.
        """
        return _with(self.model, self.training, settings)

    def most(self, key: str, otherwise: int) -> int:
        """The highest whole number that a key can be; `otherwise` where it is not searched."""
        values = self.keys.get(key)
        if values is None:
            return otherwise
        return int(max(values.choices) if values.choices else values.high)


def spaces(
    models: Mapping[str, Config], training: TrainingConfig, told: Mapping[str, Settings]
) -> dict[str, Space]:
    """The space of every architecture.

    Args:
        models: name -> config; a name is its kind, numbered where a kind comes again.
        training: the recipe of all.
        told: kind, name or `all` -> key -> values, as a file says them.

    Raises:
        ConfigError: an architecture, a key or a value that is not there, with the nearest.
    """
    kinds = {name: str(getattr(model, "kind", name)) for name, model in models.items()}
    known = {*kinds, *kinds.values(), EVERY}
    for name in told:
        if name not in known:
            raise ConfigError(f"space: no architecture {name!r} here.{_near(name, known)}")
    _used_by_some(models, training, told.get(EVERY, {}))
    found = {}
    for name, model in models.items():
        general = {k: v for k, v in told.get(EVERY, {}).items() if _has(model, training, k)}
        own = {**told.get(kinds[name], {}), **told.get(name, {})}
        found[name] = space_of(model, training, {**general, **own}, f"space.{name}")
    return found


def space_of(model: Config, training: TrainingConfig, told: Settings, where: str) -> Space:
    """The space of one architecture: its marks, and the recipe's where it heeds them.

    Args:
        model: the architecture.
        training: the recipe.
        told: key -> values, as a file says them, in place of the marks.
        where: names the place in the file, for errors.

    Raises:
        ConfigError: a key or a value that is not there, with the nearest.
    """
    own = dict[str, Values]()
    # A whole part before the keys within it, which may be those of another part than it was.
    for key in sorted(told, key=lambda key: key.count(".")):
        field = _field(model, training, key, where)
        values = _told(told[key], field, f"{where}.{key}")
        if len(values.choices) != 1:
            own[key] = values
            continue
        try:
            model, training = _with(model, training, {key: values.choices[0]})
        except ConfigError as error:
            raise ConfigError(f"{where}.{key}: {error}") from None
    marked = _marked(model, training)
    free = {k: v for k, v in marked.items() if not any(_covers(one, k) for one in told)}
    order = dict.fromkeys([*marked, *own])
    return Space(model, training, {k: (own | free)[k] for k in order if k in own or k in free})


def _covers(told: str, key: str) -> bool:
    """Whether what a file says of one key leaves nothing to search of another."""
    return key == told or key.startswith(f"{told}.")


def _marked(model: Config, training: TrainingConfig) -> dict[str, Values]:
    found = dict(_marks(model, ""))
    if MODELS.part_of(model).inputs == "window":
        found |= dict(_marks(training, TRAINING))
    return found


def _marks(config: Config, prefix: str) -> Iterator[tuple[str, Values]]:
    """The marked fields of a config and of the parts that it holds."""
    for name, field in type(config).model_fields.items():
        key, value = f"{prefix}{name}", getattr(config, name)
        if key in _NOT_BY_ITSELF:
            continue
        for mark in field.metadata:
            if isinstance(mark, Range):
                yield key, _range(mark.low, mark.high, mark.step, (mark.log, _is_whole(field)))
            elif isinstance(mark, Choice):
                yield key, Values(choices=_all_of(field))
        if isinstance(value, Config):
            yield from _marks(value, f"{key}.")
        elif isinstance(value, tuple):
            for i, one in enumerate(value):
                if isinstance(one, Config):
                    yield from _marks(one, f"{key}.{i}.")


def _range(low: float, high: float, step: float | None, kind: tuple[bool, bool]) -> Values:
    log, whole = kind
    step = 1.0 if whole and step is None else step
    if step is not None and not log:
        high = low + step * int((high - low) / step + 1e-9)
    return Values(low, high, None if log and not whole else step, log, whole)


def _told(said: Any, field: FieldInfo, where: str) -> Values:
    """What a file says of a key's values."""
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
            raise ConfigError(f"{where}.{key}: no such key.{_near(str(key), _RANGE_KEYS)}")
    base = _base(field.annotation)
    if base not in (int, float):
        raise ConfigError(f"{where}: is no number, so it needs a list of choices, got a range")
    numbers = [said.get(key) for key in ("low", "high")]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        raise ConfigError(f"{where}: needs low and high as numbers, got {dict(said)}")
    (low, high), step, log = numbers, said.get("step"), bool(said.get("log", False))
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if not low < high:
        raise ConfigError(f"{where}: needs low < high, got {low} and {high}")
    if log and (low <= 0 or step is not None):
        raise ConfigError(f"{where}: log needs low > 0 and no step, got {dict(said)}")
    if step is not None and not (isinstance(step, int | float) and 0 < step <= high - low):
        raise ConfigError(f"{where}: step needs a number above 0, {high - low} at most, got {step}")
    whole = base is int
    if whole and any(n is not None and n != int(n) for n in (low, high, step)):
        raise ConfigError(f"{where}: needs whole numbers, got {dict(said)}")
    values = _range(float(low), float(high), step, (log, whole))
    for end in (values.low, values.high):
        _check(int(end) if whole else end, field, where)
    return values


def _check(value: Any, field: FieldInfo, where: str) -> None:
    """A value is one that its field can have."""
    kind: Any = field.annotation
    if field.metadata:
        kind = Annotated[(field.annotation, *field.metadata)]
    try:
        TypeAdapter(kind).validate_python(_tuples(value))
    except ValidationError as error:
        said = "; ".join(str(one["msg"]) for one in error.errors())
        raise ConfigError(f"{where}: {value!r}: {said}") from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _field(model: Config, training: TrainingConfig, key: str, where: str) -> FieldInfo:
    """The field that a key names.

    Raises:
        ConfigError: there is none.
    """
    config: Config = model
    path = key
    if key.startswith(TRAINING):
        config, path = training, key.removeprefix(TRAINING)
        tabular = MODELS.part_of(model).inputs != "window"
        if tabular and path not in _HEEDED:
            kind = getattr(model, "kind", "?")
            raise ConfigError(
                f"{where}.{key}: {kind} heeds only {' and '.join(_HEEDED)} of a recipe: leave it "
                "out"
            )
    if key == "kind":
        raise ConfigError(f"{where}.kind: is what is searched: name several `models` instead")
    found = _step_into(config, path)
    if found is None:
        known = [*_keys(model, ""), *_keys(training, TRAINING)]
        raise ConfigError(f"{where}.{key}: no such key.{_near(key, known)}")
    return found


def _step_into(config: Config, path: str) -> FieldInfo | None:
    *steps, last = path.split(".")
    here: Any = config
    for step in steps:
        if isinstance(here, tuple) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        elif isinstance(here, Config) and step in type(here).model_fields:
            here = getattr(here, step)
        else:
            return None
    return type(here).model_fields.get(last) if isinstance(here, Config) else None


def _keys(config: Config, prefix: str) -> Iterator[str]:
    for name in type(config).model_fields:
        yield f"{prefix}{name}"
        value = getattr(config, name)
        if isinstance(value, Config):
            yield from _keys(value, f"{prefix}{name}.")


def _has(model: Config, training: TrainingConfig, key: str) -> bool:
    try:
        _field(model, training, key, "")
    except ConfigError:
        return False
    return True


def _used_by_some(
    models: Mapping[str, Config], training: TrainingConfig, told: Settings
) -> None:  # fmt: skip
    for key in told:
        if not any(_has(model, training, key) for model in models.values()):
            known = {k for m in models.values() for k in _keys(m, "")}
            known |= set(_keys(training, TRAINING))
            raise ConfigError(f"space.{EVERY}.{key}: no architecture has it.{_near(key, known)}")


def _with(
    model: Config, training: TrainingConfig, settings: Settings
) -> tuple[Config, TrainingConfig]:
    """Configs with some of their keys set."""
    trees = [c.model_dump(mode="json", serialize_as_any=True) for c in (model, training)]
    changed = [False, False]
    # A whole part before the keys within it.
    for key, value in sorted(settings.items(), key=lambda item: item[0].count(".")):
        which = int(key.startswith(TRAINING))
        _put(trees[which], key.removeprefix(TRAINING).split("."), value)
        changed[which] = True
    return (
        type(model).parse(_tuples(trees[0])) if changed[0] else model,
        TrainingConfig.parse(_tuples(trees[1])) if changed[1] else training,
    )


def _put(tree: Any, path: list[str], value: Any) -> None:
    *steps, last = path
    for step in steps:
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]
    tree[last] = value


def _tuples(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_tuples(one) for one in value)
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return value


def _held(choices: tuple[Any, ...], value: Any) -> Any:
    """A choice as Optuna can hold it."""
    if all(isinstance(one, _PLAIN) for one in choices):
        return value
    return json.dumps(value, sort_keys=True, default=str)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _is_whole(field: FieldInfo) -> bool:
    return _base(field.annotation) is int


def _base(annotation: Any) -> Any:
    """X of `Annotated[X, ...]` and of `X | None`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _base(args[0])
    if origin in (Union, types.UnionType):
        return next((_base(a) for a in args if a is not type(None)), None)
    return annotation


def _all_of(field: FieldInfo) -> tuple[Any, ...]:
    base = _base(field.annotation)
    if base is bool:
        return (False, True)
    if get_origin(base) is Literal:
        return get_args(base)
    raise ConfigError(f"{field.annotation}: only a bool or a Literal can be marked as a choice")


def _near(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, [str(k) for k in known], n=1)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(sorted(known))}."
