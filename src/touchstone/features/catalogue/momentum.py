"""Momentum: how far and how one-sidedly the price has moved."""

from typing import Final

from touchstone.features.catalogue import Entry

_WILDER = "Wilder (1978), New Concepts in Technical Trading Systems, section 6"
_LANE = "Lane (1984), Lane's Stochastics, Technical Analysis of Stocks & Commodities 2:3"
_PRING = (
    "Pring (1992), Summed Rate of Change (KST), Technical Analysis of Stocks & Commodities 10:9"
)
_ELDER = "Elder (1993), Trading for a Living, on Elder-ray"
_KAUFMAN = "Kaufman (2013), Trading Systems and Methods, 5th edition, on momentum"

_RSI_14 = "100 * div(wilder(up(close), 14), wilder(up(close), 14) + wilder(down(close), 14), 0.5)"
_K_14 = "100 * div(close - min(low, 14), max(high, 14) - min(low, 14), 0.5)"
_TRUE_LOW, _TRUE_HIGH = "min(low, lag(close, 1))", "max(high, lag(close, 1))"


def _return(n: int, talib: str = "ROCP") -> Entry:
    text = f"close / lag(close, {n}) - 1"
    return Entry(text, f"Return of {n} bars.", "fraction", "-", talib=talib)


def _rsi(n: int) -> Entry:
    return Entry(
        _RSI_14.replace("14", str(n)),
        f"Share of the rises in all movement of {n} bars; 50 where nothing moved.",
        "0 .. 100",
        _WILDER,
        talib="RSI",
    )


def _buying(n: int) -> str:
    return f"div(sum(close - {_TRUE_LOW}, {n}), sum({_TRUE_HIGH} - {_TRUE_LOW}, {n}), 0.5)"


def _change(n: int, smooth: int) -> str:
    return f"mean(100 * (close / lag(close, {n}) - 1), {smooth})"


