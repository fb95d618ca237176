"""Bayesian model averaging: members weigh what the evidence says that they are the right one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np

from touchstone.arrays import Float64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, Strength
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
from touchstone.ensembles.timeline import effective_rows
from touchstone.ensembles.weights import spread


class BmaConfig(Config):
    """Posterior of the members given what came of rows that none was fitted to:

        P(k | rows)  proportional to  P(k) exp(temper n mean_i ln p_ik),        P(k) = 1/K

    The product of out-of-fold probabilities of what came is a member's marginal likelihood in its
    prequential form. Rows whose outcomes overlap are no independent evidence: n is not their
    number but what they are worth (`timeline.effective_rows`). The posterior asks which *one*
    member is right and so concentrates on the best as evidence grows; `weighted` asks for the best
    mix.

    Source: Hoeting, Madigan, Raftery & Volinsky (1999), Bayesian model averaging: a tutorial,
    Statistical Science 14(4), eq. 1-4; Dawid (1984), Statistical theory: the prequential approach,
    JRSS A 147(2); Minka (2002), Bayesian model averaging is not model combination; the power:
    Grünwald & van Ommen (2017), Bayesian Analysis 12(4).
    """  # noqa: D415  the sentence goes on in a formula

    kind: Literal["bma"] = "bma"
    temper: Annotated[Strength, Range(0.01, 1, log=True)] = 1.0
    """Power of the likelihood: below 1 the evidence counts for less, where none is right."""


@ENSEMBLES.register(BmaConfig)
@dataclass(frozen=True)
class Bma:
    """p = sum_k P(k | rows) p_k."""

    config: BmaConfig
    n_outcomes: int
    n_effective: float
    """Independent rows that the fitted ones were worth."""
    posterior: Float64 = field(repr=False)
    """(n_members,)"""

    @classmethod
    def fit(cls, config: BmaConfig, members: Members, outcomes: Outcomes, seed: int) -> "Bma":  # noqa: ARG003 (nothing is drawn)
        """Sum the evidence."""
        checked(members, outcomes)
        n_effective = effective_rows(members, outcomes)
        given = likelihood(members.score, outcomes.outcome)
        mean = shares(outcomes.weight) @ np.log(given, out=given)
        evidence = config.temper * n_effective * mean
        posterior = np.exp(evidence - evidence.max())
        return cls(config, members.score.shape[2], n_effective, posterior / posterior.sum())

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """The posterior mean of the probabilities, (n_rows, n_outcomes)."""
        check_scores(members, self.posterior.size, self.n_outcomes)
        return pool(members.score, self.posterior)

    def uncertainty(self, members: Members) -> Float64:
        """Posterior deviation of the probabilities between the members, (n_rows, n_outcomes)."""
        return spread(members.score, self.weights(members))

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """The posterior, the same in every row."""
        check_scores(members, self.posterior.size, self.n_outcomes)
        return alike(self.posterior, members.score.shape[1])

    def files(self) -> dict[str, bytes]:
        """The posterior as JSON."""
        return to_files(
            "bma",
            {
                "n_outcomes": self.n_outcomes,
                "n_effective": self.n_effective,
                "posterior": self.posterior,
            },
        )

    @classmethod
    def restore(cls, config: BmaConfig, files: Mapping[str, bytes]) -> "Bma":
        """The posterior that wrote these files."""
        content = from_files("bma", files)
        with reading("bma"):
            return cls(
                config, int(content["n_outcomes"]), float(content["n_effective"]),
                array(content, "posterior", (-1,)),
            )  # fmt: skip
