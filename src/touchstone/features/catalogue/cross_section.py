"""Cross-section: where an instrument stands among those with a bar at the same time.

The market is the mean over all of them, equally weighted, this one included.
"""

from typing import Final

from touchstone.features.catalogue import Entry

_JEGADEESH = "Jegadeesh & Titman (1993), Returns to Buying Winners, Journal of Finance 48:65"
_REVERSAL = (
    "Lehmann (1990), Fads, Martingales, and Market Efficiency, Quarterly Journal of Economics 105:1"
)
_ANG = (
    "Ang, Hodrick, Xing & Zhang (2006), The Cross-Section of Volatility and Expected Returns,"
    " Journal of Finance 61:259"
)
_SHARPE = "Sharpe (1964), Capital Asset Prices, Journal of Finance 19:425"
_BREADTH = "Zweig (1986), Winning on Wall Street"
_DISPERSION = (
    "Stivers & Sun (2010), Cross-Sectional Return Dispersion and Time Variation in Value and"
    " Momentum Premiums, Journal of Financial and Quantitative Analysis 45:987"
)

_MARKET = "cross_mean(ret)"
_RET_24, _RET_168 = "(close / lag(close, 24) - 1)", "(close / lag(close, 168) - 1)"
_RSI_14 = "div(wilder(up(close), 14), wilder(up(close), 14) + wilder(down(close), 14), 0.5)"
_BETA = f"beta(ret, {_MARKET}, 96)"
_CORR = f"corr(ret, {_MARKET}, 96)"
_DOWN = f"({_MARKET} < 0.0)"
_DOWN_MARKET = f"min({_MARKET}, 0.0)"
_DOWN_RET = f"({_DOWN} * ret)"


def _rank(x: str, meaning: str, source: str) -> Entry:
    return Entry(f"cross_rank({x})", meaning, "0 .. 1", source)


def _dispersion(x: str) -> str:
    return f"sqrt(max(cross_mean({x} ** 2) - cross_mean({x}) ** 2, 0.0))"


