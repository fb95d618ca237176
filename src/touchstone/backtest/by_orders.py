"""Orders from outside over history, through the kernel: what became of somebody's own list."""

import hashlib

import numpy as np

from touchstone.backtest.again import Again
from touchstone.backtest.replay import run_of
from touchstone.backtest.result import Run
from touchstone.backtest.world import world_line
from touchstone.errors import ConfigError
from touchstone.execution.account import AccountConfig, accounts
from touchstone.execution.columns import Given
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Timeline, follow_orders
from touchstone.execution.records import tape
from touchstone.ledger import Ledger
from touchstone.market import Panel


def run_orders(
    panel: Panel,
    given: Given,
    account: AccountConfig,
    costs: CostsConfig,
    ledger: Ledger,
    data: str,
) -> Run:
    """One account that is given orders over a panel; written to the ledger.

    A market order is filled at the next open of its instrument and works until then; limits and
    stops rest from the next bar on. Who may not be short sells what is there.

    Args:
        panel: the bars, one clock for all instruments.
        given: the orders, instruments numbered in the order of their symbols.
        account: the deposit.
        costs: what fills cost.
        ledger: where the run is counted.
        data: hash of the data, as the ledger knows it.

    Raises:
        ConfigError: orders that do not belong to this panel.
    """
    line = world_line(panel, costs, account)
    if given.first.shape != (line.time.size + 1,):
        raise ConfigError(
            f"orders: need the places of {line.time.size} times and their end, "
            f"({line.time.size + 1},), got {given.first.shape}: number them by its timeline"
        )
    found = _followed(panel, line, given, account, costs)
    facts = {
        "n_orders": int(given.order.size),
        "n_trades": int(found.trades.pnl.size),
        "n_fills": int(found.fills.row.size),
        "total_return": found.total_return,
        "paid": found.paid.total,
    }
    ledger.record("backtest", fingerprint(given, account, costs), data, facts)
    return found


def again_of_orders(panel: Panel, given: Given, cash: float) -> Again:
    """The same orders on another deposit, their quantities scaled as it is; nothing is counted.

    Whole units are rounded down; an order of less than one unit comes to nothing.
    """

    def follow_again(account: AccountConfig, costs: CostsConfig) -> Run:
        order = given.order.copy()
        order["quantity"] *= account.cash / cash
        if account.units == "whole":  # rounded down; one of less than a unit ends itself
            order["quantity"] = np.trunc(order["quantity"] * (1 + 1e-12))
        line = world_line(panel, costs, account)
        return _followed(panel, line, given._replace(order=order), account, costs)

    return follow_again


def fingerprint(given: Given, account: AccountConfig, costs: CostsConfig) -> str:
    """First 12 hex digits of a hash of everything that a run depends on but the data."""
    digest = hashlib.sha256(repr((account.canonical(), costs.canonical())).encode())
    digest.update(given.first.tobytes())
    for name in given.order.dtype.names or ():  # column by column: records have gaps between
        digest.update(given.order[name].tobytes())
    return digest.hexdigest()[:12]


def _followed(
    panel: Panel, line: Timeline, given: Given, account: AccountConfig, costs: CostsConfig
) -> Run:
    n_working = int((given.order["quantity"] != 0).sum())  # at most, at one time
    capacity = 2 * int(given.order.size) + 1
    while True:  # fills in parts may be more
        state = accounts(1, panel.n_instruments, account, costs, panel.n_instruments, n_working)
        filled = tape(capacity)
        path = follow_orders(state, line, given, filled)
        if filled.n[0] <= capacity:
            return run_of(panel, line, account, (state, path, filled))
        capacity = int(filled.n[0])
