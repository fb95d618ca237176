"""Price patterns: the shape of bars, and where prices stand to what they touched before."""

from typing import Final

from touchstone.features.catalogue import Entry

_NISON = "Nison (1991), Japanese Candlestick Charting Techniques"
_CRABEL = "Crabel (1990), Day Trading with Short Term Price Patterns and Opening Range Breakout"
_WILLIAMS = "Williams (1998), New Trading Dimensions, on fractals"
_EDWARDS = "Edwards & Magee (1948), Technical Analysis of Stock Trends"

_RANGE = "(high - low)"
_TOP, _BOTTOM = "max(open, close)", "min(open, close)"
_OPENS = "first_of_session()"
_SESSION_HIGH, _SESSION_LOW = f"max_since(high, {_OPENS})", f"(-max_since(-low, {_OPENS}))"
_SWING_HIGH, _SWING_LOW = "(lag(high, 2) == max(high, 5))", "(lag(low, 2) == min(low, 5))"
_BULL_ENGULFS = (
    "(lag(close, 1) < lag(open, 1)) * (close >= lag(open, 1)) * (open <= lag(close, 1))"
    " * max(close > lag(open, 1), open < lag(close, 1))"
)
_BEAR_ENGULFS = (
    "(lag(close, 1) >= lag(open, 1)) * (close < open) * (open >= lag(close, 1))"
    " * (close <= lag(open, 1)) * max(open > lag(close, 1), close < lag(open, 1))"
)

