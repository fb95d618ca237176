"""Combinations on the folds: fitted on validation rows, which are out of fold for every member.

A combination's own scores of validation rows, which calibrate it and by which it is chosen, are
made in two halves of the time: each half is combined by what was fitted to the other, purged.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.config import Config
from touchstone.ensembles import ENSEMBLES, Combined, Members, Outcomes, columns_of
from touchstone.ensembles.pruning import Selection, select
from touchstone.ensembles.rows import take
from touchstone.errors import DataError
from touchstone.models import Shape
from touchstone.pipelines.ensemble_config import Ensembles, Member
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared, column
from touchstone.registration import PartOf, kind_of
from touchstone.seeding import derive

_NEVER: Final = np.iinfo(np.int64).max


class Combination(Config):
    """Names an ensemble as a candidate: who is asked and how the answers become one."""

    kind: Literal["ensemble"] = "ensemble"
    members: tuple[Member, ...]
    """Those that are asked."""
    combiner: Annotated[Config, PartOf(ENSEMBLES)]
    """How they are combined."""
    pruned: bool = False
    """Whether selection drops members first."""


class Asked(NamedTuple):
    """What the members said of some rows, and what came of them."""

    rows: Int64
    members: Members
    outcomes: Outcomes

    def where(self, keep: Bool) -> "Asked":
        """Some of the rows."""
        places = np.flatnonzero(keep)
        return Asked(self.rows[keep], *take(self.members, self.outcomes, places))


class OnFold(NamedTuple):
    """One ensemble on one fold."""

    validate: Float64
    """(n_validate, n_outcomes), each half combined by what was fitted to the other."""
    test: Float64
    """(n_test, n_outcomes)."""
    weights: Float64
    """(n_test, n_members) what each member counted for."""
    combined: Combined
    seconds: float

    @property
    def kept(self) -> tuple[int, ...]:
        """Members that count at all in some test row."""
        return tuple(int(k) for k in np.flatnonzero(np.abs(self.weights).max(axis=0) > 0))

    def learned(self, shape: Shape) -> Learned:
        """The same as a fit, for all that judges fits."""
        n = len(self.validate)
        return Learned(self.validate, self.test, 0, n, n, self.seconds, shape, "", {})


Columns = Mapping[str, Float64]
"""Expression -> (n_rows of the panel,)."""


def asked_columns(asked: Ensembles, prepared: Prepared) -> dict[str, Float64]:
    """Every expression that a combination reads, over the whole panel.

    Raises:
        ConfigError: one that cannot be read.
    """
    texts = {text for config in asked.combiners.values() for text in columns_of(config)}
    return {text: column(text, prepared.panel) for text in sorted(texts)}


def asked_of(
    asked: Ensembles, prepared: Prepared, rows: Int64, scores: Sequence[Float64], columns: Columns
) -> Asked:
    """What members said of rows, (n_rows, n_outcomes) each, with what came of them.

    An outcome that is not known by the seal is known never.
    """
    panel, labels = prepared.panel, prepared.labels
    is_open = prepared.open_labels[rows]
    exits = np.maximum(labels.exit[rows], 0)
    return Asked(
        rows,
        Members(
            score=np.stack(scores),
            instant=panel.available_at[rows],
            asset=panel.asset_id[rows].astype(np.int64),
            named={text: values[rows] for text, values in columns.items()},
            name=tuple(named.name for named in asked.members),
        ),
        Outcomes(
            outcome=np.where(is_open, labels.outcome[rows], 0).astype(np.int8),
            realised=np.where(is_open, labels.realised[rows], 0.0),
            known=np.where(is_open, panel.available_at[exits], _NEVER),
            weight=np.ones(rows.size),
        ),
    )


def halves(told: Asked) -> tuple[tuple[Bool, Bool], ...]:
    """(rows to fit, rows to combine), twice; of each pair no outcome is known to the other half.

    Raises:
        DataError: too few instants to be halved.
    """
    instant, known = told.members.instant, told.outcomes.known
    instants = np.unique(instant)
    if instants.size < 4:
        raise DataError(
            f"validation rows of {instants.size} instants cannot be halved: lengthen folds.validate"
        )
    first = instant <= instants[instants.size // 2 - 1]
    cut = int(instant[~first].min())
    late = int(known[first].max())
    return (first & (known < cut), ~first), (~first & (instant > late), first)


def fit_on_fold(config: Config, pruned: bool, told: tuple[Asked, Asked], seed: int) -> OnFold:
    """Fit a combination on a fold's validation rows and combine its test rows.

    Args:
        config: of the combination.
        pruned: whether selection drops members first.
        told: validation rows and test rows.
        seed: of everything drawn.

    Raises:
        DataError: rows that no combination can be fitted on.
    """
    began = time.perf_counter()
    validate, test = told
    across = np.full(validate.members.score.shape[1:], np.nan)
    for number, (learns, speaks) in enumerate(halves(validate), 1):
        half = validate.where(learns)
        try:
            one = _fit(config, pruned, half, derive(seed, "half", number))
        except DataError as error:
            raise DataError(
                f"ensemble {kind_of(config)}, half {number} of the validation rows: {error}"
            ) from None
        other = validate.where(speaks)
        across[speaks] = one.combine(other.members, other.outcomes)
    combined = _fit(config, pruned, validate, seed)
    return OnFold(
        across,
        combined.combine(test.members, test.outcomes),
        combined.weights(test.members, test.outcomes),
        combined,
        time.perf_counter() - began,
    )


class Selected(NamedTuple):
    """The mean of the members that greedy selection keeps, each as often as it was added."""

    selection: Selection

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002  as the protocol has it
        """As `Combined.combine`; nothing is learned from outcomes."""
        return np.asarray(np.einsum("k,kro->ro", self.selection.weight, members.score))

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002  as the protocol has it
        """As `Combined.weights`; the same in every row."""
        n_rows = members.score.shape[1]
        return np.broadcast_to(self.selection.weight, (n_rows, self.selection.weight.size))

    def files(self) -> dict[str, bytes]:
        """None: the weights stand in the result."""
        return {}


def _fit(config: Config, pruned: bool, told: Asked, seed: int) -> Combined:
    if pruned:
        return Selected(select(told.members, told.outcomes))
    return ENSEMBLES.part_of(config).fit(config, told.members, told.outcomes, seed)
