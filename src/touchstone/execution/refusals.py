"""Orders and events that the kernel would read outside its arrays by, or that make no sense."""

import numpy as np

from touchstone.arrays import Bool
from touchstone.errors import BarsError, ConfigError
from touchstone.execution.columns import Events, Given
from touchstone.execution.records import MARKET_ORDER, ORDER_KINDS, Accounts
from touchstone.market.actions import DELISTING, KINDS


def refuse_orders(account: Accounts, rows: np.ndarray, n_rows: int, given: Given) -> None:
    """Refuse orders from outside that no account can take.

    Args:
        account: whose they are.
        rows: row of each instrument at each time, -1 for none, (n_times, n_instruments).
        n_rows: of the panel.
        given: the orders.

    Raises:
        ConfigError: names the order, the rule, and what was got.
    """
    order, n_times = given.order, rows.shape[0]
    _refuse_places(given.first, n_times, order.size, "orders")
    instrument, row = order["instrument"], order["row"]
    known = (instrument >= 0) & (instrument < rows.shape[1])
    _refuse(given, ~known, "instrument", "unknown instrument; number them by sorted symbol")
    time = np.repeat(np.arange(n_times), np.diff(given.first))
    its_own = (row >= 0) & (row < n_rows) & (rows[time, instrument] == row)
    is_cancel = order["quantity"] == 0
    _refuse(given, ~its_own & ~is_cancel, "row",
            "given at a row that is not its instrument's bar of that time")  # fmt: skip
    kind = order["kind"]
    _refuse(given, (kind < 0) | (kind >= len(ORDER_KINDS)), "kind",
            "unknown kind; 0 market, 1 limit, 2 stop")  # fmt: skip
    _refuse(given, ~np.isfinite(order["quantity"]), "quantity", "a quantity must be finite")
    price = order["price"]
    priced = (kind != MARKET_ORDER) & ~is_cancel
    _refuse(given, priced & ~(np.isfinite(price) & (price > 0)), "price",
            "a limit or stop needs a price above 0")  # fmt: skip
    if account.terms["whole"][0]:
        odd = order["quantity"] != np.round(order["quantity"])
        _refuse(given, odd, "quantity", "the account holds whole units")


def refuse_events(events: Events, n_times: int, n_instruments: int) -> None:
    """Refuse corporate actions of no instrument, of no kind, or without a sound value.

    Raises:
        BarsError: names the event, the rule, and what was got.
    """
    if events.first.size == 0:
        return
    _refuse_places(events.first, n_times, events.kind.size, "events")
    value, gone = events.value, events.kind == DELISTING
    broken = {
        "unknown instrument": (events.instrument < 0) | (events.instrument >= n_instruments),
        f"its kind is none of {', '.join(KINDS)}": (events.kind < 0) | (events.kind >= len(KINDS)),
        "a split needs a ratio and a dividend an amount above 0": ~gone
        & ~(np.isfinite(value) & (value > 0)),
        "a delisting's recovery lies in 0 .. 1": gone & ~((value >= 0) & (value <= 1)),
    }
    for rule, where in broken.items():
        if where.any():
            e = int(where.argmax())
            raise BarsError(
                f"events: event {e} (instrument {events.instrument[e]}, kind {events.kind[e]}, "
                f"value {value[e]:g}): {rule} ({int(where.sum())} in all)"
            )


def _refuse_places(first: np.ndarray, n_times: int, n: int, what: str) -> None:
    sound = first.size == n_times + 1 and first[0] == 0 and first[-1] == n
    if not (sound and (np.diff(first) >= 0).all()):
        raise ConfigError(
            f"{what}: first needs {n_times + 1} places that rise from 0 to {n}, got {first.size} "
            f"from {first[:1]} to {first[-1:]}: unsorted, or of another history"
        )


def _refuse(given: Given, broken: Bool, name: str, rule: str) -> None:
    if broken.any():
        place = int(broken.argmax())
        order = given.order[place]
        raise ConfigError(
            f"orders: order {order['number']} (place {place}): {rule}; {name} is {order[name]} "
            f"({int(broken.sum())} in all)"
        )
