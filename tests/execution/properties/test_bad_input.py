"""Bad input of panels, decisions and the engine: a clear error, or the documented rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.properties.runs import decided, events_of, fresh, line_of, run
from execution.properties.worlds import (
    FREE,
    Happening,
    Order,
    Weighting,
    World,
    examples,
    market,
    shapes,
)
from touchstone.backtest import run as backtest
from touchstone.errors import BarsError, ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.execution.history import follow_orders, timeline
from touchstone.execution.records import LIMIT_ORDER, MARKET_ORDER, STOP_ORDER, tape
from touchstone.ledger import MemoryLedger
from touchstone.market import Bars, Panel
from touchstone.strategies import Intent, Targets
from walks import HOUR_NS, START_NS, flat, panel_of, random_panel

BAD_PRICES = (0.0, -1.0, np.nan, np.inf, -np.inf)
CASH = AccountConfig(cash=10_000)


def backtested(panel, decision, account=CASH, costs=None):
    return backtest(panel, decision, account, costs or CostsConfig(), MemoryLedger(), "data")


def intent(panel, **columns):
    n = len(panel)
    every = {
        "enter": np.ones(n, bool), "rank": np.zeros(n), "leave": np.zeros(n, bool),
        "up": np.full(n, np.inf), "down": np.full(n, np.inf), "weight": np.full(n, 0.2),
    }  # fmt: skip
    return Intent(**{**every, **columns}, hold_bars=3, max_positions=5)


@examples
@given(shapes(3), st.integers(0, 100), st.sampled_from(["open", "high", "low", "close"]),
       st.sampled_from(BAD_PRICES))  # fmt: skip
def test_a_price_that_is_none_is_named_with_its_row(shape, where, name, value):
    panel = market(shape)
    row = where % len(panel)
    bars = panel.bars(int(panel.asset_id[row]))
    row -= int(panel.offsets[panel.asset_id[row]])
    columns = {n: getattr(bars, n).copy() for n in ("open", "high", "low", "close", "volume")}
    columns[name][row] = value
    with pytest.raises(
        BarsError, match=f"{bars.symbol}: {name} must be finite and positive; row {row} "
    ):
        Bars(bars.symbol, bars.time, **columns)


@pytest.mark.parametrize("volume", [-1.0, np.nan, np.inf])
def test_a_volume_that_is_none_is_named(volume):
    bars = flat(5)
    columns = (bars.open, bars.high, bars.low, bars.close, np.r_[bars.volume[:4], volume])
    with pytest.raises(BarsError, match="FLAT: volume must be finite and not negative; row 4"):
        Bars("FLAT", bars.time, *columns)


def test_times_that_fall_and_symbols_that_stand_twice_are_named():
    bars = flat(5)
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    with pytest.raises(BarsError, match="FLAT: time must rise strictly; row 1"):
        Bars("FLAT", bars.time[::-1], *columns)
    with pytest.raises(BarsError, match="FLAT: stands twice in one panel"):
        panel_of(bars, bars)


def test_a_panel_made_by_hand_with_a_bar_twice_is_refused_where_it_is_used():
    panel = random_panel(2, 9)
    rows = np.insert(np.arange(18), 12, 12)
    names = ("time", "open", "high", "low", "close", "volume")
    doubled = Panel(
        panel.symbols, panel.timeframe, panel.calendar, np.array([0, 9, 19]),
        **{n: getattr(panel, n)[rows] for n in names},
    )  # fmt: skip
    with pytest.raises(BarsError, match=r"S01: the bar of 2022-01-01T03:00:00 UTC stands twice"):
        backtested(doubled, intent(doubled))


def test_without_volume_nothing_is_filled_and_without_any_it_is_said():
    bars = flat(8)
    columns = (bars.open, bars.high, bars.low, bars.close)
    dry = panel_of(Bars("FLAT", bars.time, *columns, np.zeros(8)))
    with pytest.raises(ConfigError, match=r"volume_cap: 0.1 of a bar's volume lets nothing fill"):
        backtested(dry, intent(dry))
    panel = panel_of(Bars("FLAT", bars.time, *columns, np.r_[np.zeros(4), np.full(4, 1e9)]))
    done = backtested(panel, intent(panel))
    assert done.fills.row[0] == 4
    assert (done.equity[:4] == 10_000).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -0.1, 1.0001])
def test_a_wish_of_a_weight_out_of_range_is_refused(value):
    panel = panel_of(flat(8))
    weight = np.full(8, 0.2)
    weight[3] = value
    with pytest.raises(ConfigError, match=r"weight must lie in \(0, 1\] .* row 3 \(FLAT\)"):
        backtested(panel, intent(panel, weight=weight))


def test_a_rank_that_is_nan_is_refused_and_infinite_ones_rank_as_numbers_do():
    panel = random_panel(3, 8)
    rank = np.zeros(24)
    rank[4] = np.nan
    with pytest.raises(ConfigError, match=r"rank must not be nan .* row 4 \(S00\)"):
        backtested(panel, intent(panel, rank=rank))
    rank = np.repeat([-np.inf, 1e300, np.inf], 8)
    poor = backtested(panel, intent(panel, rank=rank)._replace(max_positions=1))
    assert panel.symbols[panel.asset_id[poor.fills.row[0]]] == "S02"


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.inf, "targets.*weight"),
        (-np.inf, "targets.*weight"),
        (-0.5, "may not be short"),
    ],
)
def test_a_target_that_this_account_cannot_hold_is_refused(weight, message):
    panel = panel_of(flat(8))
    column = np.full(8, 0.2)
    column[2] = weight
    with pytest.raises(ConfigError, match=message):
        backtested(panel, Targets(column, 0.0))


def test_columns_of_another_length_are_refused():
    panel = panel_of(flat(8))
    with pytest.raises(ConfigError, match=r"needs one value per row of the panel \(8,\)"):
        backtested(panel, Targets(np.full(7, 0.1), 0.0))
    with pytest.raises(ConfigError, match=r"intent.rank: needs one value per row"):
        backtested(panel, intent(panel, rank=np.zeros(9)))


@pytest.mark.parametrize("units", ["fractional", "whole"])
def test_more_than_the_cash_is_cut_and_never_borrowed(units):
    panel = random_panel(5, 40, 1)
    account = CASH.model_copy(update={"units": units})
    done = backtested(panel, intent(panel, weight=np.ones(len(panel))), account)
    assert (done.cash >= 0).all()
    assert done.n_rejected + done.n_cut > 0
    weights = backtested(panel, Targets(np.ones(len(panel)), 0.0), account)
    assert (weights.cash >= 0).all()
    assert weights.fills.row.size


@pytest.mark.parametrize("key", ["commission_bp", "slippage_bp", "half_spread_bp", "sell_fee_bp"])
@pytest.mark.parametrize("value", [10_000.0, -1.0, np.nan, np.inf])
def test_costs_of_the_whole_price_or_of_none_are_refused(key, value):
    with pytest.raises(Exception, match=key):
        CostsConfig(**{key: value})


@pytest.mark.parametrize("kind", [MARKET_ORDER, LIMIT_ORDER, STOP_ORDER])
def test_a_cash_account_sells_nothing_that_it_has_not(kind):
    panel = panel_of(flat(8, high={3: 120.0}, low={3: 80.0}))
    price = 90.0 if kind == STOP_ORDER else 110.0
    done = run(World(panel, (Order(0, kind, -5.0, price, 1),), CASH, FREE))
    assert done.fills.row.size == 0
    assert done.purse["n_rejected"] == 1
    assert (done.equity == 10_000).all()


def test_orders_beyond_the_capacity_are_rejected_and_counted():
    panel = panel_of(flat(8))
    orders = tuple(Order(0, LIMIT_ORDER, 1.0, 101.0, n) for n in range(5))
    done = run(World(panel, orders, CASH, FREE, n_resting=2))
    assert done.fills.quantity.sum() == 2
    assert done.purse["n_rejected"] == 3


def test_a_nan_weight_leaves_the_instrument_as_it_is():
    panel = panel_of(flat(8))
    weight = np.full(8, np.nan)
    weight[1] = 0.5
    done = run(World(panel, Weighting(weight), CASH, FREE))
    assert done.fills.row.tolist() == [2]
    assert done.fills.quantity.tolist() == [50.0]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("instrument", 7, "unknown instrument"),
        ("instrument", -1, "unknown instrument"),
        ("row", 99, "not its instrument's bar"),
        ("row", 3, "not its instrument's bar"),
        ("kind", 5, "unknown kind"),
        ("quantity", np.nan, "a quantity must be finite"),
        ("price", -1.0, "needs a price above 0"),
        ("price", np.nan, "needs a price above 0"),
    ],
)
def test_an_order_that_cannot_be_is_named(column, value, message):
    world = World(panel_of(flat(8)), (Order(0, LIMIT_ORDER, 1.0, 101.0, 42),), CASH, FREE)
    line = line_of(world)
    told = decided(world, line)
    told.order[column] = value
    with pytest.raises(ConfigError, match=f"order 42 .*{message}"):
        follow_orders(fresh(world), line, told, tape(9))


def test_orders_of_another_history_or_unsorted_are_refused():
    world = World(panel_of(flat(8)), (Order(0, LIMIT_ORDER, 1.0, 101.0, 42),), CASH, FREE)
    line = line_of(world)
    told = decided(world, line)
    for first in (told.first[:-1], told.first[::-1].copy()):
        with pytest.raises(ConfigError, match="orders: first needs 9 places that rise"):
            follow_orders(fresh(world), line, told._replace(first=first), tape(9))


def test_a_part_of_a_unit_is_refused_where_units_are_whole():
    account = CASH.model_copy(update={"units": "whole"})
    world = World(panel_of(flat(8)), (Order(0, MARKET_ORDER, 1.5, 0.0, 42),), account, FREE)
    with pytest.raises(ConfigError, match=r"order 42 .* holds whole units; quantity is 1\.5"):
        run(world)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"instrument": np.array([4])}, "unknown instrument"),
        ({"kind": np.array([9], np.int8)}, "its kind is none of"),
        ({"value": np.array([-2.0])}, "a split needs a ratio"),
        ({"value": np.array([np.nan])}, "a split needs a ratio"),
        ({"kind": np.array([3], np.int8)}, "recovery lies in 0 .. 1"),
        ({"first": np.array([0, 1, 0, 1, 1, 1, 1, 1, 1])}, "unsorted"),
    ],
)
def test_an_event_that_cannot_be_is_named(changed, message):
    split = (Happening(START_NS + 2 * HOUR_NS, "FLAT", 0, 2.0),)
    world = World(panel_of(flat(8)), (), CASH, FREE, split)
    events = events_of(world)._replace(**changed)
    with pytest.raises((BarsError, ConfigError), match=message):
        timeline(world.panel, events)


def test_fees_above_the_price_never_borrow():
    costs = CostsConfig(commission_per_unit=1000.0, volume_cap=None)
    orders = (Order(0, MARKET_ORDER, 9.0, 0.0, 1), Order(3, MARKET_ORDER, -9.0, 0.0, 2))
    done = run(World(panel_of(flat(8)), orders, CASH, costs))
    assert done.fills.row.tolist() == [1, 4]
    assert (done.path.cash >= 0).all()
