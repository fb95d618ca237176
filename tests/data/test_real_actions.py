"""Raw and adjusted bars of one vendor agree: splits from public facts, dividends from the rest."""

import numpy as np
import polars as pl
import pytest

from real_data import DATA, needs
from touchstone.data.sources import SOURCES, Request
from touchstone.errors import BarsError
from touchstone.market import Bars
from touchstone.market.actions import DIVIDEND, KINDS, SPLIT, Actions, adjusted, raw
from touchstone.market.implied_actions import Views, implied_dividends

pytestmark = needs("bars", "equity_raw")

SPLITS = {
    "AAPL": {"2000-06-21": 2, "2005-02-28": 2, "2014-06-09": 7, "2020-08-31": 4},
    "AIG": {"1998-08-03": 1.5, "1999-08-02": 1.25, "2000-07-31": 1.5, "2009-07-01": 1 / 20},
    "BAC": {"2004-08-30": 2},
    "IBM": {"1999-05-27": 2},
    "SPY": {},
}
ROUNDING = 1e-5
"""The vendor's factors are rounded: 6.999997 for Apple's 7:1. No dividend here is so small."""
FIELDS = ("open", "high", "low", "close", "volume")


def frames(symbol, timeframe="1d"):
    folders = ("equity_raw", "equity")
    return [pl.read_parquet(DATA / "bars" / f / timeframe / f"{symbol}.parquet") for f in folders]


def split_table(symbol):
    told = SPLITS[symbol]
    time = np.array([np.datetime64(d, "ns").astype(np.int64) for d in told], np.int64)
    kind = np.full(time.size, SPLIT, np.int8)
    return Actions(symbol, kind, time, time, np.array(list(told.values()), float), time)


def bars_of(symbol, frame):
    time = frame["timestamp"].dt.epoch("ns").to_numpy()
    return Bars(symbol, time, *(frame[name].to_numpy() for name in FIELDS))


def days(bars):
    return bars.time // 86_400_000_000_000


def reconstructed(symbol):
    was, want = (bars_of(symbol, f) for f in frames(symbol))
    np.testing.assert_array_equal(was.time, want.time)
    views = Views(days(was), was.close, want.close)
    return was, want, implied_dividends(views, split_table(symbol), ROUNDING)


@pytest.mark.parametrize("symbol", SPLITS)
def test_raw_bars_and_actions_give_the_adjusted_bars_and_back(symbol):
    was, want, table = reconstructed(symbol)
    got = adjusted(was, table, days(was), "total")
    # four roundings of the vendor's split factors at most
    for name in FIELDS[:4]:
        np.testing.assert_allclose(getattr(got, name), getattr(want, name), rtol=4e-6)
    # shares after a split are whole
    np.testing.assert_allclose(got.volume, want.volume, rtol=4e-6, atol=1)
    back = raw(got, table, days(was), "total")
    for name in FIELDS:
        np.testing.assert_allclose(getattr(back, name), getattr(was, name), rtol=1e-12)


@pytest.mark.parametrize(
    ("symbol", "n", "longest"),
    [("AAPL", 35, 0), ("AIG", 75, 1), ("BAC", 90, 0), ("IBM", 93, 0), ("SPY", 94, 0)],
)
def test_the_dividends_that_are_left_are_plausible(symbol, n, longest):
    was, _, table = reconstructed(symbol)
    paid = table.where(table.kind == DIVIDEND)
    assert len(paid) == n, "about four a year where one is paid"
    at = np.searchsorted(days(was), paid.ex_day)
    share = paid.value / was.close[at]
    assert (share > 0).all()
    assert (share > 0.05).sum() == longest, "AIG: warrants of 2011-01-20, worth 8.42 a share"
    assert np.median(share) < 0.01


def test_known_dividends_are_found_to_a_tenth_of_a_cent():
    _, _, apple = reconstructed("AAPL")
    paid = apple.where(apple.kind == DIVIDEND)
    told = dict(zip(paid.ex_day.astype("datetime64[D]").astype(str), paid.value, strict=True))
    public = {"2012-08-09": 2.65, "2014-05-08": 3.29, "2014-08-07": 0.47, "2020-08-07": 0.82,
              "2020-11-06": 0.205, "2021-02-05": 0.205}  # fmt: skip
    for date, amount in public.items():
        assert told[date] == pytest.approx(amount, abs=1e-3), date


def test_a_split_that_is_not_told_is_found_missing():
    was, want = (bars_of("AIG", f) for f in frames("AIG"))
    table = split_table("AIG")
    views = Views(days(was), was.close, want.close)
    with pytest.raises(BarsError, match=r"2009-07-01.*a split of about 0\.05 may be missing"):
        implied_dividends(views, table.where(table.value > 1), ROUNDING)


def test_hourly_bars_follow_the_daily_actions():
    _, _, table = reconstructed("AAPL")
    was, want = (bars_of("AAPL", f) for f in frames("AAPL", "1h"))
    same, mine, its = np.intersect1d(was.time, want.time, return_indices=True)
    got = adjusted(was, table, days(was), "total")
    gap = np.abs(got.close[mine] / want.close[its] - 1)
    # P is the last close of the hours here, of the day there
    assert same.size > 0.99 * len(was)
    assert gap.max() < 2e-3


def test_a_folder_of_raw_bars_with_its_table_loads_as_the_adjusted_folder(tmp_path):
    lines = ["symbol,kind,ex_date,value,knowledge_time"]
    for symbol in SPLITS:
        _, _, table = reconstructed(symbol)
        for kind, day, value in zip(table.kind, table.ex_day, table.value, strict=True):
            date = np.datetime64(int(day), "D")
            lines.append(f"{symbol},{KINDS[kind]},{date},{float(value)!r},{date}")
    (tmp_path / "actions.csv").write_text("\n".join(lines))
    loaded = {}
    for folder, more in (
        ("equity_raw", {"actions": str(tmp_path / "actions.csv"), "adjust": "total"}),
        ("equity", {}),
    ):
        config = SOURCES.parse(
            {"source": "parquet", "path": str(DATA / "bars" / folder / "1d"), "timeframe": "1d",
             "calendar": "XNYS", **more}
        )  # fmt: skip
        loaded[folder] = SOURCES.part_of(config)(config, Request(symbols=tuple(sorted(SPLITS))))
    one, other = loaded["equity_raw"], loaded["equity"]
    assert one.panel.symbols == other.panel.symbols
    assert one.findings[-1].startswith("Prices are total-return, from raw bars and 397 corporate")
    for name in FIELDS[:4]:
        got, want = getattr(one.panel, name), getattr(other.panel, name)
        np.testing.assert_allclose(got, want, rtol=4e-6)
