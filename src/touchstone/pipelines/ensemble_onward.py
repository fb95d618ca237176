"""Studies that take ensembles on, to the sealed rows and what follows, where a study can be that.

A study's models see its windows, its label and all of a fold's train rows; so a combination of such
members is one of its models, and one with a specialist among them is not.
"""

from pathlib import Path
from typing import Any, Final, NamedTuple

from touchstone.config import Config
from touchstone.ensembles import columns_of
from touchstone.errors import ConfigError
from touchstone.files import write_text
from touchstone.market import Panel
from touchstone.models import MODELS
from touchstone.pipelines.architectures import study_text
from touchstone.pipelines.ensemble_config import PRUNED, Ensembles, Member
from touchstone.pipelines.inputs import feature_of
from touchstone.pipelines.prepare import compile_some
from touchstone.pipelines.study import Study, identified
from touchstone.registration import kind_of
from touchstone.reports import ensemble as told

_LEARNS: Final = ("online",)
"""Kinds that go on learning on the rows that they combine."""
_OWN: Final = ("rows", "lookback", "label")
"""What makes a member a specialist."""


class Onward(NamedTuple):
    """Whether an ensemble goes on."""

    study: Study | None
    """None: a study cannot be it."""
    note: str
    """Why not; or what is otherwise there than in the comparison."""

    def told(self, name: str) -> told.Onward:
        """As the result holds it."""
        return told.Onward(study=None if self.study is None else file_of(name), note=self.note)


def onward(asked: Ensembles, panel: Panel) -> dict[str, Onward]:
    """Of every ensemble by its name, the study that takes it on, or why there is none."""
    names = [*asked.combiners, *([PRUNED] if asked.config.prune else [])]
    return {name: _onward(asked, name, panel) for name in names}


def file_of(name: str) -> str:
    """What an ensemble's study is called."""
    return f"study-{name.replace(' ', '-')}.yaml"


def write_studies(folder: Path, asked: Ensembles, panel: Panel) -> None:
    """Write the studies of all that can go on beside the result."""
    for name, one in onward(asked, panel).items():
        if one.study is not None:
            head = f"The ensemble {name!r} as a model of a study: to a verdict on the sealed rows."
            if one.note:
                head += f"\nOtherwise than where it was compared: {one.note}."
            text = study_text(one.study, name, folder, head)
            write_text(folder / file_of(name), text)


def _onward(asked: Ensembles, name: str, panel: Panel) -> Onward:
    special = [one for one in asked.members if _own(one.member)]
    if special:
        first, keys = special[0], " and ".join(_own(special[0].member))
        return Onward(None, f"member {first.name} has {keys} of its own, and a study's models "
                      "all see the same")  # fmt: skip
    combiner = asked.combiner(name)
    try:
        model = MODELS.parse(
            {
                "kind": "ensemble",
                "members": tuple(one.member.model for one in asked.members),
                "names": _names(asked),
                "combiner": combiner,
                "prune": name == PRUNED,
            }
        )
    except ConfigError as error:
        return Onward(None, str(error))
    return _study(asked.study, model, combiner, panel)


def _own(member: Member) -> list[str]:
    return [key for key in _OWN if getattr(member, key) is not None]


def _names(asked: Ensembles) -> tuple[str, ...]:
    """The members' names, where they are not just their kinds."""
    named = any(one.member.name is not None for one in asked.members)
    return tuple(one.name for one in asked.members) if named else ()


def _study(study: Study, model: Config, combiner: Config, panel: Panel) -> Onward:
    """The study of one ensemble, with the columns that it reads among its features."""
    config, columns = study.config, columns_of(combiner)
    if columns and config.selection:
        return Onward(None, "its combination reads columns, and the study's selection may leave "
                      "any feature out of a fold")  # fmt: skip
    plan, extra = compile_some(config.features, panel), dict(config.features.extra)
    taken, added = set(plan.names), list[str]()
    for text in columns:
        if feature_of(text, panel, plan) is None:
            name = next(n for k in range(1, 999) if (n := f"combiner_{k}") not in taken)
            taken.add(name)
            extra[name] = text
            added.append(text)
    note = []
    if any(kind_of(part) in _LEARNS for part in _parts(combiner)):
        note.append("its weights stay as each fold's validation rows left them")
    if added:
        note.append(f"the members see what weighs them, {', '.join(added)}, as features too")
    features = config.features.model_copy(update={"extra": extra})
    changed: dict[str, Any] = {"models": (model,), "features": features}
    found = identified(config.model_copy(update=changed), study.root)
    return Onward(found, "; ".join(note))


def _parts(config: Config) -> list[Config]:
    """A combination and those within it."""
    inner = [getattr(config, name) for name in type(config).model_fields]
    return [config, *(part for part in inner if isinstance(part, Config))]
