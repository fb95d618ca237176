"""Trend: where averages of different length stand, and how directed the movement is."""

from typing import Final

from touchstone.features.catalogue import Entry

_APPEL = "Appel (2005), Technical Analysis: Power Tools for Active Investors, chapter 8"
_MACD = "(ema(close, 12) - ema(close, 26))"
_RISE = "where(high - lag(high, 1) > lag(low, 1) - low, up(high), 0.0)"
_FALL = "where(lag(low, 1) - low > high - lag(high, 1), down(low), 0.0)"

ENTRIES: Final = {
    "macd": Entry(
        f"{_MACD} / close",
        "Distance of the 12-bar from the 26-bar exponential mean.",
        "fraction of the close",
        _APPEL,
    ),
    "macd_signal": Entry(
        f"ema({_MACD}, 9) / close",
        "The 9-bar exponential mean of that distance.",
        "fraction of the close",
        _APPEL,
    ),
    "macd_hist": Entry(
        f"({_MACD} - ema({_MACD}, 9)) / close",
        "How far the distance is from its mean.",
        "fraction of the close",
        _APPEL,
    ),
    "adx_14": Entry(
        f"100 * wilder(abs(wilder({_RISE}, 14) - wilder({_FALL}, 14))"
        f" / (wilder({_RISE}, 14) + wilder({_FALL}, 14)), 14)",
        "How one-sided new highs and new lows are, whichever side.",
        "0 .. 100",
        "Wilder (1978), New Concepts in Technical Trading Systems, section 4",
    ),
    "trend_48": Entry(
        "48 * slope(log(close), 48)",
        "Rise over 48 bars of the least-squares line through the log price.",
        "log return",
        "-",
    ),
}
