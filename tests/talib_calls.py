"""What TA-Lib says of each feature that it has, or whose indicator it has.

A call takes the columns of one instrument and gives one column. Where TA-Lib seeds a recursion
differently (MACD's joint start, ADX's first sums, EMAs begun at the first value) the row from
which that seed is forgotten stands in LATER.
"""

from types import SimpleNamespace

import numpy as np
import talib as t


def columns(bars):
    """Columns of one instrument as TA-Lib takes them; what is missing in front is NaN."""
    b = SimpleNamespace(o=bars.open, h=bars.high, l=bars.low, c=bars.close, v=bars.volume)
    b.lag, b.ret = t.ROCP(b.c, 1), t.ROCP(b.c, 1)
    b.x = t.LN(t.ROCR(b.c, 1))
    b.tp, b.mid, b.tr = t.TYPPRICE(b.h, b.l, b.c), t.MEDPRICE(b.h, b.l), t.TRANGE(b.h, b.l, b.c)
    b.before = lag(b.c, 1)
    b.money = b.tp * b.v
    return b


def lag(x, n):
    return np.r_[np.full(n, np.nan), x[:-n]]


def moved(x, n):
    """Change of a running total over n bars."""
    return x - lag(x, n)


def place(x, low, high):
    return (x - low) / (high - low)


def di(b):
    return t.PLUS_DI(b.h, b.l, b.c, 14), t.MINUS_DI(b.h, b.l, b.c, 14)


def bands(b):
    return t.BBANDS(b.c, 20, 2.0, 2.0)


def yang_zhang(b):
    night, body = t.LN(b.o / b.before), t.LN(b.c / b.o)
    share = 0.34 / (1.34 + 25 / 23)
    return np.sqrt(24 / 23 * (t.VAR(night, 24) + share * t.VAR(body, 24)) + (1 - share) * rogers(b))


def rogers(b):
    up, down = t.LN(b.h / b.c) * t.LN(b.h / b.o), t.LN(b.l / b.c) * t.LN(b.l / b.o)
    return t.SMA(up + down, 24)


def garman_klass(b):
    return t.SMA(t.LN(b.h / b.l) ** 2 / 2 - (2 * np.log(2) - 1) * t.LN(b.c / b.o) ** 2, 24)


def roll(b):
    """TA-Lib's BETA takes prices and makes returns of them: hand it prices with these returns."""
    path = np.cumprod(1 + np.r_[0, 0, b.x[1:-1]])
    moves = np.cumprod(1 + np.nan_to_num(b.x))
    covariance = t.BETA(path, moves, 96) * t.VAR(lag(b.x, 1), 96)
    return 2 * np.sqrt(np.maximum(-covariance, 0))


def kyle(b):
    signed = np.r_[np.nan, np.sign(np.diff(b.c))] * b.v
    ratio = t.CORREL(b.ret, signed, 96) * t.STDDEV(b.ret, 96) / t.STDDEV(signed, 96)
    return ratio * t.SMA(b.v, 96)


