"""Combinations on the folds: fitted on validation rows, which are out of fold for every member."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.config import Config
from touchstone.ensembles import ENSEMBLES, Combined, Members, Outcomes, columns_of
from touchstone.ensembles.out_of_fold import How, across, fit
from touchstone.models import Shape
from touchstone.pipelines.ensemble_config import Ensembles, Member
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared, column
from touchstone.registration import PartOf

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
    how, (validate, test) = How(config, pruned, seed), told
    validated = across(how, validate.members, validate.outcomes, learns=True)
    combined = fit(how, validate.members, validate.outcomes)
    return OnFold(
        validated,
        combined.combine(test.members, test.outcomes),
        combined.weights(test.members, test.outcomes),
        combined,
        time.perf_counter() - began,
    )
