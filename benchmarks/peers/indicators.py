"""The indicators both sides of `features.py` compute: expressions beside TA-Lib's calls.

Kinds and lengths are those of a catalogue of features: every one a ratio, an index or a return,
as a model takes it. Where TA-Lib seeds otherwise (MACD's joint start, ADX's first sums) a column
is compared once settled.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import talib

from touchstone.features.catalogue import BASELINE
from touchstone.market import Panel


class Columns(NamedTuple):
    """One instrument's bars, as TA-Lib takes them."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


Peer = Callable[[Columns], np.ndarray]
FOURTEEN = BASELINE[:14]
"""The indicators of the baseline set."""

TP = "(high + low + close) / 3"
RISE = "where(high - lag(high, 1) > lag(low, 1) - low, up(high), 0.0)"
FALL = "where(lag(low, 1) - low > high - lag(high, 1), down(low), 0.0)"


def _typical(b: Columns) -> np.ndarray:
    return talib.TYPPRICE(b.high, b.low, b.close)


def _cci(n: int) -> str:
    mean = f"mean({TP}, {n})"
    apart = " + ".join(f"abs(lag({TP}, {k}) - {mean})" for k in range(1, n))
    return f"({TP} - {mean}) / (0.015 * (abs({TP} - {mean}) + {apart}) / {n})"


def _directed(n: int) -> dict[str, tuple[str, Peer]]:
    rise, fall, span = f"wilder({RISE}, {n})", f"wilder({FALL}, {n})", f"wilder(true_range(), {n})"
    dx = f"100 * abs({rise} - {fall}) / ({rise} + {fall})"
    return {
        f"plus_di_{n}": (f"100 * {rise} / {span}", lambda b: talib.PLUS_DI(*b[1:4], n)),
        f"minus_di_{n}": (f"100 * {fall} / {span}", lambda b: talib.MINUS_DI(*b[1:4], n)),
        f"dx_{n}": (dx, lambda b: talib.DX(*b[1:4], n)),
        f"adx_{n}": (f"wilder({dx}, {n})", lambda b: talib.ADX(*b[1:4], n)),
    }


def _oscillators() -> dict[str, tuple[str, Peer]]:
    out: dict[str, tuple[str, Peer]] = {}
    for n in (7, 14, 21, 28):
        up, down = f"wilder(up(close), {n})", f"wilder(down(close), {n})"
        out[f"rsi_{n}"] = (
            f"100 * div({up}, {up} + {down}, 0.5)",
            lambda b, n=n: talib.RSI(b.close, n),
        )
        out[f"natr_{n}"] = (
            f"100 * wilder(true_range(), {n}) / close",
            lambda b, n=n: talib.NATR(*b[1:4], n),
        )
    for n in (14, 28):
        out |= _directed(n)
        tp = "typical() - lag(typical(), 1)"
        rising = f"sum(where({tp} > 0, typical() * volume, 0.0), {n})"
        falling = f"sum(where({tp} < 0, typical() * volume, 0.0), {n})"
        out[f"mfi_{n}"] = (
            f"100 * {rising} / ({rising} + {falling})",
            lambda b, n=n: talib.MFI(*b[1:], n),
        )
        up, down = f"wilder(up(close), {n})", f"wilder(down(close), {n})"
        out[f"cmo_{n}"] = (
            f"100 * ({up} - {down}) / ({up} + {down})",
            lambda b, n=n: talib.CMO(b.close, n),
        )
    for n in (14, 20, 40):
        out[f"cci_{n}"] = (_cci(n), lambda b, n=n: talib.CCI(*b[1:4], n))
    for n in (7, 14, 28):
        out[f"williams_{n}"] = (
            f"-100 * (max(high, {n}) - close) / (max(high, {n}) - min(low, {n}))",
            lambda b, n=n: talib.WILLR(*b[1:4], n),
        )
    for n in (5, 14, 28):
        k = f"100 * (close - min(low, {n})) / (max(high, {n}) - min(low, {n}))"
        out[f"stochastic_k_{n}"] = (k, lambda b, n=n: talib.STOCHF(*b[1:4], n, 1)[0])
        out[f"stochastic_d_{n}"] = (f"mean({k}, 3)", lambda b, n=n: talib.STOCHF(*b[1:4], n, 3)[1])
    for n in (14, 25):
        up = f"100 * ({n} - argmax(high, {n + 1})) / {n}"
        down = f"100 * ({n} - argmin(low, {n + 1})) / {n}"
        out[f"aroon_up_{n}"] = (up, lambda b, n=n: talib.AROON(b.high, b.low, n)[1])
        out[f"aroon_{n}"] = (f"{up} - {down}", lambda b, n=n: talib.AROONOSC(b.high, b.low, n))
        out[f"aroon_down_{n}"] = (down, lambda b, n=n: talib.AROON(b.high, b.low, n)[0])
    out["balance_of_power"] = ("(close - open) / (high - low)", lambda b: talib.BOP(*b[:4]))
    bought, span = "(close - min(low, lag(close, 1)))", "true_range()"
    part = "sum({b}, {n}) / sum({s}, {n})"
    parts = [part.format(b=bought, s=span, n=n) for n in (7, 14, 28)]
    out["ultimate"] = (
        f"100 * (4 * {parts[0]} + 2 * {parts[1]} + {parts[2]}) / 7",
        lambda b: talib.ULTOSC(*b[1:4], 7, 14, 28),
    )
    return out


