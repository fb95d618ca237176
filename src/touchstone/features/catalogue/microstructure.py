"""Microstructure: spread, price impact and order flow, from bars and, where given, from quotes.

The side columns `bid`, `ask`, `bid_size` and `ask_size` hold the best quotes at the bar's close.
"""

from typing import Final

from touchstone.features.catalogue import Entry

_CORWIN = (
    "Corwin & Schultz (2012), A Simple Way to Estimate Bid-Ask Spreads from Daily High and Low"
    " Prices, Journal of Finance 67:719"
)
_AMIHUD = "Amihud (2002), Illiquidity and Stock Returns, Journal of Financial Markets 5:31"
_VPIN = (
    "Easley, López de Prado & O'Hara (2012), Flow Toxicity and Liquidity in a High-Frequency"
    " World, Review of Financial Studies 25:1457; normal curve after Bowling et al. (2009),"
    " Journal of Industrial Engineering and Management 2:114"
)
_CONT = (
    "Cont, Kukanov & Stoikov (2014), The Price Impact of Order Book Events,"
    " Journal of Financial Econometrics 12:47"
)
_STOIKOV = "Stoikov (2018), The Micro-Price, Quantitative Finance 18:1959; its first guess"

_LOG_RET = "log(close / lag(close, 1))"
_TURNOVER = "(close * volume)"
_SIGNED = "(sign(close - lag(close, 1)) * volume)"

# Corwin & Schultz, with the bar shifted to where the close before lies if that is outside it
_SHIFT = "(max(lag(close, 1) - high, 0.0) - max(low - lag(close, 1), 0.0))"
_HIGH, _LOW = f"(high + {_SHIFT})", f"(low + {_SHIFT})"
_BETA = f"(log(lag(high, 1) / lag(low, 1)) ** 2 + log({_HIGH} / {_LOW}) ** 2)"
_GAMMA = f"log(max(lag(high, 1), {_HIGH}) / min(lag(low, 1), {_LOW}))"
_DIVISOR = "(3 - 2 * sqrt(2))"
_ALPHA = f"((sqrt(2) - 1) * sqrt({_BETA}) / {_DIVISOR} - {_GAMMA} / sqrt({_DIVISOR}))"

_MIDDLE = "(log(high) + log(low)) / 2"

# Bulk volume classification: which share of the bar's volume bought
_Z = "((close - lag(close, 1)) / std(close - lag(close, 1), 48))"
_BOUGHT = f"(1 / (1 + exp(-{_Z} * (1.5976 + 0.07056 * {_Z} ** 2))))"

_QUOTES, _BOOK = ("bid", "ask"), ("bid", "ask", "bid_size", "ask_size")
_QUOTED = "(bid_known * ask_known)"
_FULL = f"({_QUOTED} * bid_size_known * ask_size_known)"
_SPREAD = f"where({_QUOTED}, 2 * (ask - bid) / (ask + bid), 0.0)"
_EVENT = (
    "((bid >= lag(bid, 1)) * bid_size - (bid <= lag(bid, 1)) * lag(bid_size, 1)"
    " - (ask <= lag(ask, 1)) * ask_size + (ask >= lag(ask, 1)) * lag(ask_size, 1))"
)


