"""Accounts as arrays of records: money, positions and working orders, one row per account.

Every array has a leading axis of accounts, so that one history, a thousand environments and one
live account are the same thing to the kernel. Records, not columns: the kernel reads all of one
position at once, and a numba function pays for every array that it is handed.
"""

from typing import Annotated, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from touchstone.arrays import Int64
from touchstone.config import Config
from touchstone.execution.costs import CostsConfig

ENTRY: Final = 0
TIME: Final = 1
PROBABILITY: Final = 2
STOP: Final = 3
TARGET: Final = 4
REASONS: Final = ("entry", "time", "probability", "stop", "target")
"""Why a fill happened, by its code in `reason`."""


class AccountConfig(Config):
    """A long-only cash account with fractional units: it never borrows and is never short."""

    cash: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1_000_000.0
    """Deposit at the start, quote currency."""


PURSE: Final = np.dtype(
    [
        ("cash", np.float64),
        ("invested", np.float64),  # positions at their last known closes, as of the last mark
        ("equity", np.float64),  # cash + invested, as of the last mark
        ("peak", np.float64),  # highest equity of any mark: the high-water mark
        ("commission", np.float64),  # terms: fraction of a fill's value
        ("worsening", np.float64),  # terms: half spread + slippage, fraction of the reference
        ("to_cents", np.bool_),  # terms: whether commissions are rounded to cents
        ("max_positions", np.int64),  # terms
        ("n_active", np.int64),  # length of the account's list `active`
        ("n_cut", np.int64),  # buys filled smaller than ordered, for want of cash
        ("n_rejected", np.int64),  # wishes and buys that the cash could not pay at all
    ],
    align=True,
)
"""An account's money and the terms it trades at."""

POSITION: Final = np.dtype(
    [
        ("quantity", np.float64),
        ("entry_price", np.float64),  # of the fill; the average where it was added to
        ("entry_row", np.int64),  # row of the bar at whose open it was entered
        ("bars_held", np.int64),  # the instrument's bars closed since; the fill's own is 1
        ("hold", np.int64),  # bars_held at which it leaves
        ("upper", np.float64),  # price of the target; inf for none
        ("lower", np.float64),  # price of the stop; -inf for none
        ("close", np.float64),  # last known close
    ],
    align=True,
)
"""What an account holds of one instrument."""

ORDER: Final = np.dtype(
    [
        ("quantity", np.float64),  # above 0 buys, below 0 sells, 0 is no order
        ("row", np.int64),  # row at whose close it was decided
        ("rank", np.float64),  # buys of a higher rank are served first
        ("reserve", np.float64),  # kept for a buy: last close x quantity x (1 + cost rates)
        ("up", np.float64),  # width of the target to place at the fill, of the raw open
        ("down", np.float64),
        ("hold", np.int64),
        ("reason", np.int64),
    ],
    align=True,
)
"""A working market order; an account has at most one per instrument."""

FILL: Final = np.dtype(
    [
        ("row", np.int64),  # row of the bar that filled it
        ("order_row", np.int64),  # row at whose close it was ordered; a stop's is the entry's
        ("quantity", np.float64),  # above 0 bought, below 0 sold
        ("price", np.float64),
        ("reference", np.float64),  # before slippage and spread: open, stop or target
        ("commission", np.float64),
        ("reason", np.int64),
    ],
    align=True,
)
"""One fill, as the tape has it."""

Records: TypeAlias = npt.NDArray[np.void]


class Accounts(NamedTuple):
    """The whole state that the kernel advances: arrays of the records above."""

    purse: Records
    """`PURSE`, (n_accounts,)."""
    positions: Records
    """`POSITION`, (n_accounts, n_instruments)."""
    orders: Records
    """`ORDER`, (n_accounts, n_instruments)."""
    active: Int64
    """Instruments with a position or an order, ascending, (n_accounts, n_instruments)."""


class Tape(NamedTuple):
    """Fills in the order they happened. A tape of capacity 0 records nothing."""

    n: Int64
    """How many are written, (1,)."""
    fills: Records
    """`FILL`, (capacity,)."""


def accounts(
    n_accounts: int,
    n_instruments: int,
    config: AccountConfig,
    costs: CostsConfig,
    max_positions: int,
) -> Accounts:
    """Fresh accounts: the deposit, no positions, no orders."""
    shape = (n_accounts, n_instruments)
    purse = np.zeros(n_accounts, PURSE)
    for name in ("cash", "equity", "peak"):
        purse[name] = config.cash
    rates = costs.rates
    purse["commission"], purse["worsening"] = rates.commission, rates.worsening
    purse["to_cents"], purse["max_positions"] = rates.to_cents, max_positions
    return Accounts(
        purse, np.zeros(shape, POSITION), np.zeros(shape, ORDER), np.zeros(shape, np.int64)
    )


def tape(capacity: int) -> Tape:
    """An empty tape; `capacity` must cover every fill until it is read."""
    return Tape(np.zeros(1, np.int64), np.empty(capacity, FILL))
