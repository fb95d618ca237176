"""A vote: each member decides for an outcome, and the share or the side of most votes speaks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numba import njit

from touchstone.arrays import Float64, Int64
from touchstone.config import Config
from touchstone.ensembles import ENSEMBLES, Members, Outcomes
from touchstone.ensembles.rows import (
    alike,
    array,
    base_rate,
    check_scores,
    checked,
    from_files,
    pool,
    reading,
    to_files,
)
from touchstone.ensembles.votes import decisions


class VoteConfig(Config):
    """A member votes for the outcome that it holds likelier than usual by the largest factor.

    The most probable outcome alone would not do: it is nearly always the commonest. What is usual
    are the shares of the outcomes in the fitted rows.

    Source: Condorcet (1785); Kuncheva (2004), Combining Pattern Classifiers, sections 4.1-4.2;
    Elkan (2001), The foundations of cost-sensitive learning, IJCAI, for the decision.
    """

    kind: Literal["vote"] = "vote"
    how: Literal["hard", "soft"] = "soft"
    """`hard`: each outcome's score is its share of the votes. `soft`: the mean of those members
    alone who voted with the majority; where outcomes tie, of all their voters."""


@ENSEMBLES.register(VoteConfig)
@dataclass(frozen=True)
class Vote:
    """Knows how often each outcome comes, (n_outcomes,), and how many vote."""

    config: VoteConfig
    n_members: int
    rate: Float64 = field(repr=False)

    @classmethod
    def fit(cls, config: VoteConfig, members: Members, outcomes: Outcomes, seed: int) -> "Vote":  # noqa: ARG003 (nothing is drawn)
        """Take the outcomes' shares of the rows."""
        checked(members, outcomes)
        return cls(config, len(members.score), base_rate(members, outcomes))

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing is learnt)
        """Shares of the votes, or the mean of the majority's members, (n_rows, n_outcomes)."""
        check_scores(members, self.n_members, self.rate.size)
        votes = decisions(members.score, self.rate)
        if self.config.how == "hard":
            shares = [(votes == c).mean(0) for c in range(self.rate.size)]
            return np.stack(shares, axis=1)
        return pool(members.score, _majority(votes, self.rate.size))

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing is learnt)
        """One vote each, or an equal part for each of the majority."""
        check_scores(members, self.n_members, self.rate.size)
        if self.config.how == "hard":
            return alike(np.full(self.n_members, 1.0 / self.n_members), members.score.shape[1])
        return np.asarray(_majority(decisions(members.score, self.rate), self.rate.size))

    def files(self) -> dict[str, bytes]:
        """The shares as JSON."""
        return to_files("vote", {"n_members": self.n_members, "rate": self.rate})

    @classmethod
    def restore(cls, config: VoteConfig, files: Mapping[str, bytes]) -> "Vote":
        """The vote that wrote these files."""
        content = from_files("vote", files)
        with reading("vote"):
            return cls(config, int(content["n_members"]), array(content, "rate", (-1,)))


@njit(cache=True)
def _majority(votes: Int64, n_outcomes: int) -> Float64:
    """Weights of the members on the side of most votes, (n_rows, n_members)."""
    n_members, n_rows = votes.shape
    out = np.zeros((n_rows, n_members))
    count = np.empty(n_outcomes + 1, np.int64)
    for i in range(n_rows):
        count[:] = 0
        for k in range(n_members):
            count[votes[k, i] + 1] += 1
        most, n = count.max(), 0
        for k in range(n_members):
            n += count[votes[k, i] + 1] == most
        for k in range(n_members):
            if count[votes[k, i] + 1] == most:
                out[i, k] = 1.0 / n
    return out
