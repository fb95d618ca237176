"""Cash, buy-and-hold, equal weight, and the random strategies of the same turnover."""

from dataclasses import replace

import numpy as np
import pytest

from reference.intents import follow, intent_of, random_intent
from touchstone.backtest import baselines, controls, daily, sweep
from touchstone.execution import AccountConfig, CostsConfig
from walks import flat, panel_of, random_panel, random_walk

ACCOUNT, COSTS = AccountConfig(cash=10_000.0), CostsConfig()


@pytest.fixture
def panel():
    return random_panel(4, 24 * 30, 2, missing=0.1)


@pytest.mark.parametrize(
    "baseline",
    [
        lambda panel: baselines.cash(panel, ACCOUNT),
        lambda panel: baselines.buy_and_hold(panel, ACCOUNT, COSTS),
        lambda panel: baselines.equal_weight(panel, ACCOUNT, COSTS),
    ],
    ids=["cash", "buy_and_hold", "equal_weight"],
)
def test_every_baseline_is_a_run_like_any_other(panel, baseline):
    run = baseline(panel)
    day, returns = daily(panel, run)
    np.testing.assert_array_equal(run.time, panel.blocks().time)
    assert day.size == returns.size == 30
    np.testing.assert_allclose(np.prod(1 + returns) - 1, run.total_return)
    assert (run.cash >= 0).all()
    np.testing.assert_array_equal(run.equity, run.cash + run.invested)
    held = np.zeros(panel.n_instruments)
    np.add.at(held, panel.asset_id[run.fills.row], run.fills.side * run.fills.quantity)
    last = panel.close[panel.offsets[1:] - 1]
    assert run.invested[-1] == pytest.approx(held @ last)


def test_cash_stays(panel):
    assert (baselines.cash(panel, ACCOUNT).equity == 10_000.0).all()


def test_a_late_instruments_share_waits_in_cash():
    late = panel_of(flat(9), random_walk(9, symbol="LATE"))
    late = late.where(~((late.asset_id == 1) & (late.time < late.time[4])))
    run = baselines.buy_and_hold(late, ACCOUNT, COSTS)
    np.testing.assert_allclose(run.cash[:4], 5_000.0, atol=0.02)
    np.testing.assert_allclose(run.cash[4:], 0.0, atol=0.03)
    np.testing.assert_array_equal(run.n_held, [1] * 4 + [2] * 5)


def test_equal_weight_is_equal_after_each_rebalancing(panel):
    run = baselines.equal_weight(panel, ACCOUNT, COSTS)
    week = (panel.calendar.day(run.time) + 3) // 7
    decided = np.flatnonzero(np.r_[True, np.diff(week) > 0])
    at = np.searchsorted(run.time, panel.time[run.fills.order_row])
    assert set(at) <= set(decided)
    quantity = np.zeros(panel.n_instruments)
    full = [t for t in decided if (panel.blocks().row[t : t + 2] >= 0).all()]
    for t in decided:
        rows = run.fills.row[at == t]
        signed = (run.fills.side * run.fills.quantity)[at == t]
        np.add.at(quantity, panel.asset_id[rows], signed)
        if t in full:
            worth = quantity * panel.close[panel.blocks().row[t]]
            np.testing.assert_allclose(worth / worth.mean(), 1, atol=0.02)
            assert worth.sum() == pytest.approx(run.equity[t], rel=0.02)
    assert full


def test_equal_weight_of_prices_that_stand_still_pays_its_entry_once():
    still = panel_of(flat(24 * 21), random_walk(2, symbol="B"))
    still = still.where(still.asset_id == 0)
    run = baselines.equal_weight(still, ACCOUNT, COSTS)
    assert run.total_return == pytest.approx(-0.0015, rel=0.01)


@pytest.fixture(scope="module")
def matched():
    panel = random_panel(6, 24 * 40, 3, missing=0.05)
    intent = random_intent(panel, 3, 0.02, (0.1, 0.1), slots=6)
    run = follow(panel, intent, COSTS)
    eligible = np.ones(len(panel), bool)
    draw = np.random.default_rng(1)
    return panel, run, controls(panel, run, eligible, COSTS, draw, n=60)


def test_controls_shapes(matched):
    panel, run, lots = matched
    day, _ = daily(panel, run)
    np.testing.assert_array_equal(lots.day, day)
    assert lots.daily.shape == (60, day.size)
    assert np.isfinite(lots.daily).all()


