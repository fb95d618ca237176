"""The kernel's driver over many accounts: one market, the same wishes, each its own terms.

Wishes are ranked once, those of the lowest entry level among the accounts; each account reads
them as far as its own level. No path is kept: an account leaves its running measures and its
equity at the end of each day, and the latter is handed over in blocks, so that memory does not
grow with accounts times bars.

Blocks of a few accounts walk through time together. Milliseconds a run, 200 thresholds over 143
instruments x 6,100 bars (`benchmarks/sweep.py --blocks`): accounts outside time 6.6, time outside
blocks of 4, 16, 32, 64 accounts 3.9, 3.1, 3.1, 3.2, outside all 200 3.6.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.execution.account import AccountConfig, accounts
from touchstone.execution.columns import Wishes
from touchstone.execution.compiled import compiled
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Timeline
from touchstone.execution.kernel import advance
from touchstone.execution.records import Accounts, Records, Tape, tape

N_BLOCK: Final = 32
"""Accounts that walk through time together."""
_FILLS_A_BAR: Final = 4
"""Of one instrument at most: in lieu, delisted, at the open, inside the bar."""

SWEPT: Final = np.dtype(
    [
        ("cash", np.float64),  # at the end, as the two below
        ("invested", np.float64),
        ("equity", np.float64),
        ("peak", np.float64),  # highest equity at a close
        ("drawdown", np.float64),  # deepest fall below the peak so far, fraction of that peak
        ("exposure", np.float64),  # sum over bars of the share of equity invested
        ("wealth", np.float64),  # sum over bars of equity
        ("n_times", np.int64),  # bars
        ("n_fills", np.int64),
        ("n_trades", np.int64),  # closed: from flat to flat
        ("n_wins", np.int64),  # of them, those that earned money after costs
        ("gained", np.float64),  # money that winning trades earned
        ("lost", np.float64),  # money that the others lost
        ("traded", np.float64),  # value of all fills at their prices, both sides
        ("value", np.float64),  # likewise at the prices before slippage, spread and impact
        ("commission", np.float64),  # money, as the three below
        ("slippage", np.float64),
        ("spread", np.float64),
        ("impact", np.float64),
    ],
    align=True,
)
"""What an account did, without its path."""


class Block(NamedTuple):
    """A few accounts at the end of the history."""

    place: Int64
    """Where they stand among all, (n_block,)."""
    swept: Records
    """`SWEPT`, (n_block,)."""
    purse: Records
    """`PURSE` as the kernel left it, (n_block,)."""
    day_equity: Float64
    """Equity at the last bar of each day, (n_block, n_days)."""


class _Running(NamedTuple):
    """What is measured while accounts walk."""

    swept: Records
    flow: Float64
    """Money in and out of each position since it was flat, (n_block, n_instruments)."""
    day_equity: Float64
    place: Int64
    """Which day each time belongs to, (n_times,)."""


def sweeping(
    terms: Records,
    hold_bars: Int64,
    deposit: Float64,
    market: tuple[Timeline, Wishes],
    n_block: int = N_BLOCK,
) -> Iterator[Block]:
    """Take fresh accounts through a history, a block after the other, in no order to rely on.

    Each ends as `history.replay` would leave it alone, to the bit.

    Args:
        terms: `TERMS`, (n_accounts,).
        hold_bars: bars_held at which an account leaves what it entered, (n_accounts,); (0,): as
            the wishes say.
        deposit: (n_accounts,).
        market: the bars, and the wishes down to the lowest `entry_level`.
        n_block: accounts that walk together; changes no result.
    """
    line, wishes = market
    n_instruments = line.rows.shape[1]
    begins = np.r_[True, line.day[1:] != line.day[:-1]][: line.day.size]
    days = np.cumsum(begins) - 1
    for some in _blocks(terms.size, hold_bars, n_block):
        state = _fresh(terms[some], deposit[some], n_instruments)
        swept = np.zeros(some.size, SWEPT)
        swept["peak"] = -np.inf
        flow = np.zeros((some.size, n_instruments))
        running = _Running(swept, flow, np.empty((some.size, int(begins.sum()))), days)
        heard = wishes if hold_bars.size == 0 else wishes._replace(hold=hold_bars[some[:1]])
        _walk(state, line, heard, tape(_FILLS_A_BAR * n_instruments), running)
        for name in ("cash", "invested", "equity"):
            swept[name] = state.purse[name]
        yield Block(some, swept, state.purse, running.day_equity)


def _blocks(n_accounts: int, hold_bars: Int64, n_block: int) -> Iterator[Int64]:
    """Places of accounts that walk together: those of a block hold for as long."""
    if hold_bars.size == 0:
        hold_bars = np.zeros(n_accounts, np.int64)
    for hold in np.unique(hold_bars):
        alike = np.flatnonzero(hold_bars == hold)
        for first in range(0, alike.size, n_block):
            yield alike[first : first + n_block]


def _fresh(terms: Records, deposit: Float64, n_instruments: int) -> Accounts:
    state = accounts(terms.size, n_instruments, AccountConfig(), CostsConfig(), 1)
    for name in ("cash", "equity", "peak", "day_equity"):
        state.purse[name] = deposit
    return state._replace(terms=terms)


@compiled
def _walk(state: Accounts, line: Timeline, wishes: Wishes, filled: Tape, running: _Running) -> None:
    """Time outside, the accounts of a block inside: what they share of a bar is read once."""
    for t in range(line.rows.shape[0]):
        now = (line.rows[t], t, line.time[t], line.day[t])
        for k in range(state.terms.size):
            advance(state, k, line.world, now, wishes, filled)
            if filled.n[0] > 0:
                _count(running.swept[k], running.flow[k], filled)
            _measure(running.swept[k], state.purse[k])
            running.day_equity[k, running.place[t]] = state.purse[k].equity


@compiled
def _measure(swept: Any, purse: Any) -> None:
    """An account after a bar."""
    swept.n_times += 1
    swept.wealth += purse.equity
    if purse.equity > 0.0:
        swept.exposure += purse.invested / purse.equity
    swept.peak = max(swept.peak, purse.equity)
    swept.drawdown = max(swept.drawdown, 1.0 - purse.equity / swept.peak)


@compiled
def _count(swept: Any, flow: Float64, filled: Tape) -> None:
    """An account's fills of a bar; the tape is empty after it."""
    for f in range(filled.n[0]):
        fill = filled.fills[f]
        size = abs(fill.quantity)
        worth = size * fill.reference
        swept.n_fills += 1
        swept.traded += size * fill.price
        swept.value += worth
        swept.commission += fill.commission
        swept.slippage += worth * fill.slippage
        swept.spread += worth * fill.spread
        swept.impact += worth * fill.impact
        earned = -fill.quantity * fill.price - fill.commission
        held = fill.left - fill.quantity
        kept = 0.0  # what opens the other side of a position that was turned round
        if held * fill.left < 0.0:
            kept = earned * (fill.left / fill.quantity)
        flow[fill.instrument] += earned - kept
        if fill.left == 0.0 or held * fill.left < 0.0:
            swept.n_trades += 1
            swept.n_wins += flow[fill.instrument] > 0.0
            swept.gained += max(flow[fill.instrument], 0.0)
            swept.lost += max(-flow[fill.instrument], 0.0)
            flow[fill.instrument] = kept
    filled.n[0] = 0
