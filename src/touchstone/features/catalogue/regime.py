"""Regime: whether the market trends or returns, storms or rests, and how far below its peak it is.

All of it trailing: what a regime is called depends on the bars so far and on nothing fitted.
"""

from typing import Final

from touchstone.features.catalogue import Entry

_LO = (
    "Lo & MacKinlay (1988), Stock Market Prices Do Not Follow Random Walks,"
    " Review of Financial Studies 1:41, overlapping and unbiased"
)
_KAUFMAN = "Kaufman (1995), Smarter Trading, on the efficiency ratio"
_CONT = "Cont (2001), Empirical Properties of Asset Returns, Quantitative Finance 1:223"
_DICKEY = (
    "Dickey & Fuller (1979), Distribution of the Estimators for Autoregressive Time Series with a"
    " Unit Root, Journal of the American Statistical Association 74:427"
)
_DRAWDOWN = "Chekhlov, Uryasev & Zabarankin (2005), Drawdown Measure, IJTAF 8:13"

_LOG_RET = "log(close / lag(close, 1))"
_BACK = f"corr({_LOG_RET}, lag(log(close), 1), 96)"
EXPECTED_RANGE: Final = {8: 2.6245962433780012, 128: 13.090666440770821}
"""Expected rescaled range of so many independent normal values (Anis & Lloyd 1976)."""


def _variance_ratio(q: int, n: int) -> Entry:
    """The overlapping, unbiased ratio over n one-bar returns."""
    long, m = f"log(close / lag(close, {q}))", n - q + 1
    squares = (
        f"{m} * (std({long}, {m}) ** 2 + (mean({long}, {m}) - {q} * mean({_LOG_RET}, {n})) ** 2)"
    )
    return Entry(
        f"div({squares} / ({q} * {m} * (1 - {q} / {n})),"
        f" {n} / {n - 1} * std({_LOG_RET}, {n}) ** 2, 1.0)",
        f"Variance of {q}-bar returns over {q} times that of one, {n} bars; above 1 they trend.",
        "ratio",
        _LO,
    )


def _deviation(q: int) -> str:
    return f"log(std(log(close / lag(close, {q})), 168))"


