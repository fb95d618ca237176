"""Which architectures compete on a study, with how much each; and the study of one of them."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import yaml
from pydantic import AfterValidator, PositiveFloat, PositiveInt

from touchstone.config import Config
from touchstone.data.folder import source_of
from touchstone.errors import ConfigError
from touchstone.files import read_yaml
from touchstone.models import MODELS, members_of
from touchstone.pipelines.study import (
    QUICKSTART,
    Study,
    bars_overrides,
    identified,
    parse_study,
    read_study,
    set_key,
)
from touchstone.registration import PartOf, kind_of
from touchstone.training import TrainingConfig

A = TypeVar("A")
_STUDY = "study."


class Budget(Config):
    """What every architecture may spend; the same for all networks.

    Tabular kinds see all train rows of a fold: they are what a network has to beat.
    """

    rows: PositiveInt | None = None
    """Train rows that a network sees in a fold; null: as the study says."""
    epochs: PositiveInt | None = None
    """Most passes over them; null: as the study says."""
    patience: PositiveInt | None = None
    """Ends a fit after so many epochs (trees: looks) without a better one; null: as the study
    says."""
    seconds: PositiveFloat | None = None
    """Longest that a fit may be expected to take, reckoned beforehand. A model that needs more is
    refused before anything is trained: cut short by a clock, no fit would come out twice alike."""

    def of(self, training: TrainingConfig) -> TrainingConfig:
        """A recipe with this budget."""
        told = self.model_dump(exclude={"seconds"})
        return training.model_copy(update={k: v for k, v in told.items() if v is not None})


def _known(kinds: tuple[str, ...]) -> tuple[str, ...]:
    for kind in kinds:
        MODELS.config(kind)
    return kinds


def _each_once(models: tuple[Config, ...]) -> tuple[Config, ...]:
    kinds = [kind_of(m) for m in models]
    twice = sorted({k for k in kinds if kinds.count(k) > 1})
    if twice:
        raise ConfigError(
            f"{', '.join(twice)}: overridden twice; name all models in `models` to compare "
            "several sizes of a kind"
        )
    return models


Models: TypeAlias = tuple[Annotated[Config, PartOf(MODELS)], ...]
"""Architectures."""
Overrides: TypeAlias = Annotated[Models, AfterValidator(_each_once)]
"""In place of the defaults of their kinds, each kind once."""
Kinds: TypeAlias = Annotated[tuple[str, ...], AfterValidator(_known)]
"""Kinds of architectures that there are."""


def chosen(
    models: Sequence[Config], overrides: Sequence[Config], without: Sequence[str]
) -> tuple[Config, ...]:
    """The architectures that are named; with none named every kind, overridden or by default.

    Raises:
        ConfigError: an ensemble, which is no architecture.
    """
    if any(members_of(m) for m in (*models, *overrides)):
        raise ConfigError(
            "models: an ensemble is no architecture, and its members are what can be compared or "
            "searched: name those; `touchstone ensemble` compares their combinations, and "
            "`touchstone run` takes a study with one to its verdict"
        )
    if models:
        return tuple(models)
    sized = {kind_of(m): m for m in overrides}
    every = (sized.get(k) or MODELS.parse({"kind": k}) for k in MODELS.kinds() if k not in without)
    return tuple(m for m in every if not members_of(m))


def read_asked(
    path: Path,
    parse: Callable[[dict[str, Any], Study], A],
    overrides: Mapping[str, Any] | None = None,
    bars: Path | None = None,
) -> A:
    """Read a YAML file that holds a study among its keys.

    Args:
        path: of the file.
        parse: its settings, `study` being that of the study, and the study -> what is asked.
        overrides: dotted keys to values; those of the study begin with `study.`.
        bars: a folder of bars in place of the study's own.

    Raises:
        ConfigError: what is wrong, by key, with the way out.
    """
    settings, asked = read_yaml(path), dict[str, Any]()
    for key, value in (overrides or {}).items():
        if key.startswith(_STUDY):
            asked[key.removeprefix(_STUDY)] = value
        else:
            set_key(settings, key, value)
    study = _study(settings.get("study", QUICKSTART), path, asked, bars)
    try:
        return parse({**settings, "study": study.config}, study)
    except ConfigError as error:
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise ConfigError(f"{path}:\n{lines}", error.problems) from None


def _study(told: Any, path: Path, asked: dict[str, Any], bars: Path | None) -> Study:
    """The study: a file's, a packaged one, or settings within the file."""
    root = path.resolve().parent
    if isinstance(told, Mapping):
        settings = dict(told)
        for key, value in asked.items():
            set_key(settings, key, value)
        if bars is not None:
            own = settings.get("bars") or {}
            kept = own if isinstance(own, Mapping) and "path" in own else {}
            settings["bars"] = {**kept, "source": source_of(bars), "path": str(bars.resolve())}
        return parse_study(settings, root, f"{path}: study")
    if not isinstance(told, str):
        raise ConfigError(f"{path}: study: needs a file's name or settings, got {told!r}")
    source = told if told == QUICKSTART else str(root / told)
    return read_study(source, asked if bars is None else bars_overrides(source, asked, bars))


def of_models(study: Study, *models: Config, training: TrainingConfig | None = None) -> Study:
    """The study of these models, asked once: without null twin, surrogates and refit."""
    changed = {
        "models": models, "training": training or study.config.training,
        "null_twin": False, "surrogates": 0, "refit": None,
    }  # fmt: skip
    return identified(study.config.model_copy(update=changed), study.root)


def study_text(study: Study, name: str, folder: Path, head: str) -> str:
    """A study as YAML; its places are told from the folder that the file will lie in.

    Args:
        study: of one architecture.
        name: added to the study's own.
        folder: where the file will lie.
        head: a comment above it, lines without their mark.
    """
    told = study.config.model_dump(mode="json", serialize_as_any=True)
    told["name"] = f"{study.config.name[:20]}-{name.replace(' ', '_')[:19]}"

    def moved(place: str) -> str:
        return os.path.relpath(study.root / place, folder.resolve())

    for part in (told["bars"], *told.get("side", {}).values()):
        for key in ("path", "actions", "finer"):
            if isinstance(part.get(key), str):
                part[key] = moved(part[key])
    if told.get("universe"):
        told["universe"] = moved(told["universe"])
    told["plugins"] = [moved(plugin) for plugin in told.get("plugins", ())]
    above = "".join(f"# {line}\n" for line in head.splitlines())
    return above + str(yaml.safe_dump(told, sort_keys=False, allow_unicode=True))
