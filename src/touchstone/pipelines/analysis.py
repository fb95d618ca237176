"""The analysis of a run: backtest's figures as the result's contents."""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtri

from touchstone.arrays import Float64, Int64
from touchstone.backtest import Run, daily
from touchstone.backtest.again import Again, readings
from touchstone.backtest.attribution import Sums, beside_fills, decided_rows, lives_of, sums
from touchstone.backtest.by_regime import by_regime, regime_of_days
from touchstone.backtest.capacity import CapacityConfig, capacity
from touchstone.backtest.costs_in_sharpe import KINDS, costs_in_sharpe
from touchstone.backtest.drawdowns import drawdowns
from touchstone.backtest.exposures import exposures
from touchstone.backtest.monthly import monthly
from touchstone.backtest.volatility import REGIMES, regimes_of, volatility_before
from touchstone.execution import REASONS, AccountConfig, CostsConfig
from touchstone.market import Panel
from touchstone.metrics import relative as r
from touchstone.reports.analysis import (
    AmbiguityResult,
    Analysis,
    Attributed,
    AttributedBy,
    CapacityPoint,
    CapacityResult,
    CostsInSharpeResult,
    DrawdownResult,
    ExposureResult,
    MonthResult,
    RegimeResult,
    RelativeResult,
)
from touchstone.reports.contents import iso_day
from touchstone.validation.bootstrap import hac_lag, sharpe_interval

_MOST_DRAWDOWNS: Final = 10
_DAY_NS: Final = 86_400_000_000_000
_Z95: Final = float(ndtri(0.975))


class Traced(NamedTuple):
    """A run with what it takes to follow its decisions once more."""

    panel: Panel
    run: Run
    again: Again | None
    account: AccountConfig
    costs: CostsConfig
    capacity: CapacityConfig


def analysis(
    traced: Traced, beside: tuple[tuple[str, Float64], ...], rng: np.random.Generator
) -> Analysis:
    """Everything of `Analysis`.

    Args:
        traced: the run.
        beside: (name, daily returns of the run's days) of each benchmark.
        rng: of the bootstrap.
    """
    panel, run = traced.panel, traced.run
    regime = regimes_of(volatility_before(panel))
    day, returns = daily(panel, run)
    per_year, months = panel.calendar.days_per_year, monthly(day, returns)
    of_days = regime_of_days(panel, regime, len(REGIMES))
    taken = costs_in_sharpe(panel, run)
    return Analysis(
        profit=float(run.equity[-1]) - run.initial_cash,
        drawdowns=_drawdowns(panel, run),
        months=tuple(
            MonthResult(year=y, month=m, net_return=net, n_days=n)
            for y, m, net, n in zip(*(c.tolist() for c in months), strict=True)
        ),
        attribution=_attribution(panel, run, regime),
        exposure=ExposureResult(**exposures(run)._asdict()),
        relative=tuple(
            _relative(name, returns, theirs, per_year, stream)
            for (name, theirs), stream in zip(beside, rng.spawn(len(beside)), strict=True)
        ),
        regimes=tuple(
            RegimeResult(**row._asdict()) for row in by_regime(returns, of_days, REGIMES, per_year)
        ),
        costs_in_sharpe=CostsInSharpeResult(**taken._asdict()),
        capacity=_capacity(traced),
        ambiguity=_ambiguity(traced),
    )


def _drawdowns(panel: Panel, run: Run) -> tuple[DrawdownResult, ...]:
    moments = np.r_[panel.time.min(), panel.blocks().time]
    found = drawdowns(np.r_[run.initial_cash, run.equity], _MOST_DRAWDOWNS)
    days = (moments[found.recovery] - moments[found.peak]) / _DAY_NS  # -1 is the last bar
    return tuple(
        DrawdownResult(
            peak=iso_day(moments[peak]),
            trough=iso_day(moments[trough]),
            recovery=None if back < 0 else iso_day(moments[back]),
            depth=depth,
            days=lasted,
        )
        for peak, trough, back, depth, lasted in zip(*found, days, strict=True)
    )


