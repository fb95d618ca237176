"""Weights that follow what the members earned lately, one moment of outcomes after another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, Strength
from touchstone.ensembles.hedge import (
    Arrived,
    Came,
    Rule,
    Walk,
    due,
    learn,
    moment,
    settle,
    walk,
    weigh,
)
from touchstone.ensembles.rows import (
    alike,
    array,
    check_outcomes,
    check_scores,
    checked,
    column_of,
    from_files,
    pool,
    reading,
    shares,
    to_files,
)


class OnlineConfig(Config):
    """Discounted exponential weights (`ensembles.hedge`), begun on the fitted rows.

    A row is combined with weights that know the outcomes known by its instant and no other. All
    outcomes of one moment, of however many instruments, charge a member their mean loss once.
    With `log_loss`, a rate of 1, no half-life and no share it is Bayes' rule, moment by moment.

    Source: Freund & Schapire (1997), Journal of Computer and System Sciences 55(1), Hedge; Raftery,
    Kárný & Ettler (2010), Technometrics 52(1), forgetting; Herbster & Warmuth (1998), Machine
    Learning 32(2), the share.
    """

    kind: Literal["online"] = "online"
    loss: Literal["log_loss", "money"] = "log_loss"
    """`log_loss`: -ln p(what came). `money`: minus realised times stake, where a member's stake is
    what it gives +1 (of three columns: less what it gives -1) above the fitted rows' mean; in units
    of that product's root mean square, at most 5 of them either way."""
    learning_rate: Annotated[Strength, Range(0.02, 2, log=True)] = 0.5
    """How much a unit of loss lowers a log-weight."""
    half_life: Annotated[Strength | None, Range(50, 5000, log=True)] = 500.0
    """Moments (bars) after which a loss counts for half; null: for ever."""
    share: Annotated[float, Field(ge=0, lt=1), Range(0, 0.05)] = 0.001
    """Part of the weight that is spread evenly at each moment, so that no member is ever out."""


@ENSEMBLES.register(OnlineConfig)
@dataclass(frozen=True)
class Online:
    """p = sum_k w_tk p_k; without outcomes the weights stay as the fitted rows left them."""

    config: OnlineConfig
    n_outcomes: int
    usual: float
    """Mean stake of the fitted rows; see `hedge.Rule`."""
    unit: float
    """Of money; see `hedge.Rule`."""
    log_weight: Float64 = field(repr=False)
    """(n_members,) after the fitted rows."""

    @classmethod
    def fit(cls, config: OnlineConfig, members: Members, outcomes: Outcomes, seed: int) -> "Online":  # noqa: ARG003 (nothing is drawn)
        """Walk through the fitted rows' outcomes as they became known."""
        checked(members, outcomes)
        usual, unit = _scale(members, outcomes) if config.loss == "money" else (0.0, 1.0)
        start = np.full(len(members.score), -np.log(len(members.score)))
        fitted = cls(config, members.score.shape[2], usual, unit, start)
        order = due(outcomes.known, members.instant, members.asset)
        arrived = Arrived(fitted.came(outcomes), np.arange(order.size), order)
        last = moment(start.size)
        learn(members.score, arrived, fitted.rule, start, last)
        settle(last, fitted.rule, start)
        return fitted

    @property
    def rule(self) -> Rule:
        """What rows cost and how weights follow."""
        half_life = self.config.half_life
        decay = 1.0 if half_life is None else 0.5 ** (1.0 / half_life)
        return Rule(
            self.config.learning_rate, decay, self.config.share, self.config.loss == "money",
            self.usual, self.unit,
        )  # fmt: skip

    def came(self, outcomes: Outcomes) -> Came:
        """Outcomes as the weights read them."""
        return Came(
            column_of(outcomes.outcome, self.n_outcomes),
            np.asarray(outcomes.realised, np.float64),
            np.asarray(outcomes.known, np.int64),
            np.asarray(outcomes.weight, np.float64),
        )

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """The weighted mean by the weights of each row's instant, (n_rows, n_outcomes)."""
        check_scores(members, self.log_weight.size, self.n_outcomes)
        if outcomes is None:
            return pool(members.score, self._weight())
        return self._walk(members, outcomes, False)

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """The weights of each row's instant."""
        check_scores(members, self.log_weight.size, self.n_outcomes)
        if outcomes is None:
            return alike(self._weight(), members.score.shape[1])
        return self._walk(members, outcomes, True)

    def files(self) -> dict[str, bytes]:
        """The log-weights as JSON."""
        content = {"n_outcomes": self.n_outcomes, "usual": self.usual, "unit": self.unit}
        return to_files("online", {**content, "log_weight": self.log_weight})

    @classmethod
    def restore(cls, config: OnlineConfig, files: Mapping[str, bytes]) -> "Online":
        """The combination that wrote these files."""
        content = from_files("online", files)
        with reading("online"):
            return cls(
                config, int(content["n_outcomes"]), float(content["usual"]),
                float(content["unit"]), array(content, "log_weight", (-1,)),
            )  # fmt: skip

    def _weight(self) -> Float64:
        weight = np.empty(self.log_weight.size)
        weigh(self.log_weight, weight)
        return weight

    def _walk(self, members: Members, outcomes: Outcomes, is_weight: bool) -> Float64:
        check_outcomes(members, outcomes)
        n_rows = members.score.shape[1]
        walked = Walk(
            members.instant,
            np.argsort(members.instant, kind="stable"),
            due(outcomes.known, members.instant, members.asset),
        )
        out = np.empty((n_rows, self.log_weight.size if is_weight else self.n_outcomes))
        came = self.came(outcomes)
        walk(members.score, walked, came, self.rule, self.log_weight, (out, is_weight))
        return out


def _scale(members: Members, outcomes: Outcomes) -> tuple[float, float]:
    """Mean stake, and the root mean square of realised times what a stake is above it."""
    stake = members.score[:, :, -1]
    if members.score.shape[2] == 3:
        stake = stake - members.score[:, :, 0]
    share = shares(outcomes.weight)
    usual = float((stake @ share).mean())
    square = ((stake - usual) * outcomes.realised) ** 2
    unit = float(np.sqrt((square @ share).mean()))
    return usual, unit if unit > 0 else 1.0
