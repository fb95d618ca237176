"""1-3, 10, 11, 20, 21, 27: money is where it should be, and only there."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from execution.properties.books import reread
from execution.properties.runs import Done, run
from execution.properties.worlds import (
    FREE,
    Happening,
    Order,
    World,
    account_drawn,
    costs_drawn,
    examples,
    market,
    shapes,
    with_actions,
    worlds,
)
from touchstone.backtest.trades import holdings_of, trades_of
from touchstone.execution import AccountConfig
from touchstone.execution.records import LIMIT_ORDER, MARKET_ORDER, STOP_ORDER
from touchstone.market import Bars
from touchstone.market.actions import DELISTING, DIVIDEND, SPLIT
from walks import flat, panel_of


def money(done: Done) -> float:
    """A tolerance: far below a cent for these accounts."""
    return 1e-9 * done.world.account.cash


@examples
@given(worlds())
def test_01_cash_and_positions_are_the_equity(world):
    done = run(world)
    books = reread(done)
    np.testing.assert_allclose(done.path.cash, books.cash, rtol=0, atol=money(done))
    np.testing.assert_allclose(done.path.invested, books.invested, rtol=0, atol=money(done))
    worth = done.path.cash + (books.quantity * books.close).sum(axis=1)
    np.testing.assert_allclose(done.equity, worth, rtol=0, atol=money(done))
    assert done.purse["equity"] == done.path.cash[-1] + done.path.invested[-1]
    left = np.abs(done.fills.left)
    if not ((left > 0) & (left < 1e-9)).any():
        np.testing.assert_array_equal(done.path.n_held, (books.quantity != 0).sum(axis=1))


def test_01_dust_is_no_position():
    orders = (
        Order(0, MARKET_ORDER, 0.1, 0.0, 1),
        Order(1, MARKET_ORDER, 0.2, 0.0, 2),
        Order(3, MARKET_ORDER, -0.3, 0.0, 3),
    )
    panel = panel_of(flat(8))
    done = run(World(panel, orders, AccountConfig(cash=10_000), FREE))
    assert done.path.n_held.tolist() == [0, 1, 1, 1, 0, 0, 0, 0]
    assert trades_of(panel, done.fills).pnl.size == 1


@examples
@given(worlds())
def test_02_equity_changes_by_moves_of_price_less_costs_plus_dividends(world):
    done = run(world)
    books, fills = reread(done), done.fills
    recorded = fills.commission + fills.slippage + fills.spread + fills.impact
    costs = np.bincount(books.at, recorded, books.cash.size)
    change = np.diff(done.equity, prepend=world.account.cash)
    np.testing.assert_allclose(
        change, books.earned - costs + books.dividends - books.interest, rtol=0, atol=money(done)
    )
    np.testing.assert_allclose(costs, books.costs, rtol=0, atol=money(done))
    assert abs(done.purse["dividends"] - books.dividends.sum()) <= money(done)
    assert abs(done.purse["financed"] - books.interest.sum()) <= money(done)


@examples
@given(worlds(actions=(DIVIDEND,)))
def test_03_realised_and_unrealised_are_what_the_account_gained(world):
    done = run(world)
    trades, held = trades_of(world.panel, done.fills), holdings_of(world.panel, done.fills)
    gained = trades.pnl.sum() + held.unrealised.sum()
    gained += done.purse["dividends"] - done.purse["financed"]
    assert abs(gained - (done.equity[-1] - world.account.cash)) <= money(done)


@examples
@given(shapes(), account_drawn(), costs_drawn, st.integers(0, 1_000))
def test_10_without_trades_equity_is_flat(shape, account, costs, seed):
    panel, happenings = with_actions(market(shape), seed, (SPLIT, DIVIDEND, DELISTING))
    far = (
        Order(0, LIMIT_ORDER, 1.0, panel.low.min() * 0.5, 1),
        Order(0, STOP_ORDER, 1.0, panel.high.max() * 20, 2),
        Order(0, MARKET_ORDER, -1.0, 0.0, 3),  # a cash account has nothing to sell
    )
    done = run(World(panel, far[: 2 if account.short else 3], account, costs, happenings))
    assert done.fills.row.size == 0
    np.testing.assert_array_equal(done.path.cash, np.full(done.line.time.size, account.cash))
    assert not done.path.invested.any()


@examples
@given(shapes(1, thin=False), costs_drawn, st.integers(0, 1_000), st.floats(0.1, 0.9))
def test_11_buy_and_hold_is_the_closed_form(shape, costs, seed, share):
    panel, happenings = with_actions(market(shape), seed, (SPLIT, DIVIDEND))
    costs = costs.model_copy(update={"impact": 0.0})
    assume(len(panel) > 1)
    quantity = share * 10_000 / panel.close[0]
    done = run(World(panel, (Order(0, MARKET_ORDER, quantity, 0.0, 1),),
                     AccountConfig(cash=10_000), costs, happenings))  # fmt: skip
    split_first = [h.value for h in happenings if h.kind == SPLIT and h.time <= panel.time[1]]
    quantity *= np.prod(split_first)
    price = panel.open[1] * (1 + (costs.slippage_bp + costs.half_spread_bp) * 1e-4)
    paid = max(
        quantity * (price * costs.commission_bp * 1e-4 + costs.commission_per_unit),
        costs.commission_minimum,
    )
    received, left = 0.0, quantity
    for h in happenings:
        if h.time > panel.time[1]:
            received += left * h.value if h.kind == DIVIDEND else 0.0
            left *= h.value if h.kind == SPLIT else 1.0
    assume(quantity * price + paid < 10_000)
    value = (
        left
        * panel.close[-1]
        / np.prod([h.value for h in happenings if h.kind == SPLIT and h.time > panel.time[-1]])
    )
    needed = 10_000 - quantity * price - paid + received + value
    assert abs(done.equity[-1] - needed) <= (0.0051 if costs.round_to_cents else 1e-8)


@examples
@given(shapes(1, thin=False), st.integers(2, 40), st.floats(0.001, 0.2))
def test_20_a_dividend_reinvested_at_its_open_is_neutral(shape, when, share):
    """All the money is invested: only the dividend itself can pay for what it buys."""
    panel = market(shape)
    assume(2 <= when < len(panel))
    quantity = 10_000 / panel.open[1]
    buy = Order(0, MARKET_ORDER, quantity * (1 - 1e-12), 0.0, 1)
    account = AccountConfig(cash=10_000)
    plain = run(World(panel, (buy,), account, FREE))
    dividend = panel.open[when] * share
    fallen = np.where(np.arange(len(panel)) >= when, 1 - share, 1.0)
    columns = [getattr(panel, n) * fallen for n in ("open", "high", "low", "close")]
    paying = panel_of(Bars("S0", panel.time, *columns, panel.volume))
    again = Order(when - 1, MARKET_ORDER, quantity * share / (1 - share) * (1 - 1e-11), 0.0, 2)
    paid = (Happening(int(panel.time[when]), "S0", DIVIDEND, dividend),)
    done = run(World(paying, (buy, again), account, FREE, paid))
    assert done.fills.row.size == 2
    np.testing.assert_allclose(done.equity, plain.equity, rtol=1e-9)
    assert done.purse["n_cut"] == 0


@examples
@given(worlds(short=False))
def test_21_long_only_is_never_negative_and_cash_never_borrowed(world):
    done = run(world)
    books = reread(done)
    assert (done.path.cash >= 0).all()
    assert (books.quantity >= 0).all()
    assert (done.fills.left >= 0).all()
    assert done.purse["financed"] == 0
    assert (done.state.positions["quantity"] >= 0).all()


@examples
@given(
    costs=costs_drawn,
    units=st.sampled_from(["fractional", "whole"]),
    short=st.booleans(),
    quantity=st.floats(1.0, 60.0),
    leave=st.sampled_from([MARKET_ORDER, STOP_ORDER]),
    hold=st.sampled_from([1, 2, 7]),
    thin=st.booleans(),
)
def test_27_a_round_trip_at_one_price_loses_the_recorded_costs(
    *, costs, units, short, quantity, leave, hold, thin
):
    quantity = float(int(quantity)) if units == "whole" else quantity
    bars = flat(40)
    volume = np.full(40, 150.0 if thin else 1e9)
    panel = panel_of(Bars("FLAT", bars.time, bars.open, bars.high, bars.low, bars.close, volume))
    side = -1.0 if short else 1.0
    orders = (
        Order(0, MARKET_ORDER, side * quantity, 0.0, 1),
        Order((20 if thin else 0) + hold, leave, -side * quantity, 100.0, 2),
    )
    sigma = np.full(40, 0.01)
    costs = costs.model_copy(update={"borrow_bp": 0.0})
    account = AccountConfig(cash=10_000, short=short, units=units)
    done = run(World(panel, orders, account, costs, sigma=sigma))
    fills = done.fills
    lost = fills.commission + fills.quantity * np.abs(fills.price - fills.reference)
    assert fills.row.size >= 2
    np.testing.assert_allclose(10_000 - done.equity[-1] - done.path.invested[-1] * 0,
                               lost.sum(), rtol=0, atol=1e-7)  # fmt: skip
    recorded = fills.commission + fills.slippage + fills.spread + fills.impact
    np.testing.assert_allclose(recorded, lost, rtol=0, atol=1e-9)