FEATURES = {
    # momentum
    "ret_1": lambda b: t.ROCP(b.c, 1),
    "ret_4": lambda b: t.ROCR(b.c, 4) - 1,
    "ret_8": lambda b: t.MOM(b.c, 8) / lag(b.c, 8),
    "ret_24": lambda b: t.ROCP(b.c, 24),
    "ret_72": lambda b: t.ROCP(b.c, 72),
    "ret_168": lambda b: t.ROCP(b.c, 168),
    "ret_168_skip_24": lambda b: lag(t.ROCP(b.c, 144), 24),
    "acceleration_24": lambda b: (t.MOM(b.c, 12) - lag(t.MOM(b.c, 12), 12)) / lag(b.c, 24),
    "ret_per_risk_24": lambda b: t.SMA(b.ret, 24) / t.STDDEV(b.ret, 24),
    "rsi_6": lambda b: t.RSI(b.c, 6),
    "rsi_14": lambda b: t.RSI(b.c, 14),
    "rsi_28": lambda b: t.RSI(b.c, 28),
    "stochastic_k_14": lambda b: t.STOCHF(b.h, b.l, b.c, 14, 1)[0],
    "stochastic_d_14": lambda b: t.STOCHF(b.h, b.l, b.c, 14, 3, 0)[1],
    "stochastic_slow_14": lambda b: t.STOCH(b.h, b.l, b.c, 14, 3, 0, 3, 0)[1],
    "stochastic_rsi_14": lambda b: t.STOCHRSI(b.c, 14, 14, 1)[0],
    "williams_r_14": lambda b: t.WILLR(b.h, b.l, b.c, 14),
    "roc_10": lambda b: (t.ROC(b.c, 10) + t.ROCR100(b.c, 10) - 100) / 2,
    "cci_20": lambda b: t.CCI(b.h, b.l, b.c, 20),
    "cmo_14": lambda b: t.CMO(b.c, 14),
    "trix_15": lambda b: t.TRIX(b.c, 15),
    "tsi_25_13": lambda b: t.TSI(b.c, 25, 13),
    "ultimate_7_14_28": lambda b: t.ULTOSC(b.h, b.l, b.c, 7, 14, 28),
    "ppo_12_26": lambda b: (
        (t.PPO(b.c, 12, 26, 1) + 100 * t.APO(b.c, 12, 26, 1) / t.EMA(b.c, 26)) / 2
    ),
    "awesome_5_34": lambda b: t.AO(b.h, b.l, 5, 34) / b.c,
    "coppock_14_11": lambda b: t.COPPOCK(b.c, 10, 11, 14),
    "kst": lambda b: sum(
        k * t.SMA(t.ROC(b.c, n), m)
        for k, n, m in ((1, 10, 10), (2, 15, 10), (3, 20, 10), (4, 30, 15))
    ),
    "bull_power_13": lambda b: t.ERI(b.h, b.l, b.c, 13)[0] / b.c,
    "bear_power_13": lambda b: t.ERI(b.h, b.l, b.c, 13)[1] / b.c,
    "detrended_20": lambda b: (lag(b.c, 11) - t.SMA(b.c, 20)) / b.c,
    "nearness_to_high_168": lambda b: b.c / t.MAX(b.h, 168),
    "nearness_to_low_168": lambda b: t.MIN(b.l, 168) / b.c,
    # trend
    "macd": lambda b: t.MACD(b.c, 12, 26, 9)[0] / b.c,
    "macd_signal": lambda b: t.MACD(b.c, 12, 26, 9)[1] / b.c,
    "macd_hist": lambda b: t.MACD(b.c, 12, 26, 9)[2] / b.c,
    "adx_14": lambda b: t.ADX(b.h, b.l, b.c, 14),
    "adxr_14": lambda b: t.ADXR(b.h, b.l, b.c, 14),
    "dx_14": lambda b: t.DX(b.h, b.l, b.c, 14),
    "plus_di_14": lambda b: di(b)[0],
    "minus_di_14": lambda b: di(b)[1],
    "trend_48": lambda b: 48 * t.LINEARREG_SLOPE(np.log(b.c), 48),
    "vortex_14": lambda b: np.subtract(*t.VORTEX(b.h, b.l, b.c, 14)),
    "aroon_up_25": lambda b: t.AROON(b.h, b.l, 25)[1],
    "aroon_down_25": lambda b: t.AROON(b.h, b.l, 25)[0],
    "aroon_oscillator_25": lambda b: t.AROONOSC(b.h, b.l, 25),
    "kama_gap_10": lambda b: b.c / t.KAMA(b.c, 10) - 1,
    "psar_gap": lambda b: b.c / t.SAR(b.h, b.l, 0.02, 0.2) - 1,
    "sma_gap_24": lambda b: b.c / t.SMA(b.c, 24) - 1,
    "sma_gap_168": lambda b: b.c / t.SMA(b.c, 168) - 1,
    "ema_gap_24": lambda b: b.c / t.EMA(b.c, 24) - 1,
    "wma_gap_24": lambda b: b.c / t.WMA(b.c, 24) - 1,
    "trima_gap_20": lambda b: b.c / t.TRIMA(b.c, 20) - 1,
    "dema_gap_20": lambda b: b.c / t.DEMA(b.c, 20) - 1,
    "tema_gap_20": lambda b: b.c / t.TEMA(b.c, 20) - 1,
    "t3_gap_8": lambda b: b.c / t.T3(b.c, 8, 0.7) - 1,
    "hull_gap_16": lambda b: b.c / t.HMA(b.c, 16) - 1,
    "sma_cross_24_168": lambda b: t.MA(b.c, 24, 0) / t.MA(b.c, 168, 0) - 1,
    "ema_cross_8_21": lambda b: t.EMA(b.c, 8) / t.EMA(b.c, 21) - 1,
    "midpoint_gap_14": lambda b: b.c / t.MIDPOINT(b.c, 14) - 1,
    "conversion_gap_9": lambda b: b.c / t.MIDPRICE(b.h, b.l, 9) - 1,
    "baseline_gap_26": lambda b: b.c / t.MIDPRICE(b.h, b.l, 26) - 1,
    "cloud_gap_fast": lambda b: (
        b.c / lag((t.MIDPRICE(b.h, b.l, 9) + t.MIDPRICE(b.h, b.l, 26)) / 2, 26) - 1
    ),
    "cloud_gap_slow": lambda b: b.c / lag(t.MIDPRICE(b.h, b.l, 52), 26) - 1,
    "line_slope_14": lambda b: (
        (t.LINEARREG_SLOPE(b.c, 14) + np.tan(np.radians(t.LINEARREG_ANGLE(b.c, 14)))) / 2 / b.c
    ),
    "line_gap_14": lambda b: 1 - t.LINEARREG(b.c, 14) / b.c,
    "line_forecast_14": lambda b: t.TSF(b.c, 14) / b.c - 1,
    "line_start_gap_14": lambda b: 1 - t.LINEARREG_INTERCEPT(b.c, 14) / b.c,
    "trend_r2_48": lambda b: t.CORREL(b.c, np.arange(b.c.size, dtype=float), 48) ** 2,
    "random_walk_index_24": lambda b: (
        ((b.h - lag(b.l, 24)) - (lag(b.h, 24) - b.l)) / (np.sqrt(24) * t.SMA(b.tr, 24))
    ),
    "qstick_14": lambda b: t.QSTICK(b.o, b.c, 14) / b.c,
    "vertical_horizontal_28": lambda b: t.VHF(b.c, 28),
    "smoothed_body": lambda b: np.subtract(*t.HA(b.o, b.h, b.l, b.c)[::-3]) / b.c,
    # volatility
    "bollinger_position": lambda b: 4 * (b.c - bands(b)[1]) / (bands(b)[0] - bands(b)[2]),
    "bandwidth": lambda b: (bands(b)[0] - bands(b)[2]) / bands(b)[1],
    "atr_14": lambda b: (t.ATR(b.h, b.l, b.c, 14) / b.c + t.NATR(b.h, b.l, b.c, 14) / 100) / 2,
    "volatility_24": lambda b: (t.STDDEV(b.ret, 24) + np.sqrt(t.VAR(b.ret, 24))) / 2,
    "volatility_168": lambda b: t.STDDEV(b.ret, 168),
    "true_range_1": lambda b: b.tr / b.c,
    "range_ratio_24": lambda b: (b.h - b.l) / t.SMA(b.h - b.l, 24),
    "atr_ratio_7_28": lambda b: t.ATR(b.h, b.l, b.c, 7) / t.ATR(b.h, b.l, b.c, 28),
    "keltner_position_20": lambda b: (b.c - t.EMA(b.c, 20)) / (2 * t.ATR(b.h, b.l, b.c, 20)),
    "squeeze_20": lambda b: 2 * t.STDDEV(b.c, 20) / (1.5 * t.ATR(b.h, b.l, b.c, 20)),
    "donchian_position_20": lambda b: place(b.c, *t.DONCHIAN(b.h, b.l, 20)[::-2]),
    "donchian_width_20": lambda b: (t.MAX(b.h, 20) - t.MIN(b.l, 20)) / b.c,
    "parkinson_24": lambda b: np.sqrt(t.SMA(t.LN(b.h / b.l) ** 2, 24) / (4 * np.log(2))),
    "garman_klass_24": lambda b: np.sqrt(garman_klass(b)),
    "rogers_satchell_24": lambda b: np.sqrt(rogers(b)),
    "yang_zhang_24": yang_zhang,
    "realised_volatility_24": lambda b: np.sqrt(t.SUM(b.x**2, 24)),
    "downside_volatility_24": lambda b: np.sqrt(t.SUM(np.minimum(b.x, 0) ** 2, 24)),
    "ewma_volatility_32": lambda b: np.sqrt(t.EMA(b.ret**2, 32)),
    "volatility_of_volatility_48": lambda b: (
        t.STDDEV(t.STDDEV(b.ret, 24), 48) / t.SMA(t.STDDEV(b.ret, 24), 48)
    ),
    "volatility_ratio_24_168": lambda b: t.STDDEV(b.ret, 24) / t.STDDEV(b.ret, 168),
    "chaikin_volatility_10": lambda b: t.CVI(b.h, b.l, 10, 10),
    "mass_25": lambda b: t.MASSI(b.h, b.l, 9, 25),
    "ulcer_14": lambda b: t.SQRT(t.SMA((100 * (b.c / t.MAX(b.c, 14) - 1)) ** 2, 14)),
    "gap_volatility_24": lambda b: t.STDDEV(t.LN(b.o / b.before), 24),
    # volume
    "volume_ratio_24": lambda b: b.v / t.SMA(b.v, 24),
    "vwap_gap": lambda b: b.c / (t.SUM(b.money, 24) / t.SUM(b.v, 24)) - 1,
    "vwap_gap_168": lambda b: b.c / (t.SUM(b.money, 168) / t.SUM(b.v, 168)) - 1,
    "vwma_gap_24": lambda b: b.c / t.VWMA(b.c, b.v, 24) - 1,
    "obv_24": lambda b: moved(t.OBV(b.c, b.v), 24) / t.SUM(b.v, 24),
    "money_flow_21": lambda b: (
        (t.CMF(b.h, b.l, b.c, b.v, 21) + moved(t.AD(b.h, b.l, b.c, b.v), 21) / t.SUM(b.v, 21)) / 2
    ),
    "chaikin_oscillator_3_10": lambda b: t.ADOSC(b.h, b.l, b.c, b.v, 3, 10) / t.SMA(b.v, 24),
    "mfi_14": lambda b: t.MFI(b.h, b.l, b.c, b.v, 14),
    "force_13": lambda b: t.EFI(b.c, b.v, 13) / (b.c * t.SMA(b.v, 24)),
    "price_volume_trend_24": lambda b: moved(t.PVT(b.c, b.v), 24) / t.SUM(b.v, 24),
    "volume_zscore_48": lambda b: (b.v - t.SMA(b.v, 48)) / t.STDDEV(b.v, 48),
    "volume_rank_168": lambda b: t.PERCENTRANK(b.v, 167) / 100,
    "volume_trend_24": lambda b: 24 * t.LINEARREG_SLOPE(b.v, 24) / t.SMA(b.v, 24),
    "volume_oscillator_12_26": lambda b: t.PVO(b.v, 12, 26, 1),
    "volume_acceleration_6_48": lambda b: t.SMA(b.v, 6) / t.SMA(b.v, 48),
    "volume_variation_48": lambda b: t.STDDEV(b.v, 48) / t.SMA(b.v, 48),
    "volume_concentration_24": lambda b: t.SUM(b.v**2, 24) / t.SUM(b.v, 24) ** 2,
    "return_volume_correlation_24": lambda b: t.CORREL(b.ret, b.v, 24),
    "movement_volume_correlation_48": lambda b: t.CORREL(np.abs(b.ret), b.v, 48),
    # price patterns
    "body": lambda b: t.BOP(b.o, b.h, b.l, b.c),
    "body_14": lambda b: t.SMA(t.BOP(b.o, b.h, b.l, b.c), 14),
    "body_size": lambda b: np.abs(t.BOP(b.o, b.h, b.l, b.c)),
    "close_location": lambda b: 4 * (t.WCLPRICE(b.h, b.l, b.c) - b.mid) / (b.h - b.l),
    "gap_in_ranges": lambda b: (b.o - b.before) / lag(t.ATR(b.h, b.l, b.c, 14), 1),
    "engulfing": lambda b: np.sign(t.CDLENGULFING(b.o, b.h, b.l, b.c)).astype(float),
    "narrowest_of_7": lambda b: (b.h - b.l <= t.MIN(b.h - b.l, 7)).astype(float),
    "range_growth_7": lambda b: (b.h - b.l) / lag(t.MAX(b.h - b.l, 7), 1),
    "age_of_high_48": lambda b: age(t.MAXINDEX(b.h, 48)),
    "age_of_low_48": lambda b: age(t.MININDEX(b.l, 48)),
    "breakout_48": lambda b: b.c / lag(t.MAX(b.h, 48), 1) - 1,
    "breakdown_48": lambda b: b.c / lag(t.MIN(b.l, 48), 1) - 1,
    # microstructure
    "roll_spread_96": roll,
    "kyle_lambda_96": kyle,
    "body_flow_24": lambda b: t.SUM(b.v * t.BOP(b.o, b.h, b.l, b.c), 24) / t.SUM(b.v, 24),
    "middle_gap": lambda b: 1 - b.mid / b.c,
    "bounce_24": lambda b: (
        t.SUM(np.abs(t.MOM(b.c, 2)), 24)
        / t.SUM(np.abs(t.MOM(b.c, 1)) + np.abs(lag(t.MOM(b.c, 1), 1)), 24)
    ),
    # regime
    "volatility_rank_168": lambda b: t.PERCENTRANK(t.STDDEV(b.ret, 24), 167) / 100,
    "volatility_trend_48": lambda b: (
        48 * t.LINEARREG_SLOPE(t.STDDEV(b.ret, 24), 48) / t.SMA(t.STDDEV(b.ret, 24), 48)
    ),
    "volatility_clustering_96": lambda b: t.CORREL(np.abs(b.ret), lag(np.abs(b.ret), 1), 96),
    "leverage_96": lambda b: t.CORREL(np.abs(b.ret), lag(b.ret, 1), 96),
    "trend_strength_48": lambda b: np.sqrt(48) * t.SMA(b.ret, 48) / t.STDDEV(b.ret, 48),
    "efficiency_ratio_24": lambda b: t.ER(b.c, 24),
    "efficiency_ratio_96": lambda b: t.ER(b.c, 96),
    "choppiness_14": lambda b: (
        100 * t.LOG10(t.SUM(b.tr, 14) / (t.MAX(b.h, 14) - t.MIN(b.l, 14))) / np.log10(14)
    ),
    "autocorrelation_1_96": lambda b: t.CORREL(b.ret, lag(b.ret, 1), 96),
    "autocorrelation_24_168": lambda b: t.CORREL(b.ret, lag(b.ret, 24), 168),
    "drawdown_168": lambda b: b.c / t.MAX(b.c, 168) - 1,
    "drawdown_age_168": lambda b: age(t.MAXINDEX(b.c, 168), 168),
    "worst_drawdown_96": lambda b: t.MIN(b.c / t.MAX(b.c, 96) - 1, 96),
    "recovery_168": lambda b: b.c / t.MIN(b.c, 168) - 1,
    "range_share_24_168": lambda b: (
        (t.MAX(b.h, 24) - t.MIN(b.l, 24)) / (t.MAX(b.h, 168) - t.MIN(b.l, 168))
    ),
}