ENTRIES: Final = {
    "ret_1": Entry(
        "close / lag(close, 1) - 1", "Return of the bar.", "fraction", "-", talib="ROCP"
    ),
    "ret_24": _return(24),
    "rsi_14": _rsi(14),
    "stochastic_k_14": Entry(
        _K_14,
        "Place of the close in the range of 14 bars; 50 where there is no range.",
        "0 .. 100",
        _LANE,
        talib="STOCHF",
    ),
    "roc_10": Entry(
        "100 * (close / lag(close, 10) - 1)",
        "Return of 10 bars.",
        "percent",
        "-",
        talib="ROC, ROCR100",
    ),
    "ret_4": _return(4, "ROCR"),
    "ret_8": _return(8, "MOM"),
    "ret_72": _return(72),
    "ret_168": _return(168),
    "ret_168_skip_24": Entry(
        "lag(close, 24) / lag(close, 168) - 1",
        "Return from 168 to 24 bars ago, without the latest reversal.",
        "fraction",
        "Jegadeesh & Titman (1993), Returns to Buying Winners, Journal of Finance 48:65",
        talib="ROCP",
    ),
    "acceleration_24": Entry(
        "(close - 2 * lag(close, 12) + lag(close, 24)) / lag(close, 24)",
        "Move of the last 12 bars less that of the 12 before.",
        "fraction",
        "-",
        talib="MOM",
    ),
    "ret_per_risk_24": Entry(
        "clip(mean(ret, 24) / std(ret, 24), -10.0, 10.0)",
        "Mean over deviation of 24 returns, a bar.",
        "-10 .. 10",
        "Sharpe (1966), Mutual Fund Performance, Journal of Business 39:119",
        talib="STDDEV",
    ),
    "rsi_6": _rsi(6),
    "rsi_28": _rsi(28),
    "stochastic_d_14": Entry(
        f"mean({_K_14}, 3)",
        "Mean of 3 places of the close in the range of 14 bars.",
        "0 .. 100",
        _LANE,
        talib="STOCHF",
    ),
    "stochastic_slow_14": Entry(
        f"mean(mean({_K_14}, 3), 3)",
        "The same, averaged over 3 bars once more.",
        "0 .. 100",
        _LANE,
        talib="STOCH",
    ),
    "stochastic_rsi_14": Entry(
        f"100 * div({_RSI_14} - min({_RSI_14}, 14), max({_RSI_14}, 14) - min({_RSI_14}, 14), 0.5)",
        "Place of rsi_14 in its own range of 14 bars; 50 where there is none.",
        "0 .. 100",
        "Chande & Kroll (1994), The New Technical Trader",
        talib="STOCHRSI",
    ),
    "williams_r_14": Entry(
        "-100 * div(max(high, 14) - close, max(high, 14) - min(low, 14), 0.5)",
        "How far the close lies below the highest of 14 bars, in their range.",
        "-100 .. 0",
        "Williams (1973), How I Made One Million Dollars Last Year Trading Commodities",
        talib="WILLR",
    ),
    "cci_20": Entry(
        "(typical() - mean(typical(), 20)) / (0.015 * mad(typical(), 20))",
        "Distance of the typical price from its 20-bar mean, in mean distances of 0.015.",
        "ratio",
        "Lambert (1980), Commodity Channel Index, Commodities 10",
        talib="CCI",
    ),
    "cmo_14": Entry(
        "100 * div(wilder(up(close), 14) - wilder(down(close), 14),"
        " wilder(up(close), 14) + wilder(down(close), 14), 0.0)",
        "Rises less falls in all movement of 14 bars, smoothed as Wilder does.",
        "-100 .. 100",
        "Chande & Kroll (1994), The New Technical Trader; smoothed as in TA-Lib",
        talib="CMO",
    ),
    "trix_15": Entry(
        "100 * (ema(ema(ema(close, 15), 15), 15) / lag(ema(ema(ema(close, 15), 15), 15), 1) - 1)",
        "Change a bar of the close smoothed three times over 15 bars.",
        "percent",
        "Hutson (1983), Good TRIX, Technical Analysis of Stocks & Commodities 1:5",
        talib="TRIX",
    ),
    "tsi_25_13": Entry(
        "100 * ema(ema(close - lag(close, 1), 25), 13)"
        " / ema(ema(abs(close - lag(close, 1)), 25), 13)",
        "Change smoothed twice over its own size smoothed twice.",
        "-100 .. 100",
        "Blau (1995), Momentum, Direction, and Divergence",
        talib="TSI",
    ),
    "ultimate_7_14_28": Entry(
        f"100 * (4 * {_buying(7)} + 2 * {_buying(14)} + {_buying(28)}) / 7",
        "Where closes lie in their true ranges over 7, 14 and 28 bars.",
        "0 .. 100",
        "Williams (1985), The Ultimate Oscillator, Technical Analysis of Stocks & Commodities 3:4",
        talib="ULTOSC",
    ),
    "ppo_12_26": Entry(
        "100 * (ema(close, 12) - ema(close, 26)) / ema(close, 26)",
        "The 12-bar exponential mean above the 26-bar one.",
        "percent",
        "Appel (2005), Technical Analysis: Power Tools for Active Investors, chapter 8",
        talib="PPO, APO",
    ),
    "awesome_5_34": Entry(
        "(mean((high + low) / 2, 5) - mean((high + low) / 2, 34)) / close",
        "Mean middle of 5 bars less that of 34.",
        "fraction of the close",
        "Williams (1998), New Trading Dimensions",
        talib="AO",
    ),
    "coppock_14_11": Entry(
        "decay(100 * (close / lag(close, 14) + close / lag(close, 11) - 2), 10)",
        "Weighted mean of the returns of 14 and of 11 bars.",
        "percent",
        "Coppock (1962), Practical Relative Strength Charting, San Antonio",
        talib="COPPOCK",
    ),
    "kst": Entry(
        f"{_change(10, 10)} + 2 * {_change(15, 10)} + 3 * {_change(20, 10)}"
        f" + 4 * {_change(30, 15)}",
        "Smoothed returns of 10, 15, 20 and 30 bars, the longer weighing more.",
        "percent",
        _PRING,
        talib="ROC, SMA",
    ),
    "share_of_rises_12": Entry(
        "mean(close > lag(close, 1), 12)",
        "Share of the last 12 bars that closed higher (psychological line).",
        "0 .. 1",
        _KAUFMAN,
    ),
    "relative_vigor_10": Entry(
        "sum((close - open) + 2 * lag(close - open, 1) + 2 * lag(close - open, 2)"
        " + lag(close - open, 3), 10) / sum((high - low) + 2 * lag(high - low, 1)"
        " + 2 * lag(high - low, 2) + lag(high - low, 3), 10)",
        "Bodies over ranges, both smoothed over 4 and summed over 10 bars.",
        "-1 .. 1",
        "Ehlers (2002), Relative Vigor Index, Technical Analysis of Stocks & Commodities 20:1",
    ),
    "bull_power_13": Entry(
        "(high - ema(close, 13)) / close",
        "The high above the 13-bar exponential mean.",
        "fraction of the close",
        _ELDER,
        talib="ERI",
    ),
    "bear_power_13": Entry(
        "(low - ema(close, 13)) / close",
        "The low above the 13-bar exponential mean.",
        "fraction of the close",
        _ELDER,
        talib="ERI",
    ),
    "detrended_20": Entry(
        "(lag(close, 11) - mean(close, 20)) / close",
        "The close 11 bars ago less the mean of the 20 bars around it.",
        "fraction of the close",
        "Achelis (2000), Technical Analysis from A to Z, Price Oscillator, Detrended",
        talib="SMA",
    ),
    "nearness_to_high_168": Entry(
        "close / max(high, 168)",
        "The close over the highest price of 168 bars.",
        "0 .. 1",
        "George & Hwang (2004), The 52-Week High and Momentum Investing,"
        " Journal of Finance 59:2145",
        talib="MAX",
    ),
    "nearness_to_low_168": Entry(
        "min(low, 168) / close",
        "The lowest price of 168 bars over the close.",
        "0 .. 1",
        "George & Hwang (2004), the same turned round",
        talib="MIN",
    ),
}
