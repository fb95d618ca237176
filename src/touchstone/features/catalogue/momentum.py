"""Momentum: how far and how one-sidedly the price has moved."""

from typing import Final

from touchstone.features.catalogue import Entry

ENTRIES: Final = {
    "ret_1": Entry("close / lag(close, 1) - 1", "Return of the bar.", "fraction", "-"),
    "ret_24": Entry("close / lag(close, 24) - 1", "Return of 24 bars.", "fraction", "-"),
    "rsi_14": Entry(
        "100 * div(wilder(up(close), 14), wilder(up(close), 14) + wilder(down(close), 14), 0.5)",
        "Share of the rises in all movement of 14 bars; 50 where nothing moved.",
        "0 .. 100",
        "Wilder (1978), New Concepts in Technical Trading Systems, section 6",
    ),
    "stochastic_k_14": Entry(
        "100 * div(close - min(low, 14), max(high, 14) - min(low, 14), 0.5)",
        "Place of the close in the range of 14 bars; 50 where there is no range.",
        "0 .. 100",
        "Lane (1984), Lane's Stochastics, Technical Analysis of Stocks & Commodities 2:3",
    ),
    "roc_10": Entry("100 * (close / lag(close, 10) - 1)", "Return of 10 bars.", "percent", "-"),
}
