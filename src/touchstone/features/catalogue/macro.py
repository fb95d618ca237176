"""Macro: the state of the whole market, from series joined as of their release.

Each needs a side input of that name in the study, as in `side: {vix: {kind: macro, ...}}`; a level
enters as a ratio, a rate as a difference, and unknown bars are left out of means.
"""

from typing import Final

from touchstone.features.catalogue import Entry

_WHALEY = "Whaley (2000), The Investor Fear Gauge, Journal of Portfolio Management 26:3"
_FAMA = "Fama & French (1989), Business Conditions and Expected Returns on Stocks and Bonds, JFE 25"


def _change(rate: str, n: int) -> str:
    return f"{rate}_known * lag({rate}_known, {n}) * ({rate} - lag({rate}, {n}))"


def _against_mean(level: str, n: int) -> str:
    return f"{level}_known * (div({level}, sum({level}, {n}) / sum({level}_known, {n}), 1) - 1)"


ENTRIES: Final = {
    "vix_level": Entry(
        "vix / 100",
        "Implied volatility of the S&P 500, 30 days ahead; 0 where unknown.",
        "fraction a year",
        _WHALEY,
        ("vix",),
    ),
    "vix_known": Entry("vix_known", "Whether the VIX is known.", "0 or 1", "-", ("vix",)),
    "vix_against_mean_120": Entry(
        _against_mean("vix", 120),
        "VIX against its mean of 120 bars.",
        "fraction",
        _WHALEY,
        ("vix",),
    ),
    "vix_change_24": Entry(
        "vix_known * lag(vix_known, 24) * (div(vix, lag(vix, 24), 1) - 1)",
        "Relative change of the VIX over 24 bars; 0 where either end is unknown.",
        "fraction",
        "-",
        ("vix",),
    ),
    "term_spread": Entry(
        "yield_10y_known * yield_2y_known * (yield_10y - yield_2y)",
        "Ten-year less two-year yield; 0 where either is unknown.",
        "percentage points",
        _FAMA,
        ("yield_10y", "yield_2y"),
    ),
    "credit_spread": Entry(
        "yield_baa_known * yield_aaa_known * (yield_baa - yield_aaa)",
        "Yield of Baa bonds less that of Aaa bonds; 0 where either is unknown.",
        "percentage points",
        _FAMA,
        ("yield_aaa", "yield_baa"),
    ),
    "policy_rate_change_120": Entry(
        _change("fed_funds", 120),
        "Change of the policy rate over 120 bars.",
        "percentage points",
        "-",
        ("fed_funds",),
    ),
    "breakeven_change_24": Entry(
        _change("breakeven_10y", 24),
        "Change of expected inflation over ten years, over 24 bars.",
        "percentage points",
        "-",
        ("breakeven_10y",),
    ),
    "breakeven_slope": Entry(
        "breakeven_10y_known * breakeven_5y_known * (breakeven_10y - breakeven_5y)",
        "Expected inflation over ten years less that over five.",
        "percentage points",
        "-",
        ("breakeven_10y", "breakeven_5y"),
    ),
    "dollar_against_mean_120": Entry(
        _against_mean("dollar", 120),
        "Trade-weighted dollar against its mean of 120 bars.",
        "fraction",
        "-",
        ("dollar",),
    ),
}