ENTRIES: Final = {
    "volatility_rank_168": Entry(
        "rank(std(ret, 24), 168)",
        "Share of the 167 values before of volatility_24 that lie below it.",
        "0 .. 1",
        "-",
        talib="STDDEV, PERCENTRANK",
    ),
    "volatility_state_168": Entry(
        "(rank(std(ret, 24), 168) > 0.8) - (rank(std(ret, 24), 168) < 0.2)",
        "1 in the stormiest fifth of 168 bars, -1 in the quietest, else 0.",
        "-1, 0 or 1",
        "-",
    ),
    "volatility_trend_48": Entry(
        "48 * slope(std(ret, 24), 48) / mean(std(ret, 24), 48)",
        "Growth of volatility_24 along a straight line through 48 bars.",
        "fraction of the mean",
        "-",
        talib="STDDEV, LINEARREG_SLOPE",
    ),
    "volatility_clustering_96": Entry(
        "corr(abs(ret), lag(abs(ret), 1), 96)",
        "Correlation of the size of 96 returns with that of the one before.",
        "-1 .. 1",
        _CONT,
        talib="CORREL",
    ),
    "leverage_96": Entry(
        "corr(abs(ret), lag(ret, 1), 96)",
        "Correlation of the size of 96 returns with the return before; below 0 falls excite.",
        "-1 .. 1",
        "Black (1976), Studies of Stock Price Volatility Changes, American Statistical Association",
        talib="CORREL",
    ),
    "trend_strength_48": Entry(
        "clip(sqrt(48) * mean(ret, 48) / std(ret, 48), -50.0, 50.0)",
        "Return of 48 bars in the standard deviations of a random walk.",
        "-50 .. 50",
        "Moskowitz, Ooi & Pedersen (2012), Time Series Momentum, Journal of Financial Economics"
        " 104:228",
        talib="STDDEV",
    ),
    "trend_state_168": Entry(
        "(close > mean(close, 168) * (1 + 1e-12)) - (close < mean(close, 168) * (1 - 1e-12))",
        "1 where the close lies above its 168-bar mean, -1 below, 0 where it stands still.",
        "-1, 0 or 1",
        "Faber (2007), A Quantitative Approach to Tactical Asset Allocation, Journal of Wealth"
        " Management 9:69",
    ),
    "efficiency_ratio_24": Entry(
        "abs(close - lag(close, 24)) / sum(abs(close - lag(close, 1)), 24)",
        "Distance over the way of 24 closes; 1 for a straight line.",
        "0 .. 1",
        _KAUFMAN,
        talib="ER",
    ),
    "efficiency_ratio_96": Entry(
        "abs(close - lag(close, 96)) / sum(abs(close - lag(close, 1)), 96)",
        "Distance over the way of 96 closes; 1 for a straight line.",
        "0 .. 1",
        _KAUFMAN,
        talib="ER",
    ),
    "choppiness_14": Entry(
        "min(100 * log(sum(true_range(), 14) / (max(high, 14) - min(low, 14))) / log(14), 100.0)",
        "Log of the way of 14 bars over their range; 100 where they go nowhere.",
        "0 .. 100",
        "Dreiss (1993), The Choppiness Index; Kaufman (2013), Trading Systems and Methods",
        talib="TRANGE, SUM, MAX, MIN, LOG10",
    ),
    "hurst_range_128": Entry(
        f"0.5 + log(div(rescaled_range({_LOG_RET}, 128) / {EXPECTED_RANGE[128]},"
        f" mean(rescaled_range({_LOG_RET}, 8), 121) / {EXPECTED_RANGE[8]}, 1.0)) / log(16)",
        "Hurst exponent: growth of the rescaled range from 8 to 128 returns, against that of"
        " independent ones; pulled towards 0.5.",
        "about 0.5",
        "Hurst (1951), Long-Term Storage Capacity of Reservoirs, Transactions ASCE 116:770;"
        " Anis & Lloyd (1976), Biometrika 63:111",
    ),
    "hurst_scaling_168": Entry(
        f"where(std(close, 168) > 0.0, (2 * {_deviation(16)} + {_deviation(8)} - {_deviation(2)}"
        f" - 2 * {_deviation(1)}) / (10 * log(2)), 0.5)",
        "Hurst exponent: growth of the deviation of 1, 2, 4, 8 and 16-bar returns with their"
        " length.",
        "about 0.5",
        "Di Matteo, Aste & Dacorogna (2005), Long-Term Memories of Developed and Emerging Markets,"
        " Journal of Banking & Finance 29:827, order 2",
    ),
    "variance_ratio_2_96": _variance_ratio(2, 96),
    "variance_ratio_8_96": _variance_ratio(8, 96),
    "variance_ratio_24_168": _variance_ratio(24, 168),
    "autocorrelation_1_96": Entry(
        "corr(ret, lag(ret, 1), 96)",
        "Correlation of 96 returns with the one before.",
        "-1 .. 1",
        _CONT,
        talib="CORREL",
    ),
    "autocorrelation_24_168": Entry(
        "corr(ret, lag(ret, 24), 168)",
        "Correlation of 168 returns with those 24 bars before.",
        "-1 .. 1",
        "Heston, Korajczyk & Sadka (2010), Intraday Patterns in the Cross-Section of Stock"
        " Returns, Journal of Finance 65:1369",
        talib="CORREL",
    ),
    "sign_persistence_48": Entry(
        "mean(ret * lag(ret, 1) > 0.0, 48)",
        "Share of 48 returns with the sign of the one before.",
        "0 .. 1",
        "Cowles & Jones (1937), Some A Posteriori Probabilities in Stock Market Action,"
        " Econometrica 5:280",
    ),
    "mean_reversion_96": Entry(
        f"-beta({_LOG_RET}, lag(log(close), 1), 96)",
        "Share of the distance from its mean that the log price covers a bar, over 96.",
        "fraction a bar",
        "Uhlenbeck & Ornstein (1930), On the Theory of the Brownian Motion, Physical Review"
        " 36:823; as a regression",
    ),
    "dickey_fuller_96": Entry(
        f"{_BACK} * sqrt(94 / max(1 - {_BACK} ** 2, 0.01))",
        "t statistic of that regression; below -2.9 a unit root is rejected at 5 %.",
        "-97 .. 97",
        _DICKEY,
    ),
    "drawdown_168": Entry(
        "close / max(close, 168) - 1",
        "Close below the highest of 168.",
        "fraction",
        _DRAWDOWN,
        talib="MAX",
    ),
    "drawdown_age_168": Entry(
        "argmax(close, 168) / 167",
        "How long ago that highest close was; 0 now, 1 the oldest.",
        "0 .. 1",
        _DRAWDOWN,
        talib="MAXINDEX",
    ),
    "worst_drawdown_96": Entry(
        "min(close / max(close, 96) - 1, 96)",
        "Deepest of 96 falls below the highest close of the 96 bars before each.",
        "fraction",
        _DRAWDOWN,
        talib="MAX, MIN",
    ),
    "recovery_168": Entry(
        "close / min(close, 168) - 1",
        "Close above the lowest of 168.",
        "fraction",
        _DRAWDOWN,
        talib="MIN",
    ),
    "range_share_24_168": Entry(
        "(max(high, 24) - min(low, 24)) / (max(high, 168) - min(low, 168))",
        "Range of 24 bars in that of 168.",
        "0 .. 1",
        "-",
        talib="MAX, MIN",
    ),
}
