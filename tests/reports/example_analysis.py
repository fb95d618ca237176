"""A seeded, realistic analysis of the example's runs, whose parts add up as those of a run do."""

import numpy as np

from touchstone.backtest.drawdowns import drawdowns
from touchstone.backtest.monthly import monthly
from touchstone.reports.analysis import (
    AmbiguityResult,
    Analysis,
    Attributed,
    CapacityPoint,
    CapacityResult,
    CostsInSharpeResult,
    DrawdownResult,
    ExposureResult,
    MonthResult,
    RegimeResult,
    RelativeResult,
)

NAMES = {
    "instrument": [f"S{i:02d}" for i in range(30)],
    "side": ["long"],
    "hour": [f"{h:02d}" for h in range(24)],
    "regime": ["calm", "normal", "wild", "not known"],
    "exit": ["time", "stop", "target", "still open"],
}


def analysis(rng, line, sharpe, cost):
    equity = np.array(line.equity)
    daily = np.r_[0.0, np.diff(equity) / equity[:-1]]
    day = np.array(line.day, "datetime64[D]").astype(np.int64)
    profit = 1e6 * (equity[-1] - 1)
    falls = drawdowns(equity, 10)
    points = [
        CapacityPoint(
            deposit=d,
            sharpe=sharpe - 0.11 * (d / 1e4) ** 0.36,
            net_return=equity[-1] - 1 - 0.004 * (d / 1e4) ** 0.36,
            profit=d * (equity[-1] - 1 - 0.004 * (d / 1e4) ** 0.36),
            impact_bp=0.2 * (d / 1e4) ** 0.5,
            filled=1 / (1 + d / 1e9),
        )
        for d in np.logspace(4, 10, 13)
    ]
    return Analysis(
        profit=profit,
        drawdowns=[
            DrawdownResult(
                peak=line.day[p],
                trough=line.day[t],
                recovery=line.day[r] if r >= 0 else None,
                depth=depth,
                days=(r if r >= 0 else len(equity) - 1) - p,
            )
            for p, t, r, depth in zip(*falls, strict=True)
        ],
        months=[
            MonthResult(year=y, month=m, net_return=net, n_days=n)
            for y, m, net, n in zip(*monthly(day, daily), strict=True)
        ],
        attribution=[a for by, names in NAMES.items() for a in _parts(rng, by, names, profit, cost)]
        + _by_cost(profit, cost),
        exposure=ExposureResult(
            mean=0.37, highest=0.98, lowest=0, gross=0.37, highest_gross=0.98,
            time_in_market=0.81, mean_positions=3.4, most_positions=10,
        ),
        relative=[
            RelativeResult(
                benchmark=name,
                alpha=1.42,
                alpha_interval=(0.31, 2.53),
                beta=0.127,
                beta_interval=(-0.02, 0.274),
                information_ratio=3.1,
                information_ratio_interval=(-0.4, 6.6),
                up_capture=0.61,
                down_capture=-0.12,
            )
            for name in ("buy_and_hold", "equal_weight")
        ],
        regimes=[
            RegimeResult(
                name=name, n_days=25, net_return=0.03, annual_mean=0.5, volatility=0.2, sharpe=2.5,
                worst_day=-0.021,
            )
            for name in ("calm", "normal", "wild")
        ],
        costs_in_sharpe=CostsInSharpeResult(
            gross=sharpe + 3, net=sharpe, taken=dict(commission=2.0, spread=0, slippage=1, impact=0)
        ),
        capacity=CapacityResult(
            points=points, half_sharpe=2.3e8, zero_sharpe=4.4e9, most_profit=1e9, impact=1.0,
            impact_power=0.5, volume_cap=0.1,
        ),
        ambiguity=AmbiguityResult(n_bars=12, share=0.029, between=31_415.9),
    )  # fmt: skip


def _parts(rng, by, names, profit, cost):
    share = rng.normal(1, 1.5, len(names))
    share /= share.sum()
    weight = rng.dirichlet(np.full(len(names), 5.0))
    return [
        Attributed(
            by=by,
            name=name,
            n=int(412 * w) + 1,
            gross=s * profit + w * cost,
            costs=w * cost,
            net=s * profit,
        )
        for name, s, w in zip(names, share, weight, strict=True)
    ]


def _by_cost(profit, cost):
    rows = [("before costs", profit + cost, 0.0)]
    rows += [("commission", 0.0, cost * 2 / 3), ("slippage", 0.0, cost / 3)]
    return [
        Attributed(by="cost", name=name, n=412, gross=gross, costs=paid, net=gross - paid)
        for name, gross, paid in rows
    ]
