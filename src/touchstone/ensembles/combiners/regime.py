"""Weights of their own in each regime, drawn to those of all rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from touchstone.arrays import Float64, Int64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, Strength
from touchstone.ensembles.rows import (
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
from touchstone.errors import ConfigError


class RegimeConfig(Config):
    """A row's regime is where its column lies between cuts; each regime has weights of least

        mean_i in r -ln(sum_k w_k p_ik) + prior_rows / (2 n_r) K |w - w_all|^2

    w_all are the weights of all rows (as `weighted`), n_r what the regime's rows are worth. Rows
    where the column is not known are combined with w_all.

    Source: the mixture of regimes is Hamilton's (1989), A new approach to the economic analysis of
    nonstationary time series, Econometrica 57(2), with an observed state; weights by state:
    Elliott & Timmermann (2005), Optimal forecast combination under regime switching, International
    Economic Review 46(4).
    """  # noqa: D415  the sentence goes on in a formula

    kind: Literal["regime"] = "regime"
    column: str = "std(ret, 24)"
    """What the regime is told by: an expression like a feature's, known at the row's close."""
    quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (1 / 3, 2 / 3)
    """Where the column is cut, as quantiles of its values in the fitted rows; rising."""
    levels: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] | None = None
    """Where it is cut, as values of the column, rising: for one that numbers states, as 0.5 between
    the states 0 and 1. Null: the quantiles count."""
    prior_rows: Annotated[Strength, Range(0.1, 100, log=True)] = 3.0
    """How many rows the pull to the weights of all rows, and theirs to equal ones, counts as: each
    a row foreseen by one member alone, as in `weighted`."""

    @model_validator(mode="after")
    def _cuts_rise(self) -> "RegimeConfig":
        cuts = self.quantiles if self.levels is None else self.levels
        if not cuts or any(b <= a for a, b in pairwise(cuts)):
            raise ConfigError(f"regime: cuts {list(cuts)} need to rise, and one at least is needed")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """What it reads."""
        return (self.column,)


@ENSEMBLES.register(RegimeConfig)
@dataclass(frozen=True)
class Regime:
    """p = sum_k w_rk p_k in regime r."""

    config: RegimeConfig
    n_outcomes: int
    cuts: Float64 = field(repr=False)
    """(n_cuts,) values of the column at which a regime begins, itself included."""
    weight: Float64 = field(repr=False)
    """(n_cuts + 2, n_members): of each regime, and last of all rows."""

    @classmethod
    def fit(cls, config: RegimeConfig, members: Members, outcomes: Outcomes, seed: int) -> "Regime":  # noqa: ARG003 (nothing is drawn: there is one best value)
        """Weights of all rows first, then of each regime."""
        checked(members, outcomes)
        n_members = len(members.score)
        value = members.column(config.column)
        cuts = np.array(config.levels if config.levels is not None else _cut(config, value))
        given, share = likelihood(members.score, outcomes.outcome), shares(outcomes.weight)
        none = np.zeros((n_members, n_members))
        worth = effective_rows(members, outcomes) / members.instant.size
        pull = n_members * config.prior_rows / worth

        def weigh(rows: Int64, centre: Float64) -> Float64:
            if not rows.size:
                return centre
            part = share[rows] / share[rows].sum()
            return least_log_loss(given[rows], part, Pull(centre, pull / rows.size, none))

        everything = weigh(np.arange(share.size), np.full(n_members, 1.0 / n_members))
        state = _states(value, cuts)
        of_each = [weigh(np.flatnonzero(state == r), everything) for r in range(cuts.size + 1)]
        return cls(config, members.score.shape[2], cuts, np.stack([*of_each, everything]))

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """The weighted mean by the weights of each row's regime, (n_rows, n_outcomes)."""
        return pool(members.score, self.weights(members, outcomes))

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """The weights of each row's regime."""
        check_scores(members, self.weight.shape[1], self.n_outcomes)
        return self.weight[self.state(members)]

    def state(self, members: Members) -> Int64:
        """Number of each row's regime, from 0 for the lowest values; n_cuts + 1: not known."""
        return _states(members.column(self.config.column), self.cuts)

    def files(self) -> dict[str, bytes]:
        """Cuts and weights as JSON."""
        return to_files(
            "regime", {"n_outcomes": self.n_outcomes, "cuts": self.cuts, "weight": self.weight}
        )

    @classmethod
    def restore(cls, config: RegimeConfig, files: Mapping[str, bytes]) -> "Regime":
        """The combination that wrote these files."""
        content = from_files("regime", files)
        with reading("regime"):
            cuts = array(content, "cuts", (-1,))
            weight = array(content, "weight", (cuts.size + 2, -1))
            return cls(config, int(content["n_outcomes"]), cuts, weight)


def _cut(config: RegimeConfig, value: Float64) -> Float64:
    known = value[np.isfinite(value)]
    return np.quantile(known, config.quantiles) if known.size else np.zeros(len(config.quantiles))


def _states(value: Float64, cuts: Float64) -> Int64:
    state = np.searchsorted(cuts, value, side="right")
    return np.where(np.isnan(value), cuts.size + 1, state).astype(np.int64)