ENTRIES: Final = {
    "rank_ret_1": _rank("ret", "Rank of the bar's return.", _REVERSAL),
    "rank_ret_24": _rank(_RET_24, "Rank of the return of 24 bars.", _JEGADEESH),
    "rank_ret_168": _rank(_RET_168, "Rank of the return of 168 bars.", _JEGADEESH),
    "rank_volatility_24": _rank("std(ret, 24)", "Rank of volatility_24.", _ANG),
    "rank_volume_ratio_24": _rank(
        "volume / mean(volume, 24)",
        "Rank of volume_ratio_24.",
        "Gervais, Kaniel & Mingelgrin (2001), The High-Volume Return Premium, Journal of Finance"
        " 56:877",
    ),
    "rank_turnover_24": _rank(
        "mean(close * volume, 24)",
        "Rank of the money traded in 24 bars.",
        "Brennan, Chordia & Subrahmanyam (1998), Alternative Factor Specifications, Journal of"
        " Financial Economics 49:345",
    ),
    "rank_rsi_14": _rank(_RSI_14, "Rank of rsi_14.", "-"),
    "rank_drawdown_168": _rank(
        "close / max(close, 168)",
        "Rank of the nearness to the highest close of 168 bars.",
        "George & Hwang (2004), The 52-Week High and Momentum Investing,"
        " Journal of Finance 59:2145",
    ),
    "zscore_ret_1": Entry(
        "cross_zscore(ret)", "Return of the bar among all.", "standard deviations", _REVERSAL
    ),
    "zscore_ret_24": Entry(
        f"cross_zscore({_RET_24})",
        "Return of 24 bars among all.",
        "standard deviations",
        _JEGADEESH,
    ),
    "market_ret_1": Entry(_MARKET, "Return of the market.", "fraction", _SHARPE),
    "market_ret_24": Entry(
        f"cross_mean({_RET_24})", "Mean return of 24 bars over all.", "fraction", _SHARPE
    ),
    "market_volatility_24": Entry(
        f"std({_MARKET}, 24)", "Deviation of 24 returns of the market.", "fraction a bar", _SHARPE
    ),
    "relative_strength_24": Entry(
        f"{_RET_24} - cross_mean({_RET_24})",
        "Return of 24 bars above the mean of all.",
        "fraction",
        "Levy (1967), Relative Strength as a Criterion for Investment Selection, Journal of"
        " Finance 22:595",
    ),
    "relative_strength_168": Entry(
        f"{_RET_168} - cross_mean({_RET_168})",
        "Return of 168 bars above the mean of all.",
        "fraction",
        "Levy (1967), as above",
    ),
    "breadth_1": Entry(
        "cross_mean(sign(close - lag(close, 1)))",
        "Share of instruments that rose less that of those that fell.",
        "-1 .. 1",
        _BREADTH,
    ),
    "breadth_48": Entry(
        "cross_mean(close > mean(close, 48) * (1 + 1e-12))",
        "Share of instruments above their 48-bar mean.",
        "0 .. 1",
        _BREADTH,
    ),
    "new_highs_48": Entry(
        "cross_mean((high >= max(high, 48)) - (low <= min(low, 48)))",
        "Share of instruments at a 48-bar high less that of those at a low.",
        "-1 .. 1",
        _BREADTH,
    ),
    "dispersion_1": Entry(
        _dispersion("ret"), "Deviation of the returns over all.", "fraction", _DISPERSION
    ),
    "dispersion_24": Entry(
        _dispersion(_RET_24),
        "Deviation of the returns of 24 bars over all.",
        "fraction",
        _DISPERSION,
    ),
    "beta_96": Entry(_BETA, "Slope of 96 returns on the market's.", "ratio", _SHARPE),
    "downside_beta_96": Entry(
        f"clip((sum({_DOWN_RET} * {_MARKET}, 96)"
        f" - sum({_DOWN_RET}, 96) * sum({_DOWN_MARKET}, 96) / count({_DOWN}, 96))"
        f" / (sum({_DOWN_MARKET} ** 2, 96)"
        f" - sum({_DOWN_MARKET}, 96) ** 2 / count({_DOWN}, 96)), -10.0, 10.0)",
        "The same over those bars in which the market fell.",
        "-10 .. 10",
        "Ang, Chen & Xing (2006), Downside Risk, Review of Financial Studies 19:1191",
    ),
    "market_correlation_96": Entry(
        _CORR,
        "Correlation of 96 returns with the market's.",
        "-1 .. 1",
        _SHARPE,
    ),
    "residual_ret_1": Entry(
        f"ret - {_BETA} * {_MARKET}",
        "Return of the bar that the market does not explain.",
        "fraction",
        "Blitz, Huij & Martens (2011), Residual Momentum, Journal of Empirical Finance 18:506",
    ),
    "residual_ret_24": Entry(
        f"sum(ret, 24) - {_BETA} * sum({_MARKET}, 24)",
        "Sum of 24 returns that the market does not explain.",
        "fraction",
        "Blitz, Huij & Martens (2011), as above",
    ),
    "residual_volatility_96": Entry(
        f"std(ret, 96) * sqrt(1 - {_CORR} ** 2)",
        "Deviation of 96 returns that the market does not explain.",
        "fraction a bar",
        _ANG,
    ),
    "price_delay_96": Entry(
        f"corr(ret, lag({_MARKET}, 1), 96)",
        "Correlation of 96 returns with the market's one bar before.",
        "-1 .. 1",
        "Hou & Moskowitz (2005), Market Frictions, Price Delay, Review of Financial Studies 18:981",
    ),
    "average_correlation_48": Entry(
        f"min(std({_MARKET}, 48) ** 2 / cross_mean(std(ret, 48) ** 2), 1.0)",
        "Variance of the market over the mean variance of 48 bars: how much all move as one.",
        "0 .. 1",
        "Pollet & Wilson (2010), Average Correlation and Stock Market Returns, Journal of"
        " Financial Economics 96:364",
    ),
}