def test_controls_as_many_entries(matched):
    _, run, lots = matched
    n_bought = np.count_nonzero(run.fills.side > 0)
    assert n_bought > 100
    assert (lots.n_entries >= 0.98 * n_bought).all()
    assert (lots.n_entries <= n_bought).all()


def test_controls_pay_what_the_run_paid_and_earn_nothing_else(matched):
    """On walks without drift the controls lose their costs, within three standard errors."""
    _, run, lots = matched
    gained = np.prod(1 + lots.daily, axis=1) - 1
    cost = run.paid.total / run.initial_cash
    error = gained.std(ddof=1) / np.sqrt(gained.size)
    assert abs(gained.mean() + cost) < 3 * error + 0.2 * cost


def test_controls_of_shorts_are_short_and_as_large():
    """All prices fall alike, so whoever is short at random earns what the run earned, closely."""
    fall = np.exp(-0.002 * np.arange(600.0))
    bars = [replace(flat(600, 100.0), symbol=s, open=100 * fall, high=100 * fall, low=100 * fall,
                    close=100 * fall) for s in ("A", "B")]  # fmt: skip
    panel = panel_of(*bars)
    account = AccountConfig(cash=10_000.0, short=True, max_gross=2.0)
    free = CostsConfig().times(0)
    rows = [*range(1, 580, 40), *range(601, 1180, 40)]
    intent = intent_of(panel, rows, hold=5, weight=0.9, slots=2)
    side = np.full(len(panel), -1, np.int8)
    (run,) = sweep(panel, [intent._replace(side=side)], account, free)
    assert run.gross.max() > 1.5 * run.equity.min()
    assert run.total_return > 0.2
    lots = controls(panel, run, np.ones(len(panel), bool), free, np.random.default_rng(1), 20)
    gained = np.prod(1 + lots.daily, axis=1) - 1
    assert (lots.n_entries > 0.9 * len(rows)).all()
    np.testing.assert_allclose(gained, run.total_return, rtol=0.2)


def test_same_chance_same_controls(matched):
    panel, run, _ = matched
    eligible = panel.asset_id < 4
    one, other, third = (
        controls(panel, run, eligible, COSTS, np.random.default_rng(s), n=3) for s in (5, 5, 6)
    )
    assert one.daily.tobytes() == other.daily.tobytes()
    assert one.daily.tobytes() != third.daily.tobytes()


def test_a_run_without_trades_has_controls_without_trades():
    panel = random_panel(2, 100, 1)
    run = follow(panel, intent_of(panel, []))
    lots = controls(panel, run, np.ones(len(panel), bool), COSTS, np.random.default_rng(1), 3)
    assert not lots.daily.any()


def test_only_eligible_rows_are_entered():
    panel = panel_of(random_walk(200, 1, symbol="A"), flat(200))
    run = follow(panel, random_intent(panel, 1, 0.1, (0.2, 0.2)))
    eligible = panel.asset_id == 1  # the one that stands still: nothing but costs
    lots = controls(panel, run, eligible, CostsConfig().times(0), np.random.default_rng(1), 5)
    assert (lots.n_entries > 0).all()
    np.testing.assert_allclose(lots.daily, 0, atol=1e-12)


def test_the_universe_is_bought_when_joined_and_sold_when_left():
    # A joins on day 7, B leaves there; C belongs throughout. Prices stand still.
    bars = [replace(flat(24 * 21), symbol=s) for s in "ABC"]
    panel = panel_of(*bars)
    day = np.tile(np.repeat(np.arange(21), 24), 3)
    joins, leaves = (panel.asset_id == 0) & (day < 7), (panel.asset_id == 1) & (day >= 7)
    panel = replace(panel, member=~(joins | leaves))
    account = AccountConfig(cash=1000.0)
    free = CostsConfig(commission_bp=0, slippage_bp=0)
    done = baselines.equal_weight(panel, account, free)
    fills = done.fills
    a, b = (sorted(set(day[fills.row[panel.asset_id[fills.row] == i]])) for i in (0, 1))
    assert (a, b) == ([9], [0, 9]), "the first Monday after each of them"
    assert [done.n_held[24 * d + 1] for d in (1, 8, 9, 20)] == [2, 2, 2, 2]
    held = baselines.buy_and_hold(panel, account, free)
    assert sorted(day[held.fills.row].tolist()) == [0, 0, 7]
