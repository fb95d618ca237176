"""What a strategy must beat: cash, buy-and-hold, and the equally weighted universe."""

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.backtest.fills import Fills, fills_of
from touchstone.backtest.result import Run
from touchstone.backtest.trades import holdings_of, trades_of
from touchstone.backtest.world import events_of, world_line
from touchstone.execution.account import AccountConfig, accounts, terms_of
from touchstone.execution.columns import Events
from touchstone.execution.compiled import compiled
from touchstone.execution.costs import CostsConfig, affordable, fee
from touchstone.execution.history import Path, Timeline, note, path, timeline
from touchstone.execution.kernel import trade
from touchstone.execution.records import ENTRY, Accounts, Tape, tape
from touchstone.execution.targets import order_targets
from touchstone.market import Panel
from touchstone.market.actions import DELISTING, SPLIT


def cash(panel: Panel, account: AccountConfig) -> Run:
    """The deposit, left alone."""
    return _hold(panel, account, CostsConfig(), np.zeros(0, np.int64))


def buy_and_hold(panel: Panel, account: AccountConfig, costs: CostsConfig) -> Run:
    """Equal money in every instrument at its first open in the panel, costs paid, then held.

    An instrument that appears, or joins the universe, later has its share kept in cash until
    then. Nothing is sold; dividends stay in cash, and so does what a delisting leaves.
    """
    rows = np.flatnonzero(panel.members)
    _, first = np.unique(panel.asset_id[rows], return_index=True)
    return _hold(panel, account, costs, rows[first])


def equal_weight(panel: Panel, account: AccountConfig, costs: CostsConfig) -> Run:
    """Every instrument the same share of equity, set right once a week, costs paid.

    Decided at the close of the panel's first bar and of the first bar of each week (Monday by
    the calendar's days), among instruments that have a bar then and belong to the universe; who
    left it is sold. Filled at their next opens.
    What a rebalancing could not fill before the next one is dropped. Positions are only trimmed
    and topped up, so its `trades` and `holdings` are empty.
    """
    line = world_line(panel, costs, account)
    week = (panel.calendar.day(line.time) + 3) // 7
    decides = np.r_[True, week[1:] != week[:-1]][: week.size]
    n = panel.n_instruments
    state = accounts(1, n, account, costs, n)
    filled, written = tape(n * int(decides.sum()) + 1), path(line.time.size)
    wanted = np.zeros(n)
    _rebalance(state, line, (decides, panel.members), (filled, written), wanted)
    fills = fills_of(filled)
    return _run(panel, account, written, (fills, _no_fills()))


@compiled
def _rebalance(
    state: Accounts, line: Timeline, when: tuple[Bool, Bool], out: tuple[Tape, Path],
    wanted: Float64,
) -> None:  # fmt: skip
    """The kernel's bar with another decision at its end; `wanted` is room for the weights."""
    filled, written = out
    decides, member = when
    for t in range(line.rows.shape[0]):
        now = (line.rows[t], t, line.time[t], line.day[t])
        trade(state, 0, line.world, now, filled)
        if decides[t]:
            _equal_weights(state, line.rows[t], member, wanted)
            order_targets(state, 0, line.world.market, line.rows[t], wanted, 0.0)
        note(state, 0, t, written)


@compiled
def _equal_weights(state: Accounts, rows: Int64, member: Bool, wanted: Float64) -> None:
    """Equal shares of what is not bound in instruments without a bar, costs left over."""
    purse, terms, positions = state.purse[0], state.terms[0], state.positions[0]
    n_here, money = 0, purse.equity
    for i in range(rows.size):
        if rows[i] >= 0:
            n_here += member[rows[i]]
        else:
            money -= positions[i].quantity * positions[i].close
    dearer = 1.0 + terms.commission + terms.worsening
    for i in range(rows.size):
        wanted[i] = np.nan
        if rows[i] >= 0:
            wanted[i] = money / n_here / dearer / purse.equity if member[rows[i]] else 0.0


def _hold(panel: Panel, account: AccountConfig, costs: CostsConfig, rows: Int64) -> Run:
    """Equal money in the instruments of these rows, bought at the rows' opens and kept."""
    rows = rows[np.argsort(panel.time[rows], kind="stable")]
    terms = terms_of(1, account, costs, 1)[0]
    share = account.cash / max(rows.size, 1)
    reference = panel.open[rows]
    price = reference * (1.0 + costs.rates.worsening)
    quantity = np.array([affordable(terms, share, p, 1.0) for p in price], np.float64)
    paid = np.array(
        [fee(terms, q, p, 1.0) for q, p in zip(quantity, price, strict=True)], np.float64
    )
    bought = tape(rows.size)
    for name, values in {
        "row": rows, "order_row": rows, "quantity": quantity, "price": price,
        "reference": reference, "slippage": terms["slippage"], "spread": terms["half_spread"],
        "impact": 0.0, "commission": paid, "left": quantity, "reason": ENTRY,
    }.items():  # fmt: skip
        bought.fills[name] = values
    bought.n[0] = rows.size
    fills = fills_of(bought)

    line = timeline(panel)
    written = path(line.time.size)
    spent = np.cumsum(np.r_[0.0, quantity * price + paid])
    written.cash[:] = account.cash - spent[np.searchsorted(panel.time[rows], line.time, "right")]
    held = np.zeros(panel.n_instruments)
    held[line.place[panel.asset_id[rows]]] = quantity
    _mark_held(line, events_of(panel, line), held, written)
    return _run(panel, account, written, (fills, fills))


@njit(cache=True)
def _mark_held(line: Timeline, events: Events, held: Float64, written: Path) -> None:
    """Positions held from their instrument's first bar on, at their last known closes."""
    last, received = np.zeros(held.size), 0.0
    for t in range(line.rows.shape[0]):
        if events.first.size > 0:
            for e in range(events.first[t], events.first[t + 1]):
                i, value = events.instrument[e], events.value[e]
                if last[i] > 0.0 and events.kind[e] == SPLIT:
                    held[i] *= value
                    last[i] /= value
                elif last[i] > 0.0:
                    is_over = events.kind[e] == DELISTING
                    received += held[i] * value * (last[i] if is_over else 1.0)
                    if is_over:
                        held[i], last[i] = 0.0, 0.0
        written.cash[t] += received
        for i in range(held.size):
            row = line.rows[t, i]
            if held[i] > 0.0 and row >= 0:
                last[i] = line.world.market.bars[row, 3]
            written.invested[t] += held[i] * last[i]
            written.n_held[t] += last[i] > 0.0
        written.gross[t] = written.invested[t]


def _run(panel: Panel, account: AccountConfig, written: Path, fills: tuple[Fills, Fills]) -> Run:
    """A baseline as a run; `fills` are all of them, and those that pair to round trips."""
    every, paired = fills
    return Run(
        initial_cash=account.cash,
        time=panel.blocks().time,
        equity=written.cash + written.invested,
        cash=written.cash,
        invested=written.invested,
        n_held=written.n_held,
        fills=every,
        trades=trades_of(panel, paired),
        holdings=holdings_of(panel, paired),
        n_cut=0,
        n_rejected=0,
    )


def _no_fills() -> Fills:
    return fills_of(tape(0))
