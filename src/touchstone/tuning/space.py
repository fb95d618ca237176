"""What a search may try: read from the configs' own marks, changed by what a file says.

A key is a field of the model, dotted into its parts, or of the recipe behind `training.`. A trial's
settings are a value for each key; `Space.configs` turns them into checked configs.
"""

from collections.abc import Iterator, Mapping
from typing import (
    Any,
    Final,
    NamedTuple,
    TypeAlias,
)

from optuna.distributions import (
    BaseDistribution,
)
from pydantic.fields import FieldInfo

from touchstone.config import Choice, Config, Range
from touchstone.errors import ConfigError
from touchstone.models import MODELS
from touchstone.registration import kind_of
from touchstone.training import TrainingConfig
from touchstone.tuning.values import (
    Values,
    all_of,
    as_tuples,
    is_whole,
    near,
    range_of,
    told_values,
)

Settings: TypeAlias = Mapping[str, Any]
"""Key -> value, as YAML would hold it."""

TRAINING: Final = "training."
EVERY: Final = "all"
"""Says what holds for every architecture that has the key."""
_HEEDED: Final = ("metric", "patience")
"""What tabular kinds heed of a recipe."""
_NOT_BY_ITSELF: Final = ("training.curriculum",)
"""Labels of phases are part of the question: searched only where a file says so."""


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
    told = {name: _flat(keys) for name, keys in told.items()}
    kinds = {name: str(getattr(model, "kind", name)) for name, model in models.items()}
    known = {*kinds, *kinds.values(), EVERY}
    for name in told:
        if name not in known:
            raise ConfigError(f"space: no architecture {name!r} here.{near(name, known)}")
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
        values = told_values(told[key], field, f"{where}.{key}")
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


def _flat(told: Settings) -> dict[str, Any]:
    """`training: {learning_rate: ...}` means `training.learning_rate: ...`."""
    found = dict[str, Any]()
    for key, said in told.items():
        if f"{key}." == TRAINING and isinstance(said, Mapping):
            found |= {f"{TRAINING}{inner}": one for inner, one in said.items()}
        else:
            found[key] = said
    return found


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
                yield key, range_of(mark.low, mark.high, mark.step, (mark.log, is_whole(field)))
            elif isinstance(mark, Choice):
                yield key, Values(choices=all_of(field))
        if isinstance(value, Config):
            yield from _marks(value, f"{key}.")
        elif isinstance(value, tuple):
            for i, one in enumerate(value):
                if isinstance(one, Config):
                    yield from _marks(one, f"{key}.{i}.")


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
            kind = kind_of(model)
            raise ConfigError(
                f"{where}.{key}: {kind} heeds only {' and '.join(_HEEDED)} of a recipe: leave it "
                "out"
            )
    if key == "kind":
        raise ConfigError(f"{where}.kind: is what is searched: name several `models` instead")
    found = _step_into(config, path)
    if found is None:
        known = [*_keys(model, ""), *_keys(training, TRAINING)]
        raise ConfigError(f"{where}.{key}: no such key.{near(key, known)}")
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
            raise ConfigError(f"space.{EVERY}.{key}: no architecture has it.{near(key, known)}")


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
        type(model).parse(as_tuples(trees[0])) if changed[0] else model,
        TrainingConfig.parse(as_tuples(trees[1])) if changed[1] else training,
    )


def _put(tree: Any, path: list[str], value: Any) -> None:
    *steps, last = path
    for step in steps:
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]
    tree[last] = value
