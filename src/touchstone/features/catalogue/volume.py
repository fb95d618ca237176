"""Volume: how much trades, at what average price, and on which side."""

from typing import Final

from touchstone.features.catalogue import Entry

_VWAP = "Berkowitz, Logue & Noser (1988), The Total Cost of Transactions on the NYSE"
_CHAIKIN = "Achelis (2000), Technical Analysis from A to Z, Chaikin Money Flow and Oscillator"
_GRANVILLE = "Granville (1963), New Key to Stock Market Profits"
_KARPOFF = (
    "Karpoff (1987), The Relation Between Price Changes and Trading Volume,"
    " Journal of Financial and Quantitative Analysis 22:109"
)

_FLOW = "(volume * (2 * close - high - low) / (high - low))"
# a mean of three prices that did not change may differ in its last digits: that is no move
_RISING = "typical() > lag(typical(), 1) * (1 + 1e-12)"
_FALLING = "typical() < lag(typical(), 1) * (1 - 1e-12)"
_OPENS = "first_of_session()"


def _vwap_gap(n: int) -> Entry:
    return Entry(
        f"div(close, sum(typical() * volume, {n}) / sum(volume, {n}), 1) - 1",
        f"Close against the volume-weighted price of {n} bars; 0 where nothing traded.",
        "fraction",
        _VWAP,
        talib="TYPPRICE, SUM",
    )


