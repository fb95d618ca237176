"""A strategy's decision over history, through the kernel; one run, or many for a comparison."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from touchstone.arrays import Bool, Float64, Int64
from touchstone.backtest.fills import fills_of
from touchstone.backtest.result import Run
from touchstone.backtest.trades import holdings_of, trades_of
from touchstone.backtest.world import world_line
from touchstone.errors import ConfigError
from touchstone.execution.account import AccountConfig, accounts
from touchstone.execution.columns import Weights, Wishes
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Path, Timeline, follow_weights, replay
from touchstone.execution.records import Accounts, Tape, tape
from touchstone.ledger import Ledger
from touchstone.market import Panel
from touchstone.strategies import Decision, Intent, Targets

_CANNOT: Final = "since this account may not be short (set account.short: true for one that may)"


def run(
    panel: Panel,
    decision: Decision,
    account: AccountConfig,
    costs: CostsConfig,
    ledger: Ledger,
    data: str,
) -> Run:
    """One account that follows a decision over a panel; written to the ledger.

    Args:
        panel: the bars, one clock for all instruments.
        decision: wishes (`Intent`) or weights (`Targets`) of every row of the panel.
        account: the deposit.
        costs: what fills cost.
        ledger: where the run is counted.
        data: hash of the data, as the ledger knows it.

    Raises:
        ConfigError: a decision that does not fit the panel, or that this account cannot trade.
    """
    done = follow(panel, world_line(panel, costs, account), decision, account, costs)
    facts = {
        "n_trades": int(done.trades.pnl.size),
        "n_fills": int(done.fills.row.size),
        "total_return": done.total_return,
        "paid": done.paid.total,
    }
    ledger.record("backtest", fingerprint(decision, account, costs), data, facts)
    return done


def sweep(
    panel: Panel, decisions: Sequence[Decision], account: AccountConfig, costs: CostsConfig
) -> tuple[Run, ...]:
    """One run per decision, each in an account of its own; equal to `run` of each.

    Nothing is written here: the caller, who knows what the candidates are, writes one
    `ledger.sweep` row that holds them all.
    """
    line = world_line(panel, costs, account)
    return tuple(follow(panel, line, decision, account, costs) for decision in decisions)


def fingerprint(decision: Decision, account: AccountConfig, costs: CostsConfig) -> str:
    """First 12 hex digits of a hash of everything that a run depends on but the data."""
    terms = (account.canonical(), costs.canonical())
    if isinstance(decision, Targets):
        digest = hashlib.sha256(repr((*terms, decision.buffer)).encode())
        digest.update(np.ascontiguousarray(decision.weight, np.float64).tobytes())
        return digest.hexdigest()[:12]
    rows = np.flatnonzero(decision.enter)
    noun = (*terms, decision.hold_bars, decision.max_positions)
    more = (decision.min_hold_bars,) if decision.min_hold_bars else ()
    digest = hashlib.sha256(repr((*noun, *more)).encode())
    digest.update(rows.tobytes())
    for column in (decision.rank, decision.up, decision.down, decision.weight):
        digest.update(column[rows].tobytes())
    digest.update(np.packbits(decision.leave).tobytes())
    if decision.side is not None:
        digest.update(decision.side[rows].tobytes())
    if decision.cover is not None:
        digest.update(np.packbits(decision.cover).tobytes())
    return digest.hexdigest()[:12]


def wishes_of(panel: Panel, line: Timeline, intent: Intent, short: bool = True) -> Wishes:
    """An intent as the kernel reads it: rows to enter by time, then rank, then symbol.

    Raises:
        ConfigError: a column of another length, no bars to hold, no positions to have, or a row
            to enter whose side, rank, weight or widths make no order; `short` says whether the
            account may be short.
    """
    given = zip(intent._fields[:6], intent[:6], strict=True)
    beside = (("side", intent.side), ("cover", intent.cover))
    for name, column in (*given, *((n, c) for n, c in beside if c is not None)):
        _refuse_shape(panel, f"intent.{name}", column)
    for name, least in (("hold_bars", 1), ("max_positions", 1), ("min_hold_bars", 0)):
        if getattr(intent, name) < least:
            got = getattr(intent, name)
            raise ConfigError(f"intent.{name} must be at least {least}, got {got}")
    rows = np.flatnonzero(intent.enter)
    weight = intent.weight[rows]
    broken = {
        "rank must not be nan": np.isnan(intent.rank[rows]),
        "weight must lie in (0, 1]": ~((weight > 0) & (weight <= 1)),
        "up must be above 0": intent.up[rows] <= 0,
        "down must be above 0": intent.down[rows] <= 0,
    }
    if intent.side is not None:
        broken["side must be 1 or -1"] = np.abs(intent.side[rows]) != 1
        if not short:
            broken[f"side must be 1, {_CANNOT},"] = intent.side[rows] == -1
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


def weights_of(panel: Panel, line: Timeline, targets: Targets, short: bool = True) -> Weights:
    """Targets as the kernel reads them: known weights by time, then symbol.

    Raises:
        ConfigError: another length than the panel's, an infinite weight, one below 0 where the
            account may not be short, or a buffer that is none.
    """
    _refuse_shape(panel, "targets.weight", targets.weight)
    if not 0 <= targets.buffer < 1:
        raise ConfigError(f"targets.buffer: needs a fraction in [0, 1), got {targets.buffer:g}")
    broken = {"be finite, or nan to leave it": np.isinf(targets.weight)}
    if not short:
        broken[f"be at least 0, {_CANNOT}"] = targets.weight < 0
    for rule, where in broken.items():
        if where.any():
            row = int(where.argmax())
            raise ConfigError(
                f"targets: a weight must {rule}; row {row} ({panel.symbols[panel.asset_id[row]]}) "
                f"has {targets.weight[row]:g} ({int(where.sum())} rows in all)"
            )
    rows = np.flatnonzero(~np.isnan(targets.weight))
    instrument = line.place[panel.asset_id[rows]]
    at = np.searchsorted(line.time, panel.time[rows])
    order = np.lexsort((instrument, at))
    return Weights(
        first=np.searchsorted(at[order], np.arange(line.time.size + 1)).astype(np.int64),
        instrument=instrument[order].astype(np.int64),
        weight=np.ascontiguousarray(targets.weight[rows][order], np.float64),
        buffer=float(targets.buffer),
    )


def _refuse_shape(panel: Panel, name: str, column: npt.NDArray[Any]) -> None:
    if column.shape != (len(panel),):
        raise ConfigError(
            f"{name}: needs one value per row of the panel ({len(panel)},), got {column.shape}"
        )


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

    def heard(leaves: Bool) -> Float64:
        return np.where(leaves, -1.0, 1.0) if leaves.any() else np.zeros(0)

    stay, cover = heard(intent.leave), np.zeros(0)
    if intent.cover is not None:
        cover = np.where(intent.cover, -1.0, 1.0)
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
        cover=cover,
        min_hold=np.array([intent.min_hold_bars], np.int64),
    )


def follow(
    panel: Panel,
    line: Timeline,
    decision: Decision,
    account: AccountConfig,
    costs: CostsConfig,
) -> Run:
    """One account that follows a decision; nobody counts it.

    Raises:
        ConfigError: as `run`.
    """
    drive = _driver(panel, line, decision, account.short)
    slots = panel.n_instruments if isinstance(decision, Targets) else decision.max_positions

    def once(capacity: int) -> tuple[Accounts, Path, Tape]:
        state, filled = accounts(1, panel.n_instruments, account, costs, slots), tape(capacity)
        return state, drive(state, filled), filled

    state, path, filled = once(_most_fills(decision, line))
    if filled.n[0] > filled.fills.size:  # fills in parts, for want of volume
        state, path, filled = once(int(filled.n[0]))
    return run_of(panel, line, account, (state, path, filled))


def _driver(
    panel: Panel, line: Timeline, decision: Decision, short: bool
) -> Callable[[Accounts, Tape], Path]:
    if isinstance(decision, Targets):
        weights = weights_of(panel, line, decision, short)
        return lambda state, filled: follow_weights(state, line, weights, filled)
    wishes = wishes_of(panel, line, decision, short)
    return lambda state, filled: replay(state, line, wishes, filled)


def run_of(
    panel: Panel, line: Timeline, account: AccountConfig, done: tuple[Accounts, Path, Tape]
) -> Run:
    """What one account's way over a panel left behind, as a run; `done` is state, path, tape."""
    state, path, filled = done
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


def _most_fills(decision: Decision, line: Timeline) -> int:
    """As many as whole fills can be."""
    entries = int(np.count_nonzero(decision.enter))
    if isinstance(decision, Targets):
        return entries + int(np.count_nonzero(decision.leave)) + 1
    return 2 * min(entries, decision.max_positions * line.time.size) + 1
