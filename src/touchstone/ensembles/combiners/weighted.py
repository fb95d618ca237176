"""Fixed weights of least log-loss, drawn to equal ones and away from members that err together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, Strength
from touchstone.ensembles.diversity import error_correlation
from touchstone.ensembles.rows import (
    alike,
    array,
    check_scores,
    checked,
    from_files,
    likelihood,
    pool,
    reading,
    shares,
    to_files,
)
from touchstone.ensembles.simplex import Pull, least_log_loss
from touchstone.ensembles.timeline import effective_rows


class WeightedConfig(Config):
    """Weights w >= 0, sum one, of least

        mean_i -ln(sum_k w_k p_ik) + prior_rows / (2 n) K |w - 1/K|^2 + diversity w' R w

    p_ik is what member k gave to what came, n the number of rows that the given ones are worth
    (`timeline.effective_rows`), R the correlation of the members' errors.

    Source: Hall & Mitchell (2007), Combining density forecasts, International Journal of
    Forecasting 23(1), the first term; Krogh & Vedelsby (1995), Neural network ensembles, cross
    validation and active learning, NIPS 7, and Liu & Yao (1999), Ensemble learning via negative
    correlation, Neural Networks 12(10), the last.
    """  # noqa: D415  the sentence goes on in a formula

    kind: Literal["weighted"] = "weighted"
    prior_rows: Annotated[Strength, Range(0.1, 100, log=True)] = 1.0
    """How many rows the pull to equal weights counts as: it is the second order, at equal weights,
    of a Dirichlet prior of so many rows, each foreseen by one member alone."""
    diversity: Annotated[float, Field(ge=0, le=1e9), Range(0, 0.05)] = 0.0
    """What a correlation of one between the errors costs, in nats of the mean log-loss."""


@ENSEMBLES.register(WeightedConfig)
@dataclass(frozen=True)
class Weighted:
    """p = sum_k w_k p_k with fitted weights, (n_members,)."""

    config: WeightedConfig
    n_outcomes: int
    weight: Float64 = field(repr=False)

    @classmethod
    def fit(
        cls,
        config: WeightedConfig,
        members: Members,
        outcomes: Outcomes,
        seed: int,  # noqa: ARG003 (nothing is drawn: there is one best value)
    ) -> "Weighted":
        """By Newton's method on the simplex: the problem is convex."""
        checked(members, outcomes)
        n_members = len(members.score)
        strength = n_members * config.prior_rows / effective_rows(members, outcomes)
        penalty = np.zeros((n_members, n_members))
        if config.diversity:
            penalty = config.diversity * error_correlation(members, outcomes)
        pull = Pull(np.full(n_members, 1.0 / n_members), strength, penalty)
        given = likelihood(members.score, outcomes.outcome)
        weight = least_log_loss(given, shares(outcomes.weight), pull)
        return cls(config, members.score.shape[2], weight)

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """The weighted mean, (n_rows, n_outcomes)."""
        check_scores(members, self.weight.size, self.n_outcomes)
        return pool(members.score, self.weight)

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """The same in every row."""
        check_scores(members, self.weight.size, self.n_outcomes)
        return alike(self.weight, members.score.shape[1])

    def files(self) -> dict[str, bytes]:
        """The weights as JSON."""
        return to_files("weighted", {"n_outcomes": self.n_outcomes, "weight": self.weight})

    @classmethod
    def restore(cls, config: WeightedConfig, files: Mapping[str, bytes]) -> "Weighted":
        """The combination that wrote these files."""
        content = from_files("weighted", files)
        with reading("weighted"):
            return cls(config, int(content["n_outcomes"]), array(content, "weight", (-1,)))
