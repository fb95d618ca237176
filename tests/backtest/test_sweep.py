"""Sweeps: grids of intents, one ranking for many accounts, each equal to its own run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.intents import random_intent
from touchstone.backtest import daily, run, sweep, sweep_grid
from touchstone.backtest.grids import grid, grids_of
from touchstone.backtest.neighbourhood import neighbourhood
from touchstone.backtest.sweep import joined, sweep_blocks, swept_of
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.ledger import MemoryLedger
from touchstone.metrics.trading import max_drawdown, profit_factor, sharpe, win_rate
from touchstone.strategies import Intent, Targets
from walks import random_panel

ACCOUNT, COSTS = AccountConfig(cash=20_000.0), CostsConfig()
PANEL = random_panel(3, 300, seed=2, missing=0.05)


def scored(entry=0.7, leave=None, hold=4, slots=3, seed=0):
    """What `threshold` makes of a column of scores with ties and gaps."""
    rng = np.random.default_rng([seed, 9])
    score = np.round(rng.random(len(PANEL)), 2)
    score[rng.random(len(PANEL)) < 0.1] = np.nan
    out = np.zeros(len(PANEL), bool) if leave is None else score <= leave
    up, down = np.full(len(PANEL), 0.02), np.full(len(PANEL), 0.01)
    weight = np.full(len(PANEL), 1 / slots)
    return Intent(score >= entry, score, out, up, down, weight, hold, slots)


def of_run(intent, account=ACCOUNT, costs=COSTS):
    return run(PANEL, intent, account, costs, MemoryLedger(), "")


def assert_same(swept, k, alone):
    """One account of a sweep is its run."""
    account, returns = swept.account[k], daily(PANEL, alone)[1]
    assert account["equity"] == alone.equity[-1]
    assert account["cash"] == alone.cash[-1]
    assert (account["n_fills"], account["n_trades"]) == (
        alone.fills.row.size, alone.trades.pnl.size,
    )  # fmt: skip
    assert swept.total_return[k] == alone.total_return
    assert swept.max_drawdown[k] == max_drawdown(alone.equity)
    ratio = sharpe(returns, 1.0)
    assert np.isnan(swept.daily_sharpe[k]) if ratio is None else swept.daily_sharpe[k] == ratio
    assert swept.mean[k] == pytest.approx(returns.mean(), rel=1e-12, abs=1e-18)
    assert swept.paid[k] == pytest.approx(alone.paid.total, rel=1e-11)
    assert swept.exposure[k] == pytest.approx(alone.exposure.mean(), rel=1e-11)
    pnl = alone.trades.pnl
    if pnl.size:
        assert swept.win_rate[k] == win_rate(pnl)
        assert swept.profit_factor[k] == pytest.approx(
            profit_factor(pnl) or np.nan, rel=1e-8, nan_ok=True
        )
    for name in ("n_cut", "n_rejected", "n_partial", "n_ambiguous"):
        assert swept.purse[k][name] == getattr(alone, name)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_a_grid_of_thresholds_exits_holds_and_sizes_equals_its_runs(seed):
    rng = np.random.default_rng(seed)
    intents = [
        scored(e, x, int(rng.integers(1, 9)), int(rng.integers(1, 5)), seed)
        for e in (0.5, 0.8, 0.95, 1.5)
        for x in (None, 0.1, 0.4)
    ]
    [(wanted, places)] = grids_of(iter(intents))  # one ranking serves them all
    assert places.tolist() == list(range(len(intents)))
    swept = sweep_grid(PANEL, wanted, ACCOUNT, COSTS, keep_daily=True)
    for k, (intent, alone) in enumerate(
        zip(intents, sweep(PANEL, intents, ACCOUNT, COSTS), strict=True)
    ):
        again = of_run(intent)
        for name in ("equity", "cash", "n_held"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(again, name))
        for mine, its in zip(alone.fills, again.fills, strict=True):
            np.testing.assert_array_equal(mine, its)
        assert_same(swept, k, again)
        np.testing.assert_array_equal(swept.daily[k], daily(PANEL, again)[1])


def test_intents_that_differ_in_more_are_grids_of_their_own_and_keep_their_places():
    other = random_intent(PANEL, 3)
    not_by_rank = scored()._replace(enter=scored().enter & (np.arange(len(PANEL)) % 2 == 0))
    not_nested = scored(leave=0.1)._replace(leave=scored().rank > 0.9)
    patient = scored(leave=0.2)._replace(min_hold_bars=2)
    intents = [scored(), other, scored(0.9), not_by_rank, scored(leave=0.1), not_nested, patient]
    grids = grids_of(intents)
    assert sorted(k for _, places in grids for k in places.tolist()) == list(range(7))
    assert len(grids) > 2
    for wanted, places in grids:
        swept = sweep_grid(PANEL, wanted, ACCOUNT, COSTS)
        for k, place in enumerate(places.tolist()):
            assert_same(swept, k, of_run(intents[place]))


def test_each_account_may_have_its_own_deposit_limits_and_costs():
    own = [AccountConfig(cash=c, units="whole") for c in (1e4, 1e5, 1e6)]
    # Impact asks for the volatility before each bar: another world beside the same bars.
    costs = [CostsConfig(commission_bp=0), CostsConfig(impact=1.0), CostsConfig(volume_cap=None)]
    wanted = grid(scored(), entry_level=[0.7, 0.8, 0.9])
    swept = sweep_grid(PANEL, wanted, own, costs)
    for k, level in enumerate((0.7, 0.8, 0.9)):
        assert_same(swept, k, of_run(scored(level), own[k], costs[k]))


def test_decisions_that_name_weights_are_swept_beside_wishes():
    weight = np.where(np.arange(len(PANEL)) % 7 == 0, 0.2, np.nan)
    named = Targets(weight, 0.01)
    first, second = sweep(PANEL, [named, scored()], ACCOUNT, COSTS)
    np.testing.assert_array_equal(first.equity, of_run(named).equity)
    np.testing.assert_array_equal(second.equity, of_run(scored()).equity)
    assert_same(swept_of(PANEL, first), 0, first)


def test_blocks_join_in_the_order_of_the_accounts_and_can_be_stopped_between():
    wanted = grid(scored(), hold_bars=[5, 1] * 20)
    parts = sweep_blocks(PANEL, wanted, ACCOUNT, COSTS)
    place, first = next(parts)
    whole = joined([(place, first), *parts])
    np.testing.assert_array_equal(whole.account[place], first.account)
    assert len(set(whole.account["equity"][::2])) == len(set(whole.account["equity"][1::2])) == 1
    with pytest.raises(ConfigError, match="no account"):
        joined([])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"entry_level": [0.1, np.nan]}, r"entry_level must be a number, not nan; account 1"),
        ({"scale": 0.0}, r"scale must be finite and above 0; account 0 has 0"),
        ({"hold_bars": [1, 0]}, r"hold_bars must be at least 1; account 1 has 0"),
        ({"max_positions": 0}, r"max_positions must be at least 1"),
        ({"exit_level": 0.2}, r"exit_level and stay belong together"),
        ({"scale": [1, 2], "entry_level": [1, 2, 3]}, r"grid\.scale: needs one value or 3"),
        ({"holding": 3}, r"unknown column 'holding'"),
    ],
)
def test_a_broken_grid_is_refused_by_column_and_account(columns, message):
    with pytest.raises(ConfigError, match=message):
        grid(scored(), **columns)


def test_a_grid_that_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match=r"account 1 would hold 1\.33333"):
        sweep_grid(PANEL, grid(scored(), scale=[1, 4]), ACCOUNT, COSTS)
    with pytest.raises(ConfigError, match=r"grid\.stay: needs one value per row"):
        sweep_grid(PANEL, grid(scored(), exit_level=0.1, stay=np.zeros(3)), ACCOUNT, COSTS)
    with pytest.raises(ConfigError, match="costs needs one for all or one for each of 1"):
        sweep_grid(PANEL, grid(scored()), ACCOUNT, [COSTS, COSTS])
    with pytest.raises(ConfigError, match=r"intent\.weight: needs one value per row"):
        sweep(PANEL, [scored()._replace(weight=np.ones(3))], ACCOUNT, COSTS)


def test_a_plateau_a_slope_and_a_spike():
    flat = np.array([[1.9, 1.8, 1.9], [1.7, 2.0, 1.8], [1.6, 1.9, np.nan]])
    found = neighbourhood(flat, (True, True), (1, 1))
    assert (found.word, len(found.places), found.lowest) == ("plateau", 7, 1.6)
    assert found.median == 1.8
    assert neighbourhood(flat, (True, False), (1, 1)).places == ((0, 1), (2, 1))
    assert neighbourhood(flat / [[2, 2, 2], [2, 1, 2], [2, 2, 2]], (True, True), (1, 1)).word == (
        "spike"
    )
    assert neighbourhood(np.array([1.2, 2.0, 1.4]), (True,), (1,)).word == "slope"
    assert neighbourhood(np.array([-3.0, -2.0]), (True,), (1,)).word == "alone"
    assert neighbourhood(np.array([[2.0]]), (True, True), (0, 0)).above_zero is None
