"""How much money the decisions bear: the same ones at other deposits, their impact paid."""

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64
from touchstone.backtest.again import Again
from touchstone.backtest.result import Run, daily
from touchstone.config import Config
from touchstone.execution.account import AccountConfig
from touchstone.execution.costs import CostsConfig
from touchstone.market import Panel
from touchstone.metrics.trading import sharpe

_Deposit = Annotated[float, Field(gt=0, le=1e15)]


class CapacityConfig(Config):
    """At which deposits, and what trading a share of a bar's volume costs there."""

    impact: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Y of the square-root impact `Y sigma (quantity / volume) ^ power`, the upper end of what was
    measured for liquid stocks; a study whose costs have an impact of their own keeps it."""
    impact_power: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Exponent of the impact; kept from the costs where they have an impact."""
    volume_cap: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Largest share of a bar's volume that is filled, where the costs name none."""
    deposits: Annotated[tuple[_Deposit, ...], Field(min_length=2)] = tuple(
        float(f"{10**k:.3g}") for k in np.arange(4.0, 10.5, 0.5).tolist()
    )
    """Assets under management to try, quote currency, rising."""

    def costs(self, costs: CostsConfig) -> CostsConfig:
        """The costs of a study with impact and participation."""
        update: dict[str, float] = {}
        if costs.impact == 0:
            update |= {"impact": self.impact, "impact_power": self.impact_power}
        if costs.volume_cap is None:
            update["volume_cap"] = self.volume_cap
        return costs.model_copy(update=update)


class Capacity(NamedTuple):
    """The curve, by deposit; all (n_deposits,)."""

    deposit: Float64
    sharpe: Float64
    """Net of all costs, annual; NaN without variance."""
    net_return: Float64
    """Of the whole run, fraction."""
    profit: Float64
    """Money, of the whole run."""
    impact_bp: Float64
    """Impact paid, basis points of the value traded; NaN where nothing was."""
    filled: Float64
    """Value traded for each unit of mean equity, as a share of that at the smallest deposit: below
    1 where the participation cap leaves orders unfilled. NaN where nothing was traded."""

    @property
    def half(self) -> float | None:
        """Deposit at which half the Sharpe of the smallest one is left; None where it never is."""
        first = float(self.sharpe[0])
        return _falls_to(self.deposit, self.sharpe, first / 2) if first > 0 else None

    @property
    def zero(self) -> float | None:
        """Deposit at which the Sharpe reaches zero; None where it never does, or began there."""
        return _falls_to(self.deposit, self.sharpe, 0.0) if self.sharpe[0] > 0 else None

    @property
    def best(self) -> float | None:
        """Deposit of those tried that earned the most money; None where none earned any."""
        k = int(self.profit.argmax())
        return float(self.deposit[k]) if self.profit[k] > 0 else None


def capacity(
    panel: Panel, again: Again, terms: tuple[AccountConfig, CostsConfig, CapacityConfig]
) -> Capacity:
    """The decisions of a run replayed through the kernel at each deposit.

    Weights are shares of equity, so a larger deposit orders more units of the same instruments at
    the same bars; impact and participation are what differs. Prices are those that were: nobody
    else reacts.

    Args:
        panel: the bars.
        again: the decisions.
        terms: account and costs of the run, and what to try.
    """
    account, costs, config = terms
    dear = config.costs(costs)
    deposits = sorted(set(config.deposits))
    runs = [again(account.model_copy(update={"cash": d}), dear) for d in deposits]
    return _curve(panel, deposits, runs)


def _curve(panel: Panel, deposits: Sequence[float], runs: Sequence[Run]) -> Capacity:
    per_year = panel.calendar.days_per_year
    ratios = [sharpe(daily(panel, run)[1], per_year) for run in runs]
    traded = np.array([float((r.fills.quantity * r.fills.reference).sum()) for r in runs])
    impact = np.array([run.paid.impact for run in runs])
    deposit = np.array(deposits)
    net = np.array([run.total_return for run in runs])
    nothing = np.full(deposit.size, np.nan)
    mean = np.array([float(run.equity.mean()) for run in runs])
    rate = np.divide(traded, mean, out=nothing.copy(), where=mean > 0)
    return Capacity(
        deposit=deposit,
        sharpe=np.array([math.nan if r is None else r for r in ratios]),
        net_return=net,
        profit=net * deposit,
        impact_bp=np.divide(1e4 * impact, traded, out=nothing.copy(), where=traded > 0),
        filled=rate / rate[0] if rate[0] > 0 else nothing,
    )


def _falls_to(deposit: Float64, ratio: Float64, level: float) -> float | None:
    """Where the curve first comes down to a level, by a straight line in the log of deposits."""
    for k in range(1, deposit.size):
        high, low = float(ratio[k - 1]), float(ratio[k])
        if high > level >= low:
            share = (high - level) / (high - low)
            ends = math.log(deposit[k - 1]), math.log(deposit[k])
            return math.exp(ends[0] + share * (ends[1] - ends[0]))
    return None
