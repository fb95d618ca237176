"""An ensemble as a model: members that are fitted as any other kind, and how they are combined."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from touchstone.arrays import Float32, Float64, Int32, Int64
from touchstone.config import Config
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import summarised
from touchstone.ensembles import (
    ENSEMBLES,
    Combined,
    Members,
    check_names,
    columns_of,
    out_of_fold,
)
from touchstone.errors import ArtifactError, ConfigError, DataError
from touchstone.models import (
    MODELS,
    OUTCOMES,
    Fitted,
    FittedTo,
    Inputs,
    Shape,
    TabularHead,
    file_of,
    head_of,
    members_of,
    restore,
)
from touchstone.models.scoring import score_inputs
from touchstone.registration import PartOf, kind_of, numbered

FACTS: Final = "ensemble.json"
_COMBINER: Final = "combiner."


def _usual() -> tuple[Config, ...]:
    return tuple(MODELS.parse({"kind": kind}) for kind in ("logistic", "lightgbm"))


class EnsembleModelConfig(Config):
    """Several models, asked about the same window, and one score made of what they say.

    Members are fitted on a fold's train rows, each as it would be alone; the combination is fitted
    on what they say of its validation rows. From then on its weights stay as fitted, those of
    `online` too: a model learns nothing from what comes after it. Columns that a combination reads
    are features of the study, at the window's last bar.
    """

    kind: Literal["ensemble"] = "ensemble"
    members: tuple[Annotated[Config, PartOf(MODELS, without=("ensemble",))], ...] = Field(
        default_factory=_usual
    )
    """Those that are asked, two at least, of any kind but this one, all with heads of the same
    outcomes."""
    names: tuple[str, ...] = ()
    """What the members are called, as the groups of a `hierarchy` name them; none: their kinds,
    numbered where one comes again."""
    combiner: Annotated[Config, PartOf(ENSEMBLES)] = Field(
        default_factory=lambda: ENSEMBLES.parse("weighted")
    )
    """How the answers become one."""
    prune: bool = False
    """Greedy selection on validation rows keeps some members, each as often as it was added: needs
    the combiner `mean`."""

    @model_validator(mode="after")
    def _can_be_combined(self) -> "EnsembleModelConfig":
        if len(self.members) < 2:
            raise ConfigError(f"members: an ensemble needs two models, got {len(self.members)}")
        if any(members_of(one) for one in self.members):
            raise ConfigError("members: an ensemble within an ensemble: name its members instead")
        twice = [a for i, a in enumerate(self.members) if a in self.members[:i]]
        if twice:
            raise ConfigError(
                f"members: two are the same {kind_of(twice[0])}, and would be one fit twice: leave "
                "one out, or change a setting"
            )
        if len({OUTCOMES[head_of(one)] for one in self.members}) > 1:
            heads = ", ".join(head_of(one) for one in self.members)
            raise ConfigError(
                f"members: scores of different outcomes cannot be combined ({heads}): give all "
                "the same head, as {kind: mlp, head: barrier}"
            )
        if self.names and (len(self.names), len(set(self.names))) != (len(self.members),) * 2:
            raise ConfigError(
                f"names: {len(self.names)} for {len(self.members)} members: one each, all "
                "different, or none"
            )
        if self.prune and kind_of(self.combiner) != "mean":
            raise ConfigError(
                "prune: what is kept is combined by its mean: set combiner: {kind: mean}, or "
                "prune: false"
            )
        check_names(self.combiner, self.called)
        return self

    @property
    def head(self) -> TabularHead:
        """Which outcomes its score is about: its members'."""
        return "buy" if head_of(self.members[0]) == "buy" else "barrier"

    @property
    def called(self) -> tuple[str, ...]:
        """One name a member."""
        return self.names or numbered([kind_of(one) for one in self.members])

    @property
    def columns(self) -> tuple[str, ...]:
        """Expressions that the combination reads."""
        return () if self.prune else columns_of(self.combiner)


class Columns(NamedTuple):
    """Where the columns that a combination reads stand in a window, and their units; (n,) each."""

    place: Int64
    """Of each column among the features."""
    centre: Float64
    """The scaler's: a column is read in its own unit, so that a level of it means what it says."""
    scale: Float64

    @classmethod
    def at(cls, place: Sequence[int], scaler: Scaler) -> "Columns":
        """Columns at these places of windows that a scaler scales."""
        at = np.array(place, np.int64)
        return cls(at, scaler.centre[at].astype(np.float64), scaler.scale[at].astype(np.float64))

    def read(self, scaled: Float32) -> Float64:
        """In their own units, of columns (n_rows, n) as a window holds them."""
        return scaled.astype(np.float64) * self.scale + self.centre


def asked(
    config: EnsembleModelConfig, score: Float64, instant: Int64, asset: Int64, column: Float64
) -> Members:
    """What the members said, as a combination reads it.

    Args:
        config: whose members they are.
        score: (n_members, n_rows, n_outcomes) from the one scoring path.
        instant, asset: as of `Members`, (n_rows,).
        column: (n_rows, n_columns) in the order of `config.columns`.
    """
    named = dict(zip(config.columns, column.T, strict=True))
    return Members(score, instant, asset, named, config.called)


