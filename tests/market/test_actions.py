"""Corporate actions: worked views, and the laws that raw and adjusted bars agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import BarsError
from touchstone.market import Bars, Calendar, Panel, Timeframe
from touchstone.market.actions import (
    DELISTING,
    DIVIDEND,
    HALT,
    KINDS,
    SPLIT,
    Actions,
    adjusted,
    dividend_factor,
    on_rows,
    raw,
    split_factor,
)
from touchstone.market.implied_actions import Views, implied_dividends, merged

DAY = 86_400_000_000_000


def actions(*rows, symbol="X"):
    """(kind, ex-day, value) -> Actions, known on the ex-day."""
    kind, day, value = zip(*rows, strict=True) if rows else ((), (), ())
    time = np.array(day, np.int64) * DAY
    kinds = np.array([KINDS.index(k) for k in kind], np.int8)
    return Actions(symbol, kinds, time, time, np.array(value, float), time)


def daily(close, volume=None, symbol="X"):
    close = np.asarray(close, float)
    time = np.arange(close.size, dtype=np.int64) * DAY
    volume = np.full(close.size, 100.0) if volume is None else np.asarray(volume, float)
    return Bars(symbol, time, close, close * 1.01, close * 0.99, close, volume)


def days(bars):
    return bars.time // DAY


def test_worked_split():
    # Two for one on day 2: what cost 100 costs 50, and twice as many shares change hands.
    bars = daily([98, 100, 50, 51], [10, 10, 20, 20])
    view = adjusted(bars, actions(("split", 2, 2.0)), days(bars), "splits")
    assert view.close.tolist() == [49, 50, 50, 51]
    assert view.volume.tolist() == [20, 20, 20, 20]


def test_worked_reverse_split():
    bars = daily([1.0, 20.0], [2000, 100])
    view = adjusted(bars, actions(("split", 1, 0.05)), days(bars), "splits")
    np.testing.assert_allclose(view.close, [20, 20])
    np.testing.assert_allclose(view.volume, [100, 100])


def test_worked_dividend():
    # A dividend of 2 on a close of 100: the ex-day opens at 98, and who reinvested lost nothing.
    bars = daily([100, 98, 99])
    view = adjusted(bars, actions(("dividend", 1, 2.0)), days(bars), "total")
    np.testing.assert_allclose(view.close, [98, 98, 99])
    assert view.volume.tolist() == [100, 100, 100]
    same = adjusted(bars, actions(("dividend", 1, 2.0)), days(bars), "splits")
    assert same.close.tolist() == bars.close.tolist()


def test_worked_split_and_dividend_of_one_day():
    # The close of 100 is 50 in the ex-day's shares; 1 a new share is 2 %.
    bars = daily([100, 49])
    both = actions(("split", 1, 2.0), ("dividend", 1, 1.0))
    np.testing.assert_allclose(adjusted(bars, both, days(bars), "total").close, [49, 49])


def test_actions_without_bars_on_both_sides_change_nothing():
    bars = daily([100, 101])
    late = actions(("split", 0, 7.0), ("dividend", 0, 1.0), ("split", 2, 4.0))
    assert adjusted(bars, late, days(bars), "total").close.tolist() == [100, 101]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("split", 1, 0.0)], "a split needs a ratio"),
        ([("dividend", 1, np.nan)], "X: a split needs a ratio and a dividend an amount above 0"),
        ([("split", 3, 2.0), ("split", 1, 2.0)], "ex-times must not fall; action 1"),
        ([("delisting", 1, 1.5)], "recovery lies in 0 .. 1"),
        ([("delisting", 1, 1.0), ("split", 2, 2.0)], "nothing is traded after a delisting"),
    ],
)
def test_what_cannot_be(rows, said):
    with pytest.raises(BarsError, match=said):
        actions(*rows)


def test_a_dividend_above_the_price_is_refused():
    bars = daily([100, 98])
    with pytest.raises(BarsError, match=r"1970-01-02 are 2\.00 times the close before \(100\)"):
        adjusted(bars, actions(("dividend", 1, 200.0)), days(bars), "total")


def test_columns_of_one_length():
    one = np.zeros(1, np.int64)
    with pytest.raises(BarsError, match="column value differs in length"):
        Actions("X", one.astype(np.int8), one, one, np.zeros(2), one)


@st.composite
def markets(draw):
    """Raw bars and actions that fall anywhere in them."""
    n = draw(st.integers(2, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        day = int(rng.integers(0, n + 2))
        split = rng.random() < 0.5
        value = rng.choice([2, 3, 1.5, 7, 0.05, 0.5]) if split else rng.uniform(0.01, 0.4)
        rows.append(("split" if split else "dividend", day, float(value)))
    rows.sort(key=lambda r: (r[1], r[0] == "dividend"))
    shares = np.ones(n)
    for kind, day, value in rows:
        if kind == "split":
            shares[day:] *= value
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, n))) / shares
    bars = daily(close, rng.uniform(1, 1e6, n))
    # amounts as a share of the price, so that no day pays more than it is worth
    paid = [
        (k, d, v * 0.1 * close[min(max(d - 1, 0), n - 1)] if k == "dividend" else v)
        for k, d, v in rows
    ]
    worth = [(k, d, min(v, 0.05 * close.min()) if k == "dividend" else v) for k, d, v in paid]
    return bars, actions(*worth)


def slow_factors(bars, table):
    """(price, shares) of each bar from the page: one bar and one action at a time."""
    day = days(bars)
    price, shares = np.ones(len(bars)), np.ones(len(bars))
    for t in range(len(bars)):
        for ex in sorted(set(table.ex_day.tolist())):
            if not day[t] < ex <= day[-1]:
                continue
            of_day = table.where(table.ex_day == ex)
            ratio = np.prod(of_day.value[of_day.kind == SPLIT])
            cash = of_day.value[of_day.kind == DIVIDEND].sum()
            before = bars.close[day < ex][-1] / ratio
            price[t] *= 1 / ratio * (1 - cash / before)
            shares[t] *= ratio
    return price, shares


@settings(max_examples=60)
@given(market=markets())
def test_views_equal_the_slow_reference(market):
    bars, table = market
    price, shares = slow_factors(bars, table)
    view = adjusted(bars, table, days(bars), "total")
    np.testing.assert_allclose(view.close, bars.close * price, rtol=1e-12)
    np.testing.assert_allclose(view.volume, bars.volume * shares, rtol=1e-12)
    np.testing.assert_allclose(
        split_factor(table, days(bars)) * dividend_factor(table, days(bars), bars.close),
        price,
        rtol=1e-12,
    )


@settings(max_examples=60)
@given(market=markets(), view=st.sampled_from(["none", "splits", "total"]))
def test_raw_to_a_view_and_back(market, view):
    bars, table = market
    there = adjusted(bars, table, days(bars), view)
    back = raw(there, table, days(bars), view)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(getattr(back, name), getattr(bars, name), rtol=1e-9)
    assert there.close[-1] == bars.close[-1], "the last bar is as it was traded"


@settings(max_examples=60)
@given(market=markets())
def test_price_times_shares_is_what_changed_hands(market):
    bars, table = market
    view = adjusted(bars, table, days(bars), "splits")
    np.testing.assert_allclose(view.close * view.volume, bars.close * bars.volume, rtol=1e-12)


@settings(max_examples=60)
@given(market=markets())
def test_wealth_of_a_holder_is_the_total_view(market):
    """One share bought at the first close; each dividend buys shares at P - D of its ex-day."""
    bars, table = market
    day, shares = days(bars), 1.0
    worth = [bars.close[0]]
    for t in range(1, len(bars)):
        of_day = table.where(table.ex_day == day[t])
        ratio = float(np.prod(of_day.value[of_day.kind == SPLIT]))
        cash = float(of_day.value[of_day.kind == DIVIDEND].sum())
        shares *= ratio
        before = bars.close[t - 1] / ratio
        shares += shares * cash / (before - cash)
        worth.append(shares * bars.close[t])
    view = adjusted(bars, table, day, "total").close
    np.testing.assert_allclose(np.array(worth) / worth[0], view / view[0], rtol=1e-9)


@settings(max_examples=60)
@given(market=markets(), n=st.integers(1, 40))
def test_the_future_moves_no_return(market, n):
    bars, table = market
    head = bars.head(min(n, len(bars)))
    for view in ("splits", "total"):
        some = adjusted(head, table, days(head), view).close
        whole = adjusted(bars, table, days(bars), view).close[: len(head)]
        np.testing.assert_allclose(some[1:] / some[:-1], whole[1:] / whole[:-1], rtol=1e-12)


@settings(max_examples=60)
@given(market=markets())
def test_dividends_are_found_again(market):
    bars, table = market
    inside = (table.ex_day > 0) & (table.ex_day < len(bars))
    splits = table.where((table.kind == SPLIT) & inside)
    view = adjusted(bars, table, days(bars), "total")
    found = implied_dividends(Views(days(bars), bars.close, view.close), splits, 1e-9)
    got = found.where(found.kind == DIVIDEND)
    paid = table.where((table.kind == DIVIDEND) & inside)
    day, which = np.unique(paid.ex_day, return_inverse=True)
    np.testing.assert_array_equal(got.ex_day, day)
    np.testing.assert_allclose(got.value, np.bincount(which, paid.value, day.size), rtol=1e-6)


def test_a_missing_split_is_no_dividend():
    bars = daily([100, 101, 5, 5])
    reverse = actions(("split", 2, 0.05))
    view = adjusted(bars, reverse, days(bars), "total")
    views = Views(days(bars), bars.close, view.close)
    with pytest.raises(BarsError, match=r"1970-01-03.*a split of about 0\.05 may be missing"):
        implied_dividends(views, actions(), 1e-9)
    with pytest.raises(BarsError, match="give the splits alone"):
        implied_dividends(views, actions(("dividend", 1, 1.0)), 1e-9)
    with pytest.raises(BarsError, match="other lengths"):
        implied_dividends(views._replace(raw=bars.close[1:]), actions(), 1e-9)


def test_until_is_what_held_and_was_known():
    table = actions(("split", 1, 2.0), ("dividend", 5, 1.0))
    assert len(table.until(5 * DAY - 1)) == 1
    told_late = Actions("X", table.kind, table.ex_time, table.end, table.value,
                        np.array([9, 5]) * DAY)  # fmt: skip
    assert told_late.until(5 * DAY).kind.tolist() == [DIVIDEND]
    assert merged(table, actions(("split", 5, 3.0))).kind.tolist() == [SPLIT, SPLIT, DIVIDEND]


def test_actions_on_the_rows_of_a_panel():
    one, other = daily([10, 11, 5, 6], symbol="A"), daily([20, 21, 22], symbol="B")
    panel = Panel.from_bars([one, other], Timeframe("1d"), Calendar("24/7"))
    halt = Actions("B", np.array([HALT], np.int8), np.array([DAY // 2]), np.array([DAY + 1]),
                   np.zeros(1), np.zeros(1, np.int64))  # fmt: skip
    table = {
        "A": actions(("split", 2, 2.0), ("dividend", 2, 0.5), ("split", 9, 3.0)),
        "B": merged(halt, actions(("delisting", 3, 0.4))),
        "C": actions(("split", 1, 2.0)),
    }
    rows = on_rows(panel, table)
    assert rows.ratio.tolist() == [1, 1, 2, 1, 1, 1, 1]
    assert rows.dividend.tolist() == [0, 0, 0.5, 0, 0, 0, 0]
    assert rows.halted.tolist() == [False] * 4 + [True, True, False]
    assert np.flatnonzero(~np.isnan(rows.recovery)).tolist() == [6]
    assert rows.recovery[6] == 0.4
    assert KINDS[DELISTING] == "delisting"
