"""A strategy's intent over history, through the kernel; one run, or many for a comparison."""

import hashlib
from collections.abc import Sequence

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.backtest.fills import fills_of
from touchstone.backtest.result import Run
from touchstone.backtest.trades import holdings_of, trades_of
from touchstone.errors import ConfigError
from touchstone.execution.account import AccountConfig, accounts
from touchstone.execution.columns import Wishes
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Timeline, replay, timeline
from touchstone.execution.records import tape
from touchstone.ledger import Ledger
from touchstone.market import Panel
from touchstone.strategies import Intent


def run(
    panel: Panel,
    intent: Intent,
    account: AccountConfig,
    costs: CostsConfig,
    ledger: Ledger,
    data: str,
) -> Run:
    """One account that follows an intent over a panel; written to the ledger.

    Args:
        panel: the bars, one clock for all instruments.
        intent: wishes of every row of the panel.
        account: the deposit.
        costs: what fills cost.
        ledger: where the run is counted.
        data: hash of the data, as the ledger knows it.

    Raises:
        ConfigError: an intent that does not fit the panel or cannot be traded.
    """
    done = _follow(panel, timeline(panel), intent, account, costs)
    facts = {
        "n_trades": int(done.trades.pnl.size),
        "n_fills": int(done.fills.row.size),
        "total_return": done.total_return,
        "paid": done.paid.total,
    }
    ledger.record("backtest", fingerprint(intent, account, costs), data, facts)
    return done


def sweep(
    panel: Panel, intents: Sequence[Intent], account: AccountConfig, costs: CostsConfig
) -> tuple[Run, ...]:
    """One run per intent, each in an account of its own; equal to `run` of each.

    Nothing is written here: the caller, who knows what the candidates are, writes one
    `ledger.sweep` row that holds them all.
    """
    line = timeline(panel)
    return tuple(_follow(panel, line, intent, account, costs) for intent in intents)


def fingerprint(intent: Intent, account: AccountConfig, costs: CostsConfig) -> str:
    """First 12 hex digits of a hash of everything that a run depends on but the data."""
    rows = np.flatnonzero(intent.enter)
    noun = (account.canonical(), costs.canonical(), intent.hold_bars, intent.max_positions)
    digest = hashlib.sha256(repr(noun).encode())
    digest.update(rows.tobytes())
    for column in (intent.rank, intent.up, intent.down, intent.weight):
        digest.update(column[rows].tobytes())
    digest.update(np.packbits(intent.leave).tobytes())
    if intent.side is not None:
        digest.update(intent.side[rows].tobytes())
    return digest.hexdigest()[:12]


def wishes_of(panel: Panel, line: Timeline, intent: Intent) -> Wishes:
    """An intent as the kernel reads it: rows to enter by time, then rank, then symbol.

    Raises:
        ConfigError: a column of another length, no bars to hold, no positions to have, or a row
            to enter whose rank, weight or widths make no order.
    """
    n_rows = len(panel)
    for name, column in zip(intent._fields[:6], intent[:6], strict=True):
        if column.shape != (n_rows,):
            raise ConfigError(
                f"intent.{name}: needs one value per row of the panel ({n_rows},), "
                f"got {column.shape}"
            )
    for name in ("hold_bars", "max_positions"):
        if getattr(intent, name) < 1:
            raise ConfigError(f"intent.{name} must be at least 1, got {getattr(intent, name)}")
    rows = np.flatnonzero(intent.enter)
    weight = intent.weight[rows]
    broken = {
        "rank must not be nan": np.isnan(intent.rank[rows]),
        "weight must lie in (0, 1]": ~((weight > 0) & (weight <= 1)),
        "up must be above 0": intent.up[rows] <= 0,
        "down must be above 0": intent.down[rows] <= 0,
    }
    for rule, where in broken.items():
        if where.any():
            row = int(rows[where.argmax()])
            symbol = panel.symbols[panel.asset_id[row]]
            raise ConfigError(
                f"intent: {rule} where a row enters; row {row} ({symbol}) does not: rank "
                f"{intent.rank[row]:g}, weight {intent.weight[row]:g}, up {intent.up[row]:g}, "
                f"down {intent.down[row]:g} ({int(where.sum())} rows in all)"
            )
    return ordered(panel, line, rows, intent)


def ordered(panel: Panel, line: Timeline, rows: Int64, intent: Intent) -> Wishes:
    """Wishes to enter at these rows of the panel, rising, (n_wishes,)."""
    rank = intent.rank[rows]
    instrument = line.place[panel.asset_id[rows]]
    at = np.searchsorted(line.time, panel.time[rows])
    order = np.lexsort((instrument, -rank, at))
    rows = rows[order]

    def column(values: Float64) -> Float64:
        return np.ascontiguousarray(values[rows], np.float64)

    side = np.ones(1, np.int8) if intent.side is None else intent.side[rows].astype(np.int8)
    stay = np.where(intent.leave, -1.0, 1.0) if intent.leave.any() else np.zeros(0)
    return Wishes(
        first=np.searchsorted(at[order], np.arange(line.time.size + 1)).astype(np.int64),
        row=rows,
        instrument=instrument[order].astype(np.int64),
        rank=column(intent.rank),
        side=side,
        up=column(intent.up),
        down=column(intent.down),
        weight=column(intent.weight),
        hold=np.array([intent.hold_bars], np.int64),
        stay=stay,
    )


def _follow(
    panel: Panel,
    line: Timeline,
    intent: Intent,
    account: AccountConfig,
    costs: CostsConfig,
) -> Run:
    wishes = wishes_of(panel, line, intent)
    state = accounts(1, panel.n_instruments, account, costs, intent.max_positions)
    filled = tape(_most_fills(intent, line))
    path = replay(state, line, wishes, filled)
    while filled.n[0] > filled.fills.size:  # fills in parts, for want of volume
        filled = tape(int(filled.n[0]))
        state = accounts(1, panel.n_instruments, account, costs, intent.max_positions)
        path = replay(state, line, wishes, filled)
    fills, purse = fills_of(filled), state.purse[0]
    return Run(
        initial_cash=account.cash,
        time=line.time,
        equity=path.cash + path.invested,
        cash=path.cash,
        invested=path.invested,
        n_held=path.n_held,
        fills=fills,
        trades=trades_of(panel, fills),
        holdings=holdings_of(panel, fills),
        n_cut=int(purse["n_cut"]),
        n_rejected=int(purse["n_rejected"]),
        n_partial=int(purse["n_partial"]),
        dividends=float(purse["dividends"]),
        financed=float(purse["financed"]),
        n_ambiguous=int(purse["n_ambiguous"]),
        ambiguous=float(purse["ambiguous"]),
    )


def _most_fills(intent: Intent, line: Timeline) -> int:
    """As many as whole fills can be."""
    entries = int(np.count_nonzero(intent.enter))
    return 2 * min(entries, intent.max_positions * line.time.size) + 1
