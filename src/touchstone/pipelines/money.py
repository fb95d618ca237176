"""What a run earned on one segment: every measure of money, baselines and controls beside it."""

from typing import NamedTuple, Protocol

import numpy as np

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.backtest import Run, break_even, controls, daily, recost
from touchstone.backtest.baselines import buy_and_hold, cash, equal_weight
from touchstone.execution import REASONS, AccountConfig, CostsConfig
from touchstone.market import Panel
from touchstone.metrics import trading as t
from touchstone.pipelines.decide import Segment
from touchstone.pipelines.prepare import Prepared
from touchstone.reports.result import (
    Baseline,
    Curve,
    FalsePositive,
    LadderRung,
    Performance,
    Slice,
    iso_day,
    iso_moment,
)
from touchstone.seeding import generator
from touchstone.validation.bootstrap import mean_interval, sharpe_interval

_DAY_NS = 86_400_000_000_000
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_REGIMES = ("calm", "normal", "wild")
_N_CONTROLS = 200
_MULTIPLES = (0.0, 1.0, 2.0, 3.0)
_BARS_AROUND = 12


class Traded(NamedTuple):
    """A run on a segment, with its daily returns."""

    where: Segment
    run: Run
    eligible: Bool
    """Rows of the segment's panel with a score: where a random control may enter."""

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
    def seed(self) -> int:
        """Of intervals and controls."""


def performance(config: Terms, traded: Traded, purpose: str) -> Performance:
    """Every figure of "Money" and "Costs"; `purpose` names the random streams."""
    panel, run = traded.panel, traded.run
    per_year = panel.calendar.days_per_year
    day, returns = daily(panel, run)
    equity = np.r_[run.initial_cash, run.equity]
    rng = generator(config.seed, "money", purpose)
    for_sharpe, for_growth, for_controls = rng.spawn(3)
    growth = mean_interval(np.log1p(np.maximum(returns, -0.999)), per_year, for_growth)
    by_lot = controls(panel, run, traded.eligible, config.costs, for_controls, _N_CONTROLS)
    random_equity = np.asarray(np.cumprod(1 + by_lot.daily, axis=1), np.float64)
    net = run.total_return
    held, fall = run.trades, t.drawdown_rows(equity)
    moments = np.r_[panel.time.min(), panel.blocks().time]
    paid, beside = run.paid, _baselines(config, panel)
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
        exits={name: int(np.sum(held.reason == i)) for i, name in enumerate(REASONS) if i},
        curve=_curve(panel, (day, returns), beside, random_equity),
    )


def slices(config: Terms, traded: Traded, outcome: Int8, volatility: Float64) -> tuple[Slice, ...]:
    """Closed trades by symbol, group, year, month, hour, weekday and volatility regime.

    Args:
        config: the study.
        traded: the run.
        outcome: outcome of each row of the segment's panel, for the precision.
        volatility: of each row of the segment's panel; its terciles there are the regimes.
    """
    trades, panel = traded.run.trades, traded.panel
    if not trades.pnl.size:
        return ()
    decided = np.maximum(trades.entry_row - 1, 0)
    at = panel.available_at[decided].astype("datetime64[ns]")
    hour = at.astype("datetime64[h]").astype(np.int64) % 24
    weekday = (at.astype("datetime64[D]").astype(np.int64) + 3) % 7
    groups: dict[str, list[str]] = {
        "symbol": [panel.symbols[i] for i in trades.instrument],
        "year": list(at.astype("datetime64[Y]").astype(str)),
        "month": list(at.astype("datetime64[M]").astype(str)),
        "hour": [f"{h:02d}" for h in hour],
        "weekday": [_WEEKDAYS[d] for d in weekday],
        "regime": _regimes(volatility, decided),
    }
    if panel.groups:
        named = [panel.groups.get(s, "no group") for s in panel.symbols]
        groups["group"] = [named[i] for i in trades.instrument]
    days = at.astype("datetime64[D]").astype(np.int64)
    hit, net = outcome[decided] == 1, trades.net
    rng = generator(config.seed, "slices")
    found = []
    for group, names in groups.items():
        labels = np.array(names)
        for name in np.unique(labels):
            of = labels == name
            found.append(_slice((group, str(name)), net[of], hit[of], days[of], rng))
    return tuple(found)


def _regimes(volatility: Float64, rows: Int64) -> list[str]:
    """calm, normal or wild: the tercile of a row's volatility among all rows of the segment."""
    known = volatility[np.isfinite(volatility)]
    if not known.size:
        return ["not known"] * rows.size
    places = np.searchsorted(np.quantile(known, [1 / 3, 2 / 3]), volatility[rows])
    return [
        _REGIMES[place] if np.isfinite(volatility[row]) else "not known"
        for place, row in zip(places, rows, strict=True)
    ]


def worst_false_positives(
    prepared: Prepared, traded: Traded, probability: Float64, n: int = 5
) -> tuple[FalsePositive, ...]:
    """The entries with the highest probability among the trades that lost, with their bars."""
    trades, panel, where = traded.run.trades, traded.panel, traded.where
    losers = np.flatnonzero(trades.gross < 0)
    sure = probability[np.maximum(trades.entry_row[losers] - 1, 0), -1]
    worst = losers[np.argsort(-sure, kind="stable")][:n]
    found = []
    for k in worst:
        entry, leave = int(trades.entry_row[k]), int(trades.exit_row[k])
        i = int(trades.instrument[k])
        a = max(entry - _BARS_AROUND, int(panel.offsets[i]))
        b = min(leave + 5, int(panel.offsets[i + 1]))
        decided = max(entry - 1, int(panel.offsets[i]))
        row, reference = where.rows[decided], float(trades.entry_reference[k])
        up, down = prepared.labels.up[row], prepared.labels.down[row]
        found.append(
            FalsePositive(
                symbol=panel.symbols[i],
                time=iso_moment(panel.available_at[decided]),
                probability=float(probability[decided, -1]),
                realised=float(trades.gross[k]),
                first=iso_moment(panel.time[a]),
                timeframe=panel.timeframe.name,
                open=tuple(panel.open[a:b]),
                high=tuple(panel.high[a:b]),
                low=tuple(panel.low[a:b]),
                close=tuple(panel.close[a:b]),
                entry_bar=entry - a,
                exit_bar=leave - a,
                upper=reference * (1 + up) if np.isfinite(up) else None,
                lower=reference * (1 - down) if np.isfinite(down) else None,
            )
        )
    return tuple(found)


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
                net_return=-1.0 if is_ruined else again.total_return,
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


def _slice(
    noun: tuple[str, str], net: Float64, hit: Float64, days: Int64, rng: np.random.Generator
) -> Slice:
    """Mean net return a trade with a 95 % interval by resampling whole days."""
    _, at = np.unique(days, return_inverse=True)
    n_days = int(at.max()) + 1
    interval = None
    if n_days >= 5:
        total, count = np.bincount(at, net), np.bincount(at)
        drawn = rng.integers(n_days, size=(500, n_days))
        means = total[drawn].sum(1) / count[drawn].sum(1)
        interval = tuple(np.quantile(means, [0.025, 0.975]) * 1e4)
    return Slice(
        group=noun[0],
        name=noun[1],
        n_trades=int(net.size),
        net_return_bp_per_trade=float(net.mean() * 1e4),
        interval=interval,
        precision=float(hit.mean()),
    )
