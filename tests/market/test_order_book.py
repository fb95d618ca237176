"""Order books: worked measures, laws, and updates applied like a dictionary would."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import BarsError
from touchstone.market.book_updates import BookUpdates, replay
from touchstone.market.order_book import ASK, BID, OrderBook

NAN = float("nan")


def book(bids, asks, time=None):
    """Books of (price, size) levels; one list of levels a time."""
    depth = max([len(b) for b in (*bids, *asks)], default=0)

    def column(sides, k, missing):
        rows = [[level[k] for level in s] + [missing] * (depth - len(s)) for s in sides]
        return np.array(rows, float).reshape(len(sides), depth)

    time = np.arange(len(bids), dtype=np.int64) if time is None else np.array(time, np.int64)
    return OrderBook(
        "X",
        time,
        column(bids, 0, NAN),
        column(bids, 1, 0),
        column(asks, 0, NAN),
        column(asks, 1, 0),
    )


WORKED = book([[(100, 3), (99, 5)]], [[(101, 1), (102, 9)]])


def test_worked_measures():
    assert WORKED.mid.tolist() == [100.5]
    assert WORKED.spread_bp[0] == pytest.approx(1 / 100.5 * 1e4)
    # three bid for one: the price is near the ask. (100 x 1 + 101 x 3) / 4
    assert WORKED.microprice.tolist() == [100.75]
    assert WORKED.imbalance().tolist() == [0.5]
    assert WORKED.imbalance(2)[0] == pytest.approx((8 - 10) / 18)
    assert WORKED.imbalance(99)[0] == WORKED.imbalance(2)[0]


def test_worked_costs():
    # 4 units: 1 at 101 and 3 at 102 = 101.75
    assert WORKED.average_price(BID, 4).tolist() == [101.75]
    assert WORKED.average_price(ASK, 4)[0] == pytest.approx((3 * 100 + 99) / 4)
    assert WORKED.cost_bp(BID, 4)[0] == pytest.approx((101.75 / 100.5 - 1) * 1e4)
    assert WORKED.cost_bp(ASK, 4)[0] == pytest.approx((1 - 99.75 / 100.5) * 1e4)
    assert np.isnan(WORKED.average_price(BID, 10.001)[0]), "too shallow"
    assert WORKED.average_price(BID, 10)[0] == pytest.approx((101 + 9 * 102) / 10)


def test_locked_and_crossed_books_are_told_and_not_measured():
    both = book([[(100, 1)], [(101, 1)], [(102, 1)], []], [[(101, 1)], [(101, 1)], [(101, 1)], []])
    assert both.sound.tolist() == [True, False, False, False]
    assert both.locked.tolist() == [False, True, False, False]
    assert both.crossed.tolist() == [False, False, True, False]
    for measure in (both.mid, both.microprice, both.imbalance(), both.cost_bp(BID, 0.5)):
        assert np.isnan(measure).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("bids", "asks", "said"),
    [
        ([[(99, 1), (100, 1)]], [[]], "bids must fall from level to level"),
        ([[]], [[(100, 1), (100, 1)]], "asks must rise from level to level"),
        ([[(-1, 1)]], [[]], "bid prices must be finite and positive"),
        ([[]], [[(1, 0)]], "ask sizes must be positive"),
        ([[(NAN, 0), (1, 1)]], [[]], "bids must not stand behind a missing level"),
        ([[(NAN, 1)]], [[]], "0 where there is no level"),
    ],
)
def test_what_cannot_be(bids, asks, said):
    with pytest.raises(BarsError, match=said):
        book(bids, asks)


def test_shapes_times_and_orders_that_cannot_be():
    with pytest.raises(BarsError, match="time must not fall; book 1"):
        book([[], []], [[], []], time=[5, 4])
    one = np.ones((1, 1))
    with pytest.raises(BarsError, match="the same number of levels"):
        OrderBook("X", np.zeros(1, np.int64), one, np.ones((1, 2)), one, one)
    with pytest.raises(BarsError, match="depth of an imbalance"):
        WORKED.imbalance(0)
    for side, quantity in ((BID, 0.0), (BID, NAN), (0, 1.0)):
        with pytest.raises(BarsError, match="a market order"):
            WORKED.average_price(side, quantity)


def test_as_of_is_strictly_before():
    books = book([[], [], []], [[], [], []], time=[10, 20, 20])
    assert books.as_of(np.array([10, 11, 20, 21])).tolist() == [-1, 0, 0, 2]


@st.composite
def random_books(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    depth = draw(st.integers(1, 6))
    bids, asks = [], []
    for _ in range(draw(st.integers(1, 5))):
        mid, n = rng.uniform(10, 1000), rng.integers(1, depth + 1, 2)
        steps = [np.cumsum(rng.uniform(0.01, 1, k)) for k in n]
        bids.append([(mid - s, rng.uniform(0.1, 9)) for s in steps[0]])
        asks.append([(mid + s, rng.uniform(0.1, 9)) for s in steps[1]])
    return bids, asks


@settings(max_examples=60)
@given(sides=random_books(), quantity=st.floats(0.01, 30), side=st.sampled_from([BID, ASK]))
def test_costs_equal_a_walk_by_hand(sides, quantity, side):
    books = book(*sides)
    got = books.average_price(side, quantity)
    for t, levels in enumerate(sides[1] if side == BID else sides[0]):
        left, paid = quantity, 0.0
        for price, size in levels:
            paid, left = paid + min(left, size) * price, left - min(left, size)
        if left > 0:
            assert np.isnan(got[t])
        else:
            assert got[t] == pytest.approx(paid / quantity)
    cost, more = books.cost_bp(side, quantity), books.cost_bp(side, quantity * 1.5)
    deep = ~np.isnan(more)
    assert (cost[deep] <= more[deep] + 1e-9).all(), "more costs more"
    assert (cost[~np.isnan(cost)] > 0).all()


@settings(max_examples=60)
@given(sides=random_books())
def test_laws_of_the_measures(sides):
    books = book(*sides)
    assert (books.best_bid <= books.microprice).all()
    assert (books.microprice <= books.best_ask).all()
    for depth in (1, 3):
        assert (np.abs(books.imbalance(depth)) <= 1).all()
    # the book seen in a mirror: bids for asks, prices reflected
    top = 3000.0
    mirrored = book(
        [[(top - p, s) for p, s in a] for a in sides[1]],
        [[(top - p, s) for p, s in b] for b in sides[0]],
    )
    np.testing.assert_allclose(mirrored.imbalance(2), -books.imbalance(2), atol=1e-12)
    np.testing.assert_allclose(mirrored.microprice, top - books.microprice)
    np.testing.assert_allclose(
        mirrored.average_price(ASK, 0.05), top - books.average_price(BID, 0.05)
    )


# updates


def updates(*messages):
    """(sequence, is snapshot, [(side, price, size), ...]) -> updates, a nanosecond apart."""
    rows = [
        (i, sequence, whole, *level)
        for i, (sequence, whole, levels) in enumerate(messages)
        for level in levels
    ]
    time, sequence, snapshot, side, price, size = zip(*rows, strict=True)
    return BookUpdates(
        "X", np.array(time, np.int64), np.array(sequence, np.int64), np.array(snapshot, bool),
        np.array(side, np.int8), np.array(price, float), np.array(size, float),
    )  # fmt: skip


START = (7, True, [(BID, 100, 3), (BID, 99, 5), (ASK, 101, 1)])


def test_worked_updates():
    done = replay(
        updates(
            START,
            (8, False, [(BID, 100, 0), (ASK, 102, 4)]),  # the best bid goes, an ask comes
            (9, False, [(BID, 99.5, 2), (ASK, 101, 6), (BID, 42, 0)]),  # nothing stood at 42
        ),
        depth=2,
    )
    assert done.known.all()
    np.testing.assert_array_equal(done.book.bid_price, [[100, 99], [99, NAN], [99.5, 99]])
    np.testing.assert_array_equal(done.book.bid_size, [[3, 5], [5, 0], [2, 5]])
    np.testing.assert_array_equal(done.book.ask_price, [[101, NAN], [101, 102], [101, 102]])
    np.testing.assert_array_equal(done.book.ask_size, [[1, 0], [1, 4], [6, 4]])


def test_a_gap_makes_the_book_unknown_until_the_next_snapshot():
    done = replay(
        updates(
            START,
            (9, False, [(BID, 98, 1)]),
            (10, False, [(BID, 97, 1)]),
            (30, True, [(BID, 50, 1), (ASK, 60, 1)]),
            (31, False, [(BID, 51, 1)]),
        ),
        depth=1,
    )
    assert done.gaps.tolist() == [9]
    assert done.known.tolist() == [True, False, False, True, True]
    np.testing.assert_array_equal(done.book.best_bid, [100, NAN, NAN, 50, 51])


def test_a_feed_read_twice_changes_nothing():
    message = (8, False, [(BID, 100, 1)])
    done = replay(updates(START, message, (7, False, [(BID, 1, 1)]), message), depth=1)
    assert done.n_repeated == 2
    assert done.gaps.size == 0
    assert len(done.book) == 2


def test_a_beginning_without_a_snapshot_is_not_known():
    done = replay(updates((8, False, [(BID, 100, 1)])), depth=1)
    assert done.known.tolist() == [False]
    assert np.isnan(done.book.best_bid[0])
    with pytest.raises(BarsError, match="depth: needs 1"):
        replay(updates(START), depth=0)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([(2, 100, 1)], "a side is BID or ASK"),
        ([(BID, 0, 1)], "a price must be finite"),
        ([(BID, 100, -1)], "a size must be finite and not negative"),
    ],
)
def test_updates_that_cannot_be(levels, said):
    with pytest.raises(BarsError, match=said):
        updates((1, True, levels))


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), depth=st.integers(1, 8))
def test_updates_equal_a_dictionary(seed, n, depth):
    rng = np.random.default_rng(seed)
    messages, sides, want = [], {BID: {}, ASK: {}}, []
    for m in range(n):
        whole = m == 0 or rng.random() < 0.05
        levels = []
        for _ in range(rng.integers(1, 6)):
            side = BID if rng.random() < 0.5 else ASK
            price = 100 - side * float(rng.integers(1, 12))
            levels.append((side, price, float(rng.integers(0, 4))))
        messages.append((m, whole, levels))
        if whole:
            sides = {BID: {}, ASK: {}}
        for side, price, size in levels:
            sides[side][price] = size
        want.append({s: {p: q for p, q in sides[s].items() if q > 0} for s in sides})
    done = replay(updates(*messages), depth)
    for t, state in enumerate(want):
        for side, price, size in (
            (BID, done.book.bid_price[t], done.book.bid_size[t]),
            (ASK, done.book.ask_price[t], done.book.ask_size[t]),
        ):
            levels = sorted(state[side].items(), reverse=side == BID)[:depth]
            got = [(p, q) for p, q in zip(price, size, strict=True) if q > 0]
            assert got == levels
