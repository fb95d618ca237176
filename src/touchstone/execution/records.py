"""What the kernel keeps: terms, money, positions, orders and fills as records, one row an account.

Records, not columns: the kernel reads all of one position at once, and a numba function pays for
every array that it is handed.
"""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from touchstone.arrays import Int64

ENTRY, TIME, PROBABILITY, STOP, TARGET, REBALANCE, GIVEN, LIMIT, DELISTED, IN_LIEU = range(10)
REASONS: Final = (
    "entry", "time", "probability", "stop", "target", "rebalance", "order", "limit", "delisted",
    "in_lieu",
)  # fmt: skip
"""Why a fill happened, by its code in `reason`. limit: a loss limit of the account; order: an
order given from outside; in_lieu: cash for the fraction of a share that a split leaves."""

PESSIMISTIC, OPTIMISTIC, FINER = range(3)
AMBIGUITIES: Final = ("pessimistic", "optimistic", "finer")
"""What a bar counts as that spans stop and target."""

MARKET_ORDER, LIMIT_ORDER, STOP_ORDER = range(3)
ORDER_KINDS: Final = ("market", "limit", "stop")

FOR_EVER: Final = 9223372036854775807
"""`hold` of what is not held for a number of bars, and `expires` of what works until filled."""

TERMS: Final = np.dtype(
    [
        ("commission", np.float64),  # fraction of a fill's value
        ("per_unit", np.float64),  # money a unit
        ("minimum", np.float64),  # least commission of a fill, money
        ("sell_fee", np.float64),  # regulatory, fraction of the value of a sale
        ("sell_fee_per_unit", np.float64),  # regulatory, money a unit sold
        ("worsening", np.float64),  # half spread + slippage, fraction of the reference
        ("half_spread", np.float64),  # the part of it that is spread
        ("slippage", np.float64),  # the part of it that is slippage
        ("impact", np.float64),  # Y of Y sigma (quantity / volume) ^ power
        ("impact_power", np.float64),
        ("impact_kept", np.float64),  # share of a past impact that is left a bar later
        ("volume_cap", np.float64),  # share of a bar's volume that an instrument may fill; inf
        ("borrow", np.float64),  # of the value held short, a year
        ("financing", np.float64),  # of cash below zero, a year
        ("max_gross", np.float64),  # longs + shorts, of equity
        ("max_weight", np.float64),  # one instrument, of equity
        ("max_group", np.float64),  # one group of instruments, of equity
        ("daily_loss", np.float64),  # of the equity at the day's beginning; inf for no limit
        ("drawdown", np.float64),  # of the high-water mark; inf for no limit
        ("entry_level", np.float64),  # rank at or above which a wish is heard
        ("exit_level", np.float64),  # at or below it a position leaves
        ("scale", np.float64),  # what wished weights are multiplied by
        ("max_positions", np.int64),
        ("cool_down", np.int64),  # bars after a stop in which its instrument is not entered
        ("ambiguity", np.int64),
        ("to_cents", np.bool_),  # whether commissions are rounded to cents, half up
        ("whole", np.bool_),  # whether quantities are whole units
        ("margin", np.bool_),  # whether it may be short, and measures its room by equity
    ],
    align=True,
)
"""What an account trades at, and within which limits; no event changes it."""

PURSE: Final = np.dtype(
    [
        ("cash", np.float64),
        ("invested", np.float64),  # positions at their last known closes, shorts below 0
        ("gross", np.float64),  # the same, shorts above 0
        ("equity", np.float64),  # cash + invested, as of the last mark
        ("peak", np.float64),  # highest equity of any mark: the high-water mark
        ("day_equity", np.float64),  # equity when the day began
        ("dividends", np.float64),  # received, less those paid on shorts, since the beginning
        ("financed", np.float64),  # paid for borrowing, since the beginning
        ("time", np.int64),  # of the last mark, ns UTC
        ("day", np.int64),
        ("clock", np.int64),  # bars since the beginning
        ("latch", np.int64),  # 1 out for this day, 2 out for good
        ("n_active", np.int64),  # length of the account's list `active`
        ("n_resting", np.int64),  # length of its list `resting`
        ("n_cut", np.int64),  # fills smaller than ordered, for want of money
        ("n_partial", np.int64),  # fills smaller than ordered, for want of volume
        ("n_rejected", np.int64),  # wishes and orders that the money could not pay at all
        ("n_ambiguous", np.int64),  # bars that spanned stop and target of a position
        ("ambiguous", np.float64),  # money between the two readings of such bars
    ],
    align=True,
)
"""An account's money and counts."""

