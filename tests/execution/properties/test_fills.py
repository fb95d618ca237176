"""4-7, 22, 24-26: when, at what price and how much is filled."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from execution.properties.books import reread
from execution.properties.runs import Done, run
from execution.properties.worlds import (
    Order,
    World,
    account_drawn,
    costs_drawn,
    examples,
    is_orders,
    market,
    shapes,
    worlds,
)
from touchstone.errors import BarsError
from touchstone.execution import REASONS
from touchstone.execution.records import (
    DELISTED,
    IN_LIEU,
    LIMIT_ORDER,
    MARKET_ORDER,
    STOP,
    STOP_ORDER,
    TARGET,
)
from touchstone.market import Bars, Panel
from touchstone.market.actions import SPLIT
from touchstone.strategies import Intent

KINDS = st.sampled_from([MARKET_ORDER, LIMIT_ORDER, STOP_ORDER])


def traded(done: Done) -> np.ndarray:
    """Fills by a bar, not by an action, (n_fills,)."""
    return ~np.isin(done.fills.reason, (DELISTED, IN_LIEU))


@examples
@given(worlds())
def test_04_no_fill_before_its_order_and_no_order_before_its_data(world):
    done = run(world)
    fills, panel, at = done.fills, world.panel, reread(done).at
    of_bar = traded(done)
    np.testing.assert_array_equal(panel.time[fills.row[of_bar]], done.line.time[at[of_bar]])
    if world.halted.size:
        assert not world.halted[fills.row[of_bar]].any()
    who = [panel.symbols[i] for i in panel.asset_id[fills.row]]
    assert who == done.symbol
    assert [panel.symbols[i] for i in panel.asset_id[fills.order_row]] == done.symbol
    # a stop or target stands from its entry's fill on, everything else from its order's close
    stands = np.where(
        np.isin(fills.reason, (STOP, TARGET)),
        panel.time[fills.order_row],
        panel.available_at[fills.order_row],
    )
    assert (stands <= done.line.time[at]).all()
    if isinstance(world.decision, Intent):
        entered = fills.reason == REASONS.index("entry")
        assert world.decision.enter[fills.order_row[entered]].all()
    elif is_orders(world.decision):
        given_at = {o.row for o in world.decision if o.quantity}
        by_order = fills.reason == REASONS.index("order")
        assert set(fills.order_row[by_order].tolist()) <= given_at


@examples
@given(worlds())
def test_05_references_lie_inside_their_bars_or_are_the_open(world):
    done = run(world)
    fills, panel, bar = done.fills, world.panel, traded(done)
    row, reference = fills.row[bar], fills.reference[bar]
    assert (reference >= panel.low[row]).all()
    assert (reference <= panel.high[row]).all()
    at_open = ~np.isin(fills.reason[bar], (STOP, TARGET, REASONS.index("order")))
    np.testing.assert_array_equal(reference[at_open], panel.open[row[at_open]])
    by_the_rates = fills.commission + fills.slippage + fills.spread + fills.impact
    lost = fills.side * fills.quantity * (fills.price - fills.reference) + fills.commission
    np.testing.assert_allclose(by_the_rates, lost, atol=1e-9 * world.account.cash)
    books = reread(done)
    for f in np.flatnonzero(~bar):
        last = books.close[books.at[f] - 1, sorted(panel.symbols).index(done.symbol[f])]
        recovery = [h.value for h in world.happenings if h.symbol == done.symbol[f]]
        assert fills.reference[f] > 0 or 0.0 in recovery
        assert fills.commission[f] == 0
        assert last > 0


@examples
@given(
    shape=shapes(2),
    account=account_drawn(),
    costs=costs_drawn,
    kind=KINDS,
    size=st.floats(0.05, 3.0),
    row=st.integers(0, 30),
    away=st.floats(-0.02, 0.02),
    seed=st.integers(0, 9),
)
def test_06_no_more_is_filled_than_was_ordered_and_parts_add_up(
    *, shape, account, costs, kind, size, row, away, seed
):
    panel = market(shape)
    row = min(row, len(panel) - 1)
    side = -1 if seed % 3 == 0 and account.short else 1
    quantity = float(np.floor(size * account.cash / panel.close[row]))
    if seed % 2:  # a few bars' worth of volume, in an account that can pay it
        account = account.model_copy(update={"cash": 1e6})
        quantity = float(np.ceil(size * 60))
        row = row % 4
    assume(quantity > 0 and row < len(panel))
    order = Order(row, kind, side * quantity, panel.close[row] * (1 + away), 1)
    done = run(World(panel, (order,), account, costs))
    filled = done.fills.quantity[done.fills.reason == REASONS.index("order")]
    assert (np.sign(done.fills.side[done.fills.reason == REASONS.index("order")]) == side).all()
    assert filled.sum() <= quantity * (1 + 1e-12)
    works = abs(done.state.resting["quantity"][0, : done.purse["n_resting"]]).sum()
    dropped = done.purse["n_cut"] or done.purse["n_rejected"] or done.purse["latch"]
    if not dropped and not (account.daily_loss or account.drawdown):
        np.testing.assert_allclose(filled.sum() + works, quantity, rtol=2e-6)
    if done.purse["n_cut"] == 0 and works == 0 and filled.size and not done.purse["latch"]:
        assert filled.sum() <= quantity * (1 + 1e-14 * filled.size)


@examples
@given(worlds(thin=True))
def test_07_no_more_than_its_share_of_a_bars_volume_is_filled(world):
    done = run(world)
    cap = world.costs.volume_cap
    assume(cap is not None)
    filled = np.bincount(
        done.fills.row[traded(done)], done.fills.quantity[traded(done)], len(world.panel)
    )
    assert (filled <= cap * world.panel.volume * (1 + 1e-12)).all()


@examples
@given(worlds(kinds=("wishes", "orders")))
def test_22_a_stop_is_never_left_better_than_its_trigger(world):
    done = run(world)
    fills, panel = done.fills, world.panel
    if isinstance(world.decision, Intent):
        split = {h.symbol for h in world.happenings if h.kind == SPLIT}
        entries: dict[str, tuple[int, int]] = {}
        for f in range(fills.row.size):
            symbol = done.symbol[f]
            if fills.reason[f] == REASONS.index("entry"):
                entries.setdefault(symbol, (int(fills.row[f]), int(fills.order_row[f])))
            if fills.reason[f] != STOP or symbol in split or symbol not in entries:
                if fills.left[f] == 0.0:
                    entries.pop(symbol, None)
                continue
            if fills.order_row[f] != entries[symbol][0]:
                continue
            row, wished = entries.pop(symbol)  # what it leaves over is a market order
            # a short is the long of the mirrored prices: its widths change places
            width = world.decision.down[wished]
            trigger = panel.open[row] * (1 + (fills.side[f] * width))
            met_at_once = panel.low[row] <= trigger <= panel.high[row]
            if met_at_once and fills.row[f] > row:
                continue  # the entry took the bar's volume: all of it is a market order
            assert fills.side[f] * (fills.price[f] - trigger) >= -1e-12 * trigger
        return
    triggers = {o.row: o for o in world.decision if o.kind == STOP_ORDER and o.quantity}
    rows = [o.row for o in world.decision if o.quantity]
    split_symbols = {h.symbol for h in world.happenings}
    for f in range(fills.row.size):
        order = triggers.get(int(fills.order_row[f]))
        if order is None or rows.count(order.row) > 1 or done.symbol[f] in split_symbols:
            continue
        if fills.reference[f] == panel.open[fills.row[f]]:
            continue  # what a bar left of it is a market order
        assert fills.side[f] * (fills.price[f] - order.price) >= 0


@examples
@given(shapes(2), st.integers(0, 100), st.booleans())
def test_24_a_bar_twice_is_an_error_and_never_a_double_fill(shape, where, in_panel):
    panel = market(shape)
    row = where % len(panel)
    bars = panel.bars(int(panel.asset_id[row]))
    row -= int(panel.offsets[panel.asset_id[row]])
    twice = np.insert(np.arange(len(bars)), row, row)
    names = ("time", "open", "high", "low", "close", "volume")
    columns = {n: getattr(bars, n)[twice] for n in names}
    if not in_panel:
        with pytest.raises(BarsError, match=f"{bars.symbol}: time must rise strictly; row"):
            Bars(bars.symbol, **columns)
        return
    doubled = Panel(
        (bars.symbol,), panel.timeframe, panel.calendar, np.array([0, twice.size]), **columns
    )
    with pytest.raises(BarsError, match=f"{bars.symbol}: .* twice"):
        run(World(doubled, (Order(0, MARKET_ORDER, 1.0, 0.0, 1),)))


@examples
@given(
    shape=shapes(2),
    account=account_drawn(),
    costs=costs_drawn,
    kind=KINDS,
    size=st.floats(0.01, 0.4),
    row=st.integers(0, 30),
    away=st.floats(-0.02, 0.02),
    part=st.sampled_from([0.5, 0.3]),
)
def test_25_two_halves_at_one_instant_are_one_order_to_the_cent(
    *, shape, account, costs, kind, size, row, away, part
):
    panel = market(shape)
    row = min(row, len(panel) - 1)
    quantity = float(np.floor(size * account.cash / panel.close[row] / 10) * 10)
    assume(quantity > 0)
    order = Order(row, kind, quantity, panel.close[row] * (1 + away), 1)
    sigma = np.full(len(panel), 0.01)
    whole = run(World(panel, (order,), account, costs, sigma=sigma))
    halves = tuple(
        order._replace(quantity=float(np.round(quantity * p)), number=n)
        for n, p in ((1, part), (2, 1 - part))
    )
    two = run(World(panel, halves, account, costs, sigma=sigma))
    np.testing.assert_allclose(two.equity, whole.equity, rtol=1e-12, atol=2e-6)
    np.testing.assert_allclose(two.fills.commission.sum(), whole.fills.commission.sum(), atol=1e-9)


@examples
@given(
    shape=shapes(1),
    account=account_drawn(),
    costs=costs_drawn,
    kind=KINDS,
    size=st.floats(0.01, 0.6),
    row=st.integers(0, 30),
    away=st.floats(-0.02, 0.02),
    later=st.integers(0, 5),
)
def test_26_nothing_is_filled_after_a_cancel(
    *, shape, account, costs, kind, size, row, away, later
):
    panel = market(shape)
    row = min(row, len(panel) - 1)
    at = min(row + later, len(panel) - 1)
    quantity = float(np.floor(size * account.cash / panel.close[row]))
    orders = (
        Order(row, kind, quantity, panel.close[row] * (1 + away), 7),
        Order(at, MARKET_ORDER, 0.0, 0.0, 7),
    )
    assume(quantity > 0)
    done = run(World(panel, orders, account, costs))
    ordered = done.fills.reason == REASONS.index("order")
    assert (done.fills.row[ordered] <= at).all()
    # and what was filled before it is what an order without a cancel had by then
    freely = run(World(panel, orders[:1], account, costs))
    by_then = (freely.fills.row <= at).sum()
    np.testing.assert_array_equal(done.fills.quantity[:by_then], freely.fills.quantity[:by_then])


@examples
@given(shapes(1, thin=False), st.sampled_from([LIMIT_ORDER, STOP_ORDER]), st.integers(1, 6),
       st.floats(-0.03, 0.03))  # fmt: skip
def test_26_nothing_is_filled_after_it_expired(shape, kind, life, away):
    panel = market(shape)
    price = panel.close[0] * (1 + away)
    done = run(World(panel, (Order(0, kind, 1.0, price, 1, life),)))
    met = np.flatnonzero(
        (panel.low < price) | (panel.open < price) if kind == LIMIT_ORDER else panel.high >= price
    )
    last = done.line.time[min(life, done.line.time.size - 1)]
    met = met[(met > 0) & (panel.time[met] <= last) & (panel.volume[met] > 0)]
    assert (panel.time[done.fills.row] <= last).all() or kind == STOP_ORDER
    assert (done.fills.row.size > 0) == (met.size > 0)
