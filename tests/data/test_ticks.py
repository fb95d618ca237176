"""Files of ticks and books: read as they are, refused by name, and plausible on real ones."""

import json

import numpy as np
import polars as pl
import pytest

from real_data import DATA, needs
from small import touchstone
from touchstone.data.books import read_book, read_updates
from touchstone.data.ticks import read_quotes, read_trades
from touchstone.errors import BarsError, SourceError
from touchstone.market.book_updates import replay
from touchstone.market.national_best import VenueQuotes, last_best, national_best
from touchstone.market.order_book import ASK, BID
from touchstone.market.trade import Quotes, execution, trade_sign

SECOND = 1_000_000_000


def times(*seconds):
    return pl.Series("timestamp", np.array(seconds) * SECOND).cast(pl.Datetime("ns", "UTC"))


def saved(tmp_path, name, **columns):
    frame = pl.DataFrame(columns)
    frame.write_parquet(tmp_path / name)
    return tmp_path / name


def test_trades_less_the_suspicious_ones(tmp_path):
    path = saved(
        tmp_path, "IBM_trade.parquet", timestamp=times(1, 2, 3), price=[10.0, 99.0, 11.0],
        size=[1.0, 2.0, 3.0], exchange=["N", "Q", "N"], suspicious=[False, True, False],
    )  # fmt: skip
    tape = read_trades(path)
    assert tape.trades.symbol == "IBM"
    assert tape.trades.price.tolist() == [10, 11]
    assert tape.exchange == ("N", "N")
    assert tape.n_suspicious == 1
    assert len(read_trades(path, suspicious=True).trades) == 3


@pytest.mark.parametrize(
    "flags", [[0, 1, 0], [False, True, None], pl.Series([0, 1, 0], dtype=pl.UInt8)]
)
def test_doubts_are_read_however_they_are_written(tmp_path, flags):
    path = saved(
        tmp_path, "IBM_trade.parquet", timestamp=times(1, 2, 3), price=[10.0, 99.0, 11.0],
        size=[1.0, 2.0, 3.0], suspicious=flags, exchange=[7, 8, None],
    )  # fmt: skip
    tape = read_trades(path)
    assert tape.trades.price.tolist() == [10, 11]
    assert (tape.exchange, tape.n_suspicious) == (("7", ""), 1)


def test_quotes_with_and_without_an_exchange(tmp_path):
    columns = {"timestamp": times(1, 2), "bid": [10.0, 0.0], "ask": [0.0, 11.0]}
    plain = read_quotes(saved(tmp_path, "EURUSD_quote.parquet", **columns)).quotes
    assert isinstance(plain, Quotes)
    np.testing.assert_array_equal(plain.bid, [10, np.nan])
    assert plain.bid_size.tolist() == [1, 0]
    venues = read_quotes(saved(tmp_path, "A.parquet", **columns, exchange=["Q", "N"])).quotes
    assert isinstance(venues, VenueQuotes)
    assert venues.venues == ("N", "Q")
    assert last_best(venues).mid[-1] == 10.5


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"timestamp": times(1), "price": [1.0], "size": [1.0], "suspicious": ["no"]},
            "suspicious is of type String: needs true and false",
        ),
        ({"timestamp": times(1)}, "no column price, size"),
        ({"timestamp": [1], "price": [1.0], "size": [1.0]}, "timestamp is of type Int64"),
        ({"timestamp": times(1), "price": ["x"], "size": [1.0]}, "price is of type String"),
        ({"timestamp": times(2, 1), "price": [1.0, 1.0], "size": [1.0, 1.0]}, "must not fall"),
        ({"timestamp": times(1), "price": [0.0], "size": [1.0]}, "a price must be finite"),
    ],
)
def test_ticks_that_cannot_be(tmp_path, columns, said):
    with pytest.raises((SourceError, BarsError), match=said):
        read_trades(saved(tmp_path, "X.parquet", **columns))


def test_files_that_are_none(tmp_path):
    (tmp_path / "no.parquet").write_bytes(b"x")
    for read in (read_trades, read_quotes):
        with pytest.raises(SourceError, match="no such file"):
            read(tmp_path / "nothing.parquet")
        with pytest.raises(SourceError, match="cannot be read as Parquet"):
            read(tmp_path / "no.parquet")
    path = saved(tmp_path, "a b.parquet", timestamp=times(1), price=[1.0], size=[1.0])
    with pytest.raises(SourceError, match="its name tells no symbol"):
        read_trades(path)
    for read in (read_book, read_updates):
        with pytest.raises(SourceError, match="no such file"):
            read(tmp_path / "nothing.parquet", "X")


