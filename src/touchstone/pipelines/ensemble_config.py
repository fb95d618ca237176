"""An ensemble as its file says it: one study, its members, how they are combined, the student."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from touchstone.config import Config
from touchstone.ensembles import ENSEMBLES, check_names
from touchstone.errors import ConfigError
from touchstone.labels import LABELS
from touchstone.models import MODELS, OUTCOMES, head_of, members_of
from touchstone.pipelines.architectures import of_models, read_asked
from touchstone.pipelines.study import QUICKSTART, FolderName, Study, StudyConfig
from touchstone.registration import PartOf, kind_of, numbered
from touchstone.training.losses.distillation import DistillationConfig

PRUNED: Final = "pruned"
"""The ensemble of those members alone that selection keeps."""
ChooseBy = Literal["pr_auc", "log_loss", "sharpe"]
_Share = Annotated[float, Field(ge=0, le=1)]


class Slice(Config):
    """Some of the train rows: a specialist sees no others, and is asked about all."""

    of: str
    """An expression, as in `std(close / lag(close, 1) - 1, 48)`; rows without a value are left
    out."""
    above: _Share = 0.0
    """Lower bound, as the share of the fold's train rows that lie below it."""
    below: _Share = 1.0
    """Upper bound, in the same way."""

    @model_validator(mode="after")
    def _holds_rows(self) -> Self:
        if self.above >= self.below:
            raise ConfigError(
                f"above {self.above:g} does not lie below {self.below:g}: no row would be left"
            )
        return self


class Member(Config):
    """One of those that are asked: a model, or a specialist."""

    model: Annotated[Config, PartOf(MODELS)]
    """What is fitted."""
    name: str | None = None
    """What it is called; null: its kind, numbered where a kind comes again."""
    rows: Slice | None = None
    """Train rows that it sees; null: all of a fold. Validation rows, which choose its epoch, are
    the study's."""
    lookback: PositiveInt | None = None
    """Bars in its window, at most the study's; null: the study's."""
    label: Annotated[Config, PartOf(LABELS)] | None = None
    """What it learns to foresee, known no later than the study's label; null: that one. Whatever
    it learned, it is combined and judged by the study's."""


class Distil(Config):
    """How one small network is taught what the ensemble says."""

    student: Annotated[Config, PartOf(MODELS)] = Field(
        default_factory=lambda: MODELS.parse({"kind": "mlp", "hidden": (32, 16)})
    )
    """A network."""
    ensemble: str | None = None
    """Which ensemble teaches; null: the best on validation rows."""
    loss: DistillationConfig = DistillationConfig()
    """What is learned from the teacher and what from the outcomes."""
    rows: PositiveInt | None = None
    """Train rows that the student sees in a fold; null: as the study says."""
    epochs: PositiveInt | None = None
    """Most passes over them; null: as the study says."""
    blocks: Annotated[int, Field(ge=2, le=10)] = 2
    """Stretches of the train rows. The teacher speaks of each through members that were fitted to
    the others alone."""
    folds: Literal["last", "all"] = "last"
    """Where it is measured: every fold costs `blocks` further fits of every member."""

    @field_validator("student")
    @classmethod
    def _is_a_network(cls, student: Config) -> Config:
        if MODELS.part_of(student).inputs != "window":
            raise ConfigError(
                f"student {getattr(student, 'kind', '?')}: a teacher's probabilities are learned "
                "by networks alone: choose one, as {kind: mlp, hidden: [32, 16]}"
            )
        return student


class EnsembleConfig(Config):
    """Who is asked, on which study, and how the answers become one."""

    name: FolderName = "ensemble"
    """Names the ensemble's folder."""
    study: str | StudyConfig = QUICKSTART
    """A study's file, relative to this one, or `quickstart`, or a study's settings. Its null twin
    and surrogates are not run."""
    members: tuple[Member, ...] = ()
    """Those that are asked, two at least; none named: the study's models."""
    ensembles: tuple[Annotated[Config, PartOf(ENSEMBLES)], ...] = ()
    """How they are combined; none named: every kind there is, with its defaults."""
    prune: bool = True
    """Also the mean of those members alone that greedy selection on validation rows keeps."""
    choose_by: ChooseBy = "pr_auc"
    """The measure on validation rows that chooses the best member, and the teacher."""
    distil: Distil | None = Distil()
    """The student; null: none."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Of the combinations and of the resamples; null: the study's."""

    @field_validator("ensembles")
    @classmethod
    def _each_once(cls, parts: tuple[Config, ...]) -> tuple[Config, ...]:
        twice = [part for i, part in enumerate(parts) if part in parts[:i]]
        if twice:
            raise ConfigError(
                f"two are the same {kind_of(twice[0])}, and would be counted as two: leave one "
                "out, or change a setting"
            )
        return parts

    @property
    def question(self) -> str:
        """What is asked, as text: its name, and where its study's file lies, are no part of it."""
        return self.model_copy(update={"study": "", "name": ""}).canonical()

    @property
    def told(self) -> str:
        """All of it as JSON text."""
        return self.canonical()


