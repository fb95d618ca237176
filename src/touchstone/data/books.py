"""Files of order books -> `OrderBook` or `BookUpdates`, in the three shapes that vendors ship."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.data.parquet_file import instants, opened
from touchstone.errors import SourceError
from touchstone.market.book_updates import BookUpdates
from touchstone.market.order_book import ASK, BID, OrderBook

if TYPE_CHECKING:
    import polars as pl

_LEVEL: Final = re.compile(r"(bid|ask)(\d+)_(price|size)\Z")
_DISTANCE: Final = re.compile(r"(bids|asks)_(distance|notional)_(\d+)\Z")
_UPDATES: Final = ("type", "side", "price", "size")
_SIDES: Final = {"b": BID, "bid": BID, "buy": BID, "a": ASK, "ask": ASK, "sell": ASK}


def read_book(path: Path, symbol: str) -> OrderBook:
    """Snapshots of a Parquet file, one row a time.

    Either `bid1_price, bid1_size, ask1_price, ...` from level 1, or `midpoint` with
    `bids_distance_0, bids_notional_0, asks_...` from level 0: a level's price is midpoint x
    (1 + distance), its size notional / price. A level without size is not there. `timestamp` is
    the time; without one the rows are numbered, and `time` is the row's number.

    Raises:
        SourceError: no such file, or neither shape; names the columns.
        BarsError: levels out of order; names the row.
    """
    frame = opened(path)
    if any(_LEVEL.match(n) for n in frame.columns):
        sides = [_levels(path, frame, side) for side in ("bid", "ask")]
    elif "midpoint" in frame.columns and any(_DISTANCE.match(n) for n in frame.columns):
        sides = [_distances(path, frame, side) for side in ("bids", "asks")]
    else:
        raise SourceError(
            f"{path}: no levels of a book: needs bid1_price, bid1_size, ask1_price, ask1_size ..., "
            "or midpoint with bids_distance_0, bids_notional_0 ...; has "
            f"{', '.join(frame.columns[:8])}"
        )
    (bid_price, bid_size), (ask_price, ask_size) = (_packed(*side) for side in sides)
    return OrderBook(symbol, _time(path, frame), bid_price, bid_size, ask_price, ask_size)


def read_updates(path: Path, symbol: str) -> BookUpdates:
    """Messages of a Parquet file, one row a changed level, in the order received.

    Columns: `type` (snapshot or delta), `side` (b or a), `price`, `size`, and `ts_ms` or
    `timestamp`. `sequence` numbers the messages; without it rows of one time and type are one
    message, numbered as they come, and no gap can be noticed.

    Raises:
        SourceError: no such file, a column that is missing, or a word that is none of these.
        BarsError: times that fall, or prices that are not positive.
    """
    frame = opened(path, _UPDATES)
    time = _time(path, frame)
    kind, side = (frame[n].cast(str).str.to_lowercase().to_list() for n in ("type", "side"))
    strange = set(kind) - {"snapshot", "delta"} or set(side) - _SIDES.keys()
    if strange:
        raise SourceError(
            f"{path}: {sorted(map(str, strange))[0]!r}: type is snapshot or delta, side is b or a"
        )
    snapshot = np.array([k == "snapshot" for k in kind], bool)
    if "sequence" in frame.columns:
        sequence = _whole(path, frame, "sequence")
    else:
        changed = (np.diff(time) != 0) | (np.diff(snapshot.astype(np.int8)) != 0)
        sequence = np.r_[0, np.cumsum(changed)][: time.size].astype(np.int64)
    return BookUpdates(
        symbol, time, sequence, snapshot, np.array([_SIDES[s] for s in side], np.int8),
        _numbers(path, frame, "price"), _numbers(path, frame, "size"),
    )  # fmt: skip


def _levels(path: Path, frame: "pl.DataFrame", side: str) -> tuple[Float64, Float64]:
    """(price, size) of the columns bid1_price, bid1_size, ..., (n, depth)."""
    found = sorted(int(m[2]) for n in frame.columns if (m := _LEVEL.match(n)) and m[1] == side)
    depth = len(set(found))
    if not depth or set(found) != set(range(1, depth + 1)):
        raise SourceError(f"{path}: levels of the {side}s are {found}: needs 1, 2, 3 ... of both")
    price, size = (
        np.stack([_numbers(path, frame, f"{side}{k}_{w}") for k in range(1, depth + 1)], 1)
        for w in ("price", "size")
    )
    return price, size


def _distances(path: Path, frame: "pl.DataFrame", side: str) -> tuple[Float64, Float64]:
    """(price, size) of the columns bids_distance_0, bids_notional_0, ..., (n, depth)."""
    found = {int(m[3]) for n in frame.columns if (m := _DISTANCE.match(n)) and m[1] == side}
    depth = len(found)
    if not depth or found != set(range(depth)):
        raise SourceError(f"{path}: levels of the {side} are {sorted(found)}: needs 0, 1, 2 ...")
    mid = _numbers(path, frame, "midpoint")[:, None]
    distance, notional = (
        np.stack([_numbers(path, frame, f"{side}_{w}_{k}") for k in range(depth)], 1)
        for w in ("distance", "notional")
    )
    price = mid * (1 + distance)
    return price, notional / price


def _packed(price: Float64, size: Float64) -> tuple[Float64, Float64]:
    """Levels with a size moved to the front of their row, in their order; NaN and 0 behind."""
    there = (size > 0) & np.isfinite(price)
    order = np.argsort(~there, axis=1, kind="stable")
    moved = [np.take_along_axis(c, order, 1) for c in (price, size, there)]
    return np.where(moved[2], moved[0], np.nan), np.where(moved[2], moved[1], 0.0)


def _time(path: Path, frame: "pl.DataFrame") -> Int64:
    if "ts_ms" in frame.columns:
        return _whole(path, frame, "ts_ms") * 1_000_000
    if "timestamp" not in frame.columns:
        return np.arange(frame.height, dtype=np.int64)
    return instants(path, frame, "timestamp")


def _whole(path: Path, frame: "pl.DataFrame", name: str) -> Int64:
    """A column of whole numbers; an empty cell would become a number of its own."""
    column = frame[name]
    if not column.dtype.is_integer() or column.null_count():
        raise SourceError(
            f"{path}: column {name} is of type {column.dtype} with {column.null_count()} empty "
            "cells: needs whole numbers"
        )
    return np.asarray(column.to_numpy(), np.int64)


def _numbers(path: Path, frame: "pl.DataFrame", name: str) -> Float64:
    import polars as pl  # noqa: PLC0415

    if name not in frame.columns or not frame[name].dtype.is_numeric():
        raise SourceError(f"{path}: no column {name} of numbers")
    return np.array(frame[name].cast(pl.Float64).to_numpy(), np.float64)