def test_books_in_both_shapes(tmp_path):
    wide = saved(
        tmp_path, "wide.parquet", bid1_price=[100.0], bid1_size=[3.0], ask1_price=[101.0],
        ask1_size=[1.0], bid2_price=[99.0], bid2_size=[0.0], ask2_price=[102.0], ask2_size=[2.0],
    )  # fmt: skip
    one = read_book(wide, "X")
    np.testing.assert_array_equal(one.bid_price, [[100, np.nan]])
    assert one.time.tolist() == [0]
    near = saved(
        tmp_path, "near.parquet", timestamp=times(5), midpoint=[100.0],
        bids_distance_0=[-0.01], bids_notional_0=[0.0], bids_distance_1=[-0.02],
        bids_notional_1=[196.0], asks_distance_0=[0.01], asks_notional_0=[101.0],
        asks_distance_1=[0.02], asks_notional_1=[0.0],
    )  # fmt: skip
    other = read_book(near, "X")
    assert (other.best_bid[0], other.best_ask[0]) == (98, 101)
    np.testing.assert_allclose(other.bid_size, [[2, 0]])
    assert other.time.tolist() == [5 * SECOND]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"price": [1.0]}, "no levels of a book"),
        (
            {
                "timestamp": pl.Series([None]).cast(pl.Datetime("ns", "UTC")),
                "bid1_price": [1.0],
                "bid1_size": [1.0],
                "ask1_price": [2.0],
                "ask1_size": [1.0],
            },
            "with 1 empty cells",
        ),
        ({"bid2_price": [1.0], "bid2_size": [1.0]}, r"levels of the bids are \[2, 2\]"),
        ({"bid1_price": [1.0]}, "no column bid1_size of numbers"),
    ],
)
def test_books_that_cannot_be(tmp_path, columns, said):
    with pytest.raises(SourceError, match=said):
        read_book(saved(tmp_path, "X.parquet", **columns), "X")


def test_updates_that_cannot_be(tmp_path):
    good = {"ts_ms": [1], "type": ["snapshot"], "side": ["b"], "price": [1.0], "size": [1.0]}
    assert len(read_updates(saved(tmp_path, "g.parquet", **good), "X")) == 1
    for change, said in (
        ({"side": ["c"]}, "'c': type is snapshot or delta"),
        ({"type": ["whole"]}, "'whole': type is"),
        ({"price": [-1.0]}, "a price must be"),
        ({"ts_ms": pl.Series([None], dtype=pl.Int64)}, "ts_ms is of type Int64 with 1 empty"),
        ({"ts_ms": [1.5]}, "ts_ms is of type Float64"),
        ({"sequence": ["7"]}, "sequence is of type String with 0 empty"),
    ):
        with pytest.raises((SourceError, BarsError), match=said):
            read_updates(saved(tmp_path, "b.parquet", **(good | change)), "X")
    del good["size"]
    with pytest.raises(SourceError, match="no column size"):
        read_updates(saved(tmp_path, "c.parquet", **good), "X")