POSITION: Final = np.dtype(
    [
        ("quantity", np.float64),  # below 0: short
        ("entry_price", np.float64),  # of the fill; the average where it was added to
        ("entry_row", np.int64),  # row of the bar at whose open it was entered
        ("row", np.int64),  # newest row of the instrument
        ("bars_held", np.int64),  # the instrument's bars closed since; the fill's own is 1
        ("hold", np.int64),  # bars_held at which it leaves
        ("upper", np.float64),  # price of the target of a long, the stop of a short; inf for none
        ("lower", np.float64),  # price of the stop of a long, the target of a short
        ("close", np.float64),  # last known close
        ("taken", np.float64),  # units filled in the bar of `taken_clock`, both sides
        ("taken_clock", np.int64),
        ("moved", np.float64),  # what its own fills moved the price, fraction, at `moved_clock`
        ("moved_clock", np.int64),
        ("rests_until", np.int64),  # clock before which it is not entered: cool-down
    ],
    align=True,
)
"""What an account holds of one instrument, and what it did to it."""

ORDER: Final = np.dtype(
    [
        ("quantity", np.float64),  # above 0 buys, below 0 sells, 0 is no order
        ("row", np.int64),  # row at whose close it was decided
        ("rank", np.float64),  # opening orders of a higher rank are served first
        ("reserve", np.float64),  # kept for it: last close x quantity x (1 + cost rates)
        ("up", np.float64),  # width of the target to place at the fill, of the raw open
        ("down", np.float64),  # of the stop
        ("hold", np.int64),
        ("reason", np.int64),
        ("waits", np.bool_),  # has a bar and waits for its turn at this open
    ],
    align=True,
)
"""A working market order; an account has at most one per instrument."""

RESTING: Final = np.dtype(
    [
        ("instrument", np.int64),
        ("kind", np.int64),  # of `ORDER_KINDS`, but market
        ("quantity", np.float64),  # above 0 buys, below 0 sells
        ("price", np.float64),  # limit or trigger
        ("row", np.int64),  # row at whose close it was given
        ("number", np.int64),  # the order's own, to cancel it by
        ("expires", np.int64),  # clock after which it is gone
    ],
    align=True,
)
"""A limit or stop order given from outside, working until filled, cancelled or expired."""

FILL: Final = np.dtype(
    [
        ("row", np.int64),  # row of the bar that filled it
        ("order_row", np.int64),  # row at whose close it was ordered; a stop's is the entry's
        ("instrument", np.int64),
        ("quantity", np.float64),  # above 0 bought, below 0 sold
        ("price", np.float64),
        ("reference", np.float64),  # before slippage, spread and impact: open, stop or target
        ("slippage", np.float64),  # fraction of the reference lost to it
        ("spread", np.float64),
        ("impact", np.float64),
        ("commission", np.float64),  # money, fees in it
        ("left", np.float64),  # the position after it
        ("reason", np.int64),
    ],
    align=True,
)
"""One fill, as the tape has it."""

Records: TypeAlias = npt.NDArray[np.void]


class Accounts(NamedTuple):
    """The whole state that the kernel advances: arrays of the records above."""

    terms: Records
    """`TERMS`, (n_accounts,)."""
    purse: Records
    """`PURSE`, (n_accounts,)."""
    positions: Records
    """`POSITION`, (n_accounts, n_instruments)."""
    orders: Records
    """`ORDER`, (n_accounts, n_instruments)."""
    active: Int64
    """Instruments with a position or an order, ascending, (n_accounts, n_instruments)."""
    resting: Records
    """`RESTING` in the order given, (n_accounts, capacity); capacity 0 takes none."""


class Tape(NamedTuple):
    """Fills in the order they happened.

    A tape of capacity 0 records nothing; what no longer fits is counted but not written.
    """

    n: Int64
    """How many happened, (1,)."""
    fills: Records
    """`FILL`, (capacity,)."""


def tape(capacity: int) -> Tape:
    """An empty tape; `capacity` must cover every fill until it is read."""
    return Tape(np.zeros(1, np.int64), np.empty(capacity, FILL))
