"""Volatility: how wide bars, bands and returns are."""

from typing import Final

from touchstone.features.catalogue import Entry

_BOLLINGER = "Bollinger (2001), Bollinger on Bollinger Bands, chapters 7 and 8"
_WILDER = "Wilder (1978), New Concepts in Technical Trading Systems, section 3"
_YANG_ZHANG = (
    "Yang & Zhang (2000), Drift-Independent Volatility Estimation, Journal of Business 73:477"
)
_SEMI = (
    "Barndorff-Nielsen, Kinnebrock & Shephard (2010), Measuring Downside Risk: Realised"
    " Semivariance, Volatility and Time Series Econometrics"
)
_BIPOWER = (
    "Barndorff-Nielsen & Shephard (2004), Power and Bipower Variation,"
    " Journal of Financial Econometrics 2:1"
)
_DONCHIAN = "Donchian (1960), High Finance in Copper, Financial Analysts Journal 16:133"
_KELTNER = "Keltner (1960), How to Make Money in Commodities; with true ranges (Raschke)"

_LOG_RET = "log(close / lag(close, 1))"
_OVERNIGHT = "log(open / lag(close, 1))"
_BODY = "log(close / open)"
_ROGERS = "(log(high / close) * log(high / open) + log(low / close) * log(low / open))"
_ATR_20 = "wilder(true_range(), 20)"
# k of Yang & Zhang for 24 bars, 0.34 / (1.34 + 25 / 23); their variances divide by 23
_SHARE = "(0.34 / (1.34 + 25 / 23))"