def test_the_command_measures_a_market_that_is_known(tmp_path):
    """Every second a trade at the ask of a spread of 2 bp, and the mid goes up by 1 bp a minute."""
    second = np.arange(1800)
    mid = 100 * (1 + 1e-4 / 60 * second)
    half = mid * 1e-4
    quotes = saved(tmp_path, "A_quote.parquet", timestamp=times(*second), bid=mid - half,
                   ask=mid + half)  # fmt: skip
    trades = saved(tmp_path, "A_trade.parquet", timestamp=times(*(second + 0.5)),
                   price=mid + half, size=np.full(1800, 3.0))  # fmt: skip
    words = ("study", "execution", "--trades", trades, "--quotes", quotes, "--horizon", 60)
    code, out, err = touchstone(*words, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["quoted_bp"] == pytest.approx(2, rel=1e-6)
    assert found["effective_bp"] == pytest.approx(2, rel=1e-6)
    assert found["impact_bp"] == pytest.approx(2, rel=5e-3), "1 bp, there and back"
    assert found["realised_bp"] == pytest.approx(0, abs=5e-3)
    assert found["buyers_share"] == 1
    assert "half_spread_bp: 1.00" in touchstone(*words)[1]
    late = saved(tmp_path, "B_trade.parquet", timestamp=times(9999), price=[1.0], size=[1.0])
    code, _, err = touchstone("study", "execution", "--trades", late, "--quotes", quotes)
    assert code == 3
    assert "do the two cover the same time?" in err
    none = saved(tmp_path, "C_quote.parquet", timestamp=times(1), bid=[1.0], ask=[1.1],
                 exchange=["N"], suspicious=[True])  # fmt: skip
    code, _, err = touchstone("study", "execution", "--trades", trades, "--quotes", none)
    assert code == 3
    assert "holds no quote that its vendor does not doubt" in err


def test_what_happened_while_the_market_was_closed_is_nobodys_spread(tmp_path):
    """Prices double overnight; on the second day trades come before any quote."""
    day1 = int(np.datetime64("2024-03-05T14:30", "s").astype(np.int64))
    hours, second_day = 6.5 * 3600, day1 + 86_400
    one, two = day1 + np.arange(0, hours, 10), second_day + np.arange(1800, hours, 10)
    mid = np.r_[np.full(one.size, 100.0), np.full(two.size, 200.0)]
    quotes = saved(tmp_path, "A_quote.parquet", timestamp=times(*one, *two), bid=mid * 0.9999,
                   ask=mid * 1.0001)  # fmt: skip
    early = second_day + np.arange(1, 1800, 10)
    at = np.r_[one + 5, early, two + 5]
    price = 1.0001 * np.r_[mid[: one.size], np.full(early.size, 200.0), mid[one.size :]]
    trades = saved(tmp_path, "A_trade.parquet", timestamp=times(*at), price=price,
                   size=np.ones(at.size))  # fmt: skip
    words = ("study", "execution", "--trades", trades, "--quotes", quotes, "--calendar", "XNYS")
    code, out, err = touchstone(*words, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["effective_bp"] == pytest.approx(2, rel=1e-6)
    assert found["impact_bp"] == pytest.approx(0, abs=1e-6)
    assert found["n_trades"] == at.size
    # less the early ones, and what comes after the last quote
    assert at.size - early.size - 35 < found["n_measured"] < at.size - early.size


def test_quotes_of_another_instrument_are_refused(tmp_path):
    second = np.arange(1000)
    quotes = saved(tmp_path, "A_quote.parquet", timestamp=times(*second),
                   bid=np.full(1000, 20.0), ask=np.full(1000, 20.01))  # fmt: skip
    trades = saved(tmp_path, "B_trade.parquet", timestamp=times(*second),
                   price=np.full(1000, 180.0), size=np.ones(1000))  # fmt: skip
    code, out, err = touchstone("study", "execution", "--trades", trades, "--quotes", quotes)
    assert (code, out) == (3, "")
    assert "trades (B) lie 800 % from the mid of the quotes (A)" in err


# real files


class TestReal:
    pytestmark = needs("ticks")

    def test_the_best_of_twelve_exchanges(self):
        read = read_quotes(DATA / "ticks" / "IBM_quote.parquet")
        assert read.n_suspicious == 2
        assert len(read.quotes.venues) == 12
        best = last_best(read.quotes)
        assert len(best) == np.unique(read.quotes.time).size
        # each row is a best price: the last ones of both sides make a market of some cents
        assert best.crossed.mean() < 0.002
        assert best.locked.mean() < 0.01
        assert 1.5 < np.nanmedian(best.spread_bp) < 3, "four cents of 182 dollars"
        # taken for quotes that stand until their exchange replaces them, all would be crossed
        assert national_best(read.quotes).crossed.mean() > 0.99

    def test_trades_of_the_open_market_pay_the_spread(self):
        tape = read_trades(DATA / "ticks" / "IBM_trade.parquet").trades
        best = last_best(read_quotes(DATA / "ticks" / "IBM_quote.parquet").quotes)
        done = execution(tape, best, horizon_ns=300 * SECOND)
        hour = tape.time // (3600 * SECOND) % 24
        day = (hour >= 14) & (hour < 20)
        assert (done.sign[day] != 0).all()
        assert abs(done.sign[day].mean()) < 0.1, "buyers and sellers take alike"
        effective, realised, impact = (c[day] for c in done[1:])
        known = ~np.isnan(realised)
        assert known.mean() > 0.99
        np.testing.assert_allclose(effective[known], realised[known] + impact[known], atol=1e-9)
        assert 0.5 < np.nanmedian(effective) < 3, "about the quoted spread"
        assert 0 < np.nanmean(impact) < np.nanmean(effective) * 2, "prices move the taker's way"
        assert np.nanmean(effective) < np.nanmean(best.spread_bp) * 1.5

    def test_the_command_on_a_real_tape(self):
        ticks = DATA / "ticks"
        words = ("--trades", ticks / "IBM_trade.parquet", "--quotes", ticks / "IBM_quote.parquet")
        code, out, err = touchstone("study", "execution", *words, "--calendar", "XNYS", "--json")
        assert code == 0, err
        found = json.loads(out)
        assert found["feed"] == "the best alone, of 12 exchanges"
        assert 2 < found["quoted_bp"] < 3
        assert 1.5 < found["effective_bp"] < 4
        total = found["realised_bp"] + found["impact_bp"]
        assert found["effective_bp"] == pytest.approx(total, abs=1e-9)
        assert found["n_measured"] > 0.99 * found["n_trades"]

    def test_the_tick_rule_agrees_with_the_quotes_more_often_than_not(self):
        tape = read_trades(DATA / "ticks" / "IBM_trade.parquet").trades
        best = last_best(read_quotes(DATA / "ticks" / "IBM_quote.parquet").quotes)
        empty = Quotes("IBM", *(c[:0] for c in (best.time, *(best.bid,) * 4)))
        by_tick, by_quote = trade_sign(tape, empty), trade_sign(tape, best)
        assert 0.7 < (by_tick == by_quote).mean() < 0.95

    def test_a_currency(self):
        read = read_quotes(DATA / "ticks" / "EURUSD_quote.parquet")
        assert isinstance(read.quotes, Quotes)
        assert not read.quotes.crossed.any()
        assert 0.5 < np.median(read.quotes.spread_bp) < 1.5

    def test_bac_trades_after_hours_too(self):
        read = read_trades(DATA / "ticks" / "BAC_trade.parquet")
        assert len(read.trades) == 461_443 - read.n_suspicious
        assert 13 < read.trades.price.min() < read.trades.price.max() < 15


class TestRealBooks:
    pytestmark = needs("lob")

    def test_five_levels(self):
        book = read_book(DATA / "lob" / "btc_l5_trademaster_smallBTC.parquet", "BTC/USDT")
        assert book.bid_price.shape == (4997, 5)
        assert book.sound.all()
        assert (book.best_bid < book.microprice).all()
        assert (book.microprice < book.best_ask).all()

    def test_fifteen_levels_from_distances(self):
        book = read_book(DATA / "lob" / "btc_l15_1min_trademaster_OE.parquet", "BTC/USDT")
        told = pl.read_parquet(DATA / "lob" / "btc_l15_1min_trademaster_OE.parquet")
        assert book.bid_price.shape == (600, 15)
        assert book.sound.all()
        full = (book.bid_size[:, 0] > 0) & (told["bids_notional_0"].to_numpy() > 0)
        full &= told["asks_notional_0"].to_numpy() > 0
        spread = (book.best_ask - book.best_bid)[full]
        np.testing.assert_allclose(spread, told["spread"].to_numpy()[full], atol=0.01)
        cost = book.cost_bp(BID, 1.0)
        assert 0 < np.nanmedian(cost) < 5

    def test_five_hundred_levels_and_forty_nine_updates(self):
        updates = read_updates(DATA / "lob" / "xrpusdt_bybit_ob500_50msgs.parquet", "XRP/USDT")
        done = replay(updates, depth=500)
        assert len(done.book) == 50
        assert done.known.all()
        assert done.book.sound.all()
        assert (done.book.bid_size[:, :400] > 0).all()
        # every level of the last book is what the last word about its price was
        last = {}
        for side, price, size in zip(updates.side, updates.price, updates.size, strict=True):
            last[int(side), float(price)] = float(size)
        for side, prices, sizes in (
            (BID, done.book.bid_price[-1], done.book.bid_size[-1]),
            (ASK, done.book.ask_price[-1], done.book.ask_size[-1]),
        ):
            there = sizes > 0
            got = zip(prices[there], sizes[there], strict=True)
            assert all(last[side, p] == q for p, q in got)
        assert done.book.cost_bp(BID, 10_000.0)[-1] < done.book.cost_bp(BID, 100_000.0)[-1]