def _attribution(panel: Panel, run: Run, regime: Int64) -> tuple[Attributed, ...]:
    lives = lives_of(panel, run)
    decided = decided_rows(panel, lives.entry_row)
    at = panel.available_at[decided].astype("datetime64[ns]").astype("datetime64[h]")
    why = np.r_[run.trades.reason, np.full(run.holdings.instrument.size, len(REASONS))]
    divisions: list[tuple[AttributedBy, tuple[str, ...], Int64]] = [
        ("instrument", panel.symbols, lives.instrument),
        ("side", ("long", "short"), (lives.side < 0).astype(np.int64)),
        ("regime", REGIMES, regime[decided]),
        ("exit", (*REASONS, "still open"), why.astype(np.int64)),
    ]
    if not panel.timeframe.is_daily:
        hours = tuple(f"{h:02d}" for h in range(24))
        divisions.append(("hour", hours, at.astype(np.int64) % 24))
    found: list[Attributed] = []
    for by, names, part in divisions:
        found += _rows(by, names, sums(lives, part, len(names)))
        found += _of_account(by, run)
    return (*found, *_by_cost(run, float(lives.net.sum() + lives.costs.sum()), lives.net.size))


def _rows(by: AttributedBy, names: tuple[str, ...], found: Sums) -> list[Attributed]:
    return [
        Attributed(
            by=by, name=name, n=found.n[k], gross=found.gross[k], costs=found.costs[k],
            net=found.net[k],
        )
        for k, name in enumerate(names)
        if found.n[k]
    ]  # fmt: skip


def _of_account(by: AttributedBy, run: Run) -> list[Attributed]:
    return [
        Attributed(by=by, name=name, n=0, gross=money, costs=0.0, net=money)
        for name, money in beside_fills(run)
    ]


def _by_cost(run: Run, gross: float, n: int) -> list[Attributed]:
    if not n:
        return []
    first = Attributed(by="cost", name="before costs", n=n, gross=gross, costs=0.0, net=gross)
    paid = run.paid._asdict()
    kinds = [
        Attributed(by="cost", name=kind, n=n, gross=0.0, costs=paid[kind], net=-paid[kind])
        for kind in KINDS
        if paid[kind]
    ]
    return [first, *_of_account("cost", run), *kinds]


def _relative(
    name: str, ours: Float64, theirs: Float64, per_year: float, rng: np.random.Generator
) -> RelativeResult:
    found = r.regression(ours, theirs, hac_lag(ours.size))
    alpha = beta = alpha_ends = beta_ends = None
    if found is not None:
        alpha, beta = found.alpha * per_year, found.beta
        alpha_ends = _ends(alpha, found.alpha_se * per_year)
        beta_ends = _ends(beta, found.beta_se)
    return RelativeResult(
        benchmark=name,
        alpha=alpha,
        alpha_interval=alpha_ends,
        beta=beta,
        beta_interval=beta_ends,
        information_ratio=r.information_ratio(ours, theirs, per_year),
        information_ratio_interval=sharpe_interval(ours - theirs, per_year, rng),
        up_capture=r.up_capture(ours, theirs),
        down_capture=r.down_capture(ours, theirs),
    )


def _ends(value: float, error: float) -> tuple[float, float]:
    return value - _Z95 * error, value + _Z95 * error


def _capacity(traced: Traced) -> CapacityResult | None:
    if traced.again is None or not traced.run.fills.row.size or not traced.panel.volume.any():
        return None
    terms = traced.account, traced.costs, traced.capacity
    found = capacity(traced.panel, traced.again, terms)
    at = traced.capacity.costs(traced.costs)
    points = zip(*found, strict=True)
    return CapacityResult(
        points=tuple(
            CapacityPoint(**dict(zip(found._fields, point, strict=True))) for point in points
        ),
        half_sharpe=found.half,
        zero_sharpe=found.zero,
        most_profit=found.best,
        impact=at.impact,
        impact_power=at.impact_power,
        volume_cap=at.volume_cap or 1.0,
    )


def _ambiguity(traced: Traced) -> AmbiguityResult | None:
    if traced.again is None:
        return None
    found = readings(traced.run, traced.again, traced.account, traced.costs)
    return AmbiguityResult(n_bars=found.n_ambiguous, share=found.share, between=found.between)