ENTRIES: Final = {
    "roll_spread_96": Entry(
        f"2 * sqrt(max(-beta({_LOG_RET}, lag({_LOG_RET}, 1), 96)"
        f" * std(lag({_LOG_RET}, 1), 96) ** 2, 0.0))",
        "Spread that would make 96 returns bounce as they do; 0 where they do not.",
        "fraction of the price",
        "Roll (1984), A Simple Implicit Measure of the Effective Bid-Ask Spread, Journal of"
        " Finance 39:1127",
        talib="BETA",
    ),
    "corwin_schultz_24": Entry(
        f"mean(max(2 * (exp({_ALPHA}) - 1) / (1 + exp({_ALPHA})), 0.0), 24)",
        "Mean of 24 spreads, from ranges of one and of two bars; negative ones count 0.",
        "fraction of the price",
        _CORWIN,
    ),
    "abdi_ranaldo_96": Entry(
        f"2 * sqrt(max(mean((lag(log(close), 1) - lag({_MIDDLE}, 1))"
        f" * (lag(log(close), 1) - {_MIDDLE}), 96), 0.0))",
        "Spread from closes and the middles of 96 pairs of bars; 0 where they say none.",
        "fraction of the price",
        "Abdi & Ranaldo (2017), A Simple Estimation of Bid-Ask Spreads from Daily Close, High,"
        " and Low Prices, Review of Financial Studies 30:4437",
    ),
    "amihud_24": Entry(
        f"min(sum(abs(ret) / {_TURNOVER}, 24) / count(volume, 24) * mean({_TURNOVER}, 24), 1.0)",
        "Mean size of 24 returns per money traded, times a mean bar's; 1 at most.",
        "fraction per mean bar's turnover",
        _AMIHUD,
    ),
    "amihud_ratio_24_168": Entry(
        f"(sum(abs(ret) / {_TURNOVER}, 24) / count(volume, 24))"
        f" / (sum(abs(ret) / {_TURNOVER}, 168) / count(volume, 168))",
        "Illiquidity of 24 bars against that of 168.",
        "ratio",
        _AMIHUD,
    ),
    "kyle_lambda_96": Entry(
        f"clip(beta(ret, {_SIGNED}, 96) * mean(volume, 96), -1.0, 1.0)",
        "Slope of 96 returns on volume signed by the tick rule, times a mean bar's; within 1.",
        "fraction per mean bar's volume",
        "Kyle (1985), Continuous Auctions and Insider Trading, Econometrica 53:1315; as a"
        " regression, Goyenko, Holden & Trzcinka (2009), Journal of Financial Economics 92:153",
        talib="CORREL, STDDEV, SMA",
    ),
    "hasbrouck_lambda_96": Entry(
        f"clip(beta({_LOG_RET}, sign({_LOG_RET}) * sqrt({_TURNOVER}), 96)"
        f" * sqrt(mean({_TURNOVER}, 96)), -1.0, 1.0)",
        "Slope of 96 returns on the signed root of the money traded, times a mean bar's; within 1.",
        "log return per root of mean turnover",
        "Hasbrouck (2009), Trading Costs and Returns for U.S. Equities, Journal of Finance 64:1445",
    ),
    "return_reversal_96": Entry(
        "clip(beta(ret, lag(sign(ret) * volume, 1), 96) * mean(volume, 96), -1.0, 1.0)",
        "Slope of 96 returns on the signed volume before, below 0 where it is paid back; within 1.",
        "fraction per mean bar's volume",
        "Pástor & Stambaugh (2003), Liquidity Risk and Expected Stock Returns, Journal of"
        " Political Economy 111:642; without the control for the return before",
    ),
    "vpin_48": Entry(
        f"sum(volume * abs(2 * {_BOUGHT} - 1), 48) / sum(volume, 48)",
        "Imbalance of bought and sold volume over 48 bars, classified in bulk.",
        "0 .. 1",
        _VPIN,
    ),
    "bulk_flow_24": Entry(
        f"sum(volume * (2 * {_BOUGHT} - 1), 24) / sum(volume, 24)",
        "Bought less sold volume of 24 bars, classified in bulk, over all.",
        "-1 .. 1",
        _VPIN,
    ),
    "body_flow_24": Entry(
        "sum(volume * (close - open) / (high - low), 24) / sum(volume, 24)",
        "Volume of 24 bars signed by the part of the range their bodies cover, over all.",
        "-1 .. 1",
        "-",
        talib="BOP, SUM",
    ),
    "share_of_zero_returns_48": Entry(
        "mean(ret == 0.0, 48)",
        "Share of 48 bars whose close did not move.",
        "0 .. 1",
        "Lesmond, Ogden & Trzcinka (1999), A New Estimate of Transaction Costs, Review of"
        " Financial Studies 12:1113",
    ),
    "middle_gap": Entry(
        "(2 * close - high - low) / (2 * close)",
        "Close above the middle of its bar: on which side of the spread the bar ended.",
        "fraction",
        "Abdi & Ranaldo (2017), as above",
        talib="MEDPRICE",
    ),
    "bounce_24": Entry(
        "sum(abs(close - lag(close, 2)), 24)"
        " / sum(abs(close - lag(close, 1)) + abs(lag(close, 1) - lag(close, 2)), 24)",
        "Way of 24 closes seen every two bars over the way seen every bar; low where they bounce.",
        "0 .. 1",
        "-",
        talib="MOM, SUM",
    ),
    "range_per_turnover_24": Entry(
        f"min(sum((high - low) / close, 24) / sum({_TURNOVER}, 24)"
        f" / (sum((high - low) / close, 168) / sum({_TURNOVER}, 168)), 100.0)",
        "Range per money traded of 24 bars against that of 168.",
        "0 .. 100",
        "Fong, Holden & Tobek (2018), Are Volatility Over Volume Liquidity Proxies Useful for"
        " Global or US Research?, Kelley School of Business",
    ),
    "quoted_spread": Entry(
        _SPREAD,
        "Ask less bid; 0 where either is not known.",
        "fraction of the middle",
        "-",
        _QUOTES,
    ),
    "quoted_spread_ratio_24": Entry(
        f"{_SPREAD} / mean({_SPREAD}, 24)",
        "Quoted spread against its 24-bar mean.",
        "ratio",
        "-",
        _QUOTES,
    ),
    "quote_return_1": Entry(
        f"where({_QUOTED} * lag({_QUOTED}, 1), (bid + ask) / lag(bid + ask, 1) - 1, 0.0)",
        "Return of the middle of bid and ask; 0 where one was not known.",
        "fraction",
        "-",
        _QUOTES,
    ),
    "depth_imbalance": Entry(
        f"where({_FULL}, (bid_size - ask_size) / (bid_size + ask_size), 0.0)",
        "Size at the bid less that at the ask, over both.",
        "-1 .. 1",
        "Cao, Hansch & Wang (2009), The Information Content of an Open Limit-Order Book, Journal"
        " of Futures Markets 29:16",
        _BOOK,
    ),
    "microprice_gap": Entry(
        f"where({_FULL}, (ask - bid) / (ask + bid)"
        " * (bid_size - ask_size) / (bid_size + ask_size), 0.0)",
        "Mean of bid and ask weighted by the other side's size, above their middle.",
        "fraction",
        _STOIKOV,
        _BOOK,
    ),
    "order_flow_imbalance_24": Entry(
        f"2 * sum(where({_FULL} * lag({_FULL}, 1), {_EVENT}, 0.0), 24)"
        f" / sum(where({_FULL}, bid_size + ask_size, 0.0), 24)",
        "Size added at the bid and taken at the ask less the reverse, 24 bars, over mean depth.",
        "bars",
        _CONT,
        _BOOK,
    ),
}