ENTRIES: Final = {
    "bollinger_position": Entry(
        "(close - mean(close, 20)) / std(close, 20)",
        "Distance of the close from its 20-bar mean.",
        "standard deviations",
        _BOLLINGER,
        talib="BBANDS",
    ),
    "bandwidth": Entry(
        "4 * std(close, 20) / mean(close, 20)",
        "Width of the bands 2 standard deviations either side of the 20-bar mean.",
        "fraction of the mean",
        _BOLLINGER,
        talib="BBANDS",
    ),
    "atr_14": Entry(
        "wilder(true_range(), 14) / close",
        "Average true range of 14 bars.",
        "fraction of the close",
        _WILDER,
        talib="ATR, NATR",
    ),
    "volatility_24": Entry(
        "std(ret, 24)",
        "Standard deviation of 24 returns.",
        "fraction a bar",
        "-",
        talib="STDDEV, VAR",
    ),
    "volatility_168": Entry(
        "std(ret, 168)", "Standard deviation of 168 returns.", "fraction a bar", "-", talib="STDDEV"
    ),
    "true_range_1": Entry(
        "true_range() / close",
        "True range of the bar.",
        "fraction of the close",
        _WILDER,
        talib="TRANGE",
    ),
    "range_ratio_24": Entry(
        "(high - low) / mean(high - low, 24)",
        "Range of the bar against its 24-bar mean; 0 where nothing moved.",
        "ratio",
        "-",
        talib="SMA",
    ),
    "atr_ratio_7_28": Entry(
        "wilder(true_range(), 7) / wilder(true_range(), 28)",
        "Average true range of 7 bars against that of 28.",
        "ratio",
        _WILDER,
        talib="ATR",
    ),
    "keltner_position_20": Entry(
        f"clip((close - ema(close, 20)) / (2 * {_ATR_20}), -10.0, 10.0)",
        "Place of the close between bands of 2 average true ranges; 1 on the upper.",
        "-10 .. 10",
        _KELTNER,
        talib="EMA, ATR",
    ),
    "squeeze_20": Entry(
        f"2 * std(close, 20) / (1.5 * {_ATR_20})",
        "Width of Bollinger's bands over that of Keltner's; below 1 the market is quiet.",
        "ratio",
        "Carter (2005), Mastering the Trade, on the squeeze",
        talib="STDDEV, ATR",
    ),
    "donchian_position_20": Entry(
        "div(close - min(low, 20), max(high, 20) - min(low, 20), 0.5)",
        "Place of the close in the range of 20 bars; 0.5 where there is none.",
        "0 .. 1",
        _DONCHIAN,
        talib="DONCHIAN",
    ),
    "donchian_width_20": Entry(
        "(max(high, 20) - min(low, 20)) / close",
        "Range of 20 bars.",
        "fraction of the close",
        _DONCHIAN,
        talib="MAX, MIN",
    ),
    "parkinson_24": Entry(
        "sqrt(mean(log(high / low) ** 2, 24) / (4 * log(2)))",
        "Volatility from the ranges of 24 bars.",
        "log return a bar",
        "Parkinson (1980), The Extreme Value Method, Journal of Business 53:61",
        talib="LN, SMA",
    ),
    "garman_klass_24": Entry(
        f"sqrt(mean(log(high / low) ** 2 / 2 - (2 * log(2) - 1) * {_BODY} ** 2, 24))",
        "Volatility from ranges and bodies of 24 bars.",
        "log return a bar",
        "Garman & Klass (1980), On the Estimation of Security Price Volatilities,"
        " Journal of Business 53:67",
        talib="LN, SMA",
    ),
    "rogers_satchell_24": Entry(
        f"sqrt(mean({_ROGERS}, 24))",
        "Volatility from highs and lows of 24 bars, whatever the drift.",
        "log return a bar",
        "Rogers & Satchell (1991), Estimating Variance from High, Low and Closing Prices,"
        " Annals of Applied Probability 1:504",
        talib="LN, SMA",
    ),
    "yang_zhang_24": Entry(
        f"sqrt(24 / 23 * (std({_OVERNIGHT}, 24) ** 2 + {_SHARE} * std({_BODY}, 24) ** 2)"
        f" + (1 - {_SHARE}) * mean({_ROGERS}, 24))",
        "Volatility from gaps, bodies, highs and lows of 24 bars, whatever the drift.",
        "log return a bar",
        _YANG_ZHANG,
        talib="LN, VAR, SMA",
    ),
    "realised_volatility_24": Entry(
        f"sqrt(sum({_LOG_RET} ** 2, 24))",
        "Root of the sum of 24 squared log returns.",
        "log return of 24 bars",
        "Andersen, Bollerslev, Diebold & Labys (2003), Modeling and Forecasting Realized"
        " Volatility, Econometrica 71:579",
        talib="LN, SUM",
    ),
    "downside_volatility_24": Entry(
        f"sqrt(sum(min({_LOG_RET}, 0.0) ** 2, 24))",
        "The part of it that comes from falls.",
        "log return of 24 bars",
        _SEMI,
        talib="LN, SUM",
    ),
    "semivariance_gap_24": Entry(
        f"sum({_LOG_RET} * abs({_LOG_RET}), 24) / sum({_LOG_RET} ** 2, 24)",
        "Upward less downward realised variance, over their sum.",
        "-1 .. 1",
        "Patton & Sheppard (2015), Good Volatility, Bad Volatility, Review of Economics and"
        " Statistics 97:683",
    ),
    "bipower_24": Entry(
        f"sqrt(pi / 2 * sum(abs({_LOG_RET}) * abs(lag({_LOG_RET}, 1)), 24))",
        "Realised volatility of 24 bars without its jumps.",
        "log return of 24 bars",
        _BIPOWER,
    ),
    "jump_share_24": Entry(
        f"max(1 - pi / 2 * sum(abs({_LOG_RET}) * abs(lag({_LOG_RET}, 1)), 24)"
        f" / sum({_LOG_RET} ** 2, 24), 0.0)",
        "Share of jumps in the realised variance of 24 bars.",
        "0 .. 1",
        _BIPOWER,
    ),
    "ewma_volatility_32": Entry(
        "sqrt(ema(ret ** 2, 32))",
        "Exponentially weighted volatility, decay 0.94.",
        "fraction a bar",
        "J.P. Morgan & Reuters (1996), RiskMetrics Technical Document, 4th edition, section 5.2",
        talib="EMA",
    ),
    "volatility_of_volatility_48": Entry(
        "std(std(ret, 24), 48) / mean(std(ret, 24), 48)",
        "How much volatility_24 varied over 48 bars, against its mean.",
        "ratio",
        "-",
        talib="STDDEV, SMA",
    ),
    "volatility_ratio_24_168": Entry(
        "std(ret, 24) / std(ret, 168)",
        "Volatility of 24 bars against that of 168.",
        "ratio",
        "-",
        talib="STDDEV",
    ),
    "chaikin_volatility_10": Entry(
        "min(100 * (ema(high - low, 10) / lag(ema(high - low, 10), 10) - 1), 10000.0)",
        "Growth over 10 bars of the smoothed range, in percent; -100 where there was none.",
        "-100 .. 10000",
        "Achelis (2000), Technical Analysis from A to Z, Volatility, Chaikin's",
        talib="CVI",
    ),
    "mass_25": Entry(
        "sum(div(ema(high - low, 9), ema(ema(high - low, 9), 9), 1.0), 25)",
        "Sum of 25 ratios of the range smoothed once to smoothed twice.",
        "about 25",
        "Dorsey (1992), The Mass Index, Technical Analysis of Stocks & Commodities 10:6",
        talib="MASSI",
    ),
    "ulcer_14": Entry(
        "sqrt(mean((100 * (close / max(close, 14) - 1)) ** 2, 14))",
        "Root mean square of the falls below the highest close of 14 bars.",
        "percent",
        "Martin & McCann (1989), The Investor's Guide to Fidelity Funds",
        talib="MAX, SMA, SQRT",
    ),
    "gap_volatility_24": Entry(
        f"std({_OVERNIGHT}, 24)",
        "Standard deviation of 24 gaps between close and next open.",
        "log return a bar",
        _YANG_ZHANG,
        talib="LN, STDDEV",
    ),
    "skew_48": Entry(
        "skew(ret, 48)",
        "Skewness of 48 returns.",
        "ratio",
        "Harvey & Siddique (2000), Conditional Skewness in Asset Pricing Tests, Journal of"
        " Finance 55:1263",
    ),
    "kurtosis_48": Entry("kurtosis(ret, 48)", "Excess kurtosis of 48 returns.", "ratio", "-"),
    "tail_ratio_96": Entry(
        "clip((quantile(ret, 96, 0.95) + quantile(ret, 96, 0.05))"
        " / (quantile(ret, 96, 0.95) - quantile(ret, 96, 0.05)), -1.0, 1.0)",
        "How much further the upper 5 % of 96 returns lie from 0 than the lower, over both.",
        "-1 .. 1",
        "Hinkley (1975), On Power Transformations to Symmetry, Biometrika 62:101; about 0 instead"
        " of the median",
    ),
    "loss_quantile_96": Entry(
        "-quantile(ret, 96, 0.05)",
        "Historical value at risk of one bar, 95 %, over 96 returns.",
        "fraction a bar",
        "Jorion (2006), Value at Risk, 3rd edition",
    ),
}
