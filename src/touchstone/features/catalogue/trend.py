"""Trend: where averages of different length stand, and how directed the movement is."""

from typing import Final

from touchstone.features.catalogue import Entry

_APPEL = "Appel (2005), Technical Analysis: Power Tools for Active Investors, chapter 8"
_WILDER = "Wilder (1978), New Concepts in Technical Trading Systems"
_CHANDE = "Chande (1995), A Time Price Oscillator, Technical Analysis of Stocks & Commodities 13:9"
_MULLOY = "Mulloy (1994), Smoothing Data with {}, Technical Analysis of Stocks & Commodities 12:{}"
_HOSODA = "Hosoda (1969), Ichimoku Kinko Hyo; nothing is drawn ahead of its time"
_LEAST_SQUARES = "Kaufman (2013), Trading Systems and Methods, 5th edition, on regression"

_MACD = "(ema(close, 12) - ema(close, 26))"
_RISE = "where(high - lag(high, 1) > lag(low, 1) - low, up(high), 0.0)"
_FALL = "where(lag(low, 1) - low > high - lag(high, 1), down(low), 0.0)"
_DX = (
    f"abs(wilder({_RISE}, 14) - wilder({_FALL}, 14)) / (wilder({_RISE}, 14) + wilder({_FALL}, 14))"
)
_EMA_3 = "ema(ema(ema(close, 20), 20), 20)"
_T3_3 = "ema(ema(ema(close, 8), 8), 8)"
_T3_4, _T3_5, _T3_6 = (
    f"ema({_T3_3}, 8)",
    f"ema(ema({_T3_3}, 8), 8)",
    f"ema(ema(ema({_T3_3}, 8), 8), 8)",
)


def _gap(average: str, meaning: str, source: str, talib: str = "") -> Entry:
    return Entry(f"close / ({average}) - 1", meaning, "fraction", source, talib=talib)


def _middle(n: int) -> str:
    return f"(max(high, {n}) + min(low, {n})) / 2"


