"""The mean of the members: nothing is fitted, and hard to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, logits
from touchstone.ensembles.rows import (
    alike,
    check_scores,
    checked,
    from_files,
    pool,
    reading,
    to_files,
)


class MeanConfig(Config):
    """All members count the same.

    Source: Clemen (1989), Combining forecasts: a review and annotated bibliography, International
    Journal of Forecasting 5(4); the geometric mean: Genest & Zidek (1986), Combining probability
    distributions, Statistical Science 1(1), section 3.
    """

    kind: Literal["mean"] = "mean"
    how: Literal["arithmetic", "geometric"] = "arithmetic"
    """`arithmetic`: of the probabilities. `geometric`: of the log-odds, p proportional to
    prod_k p_k^(1/K): a member that is sure counts for more, one that says 0 nearly forbids."""


@ENSEMBLES.register(MeanConfig)
@dataclass(frozen=True)
class Mean:
    """p = sum_k p_k / K, or softmax of the mean log-odds."""

    config: MeanConfig
    n_members: int
    n_outcomes: int

    @classmethod
    def fit(cls, config: MeanConfig, members: Members, outcomes: Outcomes, seed: int) -> "Mean":  # noqa: ARG003 (nothing is drawn)
        """Learn how many members there are, and no more."""
        checked(members, outcomes)
        return cls(config, len(members.score), members.score.shape[2])

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing is learnt)
        """The mean, (n_rows, n_outcomes)."""
        check_scores(members, self.n_members, self.n_outcomes)
        if self.config.how == "arithmetic":
            return pool(members.score, np.full(self.n_members, 1.0 / self.n_members))
        n_logits = 1 if self.n_outcomes == 1 else 2
        return logits.combine(members.score, logits.prior(n_logits, self.n_members))

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing is learnt)
        """1 / K each."""
        check_scores(members, self.n_members, self.n_outcomes)
        return alike(np.full(self.n_members, 1.0 / self.n_members), members.score.shape[1])

    def files(self) -> dict[str, bytes]:
        """The counts as JSON."""
        return to_files("mean", {"n_members": self.n_members, "n_outcomes": self.n_outcomes})

    @classmethod
    def restore(cls, config: MeanConfig, files: Mapping[str, bytes]) -> "Mean":
        """The mean that wrote these files."""
        content = from_files("mean", files)
        with reading("mean"):
            return cls(config, int(content["n_members"]), int(content["n_outcomes"]))