def age(index, n=48):
    """How far back an extreme lies, as a share of the window; TA-Lib gives its row."""
    rows = np.arange(index.size)
    return np.where(rows >= n - 1, (rows - index) / (n - 1), np.nan)


def latest(windows, axis):
    """The value the bar itself has."""
    return windows.take(-1, axis)


LATER = {
    "macd": 400, "macd_signal": 400, "macd_hist": 400, "ppo_12_26": 500,
    "volume_oscillator_12_26": 500, "adx_14": 900, "adxr_14": 900, "dx_14": 700,
    "plus_di_14": 700, "minus_di_14": 700, "chaikin_oscillator_3_10": 300, "smoothed_body": 80,
}  # fmt: skip
"""Row from which TA-Lib's other seed is forgotten."""

TIES = {
    "age_of_high_48": (lambda b: b.h, np.max, 48),
    "age_of_low_48": (lambda b: b.l, np.min, 48),
    "argmax(high, 10)": (lambda b: b.h, np.max, 10),
    "drawdown_age_168": (lambda b: b.c, np.max, 168),
    "volume_rank_168": (lambda b: b.v, latest, 168),
    "volatility_rank_168":
        (lambda b: t.STDDEV(b.ret, 24), latest, 168),
}  # fmt: skip
"""Where equal values decide, of which TA-Lib takes the oldest and counts none as half: rows whose
deciding value stands in the window twice (to 1e-12) are left out."""

