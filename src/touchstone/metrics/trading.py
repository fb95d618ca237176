"""What an account did: growth, risk, drawdown, trades and costs, from equity, days and fills.

Conventions of every function here: equity is money at each bar's close, (n_times,), positive at
its first row; daily are simple returns of equity per trading day, (n_days,); days_per_year is the
calendar's constant; annual figures scale by it whatever the bar; the risk-free rate is 0.
"""

import math
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Floats
from touchstone.errors import DataError
from touchstone.metrics.declaration import measure

_NO_SPREAD = 1e-10
"""A standard deviation below this share of the largest value is rounding, not variance."""


class Drawdown(NamedTuple):
    """Rows of the deepest fall of equity; all 0 where equity never fell."""

    peak: int
    """The last row at the high before the fall."""
    trough: int
    """The first row at the bottom."""
    recovery: int
    """The first row back at the height of the peak, or -1."""


@measure(unit="fraction", better="higher")
def total_return(equity: Floats) -> float:
    """Last equity over first, less 1."""
    equity = _equity(equity)
    return float(equity[-1] / equity[0] - 1)


@measure(unit="fraction a year", better="higher")
def cagr(equity: Floats, n_days: float, days_per_year: float) -> float | None:
    """Compound annual growth: (1 + total return) ** (days_per_year / n_days) - 1.

    -1 where everything was lost; None where no day passed, or the growth is too steep for a float.
    """
    growth = 1 + total_return(equity)
    if growth <= 0:
        return -1.0
    exponent = math.log(growth) * days_per_year / n_days if n_days > 0 else math.inf
    return math.expm1(exponent) if exponent < 700 else None


@measure(unit="fraction a year", better="higher")
def annual_mean(daily: Floats, days_per_year: float) -> float | None:
    """Arithmetic mean of the daily returns times days a year; None without a day."""
    daily = _finite("daily", daily)
    return float(daily.mean() * days_per_year) if daily.size else None


@measure(unit="fraction a year", better="lower")
def volatility(daily: Floats, days_per_year: float) -> float | None:
    """Standard deviation (n - 1) of the daily returns, annual; None with fewer than two days."""
    daily = _finite("daily", daily)
    return _deviation(daily) * math.sqrt(days_per_year) if daily.size > 1 else None


@measure(unit="ratio, annual", better="higher")
def sharpe(daily: Floats, days_per_year: float) -> float | None:
    """Arithmetic annual mean over annual volatility; None without variance.

    Source: Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1).
    """
    daily = _finite("daily", daily)
    deviation = _deviation(daily) if daily.size > 1 else 0.0
    return float(daily.mean() / deviation * math.sqrt(days_per_year)) if deviation > 0 else None


@measure(unit="ratio, annual", better="higher")
def sortino(daily: Floats, days_per_year: float) -> float | None:
    """Arithmetic annual mean over annual downside deviation; None where no day lost.

    The downside deviation is the root of the mean of min(return, 0)², over all days.
    Source: Sortino & van der Meer (1991), Downside Risk, Journal of Portfolio Management 17(4).
    """
    daily = _finite("daily", daily)
    losses = np.minimum(daily, 0.0)
    largest = float(-losses.min(initial=0.0))
    if largest == 0:
        return None
    downside = largest * math.sqrt(float(np.mean((losses / largest) ** 2)))
    return float(daily.mean() / downside * math.sqrt(days_per_year))


@measure(unit="fraction", better="lower")
def max_drawdown(equity: Floats) -> float:
    """The deepest fall of equity below its high so far, as a fraction of that high, in [0, 1]."""
    return float(min(_drawdowns(_equity(equity)).max(), 1.0))


def drawdown_rows(equity: Floats) -> Drawdown:
    """Where the deepest fall began, ended, and was made good; the first of equal falls."""
    equity = _equity(equity)
    falls = _drawdowns(equity)
    trough = int(falls.argmax())
    if falls[trough] == 0:
        return Drawdown(0, 0, 0)
    height = equity[: trough + 1].max()
    peak = int(np.flatnonzero(equity[: trough + 1] == height)[-1])
    back = np.flatnonzero(equity[trough:] >= height)
    return Drawdown(peak, trough, trough + int(back[0]) if back.size else -1)


@measure(unit="ratio", better="higher")
def calmar(equity: Floats, n_days: float, days_per_year: float) -> float | None:
    """Compound annual growth over maximum drawdown; None without a drawdown."""
    growth, fall = cagr(equity, n_days, days_per_year), max_drawdown(equity)
    return growth / fall if growth is not None and fall > 0 else None


@measure(unit="fraction of equity a day", better="lower")
def value_at_risk(daily: Floats, level: float = 0.95) -> float | None:
    """The historical loss of a day that a share `level` of days does not exceed; positive = loss.

    The k-th worst day, k = ceil((1 - level) n_days); None without a day.
    """
    worst, tail = _tail(daily, level)
    return float(-worst[math.ceil(tail) - 1]) if worst.size else None


