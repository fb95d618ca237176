"""What a run earned on one segment: every measure of money, baselines and controls beside it."""

from typing import NamedTuple, Protocol

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.backtest import Run, break_even, controls, daily, recost
from touchstone.backtest.again import Again
from touchstone.backtest.baselines import buy_and_hold, cash, equal_weight
from touchstone.backtest.capacity import CapacityConfig
from touchstone.backtest.held import stranded
from touchstone.execution import REASONS, AccountConfig, CostsConfig
from touchstone.market import Panel
from touchstone.metrics import trading as t
from touchstone.pipelines.analysis import Traced, analysis
from touchstone.pipelines.decide import Segment
from touchstone.reports.result import (
    Baseline,
    Curve,
    LadderRung,
    Performance,
    iso_day,
)
from touchstone.seeding import generator
from touchstone.validation.bootstrap import mean_interval, sharpe_interval

_DAY_NS = 86_400_000_000_000
_N_CONTROLS = 200
_MULTIPLES = (0.0, 1.0, 2.0, 3.0)


class Traded(NamedTuple):
    """A run on a segment, with its daily returns."""

    where: Segment
    run: Run
    eligible: Bool
    """Rows of the segment's panel with a score: where a random control may enter."""
    again: Again | None = None
    """The same decisions once more, for capacity and the two readings of a bar."""

    @property
    def panel(self) -> Panel:
        """The segment's bars."""
        return self.where.panel


class Terms(Protocol):
    """What measuring money needs of a config: a study's, or that of a backtest of scores."""

    @property
    def account(self) -> AccountConfig:
        """The account that traded."""

    @property
    def costs(self) -> CostsConfig:
        """What fills cost."""

    @property
    def capacity(self) -> CapacityConfig:
        """At which deposits the decisions are replayed."""

    @property
    def seed(self) -> int:
        """Of intervals and controls."""


def performance(config: Terms, traded: Traded, purpose: str) -> Performance:
    """Every figure of "Money" and "Costs"; `purpose` names the random streams."""
    panel, run = traded.panel, traded.run
    net, per_year = run.total_return, panel.calendar.days_per_year
    day, returns = daily(panel, run)
    equity = np.r_[run.initial_cash, run.equity]
    rng = generator(config.seed, "money", purpose)
    for_sharpe, for_growth, for_controls = rng.spawn(3)
    growth = mean_interval(np.log1p(np.maximum(returns, -0.999)), per_year, for_growth)
    by_lot = controls(panel, run, traded.eligible, config.costs, for_controls, _N_CONTROLS)
    random_equity = np.asarray(np.cumprod(1 + by_lot.daily, axis=1), np.float64)
    held, fall = run.trades, t.drawdown_rows(equity)
    moments = np.r_[panel.time.min(), panel.blocks().time]
    paid, beside = run.paid, _baselines(config, panel)
    traced = Traced(panel, run, traded.again, config.account, config.costs, config.capacity)
    theirs = tuple((name, daily(panel, b)[1]) for name, b in beside if name != "cash")
    return Performance(
        net_return=net,
        annual_return=t.cagr(equity, day.size, per_year),
        annual_return_interval=None if growth is None else tuple(np.expm1(growth)),
        sharpe=t.sharpe(returns, per_year),
        sharpe_interval=sharpe_interval(returns, per_year, for_sharpe),
        sortino=t.sortino(returns, per_year),
        volatility=t.volatility(returns, per_year),
        max_drawdown=t.max_drawdown(equity),
        drawdown_peak=iso_day(moments[fall.peak]),
        drawdown_trough=iso_day(moments[fall.trough]),
        drawdown_recovery=None if fall.recovery < 0 else iso_day(moments[fall.recovery]),
        calmar=t.calmar(equity, day.size, per_year),
        var95=t.value_at_risk(returns, 0.95),
        es95=t.expected_shortfall(returns, 0.95),
        var99=t.value_at_risk(returns, 0.99),
        es99=t.expected_shortfall(returns, 0.99),
        profit_factor=t.profit_factor(held.pnl),
        win_rate=t.win_rate(held.pnl),
        expectancy=t.expectancy(held.net),
        exposure=float(run.exposure.mean()),
        turnover=t.turnover(run.fills.quantity * run.fills.price, run.equity, day.size, per_year),
        n_trades=int(held.pnl.size),
        starting_equity=run.initial_cash,
        cost_paid=paid.total,
        costs_by_kind=paid._asdict(),
        break_even_cost_bp=break_even(run).per_side_bp,
        ladder=_ladder(config, panel, run),
        baselines=tuple(_baseline(panel, name, r) for name, r in beside),
        controls_rank=float(np.mean(random_equity[:, -1] - 1 < net)) if held.pnl.size else None,
        stranded=stranded(panel, run),
        exits={name: int(np.sum(held.reason == i)) for i, name in enumerate(REASONS) if i},
        curve=_curve(panel, (day, returns), beside, random_equity),
        analysis=analysis(traced, theirs, generator(config.seed, "analysis", purpose)),
    )


def _ladder(config: Terms, panel: Panel, run: Run) -> tuple[LadderRung, ...]:
    rungs = []
    for multiple in _MULTIPLES:
        again = recost(panel, run, config.costs, multiple)
        # With orders fixed an account may be spent whole; what comes after is no return.
        is_ruined = bool(again.equity.size and again.equity.min() <= 0)
        per_year = panel.calendar.days_per_year
        rungs.append(
            LadderRung(
                multiple=multiple,
                net_return=-1.0 if is_ruined and multiple != 1 else again.total_return,
                sharpe=None if is_ruined else t.sharpe(daily(panel, again)[1], per_year),
            )
        )
    return tuple(rungs)


def _baselines(config: Terms, panel: Panel) -> tuple[tuple[str, Run], ...]:
    return (
        ("cash", cash(panel, config.account)),
        ("buy_and_hold", buy_and_hold(panel, config.account, config.costs)),
        ("equal_weight", equal_weight(panel, config.account, config.costs)),
    )


def _baseline(panel: Panel, name: str, run: Run) -> Baseline:
    returns = daily(panel, run)[1]
    return Baseline(
        name=name,
        net_return=run.total_return,
        sharpe=t.sharpe(returns, panel.calendar.days_per_year),
        max_drawdown=t.max_drawdown(np.r_[run.initial_cash, run.equity]),
    )


def _curve(
    panel: Panel,
    ours: tuple[Int64, Float64],
    beside: tuple[tuple[str, Run], ...],
    random_equity: Float64,
) -> Curve:
    day, returns = ours
    equity = np.cumprod(1 + returns)
    peak = np.maximum.accumulate(np.maximum(equity, 1.0))
    low, high = np.quantile(random_equity, [0.05, 0.95], axis=0)
    return Curve(
        day=tuple(iso_day(d * _DAY_NS) for d in day),
        equity=tuple(equity),
        drawdown=tuple(1 - equity / peak),
        baselines={name: tuple(np.cumprod(1 + daily(panel, run)[1])) for name, run in beside},
        band_low=tuple(low),
        band_high=tuple(high),
    )
