"""Backtest a list of orders that somebody else decided: bars and orders in, money out."""

import difflib
import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from touchstone.arrays import Bool, Float64, Int64
from touchstone.backtest import daily, run_orders
from touchstone.backtest.by_orders import again_of_orders
from touchstone.data.side_file import listed, words
from touchstone.data.sources import Loaded
from touchstone.errors import SourceError
from touchstone.execution.columns import Given
from touchstone.execution.history import timeline
from touchstone.execution.records import FOR_EVER, MARKET_ORDER, ORDER_KINDS, RESTING
from touchstone.ledger import Ledger, Span
from touchstone.market import Panel
from touchstone.pipelines.backtested import BacktestConfig, Backtested
from touchstone.pipelines.brought import Brought, Wanted, brought, reading, symbol_at
from touchstone.pipelines.decide import segment
from touchstone.pipelines.money import Traded, performance
from touchstone.validation.candidates import candidate

NEEDED: Final = ("timestamp", "symbol", "quantity")
COLUMNS: Final = (*NEEDED, "kind", "side", "price", "number", "expires_bars")
_CANCEL: Final = len(ORDER_KINDS)
_KINDS: Final = (*ORDER_KINDS, "cancel")
_MOST: Final = 1e12
"""Units, prices and numbers beyond it are taken for a slip."""


class Orders(NamedTuple):
    """Orders as they were read, in the file's order; all (n,)."""

    row: Int64
    """Row of the panel at whose close it is given."""
    kind: Int64
    """Place in market, limit, stop, cancel."""
    quantity: Float64
    """Above 0 buys, below 0 sells; 0 for a cancel."""
    price: Float64
    """Limit or trigger; 0 for the others."""
    number: Int64
    """The order's own; a cancel's is that of the order it ends."""
    expires_bars: Int64
    """Bars of the panel's clock that it works; `FOR_EVER` without an end."""


def read_orders(
    path: Path,
    panel: Panel,
    wanted: Collection[str] | None,
    left_out: Collection[str],
    whole_units: bool = False,
) -> Orders:
    """A table of orders, Parquet or CSV, one a row.

    Columns timestamp (start of the bar at whose close it is given), symbol, quantity; and kind
    (market where the column is absent, limit, stop, cancel), side (buy, sell; without it the sign
    of quantity says), price (of limit and stop), number (to cancel an order by), and expires_bars
    (what is left of it is gone after so many bars; empty: never).

    Raises:
        DataError: what makes no order, by file, row and value.
    """
    with reading(path):
        found = brought(path, panel, NEEDED, Wanted(wanted, left_out), "orders")
        _known_columns(found.frame.columns)
        kind = _kinds(found)
        quantity = _quantities(found, kind, whole_units)
        price = _prices(found, kind)
        number = _numbers(found, kind)
        _cancels(found, panel, kind, number)
        return Orders(found.row, kind, quantity, price, number, _expiries(found, kind))


def backtest_orders(
    config: BacktestConfig, loaded: tuple[Loaded, str], orders: Orders, ledger: Ledger
) -> Backtested:
    """Backtest a list of orders, counted in the ledger as one candidate.

    Args:
        config: costs and account; strategy and label decide nothing here.
        loaded: the bars and their hash.
        orders: as `read_orders` gives them.
        ledger: where the trial is counted.
    """
    bars, data = loaded
    panel, given = bars.panel, given_of(bars.panel, orders)
    done = run_orders(panel, given, config.account, config.costs, ledger, data)
    end = int(panel.available_at.max())
    begin = int(panel.available_at.min()) - 1
    where = segment(panel, begin, end)
    known = np.ones(len(panel), np.bool_)
    again = again_of_orders(panel, given, config.account.cash)
    found = performance(config, Traded(where, done, known, again), "orders")
    name = _fingerprint(config, orders)
    span = Span(bars.namespace, panel.symbols, begin, end + 1)
    one = candidate(name, daily(panel, done)[1], found.n_trades)
    ledger.sweep(data, name, span, (one,))
    return Backtested(found, done, where, config, name, n_orders=int(orders.row.size))