ENTRIES: Final = {
    "body": Entry(
        f"(close - open) / {_RANGE}",
        "Body of the bar over its range; 0 where there is none.",
        "-1 .. 1",
        _NISON,
        talib="BOP",
    ),
    "body_14": Entry(
        f"mean((close - open) / {_RANGE}, 14)",
        "Mean of 14 bodies over their ranges (balance of power).",
        "-1 .. 1",
        "Livshin (2001), Balance of Power, Technical Analysis of Stocks & Commodities 19:8",
        talib="BOP, SMA",
    ),
    "body_size": Entry(
        f"abs(close - open) / {_RANGE}",
        "Size of the body over the range; near 0 for a doji.",
        "0 .. 1",
        _NISON,
        talib="BOP",
    ),
    "upper_shadow": Entry(
        f"(high - {_TOP}) / {_RANGE}", "Part of the range above the body.", "0 .. 1", _NISON
    ),
    "lower_shadow": Entry(
        f"({_BOTTOM} - low) / {_RANGE}", "Part of the range below the body.", "0 .. 1", _NISON
    ),
    "shadow_balance_8": Entry(
        f"sum({_BOTTOM} + {_TOP} - high - low, 8) / sum({_RANGE}, 8)",
        "Lower less upper shadows of 8 bars over their ranges: hammers above 0.",
        "-1 .. 1",
        _NISON,
    ),
    "close_location": Entry(
        f"(2 * close - high - low) / {_RANGE}",
        "Place of the close in the bar's range.",
        "-1 .. 1",
        "Williams (1972), The Secret of Selecting Stocks for Immediate and Substantial Gains",
        talib="WCLPRICE, MEDPRICE",
    ),
    "gap_1": Entry("open / lag(close, 1) - 1", "Gap between close and next open.", "fraction", "-"),
    "gap_in_ranges": Entry(
        "clip((open - lag(close, 1)) / lag(wilder(true_range(), 14), 1), -20.0, 20.0)",
        "That gap in average true ranges of the 14 bars before.",
        "-20 .. 20",
        _CRABEL,
        talib="ATR",
    ),
    "inside_bar": Entry(
        "(high <= lag(high, 1)) * (low >= lag(low, 1))",
        "Whether the bar lies within the one before.",
        "0 or 1",
        _CRABEL,
    ),
    "outside_bar": Entry(
        "(high > lag(high, 1)) * (low < lag(low, 1))",
        "Whether the bar goes beyond the one before on both sides.",
        "0 or 1",
        _CRABEL,
    ),
    "overlap_1": Entry(
        "(min(high, lag(high, 1)) - max(low, lag(low, 1)))"
        " / (max(high, lag(high, 1)) - min(low, lag(low, 1)))",
        "Range shared with the bar before over the range of both; negative for a hole.",
        "-1 .. 1",
        "-",
    ),
    "engulfing": Entry(
        f"{_BULL_ENGULFS} - {_BEAR_ENGULFS}",
        "1 where a rising body engulfs a falling one, -1 the other way round, else 0.",
        "-1, 0 or 1",
        _NISON,
        talib="CDLENGULFING",
    ),
    "reversal_bar": Entry(
        "(low < lag(low, 1)) * (close > lag(high, 1))"
        " - (high > lag(high, 1)) * (close < lag(low, 1))",
        "1 where a new low closes above the high before, -1 the other way round, else 0.",
        "-1, 0 or 1",
        _EDWARDS,
    ),
    "body_run_3": Entry(
        "mean(sign(close - open), 3)",
        "Rising less falling bars of the last 3; 1 for three in a row.",
        "-1 .. 1",
        _NISON,
    ),
    "rises_in_a_row": Entry(
        "min(since(close <= lag(close, 1)), 24.0)",
        "Closes in a row that rose, 24 at most.",
        "bars",
        "-",
    ),
    "falls_in_a_row": Entry(
        "min(since(close >= lag(close, 1)), 24.0)",
        "Closes in a row that fell, 24 at most.",
        "bars",
        "-",
    ),
    "higher_highs_8": Entry(
        "mean(high > lag(high, 1), 8)", "Share of 8 highs above the one before.", "0 .. 1", _EDWARDS
    ),
    "lower_lows_8": Entry(
        "mean(low < lag(low, 1), 8)", "Share of 8 lows below the one before.", "0 .. 1", _EDWARDS
    ),
    "narrowest_of_7": Entry(
        f"{_RANGE} <= min({_RANGE}, 7)",
        "Whether no bar of the last 7 was narrower (NR7).",
        "0 or 1",
        _CRABEL,
        talib="MIN",
    ),
    "range_growth_7": Entry(
        f"min({_RANGE} / lag(max({_RANGE}, 7), 1), 100.0)",
        "Range of the bar over the widest of the 7 before.",
        "0 .. 100",
        _CRABEL,
        talib="MAX",
    ),
    "age_of_high_48": Entry(
        "argmax(high, 48) / 47",
        "How long ago the highest of 48 bars was; 0 now, 1 the oldest.",
        "0 .. 1",
        "-",
        talib="MAXINDEX",
    ),
    "age_of_low_48": Entry(
        "argmin(low, 48) / 47",
        "How long ago the lowest of 48 bars was; 0 now, 1 the oldest.",
        "0 .. 1",
        "-",
        talib="MININDEX",
    ),
    "breakout_48": Entry(
        "close / lag(max(high, 48), 1) - 1",
        "Close above the highest of the 48 bars before.",
        "fraction",
        "Brock, Lakonishok & LeBaron (1992), Simple Technical Trading Rules,"
        " Journal of Finance 47:1731",
        talib="MAX",
    ),
    "breakdown_48": Entry(
        "clip(close / lag(min(low, 48), 1) - 1, -1.0, 10.0)",
        "Close above the lowest of the 48 bars before; 10 at most.",
        "-1 .. 10",
        "Brock, Lakonishok & LeBaron (1992), as above",
        talib="MIN",
    ),
    "swing_high_gap": Entry(
        f"close / held(lag(high, 2), {_SWING_HIGH}) - 1",
        "Close above the last high that towered over two bars either side.",
        "fraction",
        _WILLIAMS,
    ),
    "swing_low_gap": Entry(
        f"clip(close / held(lag(low, 2), {_SWING_LOW}) - 1, -1.0, 10.0)",
        "Close above the last low that lay under two bars either side; 10 at most.",
        "-1 .. 10",
        _WILLIAMS,
    ),
    "session_return": Entry(
        f"close / held(open, {_OPENS}) - 1", "Return since the trading day began.", "fraction", "-"
    ),
    "session_gap": Entry(
        f"held(open / lag(close, 1) - 1, {_OPENS})",
        "Gap with which the trading day began.",
        "fraction",
        "-",
    ),
    "session_position": Entry(
        f"div(close - {_SESSION_LOW}, {_SESSION_HIGH} - {_SESSION_LOW}, 0.5)",
        "Place of the close in the day's range so far; 0.5 where there is none.",
        "0 .. 1",
        _CRABEL,
    ),
    "pivot_gap": Entry(
        f"close / held(lag(({_SESSION_HIGH} + {_SESSION_LOW} + close) / 3, 1), {_OPENS}) - 1",
        "Close above the pivot: mean of high, low and close of the trading day before.",
        "fraction",
        "Person (2004), A Complete Guide to Technical Trading Tactics",
    ),
}
