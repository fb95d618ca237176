"""Random strategies that trade as often, as long and as large as a run: what luck would earn."""

from typing import NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int8, Int64
from touchstone.backtest.result import Run, day_ends
from touchstone.backtest.world import world_line
from touchstone.execution.account import AccountConfig, accounts
from touchstone.execution.columns import Wishes
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Timeline, path, walk
from touchstone.execution.records import ENTRY, tape
from touchstone.market import Panel

_TRIES = 200


class Controls(NamedTuple):
    """Accounts that drew their entries by lot."""

    day: Int64
    """Days since 1970, (n_days,)."""
    daily: Float64
    """Simple returns of equity per day, as `daily` of a run, (n, n_days)."""
    n_entries: Int64
    """Entries filled; equal to the run's but where the draw found no free place, (n,)."""


class _Lots(NamedTuple):
    """What is drawn from and what is drawn; rows are decision rows."""

    eligible: Int64
    """Rows that may be drawn, (n_eligible,)."""
    last: Int64
    """Last row of each row's instrument, (n_rows,)."""
    at: Int64
    """Place of each row in the panel's clock, (n_rows,)."""
    hold: Int64
    """Bars that each entry is held, (n_entries,)."""
    weight: Float64
    """Share of equity that each entry is worth, (n_entries,)."""
    side: Int8
    """+1 long, -1 short, (n_entries,)."""


def controls(
    panel: Panel,
    run: Run,
    eligible: Bool,
    costs: CostsConfig,
    rng: np.random.Generator,
    n: int = 200,
) -> Controls:
    """`n` random strategies matched to a run's turnover, each an account through the kernel.

    Every control makes the run's entries anew: each keeps its side, its bars held and its weight
    (share of equity at the decision), and draws its decision row at random among the eligible
    rows of any instrument, so that no instrument is entered twice at once and never more
    positions are held than the run held. They leave by time. Same deposit, same costs, same fills.

    Args:
        panel: the bars of the run.
        run: what to match.
        eligible: rows where the strategy could have entered, (n_rows,): those with a score.
        costs: as in the run.
        rng: chance.
        n: how many.
    """
    lots = _lots(panel, run, eligible)
    deposit = _account(run, lots)
    line = world_line(panel, costs, deposit)
    day, day_end = day_ends(panel)
    n_slots = max(int(run.n_held.max(initial=0)), 1)
    returns, n_entries = np.zeros((n, day.size)), np.zeros(n, np.int64)
    written, filled = path(line.time.size), tape(2 * lots.hold.size + 1)
    for c in range(n):
        wishes = _wishes(panel, line, lots, _draw(lots, n_slots, line.time.size, rng))
        state = accounts(1, panel.n_instruments, deposit, costs, n_slots)
        filled.n[0] = 0
        walk((state, 0), line, wishes, (filled, written))
        sampled = (written.cash + written.invested)[day_end]
        returns[c] = sampled / np.r_[run.initial_cash, sampled[:-1]][: day.size] - 1.0
        n_entries[c] = np.count_nonzero(filled.fills["reason"][: filled.n[0]] == ENTRY)
    return Controls(day, returns, n_entries)


def _account(run: Run, lots: _Lots) -> AccountConfig:
    """The deposit alone; where the run was short, short as it was and as much in all."""
    if not (lots.side < 0).any():
        return AccountConfig(cash=run.initial_cash)
    gross = run.invested if run.gross is None else run.gross
    share = np.divide(gross, run.equity, out=np.zeros_like(gross), where=run.equity > 0)
    most = float(np.clip(share.max(initial=0.0), 1.0, 10.0))
    return AccountConfig(cash=run.initial_cash, short=True, max_gross=most)


def _lots(panel: Panel, run: Run, eligible: Bool) -> _Lots:
    """The run's entries, the longest first: they are the hardest to place."""
    trades, held = run.trades, run.holdings
    last = (panel.offsets[1:] - 1)[panel.asset_id]
    at = np.searchsorted(run.time, panel.time)
    entry = np.r_[trades.entry_row, held.entry_row]
    decided = entry - 1  # an order waits for its instrument's own next bar
    exit_row = np.r_[trades.exit_row, last[held.entry_row] + 1]
    hold = np.maximum(exit_row - entry, 1)
    bought = np.abs(np.r_[trades.quantity, held.quantity])
    side = np.r_[trades.side, np.sign(held.quantity)].astype(np.int8)
    equity = run.equity[at[decided]]
    worth = np.divide(bought * panel.close[decided], equity, where=equity > 0,
                      out=np.ones_like(equity))  # fmt: skip
    weight = np.minimum(worth, 1.0)
    order = np.argsort(-hold, kind="stable")
    may = eligible & (np.arange(len(panel)) < last)
    return _Lots(np.flatnonzero(may), last, at, hold[order], weight[order], side[order])


def _wishes(panel: Panel, line: Timeline, lots: _Lots, drawn: tuple[Int64, Int64]) -> Wishes:
    """What was drawn as the kernel reads it: by time, then symbol; all of one rank."""
    row, entry = drawn
    at, instrument = lots.at[row], line.place[panel.asset_id[row]]
    order = np.lexsort((instrument, at))
    none = np.full(1, np.inf)
    return Wishes(
        first=np.searchsorted(at[order], np.arange(line.time.size + 1)).astype(np.int64),
        row=row[order],
        instrument=instrument[order].astype(np.int64),
        rank=np.zeros(row.size),
        side=lots.side[entry[order]],
        up=none,
        down=none,
        weight=lots.weight[entry[order]],
        hold=lots.hold[entry[order]],
        stay=np.zeros(0),
    )


@njit(cache=True)
def _draw(lots: _Lots, n_slots: int, n_times: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """A free place for every entry: the rows that were found, and whose they are."""
    n_eligible = lots.eligible.size
    busy = np.zeros(lots.last.size, np.bool_)
    load = np.zeros(n_times, np.int64)
    placed = np.empty(lots.hold.size, np.int64)
    whose = np.empty(lots.hold.size, np.int64)
    n_placed = 0
    for e in range(lots.hold.size if n_eligible > 0 else 0):
        for _ in range(_TRIES):
            row = lots.eligible[int(rng.random() * n_eligible)]
            end = min(row + lots.hold[e], lots.last[row])
            until = lots.at[end]
            if busy[row : end + 1].any() or (load[lots.at[row] : until] >= n_slots).any():
                continue
            busy[row : end + 1] = True
            load[lots.at[row] : until] += 1
            placed[n_placed] = row
            whose[n_placed] = e
            n_placed += 1
            break
    return placed[:n_placed], whose[:n_placed]