def given_of(panel: Panel, orders: Orders) -> Given:
    """The orders as the kernel reads them: by time, each time's in the file's order."""
    line = timeline(panel)
    at = np.searchsorted(line.time, panel.time[orders.row]).astype(np.int64)
    order = np.argsort(at, kind="stable")
    records = np.zeros(order.size, RESTING)
    # The kernel's clock stands at place + 1 at a bar's close; an order works the bars after it.
    last = np.minimum(orders.expires_bars, FOR_EVER - line.time.size - 1) + at + 1
    for name, column in {
        "instrument": line.place[panel.asset_id[orders.row]],
        "kind": np.where(orders.kind == _CANCEL, MARKET_ORDER, orders.kind),
        "quantity": orders.quantity,
        "price": orders.price,
        "row": orders.row,
        "number": orders.number,
        "expires": np.where(orders.expires_bars == FOR_EVER, FOR_EVER, last),
    }.items():
        records[name] = column[order]
    first = np.searchsorted(at[order], np.arange(line.time.size + 1)).astype(np.int64)
    return Given(first, records)


def _known_columns(names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"is it {near[0]!r}? " if near else ""
            raise SourceError(
                f"no such column of orders: {name!r}: {hint}Known are {listed(COLUMNS)}: rename "
                "it, or take it out"
            )


def _kinds(found: Brought) -> Int64:
    if "kind" not in found.frame.columns:
        return np.zeros(found.row.size, np.int64)
    text = _words(found, "kind")
    return _chosen(found, text, _KINDS, "kind")


def _chosen(found: Brought, text: pl.Series, known: tuple[str, ...], name: str) -> Int64:
    """Each word's place among the known ones, (n,)."""
    place = text.replace_strict(list(known), list(range(len(known))), default=-1)
    found.refuse(
        (place == -1).to_numpy(),
        lambda r: f"{name} {found.frame[name][r]!r} is unknown" if text[r] else f"{name} is empty",
        f"write {', '.join(known[:-1])} or {known[-1]}",
    )
    return np.asarray(place.to_numpy(), np.int64)


def _words(found: Brought, name: str) -> pl.Series:
    return words(found.frame[name]).str.strip_chars().str.to_lowercase()


def _quantities(found: Brought, kind: Int64, whole_units: bool) -> Float64:
    quantity, is_cancel = found.numbers("quantity"), kind == _CANCEL
    found.refuse(
        is_cancel & ~np.isnan(quantity) & (quantity != 0),
        lambda r: f"a cancel has no quantity, got {quantity[r]:g}",
        "leave the cell empty: it ends the whole order of that number",
    )
    quantity = np.where(is_cancel, 0.0, quantity)
    found.refuse(
        ~is_cancel & ~(np.abs(quantity) <= _MOST),
        lambda r: f"quantity {quantity[r]:g} is no size of an order",
        f"needs a finite number of units, {_MOST:g} at most",
    )
    found.refuse(
        ~is_cancel & (quantity == 0),
        lambda r: "an order of quantity 0 does nothing",  # noqa: ARG005
        "take it out, or write kind cancel to end an order",
    )
    found.refuse(
        ~is_cancel & (quantity != np.floor(quantity)) & whole_units,
        lambda r: f"quantity {quantity[r]:g} of an account that trades whole units",
        "needs whole numbers, or account.units: fractional",
    )
    if "side" not in found.frame.columns:
        return quantity
    text = _words(found, "side")
    text = pl.select(pl.when(pl.Series(is_cancel)).then(pl.lit("buy")).otherwise(text)).to_series()
    side = _chosen(found, text, ("buy", "sell"), "side")
    found.refuse(
        ~is_cancel & (quantity < 0),
        lambda r: f"quantity {quantity[r]:g} has a sign beside side {text[r]!r}",
        "with a column side every quantity is above 0; without it the sign says the side",
    )
    return np.where(side == 1, -quantity, quantity)


def _prices(found: Brought, kind: Int64) -> Float64:
    has_price = (kind > MARKET_ORDER) & (kind < _CANCEL)
    price = np.full(kind.size, np.nan)
    if "price" in found.frame.columns:
        price = found.numbers("price")
    name = [_KINDS[k] for k in kind]
    found.refuse(
        has_price & np.isnan(price),
        lambda r: f"a {name[r]} order without a price",
        "needs a column price with its limit or trigger",
    )
    found.refuse(
        has_price & ~((price > 0) & (price <= _MOST)),
        lambda r: f"price {price[r]:g} of a {name[r]} order",
        f"needs a number above 0, {_MOST:g} at most",
    )
    found.refuse(
        ~has_price & ~np.isnan(price),
        lambda r: f"a {name[r]} order has no price, got {price[r]:g}",
        "leave the cell empty, or write kind limit or stop",
    )
    return np.where(has_price, price, 0.0)


def _whole(found: Brought, name: str, least: int, way_out: str) -> tuple[Int64, Bool]:
    """A column of whole numbers, and where it has any, (n,)."""
    if name not in found.frame.columns:
        return np.zeros(found.row.size, np.int64), np.zeros(found.row.size, np.bool_)
    number = found.numbers(name)
    given = ~np.isnan(number)
    sound = (number >= least) & (number <= _MOST) & (number == np.floor(number))
    found.refuse(
        given & ~sound,
        lambda r: f"{name} {number[r]:g}",
        f"needs a whole number, {least} at least: {way_out}",
    )
    return np.where(given, number, 0).astype(np.int64), given


def _numbers(found: Brought, kind: Int64) -> Int64:
    """Each order's number; those that have none get one that nobody has."""
    number, given = _whole(found, "number", 0, "it is what a cancel names")
    found.refuse(
        ~given & (kind == _CANCEL),
        lambda r: "a cancel without a number",  # noqa: ARG005
        "needs a column number with that of the order it ends",
    )
    rests = given & (kind != _CANCEL)
    order = np.lexsort((np.arange(number.size), number, ~rests))[: int(rests.sum())]
    twice = np.zeros(number.size, np.bool_)
    twice[order[1:]] = number[order[1:]] == number[order[:-1]]
    found.refuse(
        twice,
        lambda r: f"number {number[r]} stands at two orders",
        "give each order a number of its own",
    )
    free = int(number.max(initial=-1)) + 1
    return np.where(given, number, free + np.arange(number.size))


def _cancels(found: Brought, panel: Panel, kind: Int64, number: Int64) -> None:
    """A cancel ends an order of its own instrument that was given before it."""
    rests = np.flatnonzero(kind != _CANCEL)
    of = dict(zip(number[rests].tolist(), rests.tolist(), strict=True))
    target = np.array([of.get(n, -1) for n in number.tolist()], np.int64)
    is_cancel = kind == _CANCEL
    found.refuse(
        is_cancel & (target < 0),
        lambda r: f"cancel of number {number[r]}, which no order of the file has",
        "write the number of the order it ends, or take it out",
    )
    symbol = panel.asset_id[found.row]
    found.refuse(
        is_cancel & (symbol != symbol[target]),
        lambda r: (
            f"cancel of number {number[r]}, an order of {symbol_at(panel, found.row[target[r]])}, "
            f"under {symbol_at(panel, found.row[r])}"
        ),
        "write the symbol of the order it ends",
    )
    time, place = panel.time[found.row], np.arange(kind.size)
    late = (time[target] > time) | ((time[target] == time) & (target > place))
    found.refuse(
        is_cancel & late,
        lambda r: f"cancel of number {number[r]} before that order is given",
        "a cancel stands after its order",
    )


def _expiries(found: Brought, kind: Int64) -> Int64:
    bars, given = _whole(found, "expires_bars", 1, "empty where an order works until it is filled")
    found.refuse(
        given & (kind == _CANCEL),
        lambda r: f"expires_bars {bars[r]} of a cancel",
        "only orders expire: leave the cell empty",
    )
    return np.where(given, bars, FOR_EVER)


def _fingerprint(config: BacktestConfig, orders: Orders) -> str:
    """Names the candidate: costs, account and every order."""
    digest = hashlib.sha256((config.costs.canonical() + config.account.canonical()).encode())
    columns: tuple[Any, ...] = orders
    for column in columns:
        digest.update(column.tobytes())
    return digest.hexdigest()[:16]