EXPRESSIONS = {  # what no feature is, but what features are made of
    "ema(close, 12)": lambda b: t.EMA(b.c, 12),
    "wilder(close, 12)": lambda b: t.RMA(b.c, 12),
    "decay(close, 15)": lambda b: t.WMA(b.c, 15),
    "sum(volume, 30)": lambda b: t.SUM(b.v, 30),
    "std(close, 30) ** 2": lambda b: t.VAR(b.c, 30),
    "mad(close, 14)": lambda b: t.AVGDEV(b.c, 14),
    "quantile(close, 31, 0.5)": lambda b: t.PERCENTILE(b.c, 31, 50.0),
    "close - residual(close, 14)": lambda b: t.LINEARREG(b.c, 14),
    "corr(high, volume, 30)": lambda b: t.CORREL(b.h, b.v, 30),
    "beta(ret, low / lag(low, 1) - 1, 20)": lambda b: t.BETA(b.l, b.c, 20),
    "typical()": lambda b: b.tp,
    "mean(high, low)": lambda b: b.mid,
    "(open + high + low + close) / 4": lambda b: t.AVGPRICE(b.o, b.h, b.l, b.c),
    "mean(max(high, 14), min(low, 14))": lambda b: t.MIDPRICE(b.h, b.l, 14),
    "100 * (close - residual(close, 5)) / close": lambda b: 100 * t.LINEARREG(b.c, 5) / b.c,
    "100 * div(sum(max(close - open, 0.0), 14), sum(abs(close - open), 14), 0.5)":
        lambda b: t.IMI(b.o, b.c, 14),
    "100 * div(sum(up(close), 14) - sum(down(close), 14), sum(up(close), 14)"
    " + sum(down(close), 14), 0.0)": lambda b: t.CMOU(b.c, 14),
    "100 * (close - lag(close, 1) + slope(close, 5)) / close":
        lambda b: 100 * (b.c - b.before + t.LINEARREG_SLOPE(b.c, 5)) / b.c,
    "mean(high - low, 14)": lambda b: t.ADR(b.h, b.l, 14),
    "volume / lag(mean(volume, 20), 1)": lambda b: t.RVOL(b.v, 20),
    "(high - low) / volume": lambda b: t.MARKETFI(b.h, b.l, b.v),
    "where(volume < lag(volume, 1), ret, 0.0)": lambda b: t.ROCP(t.NVI(b.c, b.v), 1),
    "where(volume > lag(volume, 1), ret, 0.0)": lambda b: t.ROCP(t.PVI(b.c, b.v), 1),
    "log(close)": lambda b: t.LN(b.c),
    "sqrt(close)": lambda b: t.SQRT(b.c),
    "exp(close / open)": lambda b: t.EXP(b.c / b.o),
    "sin(close / open)": lambda b: t.SIN(b.c / b.o),
    "cos(close / open)": lambda b: t.COS(b.c / b.o),
    "open + close": lambda b: t.ADD(b.o, b.c),
    "open - close": lambda b: t.SUB(b.o, b.c),
    "open * close": lambda b: t.MULT(b.o, b.c),
    "open / close": lambda b: t.DIV(b.o, b.c),
    "argmax(high, 10)": lambda b: 9 * age(t.MINMAXINDEX(b.h, 10)[1], 10),
    "max(close, 9)": lambda b: t.MINMAX(b.c, 9)[1],
}  # fmt: skip

NOT_COMPARABLE = {
    "HT_DCPERIOD HT_DCPHASE HT_PHASOR HT_SINE HT_TRENDMODE HT_TRENDLINE MAMA":
        "Ehlers' Hilbert filters set their own length from bar to bar: no expression says them",
    "CUMSUM WAD VWAP": "sums since the first bar for ever: their value tells where data begins",
    "ACOS ASIN ATAN CEIL COSH FLOOR SINH TAN TANH": "not in the language, and no feature needs it",
    "AC FOSC DPO PLUS_DM MINUS_DM MACDEXT MACDFIX SAREXT KDJ ZLEMA":
        "another form of AO, TSF, SMA, PLUS_DI, MINUS_DI, MACD, SAR, STOCH or EMA: those are above",
    "ACCBANDS KC RVI SMI SUPERTREND": "close kin of bands and oscillators in the catalogue",
    "FRACTAL": "told at the bar of the fractal, two bars before it can be known: it looks ahead",
    "MAVP": "the length of the mean is a column",
}  # fmt: skip
"""Functions of TA-Lib that nothing here is compared with, and why; so are its patterns but one,
whose thresholds are averages of its own settings."""
