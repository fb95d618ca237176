"""Volume: how much trades, and at what average price."""

from typing import Final

from touchstone.features.catalogue import Entry

ENTRIES: Final = {
    "volume_ratio_24": Entry(
        "volume / mean(volume, 24)",
        "Volume against its 24-bar mean; 0 where nothing traded.",
        "ratio",
        "-",
    ),
    "vwap_gap": Entry(
        "div(close, sum(typical() * volume, 24) / sum(volume, 24), 1) - 1",
        "Close against the volume-weighted price of 24 bars; 0 where nothing traded.",
        "fraction",
        "Berkowitz, Logue & Noser (1988), The Total Cost of Transactions on the NYSE",
    ),
}