class Named(NamedTuple):
    """A member with the name it goes by."""

    name: str
    member: Member


class Ensembles(NamedTuple):
    """An ensemble as read."""

    config: EnsembleConfig
    study: Study
    """Its models are the members' models."""

    @property
    def seed(self) -> int:
        """Of everything drawn beside the fits."""
        return self.study.config.seed if self.config.seed is None else self.config.seed

    @property
    def members(self) -> tuple[Named, ...]:
        """Those that are asked."""
        asked = self.config.members or tuple(Member(model=m) for m in self.study.config.models)
        names = numbered([m.name or kind_of(m.model) for m in asked])
        return tuple(map(Named, names, asked))

    @property
    def combiners(self) -> dict[str, Config]:
        """Name -> how members are combined."""
        asked = self.config.ensembles
        if not asked:
            asked = tuple(ENSEMBLES.parse({"kind": kind}) for kind in ENSEMBLES.kinds())
        return dict(zip(numbered([kind_of(one) for one in asked]), asked, strict=True))

    def combiner(self, name: str) -> Config:
        """How the members of an ensemble are combined; of the pruned one by their mean."""
        known = self.combiners
        return known[name] if name in known else ENSEMBLES.parse({"kind": "mean"})

    def alone(self, model: Config, recipe: Mapping[str, Any] | None = None) -> Study:
        """The study of one model: what `touchstone run` takes to its verdict."""
        training = self.study.config.training.model_copy(update=dict(recipe or {}))
        return of_models(self.study, model, training=training)


def read_ensemble(
    path: Path, overrides: Mapping[str, Any] | None = None, bars: Path | None = None
) -> Ensembles:
    """Read an ensemble from a YAML file; see `read_asked`."""

    def parse(settings: dict[str, Any], study: Study) -> Ensembles:
        return with_members(EnsembleConfig.parse(settings), study)

    return read_asked(path, parse, overrides, bars)


def with_members(config: EnsembleConfig, study: Study) -> Ensembles:
    """An ensemble over a study.

    Raises:
        ConfigError: fewer than two members, members that cannot be combined, names that come
            twice, or a teacher that is not there.
    """
    asked = config.members or tuple(Member(model=m) for m in study.config.models)
    found = Ensembles(config, of_models(study, *(m.model for m in asked)))
    if len(asked) < 2:
        raise ConfigError(
            f"members: an ensemble needs two members, got {len(asked)}: name more under `members`, "
            "or more models in the study"
        )
    given = [m.name for m in asked if m.name is not None]
    names = given if len(set(given)) < len(given) else [one.name for one in found.members]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ConfigError(f"members: {', '.join(twice)} comes twice: give each a name of its own")
    inner = [one.name for one in found.members if members_of(one.member.model)]
    if inner:
        raise ConfigError(
            f"members: {inner[0]} is an ensemble itself, whose scores of validation rows know "
            "outcomes that the outer one is judged by: name its members in its place"
        )
    heads = {n.name: len(OUTCOMES[head_of(n.member.model)]) for n in found.members}
    if len(set(heads.values())) > 1:
        told = ", ".join(f"{n} of {k}" for n, k in heads.items())
        raise ConfigError(
            f"members: scores of different outcomes cannot be combined ({told}): give all the same "
            "head, as {kind: mlp, head: barrier}"
        )
    for name, member in found.members:
        if member.lookback is not None and member.lookback > study.config.lookback:
            raise ConfigError(
                f"members: {name}: lookback {member.lookback} is longer than the study's "
                f"{study.config.lookback}, which says on which rows all are compared: raise the "
                "study's, and name shorter ones under the others"
            )
    _combines(found)
    _teaches(found)
    return found


def _combines(found: Ensembles) -> None:
    """Refuse members that an ensemble could be taken for, or that one cannot be fitted on."""
    names = tuple(one.name for one in found.members)
    if taken := sorted({*found.combiners, PRUNED} & set(names)):
        raise ConfigError(
            f"members: an ensemble is called {', '.join(taken)}: give the member another name"
        )
    for config in found.combiners.values():
        try:
            check_names(config, names)
        except ConfigError as error:
            raise ConfigError(f"ensembles: {error}") from None


def _teaches(found: Ensembles) -> None:
    distil = found.config.distil
    if distil is None:
        return
    known = [*found.combiners, *([PRUNED] * found.config.prune)]
    if distil.ensemble is not None and distil.ensemble not in known:
        raise ConfigError(
            f"distil.ensemble: no ensemble is called {distil.ensemble!r}: {', '.join(known)}"
        )
    outcomes = len(OUTCOMES[head_of(found.members[0].member.model)])
    if len(OUTCOMES[head_of(distil.student)]) != outcomes:
        raise ConfigError(
            f"distil.student: its head foresees other outcomes than the members': give it "
            f"{'buy' if outcomes == 1 else 'barrier'}"
        )
    if head_of(distil.student) == "multi_task":
        raise ConfigError("distil.student: a student has one task, the teacher's: head: barrier")
