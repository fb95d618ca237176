"""Agreement with TA-Lib to 1e-9 of max(|value|, the column's median), from its first row on.

Where TA-Lib seeds differently (MACD's joint start, ADX's first sums) the columns are compared
once the seed has been forgotten, and the row is stated. Rows that have no value of their own
(no range, no movement) are left out and must be few.
"""

import numpy as np
import pytest
import talib

from touchstone.features import compile_expression, evaluate
from touchstone.features.catalogue import catalogue
from walks import panel_of, random_walk

BARS = random_walk(1500, seed=21)
H, L, C, V = BARS.high, BARS.low, BARS.close, BARS.volume


def bollinger(n=20):
    upper, middle, lower = talib.BBANDS(C, n, 2.0, 2.0)
    return upper, middle, lower


def macd(part):
    return talib.MACD(C, 12, 26, 9)[part] / C


PAIRS = {  # feature or expression -> TA-Lib's column, and the first row compared
    "ret_1": (talib.ROCP(C, 1), 0),
    "ret_24": (talib.ROCP(C, 24), 0),
    "rsi_14": (talib.RSI(C, 14), 0),
    "macd": (macd(0), 400),
    "macd_signal": (macd(1), 400),
    "macd_hist": (macd(2), 400),
    "bollinger_position": (
        4 * (C - bollinger()[1]) / (bollinger()[0] - bollinger()[2]), 0),
    "bandwidth": ((bollinger()[0] - bollinger()[2]) / bollinger()[1], 0),
    "atr_14": (talib.ATR(H, L, C, 14) / C, 0),
    "adx_14": (talib.ADX(H, L, C, 14), 700),
    "stochastic_k_14": (talib.STOCHF(H, L, C, 14, 1)[0], 0),
    "roc_10": (talib.ROC(C, 10), 0),
    "volume_ratio_24": (V / talib.SMA(V, 24), 0),
    "vwap_gap": (C / (talib.SUM(talib.TYPPRICE(H, L, C) * V, 24) / talib.SUM(V, 24)) - 1, 0),
    "trend_48": (48 * talib.LINEARREG_SLOPE(np.log(C), 48), 0),
    "volatility_24": (talib.STDDEV(np.nan_to_num(talib.ROCP(C, 1)), 24), 24),
    "ema(close, 12)": (talib.EMA(C, 12), 0),
    "ema(close, 12) - ema(close, 26)": (talib.EMA(C, 12) - talib.EMA(C, 26), 0),
    "decay(close, 15)": (talib.WMA(C, 15), 0),
    "sum(volume, 30)": (talib.SUM(V, 30), 0),
    "mean(close, 30)": (talib.SMA(C, 30), 0),
    "std(close, 30)": (talib.STDDEV(C, 30), 0),
    "std(close, 30) ** 2": (talib.VAR(C, 30), 0),
    "max(high, 33)": (talib.MAX(H, 33), 0),
    "min(low, 33)": (talib.MIN(L, 33), 0),
    "100 * (25 - argmax(high, 26)) / 25": (talib.AROON(H, L, 25)[1], 0),
    "100 * (25 - argmin(low, 26)) / 25": (talib.AROON(H, L, 25)[0], 0),
    "slope(close, 14)": (talib.LINEARREG_SLOPE(C, 14), 0),
    "close - residual(close, 14)": (talib.LINEARREG(C, 14), 0),
    "corr(high, volume, 30)": (talib.CORREL(H, V, 30), 0),
    "beta(close / lag(close, 1) - 1, volume / lag(volume, 1) - 1, 20)": (talib.BETA(V, C, 20), 0),
    "close - lag(close, 10)": (talib.MOM(C, 10), 0),
    "true_range()": (talib.TRANGE(H, L, C), 0),
    "typical()": (talib.TYPPRICE(H, L, C), 0),
    "mean(high, low)": (talib.MEDPRICE(H, L), 0),
    "mean(max(high, 14), min(low, 14))": (talib.MIDPRICE(H, L, 14), 0),
    "100 * (ema(ema(ema(close, 9), 9), 9) / lag(ema(ema(ema(close, 9), 9), 9), 1) - 1)":
        (talib.TRIX(C, 9), 0),
    "2 * ema(close, 9) - ema(ema(close, 9), 9)": (talib.DEMA(C, 9), 0),
    "3 * ema(close, 9) - 3 * ema(ema(close, 9), 9) + ema(ema(ema(close, 9), 9), 9)":
        (talib.TEMA(C, 9), 0),
    "-100 * div(max(high, 14) - close, max(high, 14) - min(low, 14), 0.5)":
        (talib.WILLR(H, L, C, 14), 0),
    "(typical() - mean(typical(), 2)) / (0.015 * abs(typical() - lag(typical(), 1)) / 2)":
        (talib.CCI(H, L, C, 2), 0),
    "(close - open) / (high - low)": (talib.BOP(BARS.open, H, L, C), 0),
    "sqrt(close)": (talib.SQRT(C), 0),
    "log(close)": (talib.LN(C), 0),
    "mean(100 * (close - min(low, 5)) / (max(high, 5) - min(low, 5)), 3)":
        (talib.STOCH(H, L, C, 5, 3, 0, 3, 0)[0], 2),
    "mean(mean(100 * (close - min(low, 5)) / (max(high, 5) - min(low, 5)), 3), 3)":
        (talib.STOCH(H, L, C, 5, 3, 0, 3, 0)[1], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_agrees_with_talib(name):
    theirs, first = PAIRS[name]
    entry = catalogue().get(name)
    plan = compile_expression("it", entry.text if entry else name)
    ours = evaluate(plan, panel_of(BARS), np.float64)[:, 0]
    both = np.isfinite(theirs) & np.isfinite(ours) & (np.arange(ours.size) >= first)
    assert both.sum() >= ours.size - max(first, plan.warmup[0]) - 20, "too few rows compared"
    scale = np.maximum(np.abs(theirs), np.median(np.abs(theirs[both])))
    assert (np.abs(ours - theirs)[both] <= 1e-9 * scale[both]).all()


def test_warmup_is_that_of_talib_where_the_seed_is():
    for name, (theirs, first) in PAIRS.items():
        entry = catalogue().get(name)
        warmup = compile_expression("it", entry.text if entry else name).warmup[0]
        same_start = first == 0 and not name.startswith(("beta", "true_range", "ret_"))
        if same_start and np.isnan(theirs).any():
            assert np.isnan(theirs).sum() == warmup, name
