"""One kernel, several drivers: history, accounts side by side, and one bar at a time as if live."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.intents import follow, random_intent
from touchstone.backtest.replay import wishes_of
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.execution.account import accounts
from touchstone.execution.columns import World
from touchstone.execution.history import NO_EVENTS, timeline
from touchstone.execution.kernel import advance
from touchstone.execution.records import tape
from walks import random_panel

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 10_000)


def instants(line):
    """What the kernel is told of each time."""
    times = zip(line.rows, line.time.tolist(), line.day.tolist(), strict=True)
    return [(rows, t, time, day) for t, (rows, time, day) in enumerate(times)]


@few
@given(seeds)
def test_bar_by_bar_from_the_newest_bars_is_the_history(seed):
    """A live loop knows only this instant's bars: columns (n_instruments,), rows 0 .. n - 1."""
    n = 4
    panel = random_panel(n, 80, seed, missing=0.2)
    intent = random_intent(panel, seed, 0.4)
    run = follow(panel, intent)
    line = timeline(panel)
    wishes = wishes_of(panel, line, intent)
    state = accounts(1, n, AccountConfig(), CostsConfig(), intent.max_positions)
    filled = tape(4 * n)
    equity, prices_of_fills = [], []
    for t, rows in enumerate(line.rows):
        here = np.maximum(rows, 0)
        market = line.world.market._replace(bars=line.world.market.bars[here])
        live_rows = np.where(rows >= 0, np.arange(n), -1)
        mine = slice(wishes.first[t], wishes.first[t + 1])
        wish = wishes._replace(
            first=np.array([0, mine.stop - mine.start]),
            row=wishes.instrument[mine],
            stay=wishes.stay[here],
            **{c: getattr(wishes, c)[mine] for c in ("instrument", "rank", "up", "down", "weight")},
        )
        filled.n[0] = 0
        now = (live_rows, 0, int(line.time[t]), int(line.day[t]))
        advance(state, 0, World(market, NO_EVENTS), now, wish, filled)
        equity.append(state.purse["equity"][0])
        prices_of_fills.extend(filled.fills["price"][: filled.n[0]])
    np.testing.assert_array_equal(equity, run.equity)
    np.testing.assert_array_equal(prices_of_fills, run.fills.price)


@few
@given(seeds)
def test_accounts_side_by_side_do_not_touch_each_other(seed):
    panel = random_panel(3, 60, seed, missing=0.1)
    intents = [random_intent(panel, seed + k, 0.4) for k in range(3)]
    line = timeline(panel)
    wishes = [wishes_of(panel, line, i) for i in intents]
    state = accounts(3, 3, AccountConfig(), CostsConfig(), intents[0].max_positions)
    for now in instants(line):
        for k in range(3):
            advance(state, k, line.world, now, wishes[k], tape(0))
    alone = [follow(panel, intent).equity[-1] for intent in intents]
    np.testing.assert_array_equal(state.purse["equity"], alone)


@few
@given(seeds)
def test_the_books_stay_in_order(seed):
    """The list of active instruments is what is held or ordered, ascending; the peak is one."""
    panel = random_panel(5, 60, seed, missing=0.2)
    intent = random_intent(panel, seed, 0.4)
    line = timeline(panel)
    wishes = wishes_of(panel, line, intent)
    state = accounts(1, 5, AccountConfig(), CostsConfig(), intent.max_positions)
    peak = state.purse["equity"][0]
    for now in instants(line):
        advance(state, 0, line.world, now, wishes, tape(0))
        active = state.active[0, : state.purse["n_active"][0]]
        has_any = (state.positions["quantity"][0] > 0) | (state.orders["quantity"][0] != 0)
        np.testing.assert_array_equal(active, np.flatnonzero(has_any))
        staying = has_any & (state.orders["quantity"][0] >= 0)
        assert staying.sum() <= intent.max_positions
        peak = max(peak, state.purse["equity"][0])
        assert state.purse["peak"][0] == peak
