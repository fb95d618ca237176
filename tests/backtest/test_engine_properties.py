"""The properties of the engine, numbered as the market semantics number them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.engine import follow as slowly
from reference.intents import EXACT, FREE, follow, intent_of, random_intent
from touchstone.backtest import baselines, daily, recost, sweep
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.execution.account import accounts
from touchstone.execution.history import replay, timeline
from touchstone.execution.records import STOP, TARGET, tape
from touchstone.market import Panel
from touchstone.metrics import trading
from walks import flat, panel_of, random_panel, random_walk

seeds = st.integers(0, 10_000)
worlds = st.builds(
    lambda seed, n, missing, share, hold, slots: (
        (panel := random_panel(n, 120, seed, missing)),
        random_intent(panel, seed, share, (0.05, 0.6), slots, hold),
    ),
    seeds,
    st.integers(1, 5),
    st.sampled_from([0.0, 0.15]),
    st.sampled_from([0.05, 0.5]),
    st.integers(1, 8),
    st.integers(1, 5),
)
few = settings(max_examples=25, deadline=None)


def position_path(panel, run):
    """Quantity held after each time, (n_times, n_instruments), from the fills alone."""
    quantity = np.zeros((run.time.size, panel.n_instruments))
    at = np.searchsorted(run.time, panel.time[run.fills.row])
    np.add.at(quantity, (at, panel.asset_id[run.fills.row]), run.fills.side * run.fills.quantity)
    return quantity.cumsum(axis=0)


def known_close(panel):
    """Last known close at each time, 0 before the first, (n_times, n_instruments)."""
    close = panel.blocks().spread(panel.close, missing=np.nan)
    for t in range(1, len(close)):
        close[t] = np.where(np.isnan(close[t]), close[t - 1], close[t])
    return np.nan_to_num(close)


@few
@given(worlds)
def test_1_cash_and_positions_are_the_equity(world):
    panel, intent = world
    run = follow(panel, intent)
    worth = (position_path(panel, run) * known_close(panel)).sum(axis=1)
    np.testing.assert_allclose(run.cash + worth, run.equity, rtol=1e-12)
    np.testing.assert_array_equal(run.cash + run.invested, run.equity)


@few
@given(worlds)
def test_2_equity_changes_by_moves_of_price_less_costs(world):
    panel, intent = world
    run = follow(panel, intent)
    fills = run.fills
    at = np.searchsorted(run.time, panel.time[fills.row])
    held, close = position_path(panel, run), known_close(panel)
    before = np.vstack([np.zeros_like(held[:1]), held[:-1]])
    earned = (before * np.diff(close, axis=0, prepend=close[:1])).sum(axis=1)
    signed = fills.side * fills.quantity
    np.add.at(earned, at, signed * (close[at, panel.asset_id[fills.row]] - fills.reference))
    np.add.at(earned, at, -(fills.commission + fills.slippage + fills.spread))
    np.testing.assert_allclose(np.diff(run.equity, prepend=run.initial_cash), earned, atol=1e-4)


@few
@given(worlds)
def test_3_realised_and_unrealised_are_what_the_account_gained(world):
    run = follow(*world)
    gained = run.trades.pnl.sum() + run.holdings.unrealised.sum()
    np.testing.assert_allclose(gained, run.equity[-1] - run.initial_cash, atol=1e-4)


@few
@given(worlds)
def test_4_no_fill_before_its_order_and_no_order_before_its_data(world):
    panel, intent = world
    fills = follow(panel, intent).fills
    in_bar = fills.reason >= STOP
    ordered, filled = panel.available_at[fills.order_row], panel.time[fills.row]
    assert (ordered[~in_bar] <= filled[~in_bar]).all()
    np.testing.assert_array_equal(fills.row[~in_bar], fills.order_row[~in_bar] + 1)
    assert (fills.row[in_bar] >= fills.order_row[in_bar]).all()
    bought = fills.side > 0
    assert intent.enter[fills.order_row[bought]].all()


@few
@given(worlds)
def test_5_references_lie_inside_their_bars(world):
    panel, intent = world
    fills = follow(panel, intent).fills
    assert (fills.reference >= panel.low[fills.row]).all()
    assert (fills.reference <= panel.high[fills.row]).all()
    in_bar = fills.reason >= STOP
    np.testing.assert_array_equal(fills.reference[~in_bar], panel.open[fills.row[~in_bar]])


@few
@given(worlds)
def test_6_no_more_is_filled_than_was_ordered(world):
    panel, intent = world
    run = follow(panel, intent)
    bought = run.fills.side > 0
    row = run.fills.order_row[bought]
    equity = run.equity[np.searchsorted(run.time, panel.time[row])]
    wished = intent.weight[row] * equity / panel.close[row]
    assert (run.fills.quantity[bought] <= wished * (1 + 1e-12)).all()
    after = position_path(panel, run)
    assert (np.abs(after[np.abs(after) < 1e-6]) == 0).all(), "sold whole"


@few
@given(worlds, st.sampled_from([0.0, 0.5, 2.0, 5.0]))
def test_8_equity_does_not_rise_with_the_commission(world, more):
    panel, intent = world
    costs = CostsConfig()
    run = follow(panel, intent, costs)
    dearer = costs.model_copy(update={"commission_bp": costs.commission_bp + more})
    assert (recost(panel, run, dearer, 1.0).equity <= run.equity + 1e-9).all()


@few
@given(worlds, st.sampled_from([0.0, 0.5, 2.0, 5.0]))
def test_9_nor_with_slippage(world, more):
    panel, intent = world
    costs = CostsConfig(round_to_cents=False)
    run = follow(panel, intent, costs)
    dearer = costs.model_copy(update={"slippage_bp": costs.slippage_bp + more})
    # a sale at a lower price pays less commission, which is less than the slippage it pays more
    assert (recost(panel, run, dearer, 1.0).equity <= run.equity + 1e-9).all()


@few
@given(seeds)
def test_10_without_trades_equity_is_flat(seed):
    panel = random_panel(3, 50, seed)
    run = follow(panel, intent_of(panel, []))
    np.testing.assert_array_equal(run.equity, np.full(50, 1e6))
    assert (daily(panel, run)[1] == 0).all()
    assert not run.exposure.any()


@few
@given(seeds, st.booleans())
def test_11_buy_and_hold_is_the_closed_form(seed, to_cents):
    panel = random_panel(4, 60, seed, missing=0.1)
    costs = CostsConfig(round_to_cents=to_cents)
    run = baselines.buy_and_hold(panel, AccountConfig(cash=10_000), costs)
    first, last = panel.offsets[:-1], panel.offsets[1:] - 1
    price = panel.open[first] * 1.0005
    quantity = 2_500 / 1.001 / price
    np.testing.assert_allclose(run.fills.quantity[np.argsort(run.fills.row)], quantity, rtol=5e-6)
    np.testing.assert_allclose(run.equity[-1], (quantity * panel.close[last]).sum(), atol=0.1)
    assert (run.cash >= 0).all()


@pytest.mark.parametrize("k", [0.25, 2.0, 1024.0])
@pytest.mark.parametrize("seed", range(5))
def test_12_another_unit_of_money_gives_the_same_returns_bit_by_bit(seed, k):
    panel = random_panel(4, 200, seed, missing=0.1)
    intent = random_intent(panel, seed, 0.5, (0.1, 0.6))
    columns = {n: getattr(panel, n) * k for n in ("open", "high", "low", "close")}
    names = ("symbols", "timeframe", "calendar", "offsets", "time", "volume")
    scaled = Panel(**columns, **{n: getattr(panel, n) for n in names})
    run, other = follow(panel, intent, EXACT), follow(scaled, intent, EXACT, 1e6 * k)
    np.testing.assert_array_equal(daily(panel, run)[1], daily(scaled, other)[1])
    np.testing.assert_array_equal(run.equity * k, other.equity)


@few
@given(worlds, seeds)
def test_13_the_order_of_the_symbols_changes_nothing(world, seed):
    panel, intent = world
    order = np.random.default_rng(seed).permutation(panel.n_instruments)
    shuffled = panel_of(*(panel.bars(i) for i in order))
    rows = np.concatenate([np.arange(panel.offsets[i], panel.offsets[i + 1]) for i in order])
    moved = intent._replace(**{n: getattr(intent, n)[rows] for n in intent._fields[:6]})
    run, other = follow(panel, intent), follow(shuffled, moved)
    np.testing.assert_array_equal(run.equity, other.equity)
    np.testing.assert_array_equal(run.fills.row, rows[other.fills.row])
    np.testing.assert_array_equal(run.fills.quantity, other.fills.quantity)


@few
@given(worlds, st.sampled_from(["A", "S00X", "Z"]))
def test_14_a_symbol_that_is_not_traded_changes_nothing(world, symbol):
    panel, intent = world
    extra = random_walk(140, 99, symbol=symbol)
    wider = panel_of(*(panel.bars(i) for i in range(panel.n_instruments)), extra)
    n = len(extra)
    nothing = dict.fromkeys(("rank", "up", "down", "weight"), np.ones(n)) | dict.fromkeys(
        ("enter", "leave"), np.zeros(n, bool)
    )
    wide = intent._replace(**{k: np.r_[getattr(intent, k), v] for k, v in nothing.items()})
    run, other = follow(panel, intent), follow(wider, wide)
    np.testing.assert_array_equal(run.fills.row, other.fills.row)
    np.testing.assert_array_equal(run.trades.pnl, other.trades.pnl)
    shared = np.isin(other.time, run.time)
    np.testing.assert_array_equal(run.equity, other.equity[shared])


@few
@given(worlds, st.integers(1, 100))
def test_15_two_runs_with_the_state_carried_are_one(world, cut):
    panel, intent = world
    from touchstone.backtest.replay import wishes_of

    def fresh():
        state = accounts(
            1, panel.n_instruments, AccountConfig(), CostsConfig(), intent.max_positions
        )
        return state, tape(10_000)

    line = timeline(panel)
    wishes = wishes_of(panel, line, intent)
    state, filled = fresh()
    whole = replay(state, line, wishes, filled)
    carried, filled_twice = fresh()
    halves = []
    for part in (slice(None, cut), slice(cut, None)):
        times = line._replace(time=line.time[part], day=line.day[part], rows=line.rows[part])
        first = wishes.first[slice(part.start, None if part.stop is None else part.stop + 1)]
        halves.append(replay(carried, times, wishes._replace(first=first), filled_twice))
    for a, b, both in zip(*halves, whole, strict=True):
        np.testing.assert_array_equal(np.r_[a, b], both)
    n = int(filled.n[0])
    assert n == filled_twice.n[0]
    assert filled.fills[:n].tobytes() == filled_twice.fills[:n].tobytes()
    for one, other in zip(state, carried, strict=True):
        np.testing.assert_array_equal(one, other)


@few
@given(worlds, st.integers(2, 118))
def test_16_a_future_cut_off_leaves_the_past(world, cut):
    panel, intent = world
    keep = panel.time <= panel.time.min() + cut * panel.timeframe.ns
    short = panel.where(keep)
    kept = intent._replace(**{n: getattr(intent, n)[keep] for n in intent._fields[:6]})
    run, past = follow(panel, intent), follow(short, kept)
    n = past.time.size
    np.testing.assert_array_equal(run.equity[:n], past.equity)
    np.testing.assert_array_equal(run.cash[:n], past.cash)
    rows = np.flatnonzero(keep)[past.fills.row]
    np.testing.assert_array_equal(run.fills.row[: rows.size], rows)


@few
@given(worlds)
def test_21_never_short_and_never_in_debt(world):
    panel, intent = world
    run = follow(panel, intent._replace(weight=np.ones(len(panel))), cash=5_000.0)
    assert (run.cash >= 0).all()
    assert (position_path(panel, run) >= -1e-9).all()
    assert (run.n_held <= intent.max_positions + panel.n_instruments).all()


@few
@given(worlds)
def test_22_a_stop_is_never_left_above_its_trigger(world):
    panel, intent = world
    trades = follow(panel, intent, FREE).trades
    stopped = trades.reason == STOP
    entry = trades.entry_row[stopped]
    trigger = panel.open[entry] * (1 - intent.down[entry - 1])
    assert (trades.exit_price[stopped] <= trigger).all()
    hit = trades.reason == TARGET
    entry = trades.entry_row[hit]
    assert (trades.exit_price[hit] >= panel.open[entry] * (1 + intent.up[entry - 1])).all()


@pytest.mark.parametrize("to_cents", [False, True])
@pytest.mark.parametrize("bp", [(0, 0, 0), (10, 5, 0), (7, 3, 2)])
def test_27_a_round_trip_at_one_price_loses_the_recorded_costs(bp, to_cents):
    panel = panel_of(flat(9))
    costs = CostsConfig(
        commission_bp=bp[0], slippage_bp=bp[1], half_spread_bp=bp[2], round_to_cents=to_cents
    )
    run = follow(panel, intent_of(panel, [0]), costs, 12_345.67)
    assert run.trades.pnl.size == 1
    np.testing.assert_allclose(run.equity[-1], 12_345.67 - run.paid.total, rtol=1e-14)
    np.testing.assert_allclose(run.trades.pnl, -run.trades.costs, atol=1e-9)
    np.testing.assert_allclose(run.paid.total, run.trades.costs.sum(), rtol=1e-12)


def test_28_the_same_again_bit_by_bit():
    panel = random_panel(5, 300, 3, missing=0.1)
    intent = random_intent(panel, 3, 0.5)
    run, again = follow(panel, intent), follow(panel, intent)
    for one, other in zip((*run[1:6], *run.fills), (*again[1:6], *again.fills), strict=True):
        assert one.tobytes() == other.tobytes()


def test_29_a_sweep_is_its_single_runs_and_the_reference():
    panel = random_panel(3, 80, 4, missing=0.1)
    intents = [random_intent(panel, seed, 0.3) for seed in range(4)]
    together = sweep(panel, intents, AccountConfig(cash=10_000), CostsConfig())
    for run, intent in zip(together, intents, strict=True):
        alone = follow(panel, intent, cash=10_000.0)
        assert run.equity.tobytes() == alone.equity.tobytes()
        path, _ = slowly(panel, intent, 10_000, CostsConfig())
        np.testing.assert_allclose(run.equity, [float(e) for _, e in path], atol=0.005)


def test_30_the_measures_of_a_run_agree_with_each_other():
    panel = random_panel(4, 24 * 40, 5)
    run = follow(panel, random_intent(panel, 5, 0.3))
    day, returns = daily(panel, run)
    assert day.size == 40
    per_year = panel.calendar.days_per_year
    sharpe = trading.sharpe(returns, per_year)
    assert sharpe == pytest.approx(trading.sharpe(returns * 8.0, per_year), rel=1e-12)
    annual = returns.mean() * per_year, returns.std(ddof=1) * per_year**0.5
    assert sharpe == pytest.approx(annual[0] / annual[1], rel=1e-12)
    assert 0 <= trading.max_drawdown(run.equity) <= 1
    np.testing.assert_allclose(np.prod(1 + returns) - 1, run.total_return, rtol=1e-9)