def _averages() -> dict[str, tuple[str, Peer]]:
    out: dict[str, tuple[str, Peer]] = {}
    for n in (5, 10, 20, 50, 100, 200):
        out[f"sma_{n}"] = (
            f"close / mean(close, {n}) - 1",
            lambda b, n=n: b.close / talib.SMA(b.close, n) - 1,
        )
        out[f"ema_{n}"] = (
            f"close / ema(close, {n}) - 1",
            lambda b, n=n: b.close / talib.EMA(b.close, n) - 1,
        )
    for n in (10, 20, 50):
        out[f"wma_{n}"] = (
            f"close / decay(close, {n}) - 1",
            lambda b, n=n: b.close / talib.WMA(b.close, n) - 1,
        )
    e1, e2 = "ema(close, 20)", "ema(ema(close, 20), 20)"
    e3 = f"ema({e2}, 20)"
    out["dema_20"] = (
        f"close / (2 * {e1} - {e2}) - 1",
        lambda b: b.close / talib.DEMA(b.close, 20) - 1,
    )
    out["tema_20"] = (
        f"close / (3 * {e1} - 3 * {e2} + {e3}) - 1",
        lambda b: b.close / talib.TEMA(b.close, 20) - 1,
    )
    out["trix_20"] = (f"100 * ({e3} / lag({e3}, 1) - 1)", lambda b: talib.TRIX(b.close, 20))
    for fast, slow, last in ((12, 26, 9), (5, 35, 5)):
        macd = f"(ema(close, {fast}) - ema(close, {slow}))"
        texts = (macd, f"ema({macd}, {last})", f"({macd} - ema({macd}, {last}))")
        for place, (name, text) in enumerate(zip(("macd", "signal", "hist"), texts, strict=True)):
            out[f"{name}_{fast}_{slow}"] = (
                f"{text} / close",
                lambda b, p=place, w=(fast, slow, last): talib.MACD(b.close, *w)[p] / b.close,
            )
    for n in (20, 50):
        out[f"bollinger_{n}"] = (
            f"(close - mean(close, {n})) / (4 * std(close, {n}))",
            lambda b, n=n: _bollinger(b, n)[0],
        )
        out[f"bandwidth_{n}"] = (
            f"4 * std(close, {n}) / mean(close, {n})",
            lambda b, n=n: _bollinger(b, n)[1],
        )
    return out


def _bollinger(b: Columns, n: int) -> tuple[np.ndarray, np.ndarray]:
    upper, middle, lower = talib.BBANDS(b.close, n, 2.0, 2.0)
    return (b.close - middle) / (upper - lower), (upper - lower) / middle


def _returns() -> dict[str, tuple[str, Peer]]:
    out: dict[str, tuple[str, Peer]] = {}
    for n in (1, 2, 3, 5, 7, 10, 20, 24, 48, 100, 168):
        out[f"roc_{n}"] = (f"close / lag(close, {n}) - 1", lambda b, n=n: talib.ROCP(b.close, n))
    for n in (10, 24, 48, 100, 168):
        out[f"volatility_{n}"] = (
            f"std(close / lag(close, 1) - 1, {n})",
            lambda b, n=n: _after(1, talib.ROCP(b.close, 1), lambda r: talib.STDDEV(r, n)),
        )
    for n in (10, 20, 50, 100, 200):
        out[f"from_high_{n}"] = (
            f"close / max(high, {n}) - 1",
            lambda b, n=n: b.close / talib.MAX(b.high, n) - 1,
        )
        out[f"from_low_{n}"] = (
            f"close / min(low, {n}) - 1",
            lambda b, n=n: b.close / talib.MIN(b.low, n) - 1,
        )
    for n in (10, 14, 20, 50, 100):
        out[f"slope_{n}"] = (
            f"slope(close, {n}) / close",
            lambda b, n=n: talib.LINEARREG_SLOPE(b.close, n) / b.close,
        )
    for n in (14, 20):
        out[f"residual_{n}"] = (
            f"residual(close, {n}) / close",
            lambda b, n=n: (b.close - talib.LINEARREG(b.close, n)) / b.close,
        )
    for n in (14, 50):
        out[f"from_middle_{n}"] = (
            f"2 * close / (max(high, {n}) + min(low, {n})) - 1",
            lambda b, n=n: b.close / talib.MIDPRICE(b.high, b.low, n) - 1,
        )
    out["range_1"] = ("true_range() / close", lambda b: talib.TRANGE(*b[1:4]) / b.close)
    return out