ENTRIES: Final = {
    "macd": Entry(
        f"{_MACD} / close",
        "Distance of the 12-bar from the 26-bar exponential mean.",
        "fraction of the close",
        _APPEL,
        talib="MACD",
    ),
    "macd_signal": Entry(
        f"ema({_MACD}, 9) / close",
        "The 9-bar exponential mean of that distance.",
        "fraction of the close",
        _APPEL,
        talib="MACD",
    ),
    "macd_hist": Entry(
        f"({_MACD} - ema({_MACD}, 9)) / close",
        "How far the distance is from its mean.",
        "fraction of the close",
        _APPEL,
        talib="MACD",
    ),
    "adx_14": Entry(
        f"100 * wilder({_DX}, 14)",
        "How one-sided new highs and new lows are, whichever side.",
        "0 .. 100",
        f"{_WILDER}, section 4",
        talib="ADX",
    ),
    "trend_48": Entry(
        "48 * slope(log(close), 48)",
        "Rise over 48 bars of the least-squares line through the log price.",
        "log return",
        _LEAST_SQUARES,
        talib="LINEARREG_SLOPE",
    ),
    "plus_di_14": Entry(
        f"100 * wilder({_RISE}, 14) / wilder(true_range(), 14)",
        "New highs, in true ranges.",
        "0 .. 100",
        f"{_WILDER}, section 4",
        talib="PLUS_DI",
    ),
    "minus_di_14": Entry(
        f"100 * wilder({_FALL}, 14) / wilder(true_range(), 14)",
        "New lows, in true ranges.",
        "0 .. 100",
        f"{_WILDER}, section 4",
        talib="MINUS_DI",
    ),
    "dx_14": Entry(
        f"100 * {_DX}",
        "Difference of new highs and new lows over their sum.",
        "0 .. 100",
        f"{_WILDER}, section 4",
        talib="DX",
    ),
    "adxr_14": Entry(
        f"50 * (wilder({_DX}, 14) + lag(wilder({_DX}, 14), 13))",
        "Mean of adx_14 now and 13 bars ago.",
        "0 .. 100",
        f"{_WILDER}, section 4",
        talib="ADXR",
    ),
    "vortex_14": Entry(
        "clip((sum(abs(high - lag(low, 1)), 14) - sum(abs(low - lag(high, 1)), 14))"
        " / sum(true_range(), 14), -10.0, 10.0)",
        "Movement from low to next high less that from high to next low, in true ranges.",
        "-10 .. 10",
        "Botes & Siepman (2010), The Vortex Indicator,"
        " Technical Analysis of Stocks & Commodities 28:1",
        talib="VORTEX",
    ),
    "aroon_up_25": Entry(
        "100 * (25 - argmax(high, 26)) / 25",
        "How recent the highest high of 25 bars back is.",
        "0 .. 100",
        _CHANDE,
        talib="AROON",
    ),
    "aroon_down_25": Entry(
        "100 * (25 - argmin(low, 26)) / 25",
        "How recent the lowest low of 25 bars back is.",
        "0 .. 100",
        _CHANDE,
        talib="AROON",
    ),
    "aroon_oscillator_25": Entry(
        "4 * (argmin(low, 26) - argmax(high, 26))",
        "aroon_up_25 less aroon_down_25.",
        "-100 .. 100",
        _CHANDE,
        talib="AROONOSC",
    ),
    "kama_gap_10": _gap(
        "kama(close, 10)",
        "The close above its adaptive mean.",
        "Kaufman (1995), Smarter Trading, on the adaptive moving average",
        "KAMA",
    ),
    "psar_gap": Entry(
        "clip(close / psar(high, low) - 1, -1.0, 10.0)",
        "The close above the parabolic stop, 10 at most; its sign is the side of the trend.",
        "-1 .. 10",
        f"{_WILDER}, section 2",
        talib="SAR",
    ),
    "sma_gap_24": _gap("mean(close, 24)", "The close above its 24-bar mean.", "-", "SMA"),
    "sma_gap_168": _gap("mean(close, 168)", "The close above its 168-bar mean.", "-", "SMA"),
    "ema_gap_24": _gap(
        "ema(close, 24)", "The close above its 24-bar exponential mean.", "-", "EMA"
    ),
    "wma_gap_24": _gap(
        "decay(close, 24)", "The close above its 24-bar linearly weighted mean.", "-", "WMA"
    ),
    "trima_gap_20": _gap(
        "mean(mean(close, 10), 11)", "The close above its 20-bar triangular mean.", "-", "TRIMA"
    ),
    "dema_gap_20": _gap(
        "2 * ema(close, 20) - ema(ema(close, 20), 20)",
        "The close above its double exponential mean.",
        _MULLOY.format("Faster Moving Averages", 1),
        "DEMA",
    ),
    "tema_gap_20": _gap(
        f"3 * ema(close, 20) - 3 * ema(ema(close, 20), 20) + {_EMA_3}",
        "The close above its triple exponential mean.",
        _MULLOY.format("Less Lag", 2),
        "TEMA",
    ),
    "t3_gap_8": _gap(
        f"-0.343 * {_T3_6} + 2.499 * {_T3_5} - 6.069 * {_T3_4} + 4.913 * {_T3_3}",
        "The close above Tillson's mean of 8 bars, volume factor 0.7.",
        "Tillson (1998), Smoothing Techniques for More Accurate Signals,"
        " Technical Analysis of Stocks & Commodities 16:1",
        "T3",
    ),
    "hull_gap_16": _gap(
        "decay(2 * decay(close, 8) - decay(close, 16), 4)",
        "The close above Hull's mean of 16 bars.",
        "Hull (2005), Hull Moving Average, alanhull.com",
        "HMA",
    ),
    "sma_cross_24_168": Entry(
        "mean(close, 24) / mean(close, 168) - 1",
        "The 24-bar mean above the 168-bar mean.",
        "fraction",
        "Brock, Lakonishok & LeBaron (1992), Simple Technical Trading Rules,"
        " Journal of Finance 47:1731",
        talib="MA",
    ),
    "ema_cross_8_21": Entry(
        "ema(close, 8) / ema(close, 21) - 1",
        "The 8-bar above the 21-bar exponential mean.",
        "fraction",
        "-",
        talib="EMA",
    ),
    "midpoint_gap_14": _gap(
        "(max(close, 14) + min(close, 14)) / 2",
        "The close above the middle of the closes of 14 bars.",
        "-",
        "MIDPOINT",
    ),
    "conversion_gap_9": _gap(
        _middle(9), "The close above the middle of 9 bars (tenkan-sen).", _HOSODA, "MIDPRICE"
    ),
    "baseline_gap_26": _gap(
        _middle(26), "The close above the middle of 26 bars (kijun-sen).", _HOSODA, "MIDPRICE"
    ),
    "cloud_gap_fast": _gap(
        f"lag(({_middle(9)} + {_middle(26)}) / 2, 26)",
        "The close above the line that was drawn to here 26 bars ago (senkou span A).",
        _HOSODA,
        "MIDPRICE",
    ),
    "cloud_gap_slow": _gap(
        f"lag({_middle(52)}, 26)",
        "The close above the slow line drawn to here 26 bars ago (senkou span B).",
        _HOSODA,
        "MIDPRICE",
    ),
    "line_slope_14": Entry(
        "slope(close, 14) / close",
        "Slope, per bar, of the least-squares line through 14 closes.",
        "fraction of the close",
        _LEAST_SQUARES,
        talib="LINEARREG_SLOPE, LINEARREG_ANGLE",
    ),
    "line_gap_14": Entry(
        "residual(close, 14) / close",
        "The close above the end of the least-squares line through 14 closes.",
        "fraction of the close",
        _LEAST_SQUARES,
        talib="LINEARREG",
    ),
    "line_forecast_14": Entry(
        "(slope(close, 14) - residual(close, 14)) / close",
        "Where that line would be one bar on, above the close.",
        "fraction of the close",
        _LEAST_SQUARES,
        talib="TSF",
    ),
    "line_start_gap_14": Entry(
        "(residual(close, 14) + 13 * slope(close, 14)) / close",
        "The close above the beginning of that line.",
        "fraction of the close",
        _LEAST_SQUARES,
        talib="LINEARREG_INTERCEPT",
    ),
    "trend_r2_48": Entry(
        "min((slope(close, 48) / std(close, 48)) ** 2 * (2303 / 12), 1.0)",
        "Share of the variance of 48 closes that a straight line explains.",
        "0 .. 1",
        _LEAST_SQUARES,
        talib="CORREL",
    ),
    "random_walk_index_24": Entry(
        "clip(((high - lag(low, 24)) - (lag(high, 24) - low))"
        " / (sqrt(24) * mean(true_range(), 24)), -10.0, 10.0)",
        "Way up less way down over 24 bars, in what a random walk would make of its ranges.",
        "-10 .. 10",
        "Poulos (1991), Of Trends and Random Walks, Technical Analysis of Stocks & Commodities 9:2",
        talib="TRANGE, SMA",
    ),
    "qstick_14": Entry(
        "mean(close - open, 14) / close",
        "Mean body of 14 bars.",
        "fraction of the close",
        "Chande & Kroll (1994), The New Technical Trader",
        talib="QSTICK",
    ),
    "vertical_horizontal_28": Entry(
        "(max(close, 28) - min(close, 28)) / sum(abs(close - lag(close, 1)), 28)",
        "Range of 28 closes over the way they went.",
        "0 .. 1",
        "White (1991), The Vertical Horizontal Filter, Futures, August",
        talib="VHF",
    ),
    "smoothed_body": Entry(
        "((open + high + low + close) / 4"
        " - blend(lag((open + high + low + close) / 4, 1), 0.5)) / close",
        "Body of the Heikin-Ashi bar: mean price less half of all before.",
        "fraction of the close",
        "Valcu (2004), Using the Heikin-Ashi Technique,"
        " Technical Analysis of Stocks & Commodities 22:2",
        talib="HA",
    ),
}
