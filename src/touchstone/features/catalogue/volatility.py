"""Volatility: how wide bars, bands and returns are."""

from typing import Final

from touchstone.features.catalogue import Entry

_BOLLINGER = "Bollinger (2001), Bollinger on Bollinger Bands, chapters 7 and 8"

ENTRIES: Final = {
    "bollinger_position": Entry(
        "(close - mean(close, 20)) / std(close, 20)",
        "Distance of the close from its 20-bar mean.",
        "standard deviations",
        _BOLLINGER,
    ),
    "bandwidth": Entry(
        "4 * std(close, 20) / mean(close, 20)",
        "Width of the bands 2 standard deviations either side of the 20-bar mean.",
        "fraction of the mean",
        _BOLLINGER,
    ),
    "atr_14": Entry(
        "wilder(true_range(), 14) / close",
        "Average true range of 14 bars.",
        "fraction of the close",
        "Wilder (1978), New Concepts in Technical Trading Systems, section 3",
    ),
    "volatility_24": Entry(
        "std(ret, 24)", "Standard deviation of 24 returns.", "fraction a bar", "-"
    ),
    "volatility_168": Entry(
        "std(ret, 168)", "Standard deviation of 168 returns.", "fraction a bar", "-"
    ),
}
