"""Trades and quotes: who took, what it cost, and that the parts make the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import BarsError
from touchstone.market.national_best import VenueQuotes, last_best, national_best
from touchstone.market.trade import (
    Execution,
    ParentOrder,
    Quotes,
    Trades,
    averages,
    execution,
    shortfall,
    tick_rule,
    trade_sign,
)

NAN = float("nan")


def quotes(*rows):
    """(time, bid, ask)."""
    time, bid, ask = zip(*rows, strict=True) if rows else ((), (), ())
    one = np.ones(len(time))
    return Quotes(
        "X", np.array(time, np.int64), np.array(bid, float), np.array(ask, float), one, one
    )


def trades(*rows):
    """(time, price)."""
    time, price = zip(*rows, strict=True) if rows else ((), ())
    return Trades("X", np.array(time, np.int64), np.array(price, float), np.ones(len(time)))


def test_tick_rule():
    assert tick_rule(np.array([10, 10, 11, 11, 10, 10, 10.5])).tolist() == [0, 0, 1, 1, -1, -1, 1]
    assert tick_rule(np.zeros(0)).tolist() == []


def test_worked_signs():
    book = quotes((10, 99, 101), (30, 101, 103))
    said = trade_sign(
        trades(
            (5, 100),  # no quote yet, no trade before: not known
            (11, 101),  # at the ask
            (12, 99),  # at the bid
            (13, 100),  # at the mid: above the last, an uptick
            (30, 100.5),  # the quote of this instant is not known yet: above 100
            (31, 100.5),  # below the new mid of 102
        ),
        book,
    )
    assert said.tolist() == [0, 1, -1, 1, 1, -1]


def test_worked_execution():
    # Bought at 101 with the mid at 100; five later the mid is 100.5.
    book = quotes((0, 99, 101), (12, 99.5, 101.5), (99, 1, 2))
    done = execution(trades((10, 101)), book, horizon_ns=5)
    assert done.sign.tolist() == [1]
    assert done.effective_bp[0] == pytest.approx(200)
    assert done.realised_bp[0] == pytest.approx(100)
    assert done.impact_bp[0] == pytest.approx(100)


def test_a_sellers_execution_is_the_mirror():
    book = quotes((0, 99, 101), (12, 98.5, 100.5), (99, 1, 2))
    done = execution(trades((10, 99)), book, horizon_ns=5)
    assert done.sign.tolist() == [-1]
    assert [x[0] for x in done[1:]] == pytest.approx([200, 100, 100])


def test_averages_weigh_by_size_what_is_known():
    done = Execution(
        np.array([1, -1, 1], np.int8), np.array([4.0, 8.0, 100.0]), np.array([1.0, 2.0, NAN]),
        np.array([3.0, 6.0, NAN]),
    )  # fmt: skip
    assert averages(done, np.array([3.0, 1.0, 9.0])) == (2, 5.0, 1.25, 3.75)
    assert averages(done, np.zeros(3)).n_trades == 0


def test_beyond_the_last_quote_nothing_is_known():
    done = execution(trades((10, 101)), quotes((0, 99, 101)), horizon_ns=5)
    assert done.effective_bp[0] == pytest.approx(200)
    assert np.isnan(done.realised_bp[0])
    empty = execution(trades((10, 101)), quotes(), horizon_ns=5)
    assert np.isnan(empty.effective_bp[0])
    with pytest.raises(BarsError, match="horizon: needs more than 0"):
        execution(trades((10, 101)), quotes(), horizon_ns=0)


def test_crossed_and_old_quotes_give_no_mid():
    book = quotes((0, 102, 101), (10, 99, NAN), (20, 99, 101))
    assert np.isnan(book.mid_before(np.array([5, 15]))).all()
    assert book.mid_before(np.array([25]), max_age_ns=5).tolist() == [100]
    assert np.isnan(book.mid_before(np.array([26]), max_age_ns=5)).all()
    assert book.crossed.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: trades((2, 1), (1, 1)), "time must not fall; row 1"),
        (lambda: trades((2, 0)), "a price must be finite and positive"),
        (lambda: quotes((1, -1, 2)), "a bid must be finite and positive"),
        (lambda: quotes((2, 1, 2), (1, 1, 2)), "time must not fall"),
        (lambda: Trades("X", np.zeros(2, np.int64), np.ones(1), np.ones(2)), "column price"),
        (lambda: Trades("X", np.zeros(1, np.int64), np.ones(1), -np.ones(1)), "a size must be"),
    ],
)
def test_what_cannot_be(make, said):
    with pytest.raises(BarsError, match=said):
        make()


@st.composite
def tapes(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, m = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    mid = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, m)))
    half = rng.uniform(0.01, 0.2, m)
    book = quotes(*zip(np.sort(rng.integers(0, 100, m)), mid - half, mid + half, strict=True))
    tape = trades(*zip(np.sort(rng.integers(0, 100, n)), rng.uniform(99, 101, n), strict=True))
    return tape, book


@settings(max_examples=60)
@given(pair=tapes(), horizon=st.integers(1, 40))
def test_what_was_paid_is_what_was_kept_and_what_moved(pair, horizon):
    done = execution(*pair, horizon)
    known = ~np.isnan(done.realised_bp)
    np.testing.assert_allclose(
        done.effective_bp[known], done.realised_bp[known] + done.impact_bp[known], atol=1e-8
    )


@settings(max_examples=60)
@given(pair=tapes(), horizon=st.integers(1, 40))
def test_execution_equals_the_slow_reference(pair, horizon):
    tape, book = pair
    done = execution(tape, book, horizon)
    last, direction = None, 0
    for i in range(len(tape)):
        price, time = tape.price[i], tape.time[i]
        if last is not None and price != last:
            direction = 1 if price > last else -1
        last = price

        def mid(at):
            before = [k for k in range(len(book)) if book.time[k] < at]
            return (book.bid[before[-1]] + book.ask[before[-1]]) / 2 if before else None

        now = mid(time)
        sign = direction if now is None or price == now else (1 if price > now else -1)
        assert done.sign[i] == sign
        if now is None or sign == 0:
            assert np.isnan(done.effective_bp[i])
            continue
        assert done.effective_bp[i] == pytest.approx(2e4 * sign * (price - now) / now)
        if time + horizon < book.time[-1]:
            later = mid(time + horizon)
            assert done.impact_bp[i] == pytest.approx(2e4 * sign * (later - now) / now, abs=1e-9)


@settings(max_examples=60)
@given(pair=tapes(), cut=st.integers(0, 100))
def test_signs_do_not_look_ahead(pair, cut):
    tape, book = pair
    n, m = int((tape.time < cut).sum()), int((book.time < cut).sum())
    head = Trades("X", tape.time[:n], tape.price[:n], tape.size[:n])
    known = quotes(*zip(book.time[:m], book.bid[:m], book.ask[:m], strict=True))
    np.testing.assert_array_equal(trade_sign(head, known), trade_sign(tape, book)[:n])


# implementation shortfall


def test_worked_shortfall():
    # Decided to buy 1,000 at 50; it reached the market at 50.10; 600 at 50.20 and 200 at 50.30
    # were bought; the rest was given up at 51. Commission 8.
    order = ParentOrder(1, 1000, 50.0, 50.10, 51.0)
    done = shortfall(order, np.array([50.2, 50.3]), np.array([600.0, 200.0]), 8.0)
    assert done.delay == pytest.approx(80)
    assert done.trading == pytest.approx(600 * 0.1 + 200 * 0.2)
    assert done.opportunity == pytest.approx(200)
    assert done.total == pytest.approx(80 + 100 + 200 + 8)
    assert done.total_bp == pytest.approx(388 / 50_000 * 1e4)


def test_shortfalls_that_cannot_be():
    order = ParentOrder(1, 10, 50.0, 50.0, 50.0)
    fill = np.array([50.0])
    with pytest.raises(BarsError, match="an order for 10 cannot have 11 filled"):
        shortfall(order, fill, np.array([11.0]), 0.0)
    with pytest.raises(BarsError, match="side 1 or -1"):
        shortfall(order._replace(side=0), fill, np.array([1.0]), 0.0)
    with pytest.raises(BarsError, match="prices and quantities above 0"):
        shortfall(order, fill, np.array([-1.0]), 0.0)
    with pytest.raises(BarsError, match="got 2 prices, 1 quantities"):  # one would stand for both
        shortfall(order, np.array([50.0, 51.0]), np.array([1.0]), 0.0)
    with pytest.raises(BarsError, match="commission nan"):
        shortfall(order, fill, np.array([1.0]), float("nan"))


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), side=st.sampled_from([1, -1]))
def test_shortfall_is_paper_less_reality(seed, side):
    rng = np.random.default_rng(seed)
    n = rng.integers(0, 6)
    price, quantity = rng.uniform(40, 60, n), rng.uniform(1, 9, n)
    wanted = quantity.sum() + rng.uniform(0.1, 9)
    decision, arrival, end = rng.uniform(40, 60, 3)
    fee = float(rng.uniform(0, 5))
    done = shortfall(ParentOrder(side, wanted, decision, arrival, end), price, quantity, fee)
    paper = side * wanted * (end - decision)
    real = side * float((quantity * (end - price)).sum()) - fee
    assert done.total == pytest.approx(paper - real, abs=1e-9)


# the best over exchanges


def venue_quotes(*rows, venues=("N", "Q")):
    """(time, venue, bid, bid size, ask, ask size); None leaves a side as it is."""
    time, venue, bid, bid_size, ask, ask_size = zip(*rows, strict=True)

    def column(values):
        return np.array([NAN if v is None else v for v in values], float)

    return VenueQuotes(
        "X", venues, np.array(time, np.int64), np.array([venues.index(v) for v in venue]),
        column(bid), column(ask), np.nan_to_num(column(bid_size)), np.nan_to_num(column(ask_size)),
    )  # fmt: skip


def test_worked_national_best():
    best = national_best(
        venue_quotes(
            (1, "N", 100, 5, None, None),
            (2, "Q", 100, 3, 102, 1),  # the same bid: sizes add up
            (3, "N", None, None, 101, 2),
            (3, "N", 99, 1, None, None),  # one row for an instant
            (4, "Q", 101.5, 1, None, None),  # crosses N's ask
            (5, "N", None, None, 101, 0),  # which is withdrawn
        )
    )
    assert best.time.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(best.bid, [100, 100, 100, 101.5, 101.5])
    np.testing.assert_array_equal(best.bid_size, [5, 8, 3, 1, 1])
    np.testing.assert_array_equal(best.ask, [NAN, 102, 101, 101, 102])
    np.testing.assert_array_equal(best.ask_size, [0, 1, 2, 2, 1])
    assert best.crossed.tolist() == [False, False, False, True, False]


def test_an_old_side_does_not_count():
    rows = ((0, "N", 100, 1, 101, 1), (50, "Q", 90, 1, 110, 1))
    assert national_best(venue_quotes(*rows)).bid.tolist() == [100, 100]
    assert national_best(venue_quotes(*rows), max_age_ns=49).bid.tolist() == [100, 90]
    assert national_best(venue_quotes(*rows), max_age_ns=50).bid.tolist() == [100, 100]


def test_a_feed_that_prints_the_best_alone():
    # N had the bid of 100; Q betters the ask, then N's bid falls: nothing is left of 100.
    best = last_best(
        venue_quotes(
            (1, "N", 100, 5, 102, 1), (2, "Q", None, None, 101, 1), (3, "Q", 99, 2, None, None)
        )
    )  # fmt: skip
    np.testing.assert_array_equal(best.bid, [100, 100, 99])
    np.testing.assert_array_equal(best.ask, [102, 101, 101])


def test_a_venue_that_is_none():
    with pytest.raises(BarsError, match="a venue is none of N, Q"):
        VenueQuotes("X", ("N", "Q"), np.zeros(1, np.int64), np.array([2]), *np.ones((4, 1)))


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), age=st.sampled_from([None, 3, 10]))
def test_national_best_equals_the_slow_reference(seed, age):
    rng = np.random.default_rng(seed)
    venues, rows = ("A", "B", "C"), []
    for time in np.sort(rng.integers(0, 30, 25)):
        bid, ask = (float(rng.integers(95, 105)) if rng.random() < 0.7 else None for _ in "xx")
        sizes = [None if p is None else float(rng.integers(0, 4)) for p in (bid, ask)]
        rows.append((int(time), str(rng.choice(venues)), bid, sizes[0], ask, sizes[1]))
    best = national_best(venue_quotes(*rows, venues=venues), age)
    state = {}
    found = {}
    for time, venue, bid, bid_size, ask, ask_size in rows:
        for side, price, size in (("bid", bid, bid_size), ("ask", ask, ask_size)):
            if price is not None:
                state[side, venue] = (price, size, time)
        for side, pick in (("bid", max), ("ask", min)):
            fresh = [
                (p, q) for (s, _), (p, q, at) in state.items()
                if s == side and q > 0 and (age is None or time - at <= age)
            ]  # fmt: skip
            top = pick((p for p, _ in fresh), default=NAN)
            found[time, side] = (top, sum(q for p, q in fresh if p == top))
    for i, time in enumerate(best.time.tolist()):
        for side in ("bid", "ask"):
            got = (getattr(best, side)[i], getattr(best, f"{side}_size")[i])
            np.testing.assert_array_equal(got, found[time, side])
