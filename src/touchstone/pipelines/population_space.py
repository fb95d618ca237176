"""Which settings of a network may change while it learns, and where each may lie."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from touchstone.config import Config
from touchstone.errors import ConfigError
from touchstone.models import OUTCOMES, Shape, head_of
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.tune_config import Tune
from touchstone.registration import kind_of
from touchstone.training import same_weights
from touchstone.tuning.perturbing import Setting
from touchstone.tuning.space import TRAINING, Space, spaces
from touchstone.tuning.values import Values

STILL: Final = ("rows", "epochs", "patience", "metric", "threads", "device", "precision",
                "curriculum", "keep_every")  # fmt: skip
"""Keys of a recipe that say what a fit is about, how long it is or where: no member has its own."""

_FEW: Final = 32
"""Networks that are built to find out about one key."""


class Searched(NamedTuple):
    """What one architecture's population is about."""

    name: str
    space: Space
    moved: tuple[Setting, ...]
    still: tuple[str, ...]
    """Keys of the space that are not moved."""

    @property
    def own(self) -> dict[str, Any]:
        """The study's own settings of what is moved."""
        return _own(self)


def searched(
    asked: Tune, networks: Mapping[str, Config], keys: Sequence[str], prepared: Prepared
) -> list[Searched]:
    """Every architecture's space, refused before anything is trained; see `movable`."""
    found = []
    for name, space in spaces(networks, asked.study.config.training, asked.config.sought).items():
        n_outcomes = len(OUTCOMES[head_of(space.model)])
        n_features = len(prepared.plan.names)
        shape = Shape(asked.study.config.lookback, n_features, 2, n_outcomes)
        moved, still = movable(space, shape, keys)
        settings = tuple(Setting(key, **space.keys[key]._asdict()) for key in moved)
        found.append(Searched(name, space, settings, still))
    return found


def movable(space: Space, shape: Shape, asked: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Keys of a space that may change while a network learns, and those that may not.

    Of the recipe that is all but `STILL`; of the model every key whose values all ask for weights
    of the same names and shapes, which is found out by building the networks.

    Args:
        space: of one architecture.
        shape: of the market.
        asked: keys that are wanted; none: all that may.

    Raises:
        ConfigError: a key that is wanted and not in the space, or may not change.
    """
    may = tuple(key for key, values in space.keys.items() if _may(space, shape, key, values))
    kind = kind_of(space.model)
    for key in asked:
        if key not in space.keys:
            raise ConfigError(
                f"method.keys: {kind} has no {key!r} in its space: give it values under space, or "
                f"name some of {', '.join(may)}"
            )
        if key not in may:
            raise ConfigError(
                f"method.keys: {key!r} of {kind} may not change while a network learns: it changes "
                f"the shape of weights, or what the fit is about; name some of {', '.join(may)}, "
                "or search it with method: trials"
            )
    chosen = tuple(key for key in may if not asked or key in asked)
    if not chosen:
        raise ConfigError(f"{kind}: nothing in its space may change while a network learns")
    return chosen, tuple(key for key in space.keys if key not in chosen)


def _may(space: Space, shape: Shape, key: str, values: Values) -> bool:
    if key.startswith(TRAINING):
        return key.removeprefix(TRAINING).split(".")[0] not in STILL
    try:
        models = [space.configs({key: value})[0] for value in _probes(values)]
        return all(same_weights(space.model, model, shape) for model in models)
    except ConfigError:  # a value that does not go with the others
        return False


def _probes(values: Values) -> Sequence[Any]:
    """Every value of a short list or a range of few whole numbers, the ends of any other."""
    if values.choices or not values.whole:
        return values.choices or (values.low, values.high)
    step = 1 if values.log else int(values.step or 1)
    every = range(int(values.low), int(values.high) + 1, step)
    return every if len(every) <= _FEW else (every[0], every[-1])


def _own(one: Searched) -> dict[str, Any]:
    """The study's own settings of what is moved."""
    found = {}
    for setting in one.moved:
        config = one.space.training if setting.key.startswith(TRAINING) else one.space.model
        here: Any = config
        for step in setting.key.removeprefix(TRAINING).split("."):
            here = here[int(step)] if isinstance(here, tuple) else getattr(here, step)
        is_part = isinstance(here, Config)
        found[setting.key] = here.model_dump(mode="json") if is_part else here
    return found
