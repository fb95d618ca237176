"""Blending: the earlier rows choose who takes part, a later part of them weighs those."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveInt
from threadpoolctl import threadpool_limits

from touchstone.arrays import Float64, Int64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, Strength, logits
from touchstone.ensembles.pruning import select
from touchstone.ensembles.rows import (
    alike,
    array,
    check_scores,
    checked,
    column_of,
    from_files,
    n_kinds,
    outcomes_of,
    pool,
    reading,
    shares,
    take,
    to_files,
)
from touchstone.ensembles.simplex import least_quadratic
from touchstone.ensembles.timeline import parted, thinned
from touchstone.errors import DataError


class BlendConfig(Config):
    """A blender on a fixed hold-out part of the rows: the last `hold_out` of time.

    Rows before it serve to choose members (`prune`), and those whose outcome is not known when the
    hold-out begins serve nothing. What is chosen on some rows is thus weighed on others.

    `logistic`: log-odds linear in the members' log-odds (`ensembles.logits`). `linear`: weights
    w >= 0 of sum one and least mean squared error |1{outcome} - sum_k w_k p_k|^2 + l2 |w - 1/K|^2.

    Source: Töscher, Jahrer & Bell (2009), The BigChaos solution to the Netflix grand prize, section
    on blending; `linear`: Breiman (1996), Stacked regressions, Machine Learning 24(1).
    """

    kind: Literal["blend"] = "blend"
    blender: Literal["linear", "logistic"] = "logistic"
    """What weighs."""
    hold_out: Annotated[float, Field(gt=0, lt=1), Range(0.1, 0.6)] = 0.3
    """Share of the rows' time that it is fitted on, the last."""
    l2: Annotated[Strength, Range(1e-4, 1, log=True)] = 1e-3
    """Pull to equal weights, relative to the mean loss."""
    prune: Annotated[PositiveInt | None, Range(2, 20, step=1)] = None
    """Most members that take part, by greedy forward selection on the earlier rows; null: all."""
    max_rows: Annotated[int, Field(ge=100)] = 200_000
    """Of more rows in a part, so many evenly spread over time are fitted to."""

    @property
    def recalibrates(self) -> bool:
        """A logistic blender's coefficients are fitted, their sum too."""
        return self.blender == "logistic"


@ENSEMBLES.register(BlendConfig)
@dataclass(frozen=True)
class Blend:
    """Coefficients, (n_logits, 1 + n_members), of a linear blender (1, n_members): its weights."""

    config: BlendConfig
    n_outcomes: int
    theta: Float64 = field(repr=False)

    @classmethod
    def fit(cls, config: BlendConfig, members: Members, outcomes: Outcomes, seed: int) -> "Blend":  # noqa: ARG003 (nothing is drawn)
        """Choose on the earlier rows, fit on the hold-out.

        Raises:
            DataError: what `rows.checked` refuses, of either part.
        """
        checked(members, outcomes)
        part = parted(members.instant, outcomes.known, config.hold_out)
        n_members, n_outcomes = len(members.score), members.score.shape[2]
        kept = np.arange(n_members)
        if config.prune is not None and config.prune < n_members:
            kept = _chosen(config, members, outcomes, part.earlier)
        later = part.later[thinned(members.instant[part.later], config.max_rows)]
        held, came = take(members._replace(score=members.score[kept], name=()), outcomes, later)
        _two_kinds(came, n_outcomes, config)
        if config.blender == "linear":
            weight = np.zeros((1, n_members))
            weight[0, kept] = _least_squares(held, came, config.l2)
            return cls(config, n_outcomes, weight)
        given = logits.rows(held.score, came.outcome, came.weight, np.arange(later.size))
        start = logits.prior(len(given.odds), kept.size)
        theta = np.zeros((len(start), 1 + n_members))
        theta[:, np.r_[0, kept + 1]] = logits.least_loss(given, config.l2, start)
        return cls(config, n_outcomes, theta)

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """What the blender says, (n_rows, n_outcomes)."""
        self._check(members)
        if self.config.blender == "linear":
            return pool(members.score, self.theta[0])
        return logits.combine(members.score, self.theta)

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """Weights, or each member's coefficient, of three outcomes the mean of its two."""
        self._check(members)
        return alike(self._member_columns().mean(0), members.score.shape[1])

    def files(self) -> dict[str, bytes]:
        """The coefficients as JSON."""
        return to_files("blend", {"n_outcomes": self.n_outcomes, "theta": self.theta})

    @classmethod
    def restore(cls, config: BlendConfig, files: Mapping[str, bytes]) -> "Blend":
        """The blender that wrote these files."""
        content = from_files("blend", files)
        with reading("blend"):
            return cls(config, int(content["n_outcomes"]), array(content, "theta", (-1, -1)))

    def _member_columns(self) -> Float64:
        return self.theta if self.config.blender == "linear" else self.theta[:, 1:]

    def _check(self, members: Members) -> None:
        check_scores(members, self._member_columns().shape[1], self.n_outcomes)


def _chosen(config: BlendConfig, members: Members, outcomes: Outcomes, earlier: Int64) -> Int64:
    if not earlier.size:
        raise DataError(
            f"blend: no row's outcome is known before the hold-out of {config.hold_out:g} begins, "
            "so that nothing is left to choose members by; give more rows or prune: null"
        )
    _two_kinds(outcomes_of(outcomes, earlier), members.score.shape[2], config)
    some = earlier[thinned(members.instant[earlier], config.max_rows)]
    return select(*take(members, outcomes, some), at_most=config.prune).kept


def _two_kinds(came: Outcomes, n_outcomes: int, config: BlendConfig) -> None:
    if n_kinds(came.outcome, n_outcomes) < 2:
        raise DataError(
            f"blend: a part of the rows, cut at the last {config.hold_out:g} of time, holds "
            f"{came.outcome.size} outcomes, all of one kind: give rows from a longer stretch"
        )


def _least_squares(held: Members, came: Outcomes, l2: float) -> Float64:
    score, n_outcomes = held.score, held.score.shape[2]
    share, column = shares(came.weight), column_of(came.outcome, n_outcomes)
    n_members = len(score)
    bend, slope = 2.0 * l2 * np.eye(n_members), np.full(n_members, -2.0 * l2 / n_members)
    with threadpool_limits(1):  # the order of sums, and so the bits, depend on the threads
        for c in range(n_outcomes):
            weighed = score[:, :, c] * share
            bend += 2.0 * weighed @ score[:, :, c].T
            slope -= 2.0 * weighed @ (column == c).astype(np.float64)
    return least_quadratic(bend, slope, np.full(n_members, 1.0 / n_members))
