"""What is truly wrong with the real bars, or truly happened: (folder, symbol, check) -> why.

A flag that stands here is no false one. Each was looked up in the bars themselves or is a public
fact; `None` for a symbol means every symbol that the check names in that folder.
"""

_ENDED = "the bars do end before the others'"
_HOLE = "the bars are missing"

KNOWN = {
    ("crypto/1h", None, "stale_end"): "23 coins died or were renamed, and AUDUSDT ended",
    ("crypto/1h", "SUSDUSDT", "frozen"): "14 hours without a trade",
    ("equity/1d", "QQQ", "gaps"): "2004-12 to 2011-03 is missing",
    ("equity/1d", "AAA", "gaps"): _HOLE,
    ("equity/1d", "AAA", "stale_end"): "delisted in 2007",
    ("equity/1d", "AAPL", "spikes"): "lows of 0.33 beside closes of 5.66, and two more",
    ("equity/1d", "GOOGL", "spikes"): "a low of 33.75 beside a close of 336.68",
    ("equity/1h", "AAPL", "gaps"): "Nasdaq halted on 2013-08-22",
    ("equity/1h", "AIG", "gaps"): "NYSE halted on 2001-06-08",
    ("equity/1h", "BAC", "gaps"): "NYSE halted on 2001-06-08",
    ("equity/1h", "AAPL", "spikes"): "lows of 0.33, 0.78 and 1.00 beside closes of 5.6 to 10",
    ("equity/1h", "AIG", "spikes"): "a high of 296 beside a close of 23.7; lows 27 % off in 2003",
    ("equity/1h", "BAC", "spikes"): "a low of 12.39 beside a close of 19.27",
    ("equity/1h", "SPY", "spikes"): "a high of 99.4 beside a close of 78.6; a low of 77.1 at 90.3",
    ("equity/1h", "VXX_OLD", "stale_end"): "matured in 2019-01",
    ("equity_raw/1d", None, "gaps"): "as in equity/1d",
    ("equity_raw/1d", None, "spikes"): "as in equity/1d",
    ("equity_raw/1d", None, "stale_end"): "AAA and Washington Mutual ended",
    ("equity_raw/1d", None, "unmarked_split"): "unadjusted on purpose: AAPL 7:1, AIG 1:20, ...",
    ("equity_raw/1d", "WAMU_DELISTED", "outliers"): "the bank failed: -91 % on 2008-09-26",
    ("equity_raw/1h", None, "gaps"): "as in equity/1h; SPWR 2009 to 2011 is missing",
    ("equity_raw/1h", None, "spikes"): "as in equity/1h",
    ("equity_raw/1h", None, "stale_end"): "SPWR and VXX_OLD ended",
    ("equity_raw/1h", None, "unmarked_split"): "unadjusted on purpose: VXX 1:4 four times, ...",
    ("equity_wide/1h", None, "stale_end"): "CPN and JUNO were taken over in 2018-03",
    ("fx/1d", "EURCHF", "gaps"): _HOLE,
    ("fx/1h", None, "gaps"): "gold has holidays of its own; USDCHF lacks a day",
    ("fx/1h", "USDCHF", "outliers"): "the Swiss National Bank let its floor go on 2015-01-15",
    ("fx/1h", None, "partial_bar"): "the last bar of 2019 holds one tick",
    ("fx/1h", "XAUUSD", "wrong_zone"): "an hour late until 2014-12 beside the others",
    ("fx_mid/1d", None, "stale_end"): _ENDED,
    ("fx_mid/1h", None, "stale_end"): _ENDED,
    ("fx_mid/1h", None, "gaps"): _HOLE,
    ("sp500/1d", None, "duplicate_day"): "2014-08-01 stands again as 2014-08-04, and some more",
    ("sp500/1d", None, "enclosure"): "rows that no market could print",
    ("sp500/1d", "HLT", "mixed_adjustment"): "two price levels inside one row in 2016-12",
    ("sp500/1d", None, "gaps"): _HOLE,
    ("sp500/1d", "GOOG", "move_without_volume"): "no volume until 2014-03",
    ("sp500/1d", None, "stale_end"): "taken over or renamed in 2017",
    ("sp500/1d", None, "unreadable"): "file names with a colon",
    ("sp500/1d", "HLT", "spikes"): "two price levels day by day in 2016-12",
    ("sp500/1d", "AME", "spikes"): "a high of 62.05 beside a close of 47.82",
    ("sp500/1d", "COTY", "spikes"): "19.35 on 2014-10-30 between 16.31 and 16.60",
    ("sp500/1d", "LNT", "spikes"): "a close of 17.87 between 35.35 and 35.91",
    ("sp500/1d", "MTD", "spikes"): "290.03 on 2014-10-30 between 255.63 and 258.47",
    ("sp500/1d", "O", "spikes"): "44.82 on 2013-12-20 between 38.04 and 37.84",
    ("sp500/1d", "TIF", "spikes"): "102.02 on 2013-12-18 between 90.32 and 90.43",
    ("sp500/1d", "XL", "spikes"): "a low of 5.40 beside a close of 36.79",
    ("sp500/1d", "MRO", "spikes"): "16.02 on 2017-09-14 between 11.91 and 12.00",
    ("sp500/1d", None, "unmarked_split"): "splits and spin-offs: A, DISCA, HPE, MDLZ, XRX, ...",
    ("sp500/1d", "BHGE", "outliers"): "a special dividend of 17.50 at the merger",
    ("sp500/1d", "HPQ", "outliers"): "HPE was spun off",
    ("sp500/1d", "YUM", "outliers"): "Yum China was spun off",
    ("sp500/1d", "TDG", "outliers"): "a special dividend of 22",
    ("stocknet/1d", "NGG", "outliers"): "a special dividend on 2017-05-22",
    ("stocknet/1d", "BRK.A", "volume_unit"): "volume falls to a hundredth on 2013-07-29",
}  # fmt: skip


def is_known(folder, symbol, check):
    """Whether a flag is of something true."""
    return (folder, symbol, check) in KNOWN or (folder, None, check) in KNOWN