ENTRIES: Final = {
    "volume_ratio_24": Entry(
        "volume / mean(volume, 24)",
        "Volume against its 24-bar mean; 0 where nothing traded.",
        "ratio",
        "-",
        talib="SMA",
    ),
    "vwap_gap": _vwap_gap(24),
    "vwap_gap_168": _vwap_gap(168),
    "vwap_gap_session": Entry(
        f"div(close, sum_since(typical() * volume, {_OPENS}) / sum_since(volume, {_OPENS}), 1) - 1",
        "Close against the volume-weighted price of the trading day; 0 where nothing traded.",
        "fraction",
        _VWAP,
    ),
    "vwma_gap_24": Entry(
        "div(close * sum(volume, 24), sum(close * volume, 24), 1) - 1",
        "Close against the volume-weighted close of 24 bars; 0 where nothing traded.",
        "fraction",
        "-",
        talib="VWMA",
    ),
    "obv_24": Entry(
        "sum(sign(close - lag(close, 1)) * volume, 24) / sum(volume, 24)",
        "On-balance volume of 24 bars: volume of rises less that of falls, over all.",
        "-1 .. 1",
        _GRANVILLE,
        talib="OBV",
    ),
    "money_flow_21": Entry(
        f"sum({_FLOW}, 21) / sum(volume, 21)",
        "Volume of 21 bars weighted by where they closed in their ranges, over all.",
        "-1 .. 1",
        _CHAIKIN,
        talib="AD, CMF",
    ),
    "chaikin_oscillator_3_10": Entry(
        f"clip((4.5 * ema({_FLOW}, 10) - ema({_FLOW}, 3)) / mean(volume, 24), -10.0, 10.0)",
        "Accumulation's 3-bar less its 10-bar exponential mean, in mean bars' volumes.",
        "-10 .. 10",
        _CHAIKIN,
        talib="ADOSC",
    ),
    "mfi_14": Entry(
        f"100 * div(sum(where({_RISING}, typical() * volume, 0.0), 14),"
        f" sum(where({_RISING}, typical() * volume, 0.0), 14)"
        f" + sum(where({_FALLING}, typical() * volume, 0.0), 14), 0.5)",
        "Share of the money traded on rises of the typical price in 14 bars.",
        "0 .. 100",
        "Quong & Soudack (1989), Volume-Weighted RSI: Money Flow, Technical Analysis of Stocks &"
        " Commodities 7:3",
        talib="MFI",
    ),
    "force_13": Entry(
        "clip(ema((close - lag(close, 1)) * volume, 13) / (close * mean(volume, 24)), -10.0, 10.0)",
        "Change times volume, smoothed, against price and mean volume.",
        "-10 .. 10",
        "Elder (1993), Trading for a Living, on the force index",
        talib="EFI",
    ),
    "price_volume_trend_24": Entry(
        "sum(ret * volume, 24) / sum(volume, 24)",
        "Volume-weighted mean return of 24 bars.",
        "fraction a bar",
        "Achelis (2000), Technical Analysis from A to Z, Price and Volume Trend",
        talib="PVT",
    ),
    "quiet_return_48": Entry(
        "sum(where(volume < lag(volume, 1), ret, 0.0), 48)",
        "Return of those of 48 bars in which less traded than before (negative volume index).",
        "fraction",
        "Fosback (1976), Stock Market Logic",
    ),
    "ease_of_movement_14": Entry(
        "mean((high + low - lag(high + low, 1)) / (2 * close) * (high - low) / close"
        " / max(volume / mean(volume, 24), 0.01), 14)",
        "Move of the bar's middle times its range, per mean bar's volume (at least 1 % of it).",
        "squared fraction",
        "Arms (1996), Trading Without Fear",
    ),
    "volume_zscore_48": Entry(
        "zscore(volume, 48)",
        "Distance of the volume from its 48-bar mean.",
        "standard deviations",
        "-",
        talib="SMA, STDDEV",
    ),
    "volume_rank_168": Entry(
        "rank(volume, 168)",
        "Share of the 167 bars before in which less traded.",
        "0 .. 1",
        "Gervais, Kaniel & Mingelgrin (2001), The High-Volume Return Premium, Journal of Finance"
        " 56:877",
        talib="PERCENTRANK",
    ),
    "volume_trend_24": Entry(
        "24 * slope(volume, 24) / mean(volume, 24)",
        "Growth of the volume along a straight line through 24 bars.",
        "fraction of the mean",
        "-",
        talib="LINEARREG_SLOPE, SMA",
    ),
    "volume_oscillator_12_26": Entry(
        "100 * (ema(volume, 12) - ema(volume, 26)) / ema(volume, 26)",
        "The 12-bar exponential mean of the volume above the 26-bar one.",
        "percent",
        "Achelis (2000), Technical Analysis from A to Z, Volume Oscillator",
        talib="PVO",
    ),
    "volume_acceleration_6_48": Entry(
        "mean(volume, 6) / mean(volume, 48)",
        "Mean volume of 6 bars against that of 48.",
        "ratio",
        "-",
        talib="SMA",
    ),
    "volume_variation_48": Entry(
        "std(volume, 48) / mean(volume, 48)",
        "Standard deviation of the volume of 48 bars over its mean.",
        "ratio",
        "Chordia, Subrahmanyam & Anshuman (2001), Trading Activity and Expected Stock Returns,"
        " Journal of Financial Economics 59:3",
        talib="STDDEV, SMA",
    ),
    "volume_at_this_hour": Entry(
        "min(5 * volume / (lag(volume, 24) + lag(volume, 48) + lag(volume, 72) + lag(volume, 96)"
        " + lag(volume, 120)), 100.0)",
        "Volume against that 24, 48, 72, 96 and 120 bars ago: at the same hour of hourly days.",
        "0 .. 100",
        "-",
    ),
    "volume_concentration_24": Entry(
        "sum(volume ** 2, 24) / sum(volume, 24) ** 2",
        "Herfindahl index of the volume of 24 bars: 1/24 if even, 1 if all in one.",
        "0 .. 1",
        "Herfindahl (1950), Concentration in the Steel Industry, Columbia University",
        talib="SUM",
    ),
    "return_volume_correlation_24": Entry(
        "corr(ret, volume, 24)",
        "Correlation of returns and volume over 24 bars.",
        "-1 .. 1",
        _KARPOFF,
        talib="CORREL",
    ),
    "movement_volume_correlation_48": Entry(
        "corr(abs(ret), volume, 48)",
        "Correlation of the size of returns and volume over 48 bars.",
        "-1 .. 1",
        _KARPOFF,
        talib="CORREL",
    ),
    "share_without_volume_24": Entry(
        "mean(volume == 0.0, 24)",
        "Share of 24 bars in which nothing traded.",
        "0 .. 1",
        "Liu (2006), A Liquidity-Augmented Capital Asset Pricing Model, Journal of Financial"
        " Economics 82:631",
    ),
}