def packed(
    members: Sequence[Mapping[str, bytes]], combined: Combined, columns: Columns
) -> dict[str, bytes]:
    """The files of a fitted ensemble: its members', its combination's, and what joins them."""
    own = combined.files()
    facts = {name: part.tolist() for name, part in columns._asdict().items()}
    found = {FACTS: json.dumps({**facts, "combiner": sorted(own)}).encode()}
    found |= {_COMBINER + _flat(name): own[name] for name in sorted(own)}
    for number, files in enumerate(members):
        found |= {_of_member(number) + name: content for name, content in files.items()}
    return found


@dataclass(frozen=True)
class FittedEnsemble:
    """p = what the combination makes of p_1 ... p_K, its weights as the validation rows left them.

    A member's score is rounded as the one scoring path rounds it before it is combined, so that
    the combination reads here what it was fitted to. Rows have no instants: nothing that goes on
    learning does so in a model.
    """

    config: EnsembleModelConfig
    shape: Shape
    members: tuple[Fitted, ...] = field(repr=False)
    combined: Combined = field(repr=False)
    columns: Columns = field(repr=False)
    best_epoch: Literal[0] = 0
    inputs: Inputs = "window"

    def raw(self, inputs: Float32, asset_id: Int32) -> Float64:
        """Probabilities (n, n_outcomes) of (n, lookback, n_features) scaled windows."""
        if inputs.shape[1:] != self.shape[:2]:
            needed = f"(n, {self.shape.lookback}, {self.shape.n_features})"
            raise DataError(f"windows of shape {inputs.shape}, the ensemble needs {needed}")
        if not np.isfinite(inputs).all():
            row = int(np.argwhere(~np.isfinite(inputs))[0, 0])
            raise DataError(
                f"window {row} holds a value that is not finite: score only rows whose window is "
                "complete"
            )
        given = {"window": inputs}
        if any(one.inputs == "tabular" for one in self.members):
            given["tabular"] = summarised(np.ascontiguousarray(inputs))
        said = np.stack([score_inputs(one, given[one.inputs], asset_id) for one in self.members])
        nowhen = np.zeros(len(inputs), np.int64)
        column = self.columns.read(inputs[:, -1, self.columns.place])
        return self.combined.combine(
            asked(self.config, said, nowhen, asset_id.astype(np.int64), column)
        )

    def files(self) -> dict[str, bytes]:
        """Those of the members and of the combination, and JSON beside them."""
        return packed([one.files() for one in self.members], self.combined, self.columns)


@MODELS.register(EnsembleModelConfig)
class Ensemble:
    """Put together from fitted models, and so no kind that samples could be fitted to.

    p = c(p_1, ..., p_K): c is the combination that out-of-fold rows have fitted.

    Source: Wolpert (1992), Stacked generalization, Neural Networks 5(2), for fitting c on rows that
    are new to the members; Dietterich (2000), Ensemble methods in machine learning, MCS, for why.
    """

    inputs: FittedTo = "members"

    @staticmethod
    def restore(
        config: EnsembleModelConfig, shape: Shape, files: Mapping[str, bytes]
    ) -> FittedEnsemble:
        """The ensemble that wrote these files.

        Raises:
            ArtifactError: a file is missing, or is not this ensemble's.
        """
        facts = _read(config, shape, files)
        combiner = {name: file_of(files, _COMBINER + _flat(name)) for name in facts["combiner"]}
        parts = []
        for number, member in enumerate(config.members):
            begin = _of_member(number)
            own = {n.removeprefix(begin): c for n, c in files.items() if n.startswith(begin)}
            parts.append(restore(member, shape, own))
        combined = out_of_fold.restore(config.combiner, config.prune, combiner)
        return FittedEnsemble(config, shape, tuple(parts), combined, facts["columns"])


def _read(config: EnsembleModelConfig, shape: Shape, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The facts of an ensemble: names of its combination's files, and where its columns stand."""
    try:
        told = json.loads(file_of(files, FACTS))
        columns = Columns(
            np.array(told["place"], np.int64),
            np.array(told["centre"], np.float64),
            np.array(told["scale"], np.float64),
        )
        names = [str(name) for name in told["combiner"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{FACTS} cannot be read: {error!r}") from None
    n = len(config.columns)
    inside = ((columns.place >= 0) & (columns.place < shape.n_features)).all()
    if any(part.shape != (n,) for part in columns) or not inside:
        raise ArtifactError(f"{FACTS}: its columns are not the {n} that the combination reads")
    return {"columns": columns, "combiner": names}


def _of_member(number: int) -> str:
    """How the names of a member's files begin."""
    return f"member-{number}."


def _flat(name: str) -> str:
    """A name without folders: an artifact's files lie beside each other."""
    return name.replace("/", ".")