def _after(first: int, x: np.ndarray, compute: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """TA-Lib's answer on x from `first` on: some of its functions do not pass a leading NaN."""
    return np.r_[np.full(first, np.nan), compute(x[first:])]


def _volumes() -> dict[str, tuple[str, Peer]]:
    out: dict[str, tuple[str, Peer]] = {}
    for n in (5, 10, 24, 50, 100):
        out[f"volume_ratio_{n}"] = (
            f"volume / mean(volume, {n})",
            lambda b, n=n: b.volume / talib.SMA(b.volume, n),
        )
    for n in (24, 48, 100):
        out[f"vwap_{n}"] = (
            f"close / (sum(typical() * volume, {n}) / sum(volume, {n})) - 1",
            lambda b, n=n: (
                b.close / (talib.SUM(_typical(b) * b.volume, n) / talib.SUM(b.volume, n)) - 1
            ),
        )
    for n in (20, 50):
        out[f"correlation_{n}"] = (
            f"corr(close, volume, {n})",
            lambda b, n=n: talib.CORREL(b.close, b.volume, n),
        )
        out[f"beta_{n}"] = (
            f"beta(close / lag(close, 1) - 1, volume / lag(volume, 1) - 1, {n})",
            lambda b, n=n: talib.BETA(b.volume, b.close, n),
        )
        out[f"flow_{n}"] = (
            f"sum((2 * close - high - low) / (high - low) * volume, {n}) / sum(volume, {n})",
            lambda b, n=n: _gain(talib.AD(*b[1:]), n) / talib.SUM(b.volume, n),
        )
        out[f"on_balance_{n}"] = (
            f"sum(sign(close - lag(close, 1)) * volume, {n}) / sum(volume, {n})",
            lambda b, n=n: _gain(talib.OBV(b.close, b.volume), n) / talib.SUM(b.volume, n),
        )
    return out


def _gain(total: np.ndarray, n: int) -> np.ndarray:
    return talib.MOM(total, n)


TABLE: dict[str, tuple[str, Peer]] = _oscillators() | _averages() | _returns() | _volumes()
"""Name -> expression and TA-Lib's column for one instrument."""


def table_with_talib(panel: Panel) -> np.ndarray:
    """The columns of `TABLE`, one call an indicator; filled column-wise, which is its fastest."""
    out = np.empty((len(panel), len(TABLE)), np.float32)
    for first, last in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        bars = Columns(*(getattr(panel, name)[first:last] for name in Columns._fields))
        mine = np.empty((len(TABLE), last - first), np.float32)
        for row, (_, compute) in zip(mine, TABLE.values(), strict=True):
            row[:] = compute(bars)
        out[first:last] = mine.T
    return out


def fourteen_with_talib(panel: Panel) -> np.ndarray:
    """The columns of `FOURTEEN`, one call an indicator, written as its users write them."""
    out = np.empty((len(panel), len(FOURTEEN)), np.float32)
    for first, last in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        rows = slice(first, last)
        high, low, close = panel.high[rows], panel.low[rows], panel.close[rows]
        volume, here = panel.volume[rows], np.empty((len(FOURTEEN), last - first), np.float32)
        here[0] = talib.ROCP(close, 1)
        here[1] = talib.ROCP(close, 24)
        here[2] = talib.RSI(close, 14)
        macd, signal, hist = talib.MACD(close, 12, 26, 9)
        here[3] = macd / close
        here[4] = signal / close
        here[5] = hist / close
        upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
        width = upper - lower
        here[6] = 4 * (close - middle) / width
        here[7] = width / middle
        here[8] = talib.ATR(high, low, close, 14) / close
        here[9] = talib.ADX(high, low, close, 14)
        here[10] = talib.STOCHF(high, low, close, 14, 1)[0]
        here[11] = talib.ROC(close, 10)
        here[12] = volume / talib.SMA(volume, 24)
        paid = talib.SUM(talib.TYPPRICE(high, low, close) * volume, 24)
        here[13] = close / (paid / talib.SUM(volume, 24)) - 1
        out[rows] = here.T
    return out