@measure(unit="fraction of equity a day", better="lower")
def expected_shortfall(daily: Floats, level: float = 0.95) -> float | None:
    """The mean loss over the worst share 1 - level of days (CVaR); positive = loss.

    The day on the boundary counts with the part of it that lies inside, so that the figure never
    falls below the value at risk. None without a day.
    Source: Rockafellar & Uryasev (2002), Journal of Banking & Finance 26, eq. 26.
    """
    worst, tail = _tail(daily, level)
    if not worst.size:
        return None
    whole = math.ceil(tail) - 1
    return float(-(worst[:whole].sum() + (tail - whole) * worst[whole]) / tail)


@measure(unit="ratio", better="higher")
def profit_factor(pnl: Floats) -> float | None:
    """Sum of gains over sum of losses of trades, pnl in money (n_trades,); None without a loss."""
    pnl = _finite("pnl", pnl)
    lost = -float(pnl[pnl < 0].sum())
    return float(pnl[pnl > 0].sum()) / lost if lost > 0 else None


@measure(unit="fraction of trades", better="higher")
def win_rate(pnl: Floats) -> float | None:
    """Share of trades that gained, pnl (n_trades,) after costs; None without a trade."""
    pnl = _finite("pnl", pnl)
    return float(np.mean(pnl > 0)) if pnl.size else None


@measure(unit="fraction a trade", better="higher")
def expectancy(realised: Floats) -> float | None:
    """Mean return of a trade, realised (n_trades,); None without a trade."""
    realised = _finite("realised", realised)
    return float(realised.mean()) if realised.size else None


@measure(unit="fraction of equity", better="neither")
def exposure(held: Floats, equity: Floats) -> float:
    """Mean over time of the value held, (n_times,), as a fraction of equity, (n_times,)."""
    equity, held = _equity(equity), _finite("held", held)
    if held.shape != equity.shape:
        raise DataError(f"held {held.shape} and equity {equity.shape} differ in length")
    return float(np.mean(np.divide(held, equity, out=np.zeros_like(equity), where=equity > 0)))


@measure(unit="times equity a year", better="neither")
def turnover(traded: Floats, equity: Floats, n_days: float, days_per_year: float) -> float | None:
    """Money traded, buys and sells both counted, over mean equity, a year.

    traded: money of each fill at its price, (n_fills,). None where no day passed or equity is gone.
    """
    mean = float(_equity(equity).mean())
    if n_days <= 0 or mean <= 0:
        return None
    return float(np.abs(_finite("traded", traded)).sum()) / mean * days_per_year / n_days


@measure(unit="fraction of money traded", better="higher")
def break_even_cost(gross_pnl: Floats, traded: Floats) -> float | None:
    """The cost of a side, as a fraction of the money traded, that leaves no profit.

    gross_pnl: money before costs, (n_trades,); traded: money of each fill, (n_fills,).
    None where nothing was traded; negative where the trades lose before costs.
    """
    money = float(np.abs(_finite("traded", traded)).sum())
    return float(_finite("gross_pnl", gross_pnl).sum()) / money if money > 0 else None


def _finite(name: str, values: Floats) -> Float64:
    column = np.asarray(values, np.float64)
    if column.ndim != 1 or not np.isfinite(column).all():
        raise DataError(
            f"{name} needs one dimension of finite values, got shape {column.shape} "
            f"with {int((~np.isfinite(column)).sum())} that are not finite"
        )
    return column


def _equity(equity: Floats) -> Float64:
    column = _finite("equity", equity)
    if not column.size or column[0] <= 0:
        first = column[0] if column.size else "nothing"
        raise DataError(f"equity needs to begin with a positive value, got {first}")
    return column


def _deviation(daily: Float64) -> float:
    """Standard deviation (n - 1), exactly 0 where the values differ by rounding only."""
    largest = float(np.abs(daily).max())
    if largest == 0:
        return 0.0
    deviation = float((daily / largest).std(ddof=1))  # scaled: tiny squares would underflow
    return largest * deviation if deviation > _NO_SPREAD else 0.0


def _drawdowns(equity: Float64) -> Float64:
    return 1 - equity / np.maximum.accumulate(equity)


def _tail(daily: Floats, level: float) -> tuple[Float64, float]:
    """The daily returns, worst first, and how many days (not whole) the tail holds."""
    if not 0 < level < 1:
        raise DataError(f"level needs to lie between 0 and 1, got {level}")
    worst = np.sort(_finite("daily", daily))
    return worst, round((1 - level) * worst.size, 9)  # (1 - 0.95) * 20 is 1.0000000000000009
