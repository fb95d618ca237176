"""Files of ticks -> trades, quotes, and quotes by exchange; what was left out is counted."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.data.parquet_file import instants, opened
from touchstone.errors import DataError, SourceError
from touchstone.files import stem_to_symbol
from touchstone.market.national_best import VenueQuotes
from touchstone.market.trade import Quotes, Trades

if TYPE_CHECKING:
    import polars as pl

_TRADE: Final = ("timestamp", "price", "size")
_QUOTE: Final = ("timestamp", "bid", "ask")
_SIZES: Final = ("bid_size", "ask_size")


class TradeTape(NamedTuple):
    """Prints of a file."""

    trades: Trades
    exchange: tuple[str, ...]
    """Code of each print's exchange; empty where the file has none."""
    n_suspicious: int
    """Prints left out because the vendor doubts them."""


class QuoteTape(NamedTuple):
    """Quotes of a file, by exchange where it tells them apart."""

    quotes: Quotes | VenueQuotes
    n_suspicious: int


def read_trades(path: Path, symbol: str | None = None, *, suspicious: bool = False) -> TradeTape:
    """Trades of a Parquet file: timestamp, price, size; exchange and suspicious if there.

    Args:
        path: the file; IBM_trade.parquet is IBM, unless `symbol` says otherwise.
        symbol: of the instrument.
        suspicious: whether to keep prints that the vendor doubts.

    Raises:
        SourceError: no such file, a column that is missing or is no number, or times without zone.
        BarsError: times that fall, or a price that is not positive; names the row.
    """
    frame = opened(path, _TRADE)
    kept = _kept(path, frame, suspicious)
    time, price, size = (
        instants(path, frame, "timestamp")[kept],
        *(_numbers(path, frame, n)[kept] for n in ("price", "size")),
    )
    exchange: tuple[str, ...] = ()
    if "exchange" in frame.columns:
        exchange = tuple(_words(frame["exchange"]).filter(_mask(kept)).to_list())
    tape = Trades(_symbol(path, symbol), time, price, size)
    return TradeTape(tape, exchange, int((~kept).sum()))


def read_quotes(path: Path, symbol: str | None = None, *, suspicious: bool = False) -> QuoteTape:
    """Quotes of a Parquet file: timestamp, bid, ask; sizes, exchange and suspicious if there.

    With an exchange, a price of 0 is a side that the row leaves as it is, which is how feeds of
    changes write; without one, a price of 0 is a side that is not there. Without sizes they are 1.

    Raises:
        SourceError, BarsError: as `read_trades`.
    """
    frame = opened(path, _QUOTE)
    kept = _kept(path, frame, suspicious)
    time, name = instants(path, frame, "timestamp")[kept], _symbol(path, symbol)
    bid, ask = (_price(_numbers(path, frame, n)[kept]) for n in ("bid", "ask"))
    one = np.ones(time.size)
    bid_size, ask_size = (
        np.where(np.isnan(p), 0.0, _numbers(path, frame, n)[kept] if n in frame.columns else one)
        for n, p in zip(_SIZES, (bid, ask), strict=True)
    )
    n_left_out = int((~kept).sum())
    if "exchange" not in frame.columns:
        return QuoteTape(Quotes(name, time, bid, ask, bid_size, ask_size), n_left_out)
    exchange = _words(frame["exchange"]).filter(_mask(kept)).to_numpy()
    venues, venue = np.unique(exchange, return_inverse=True)
    by_venue = VenueQuotes(
        name, tuple(str(v) for v in venues), time, venue.astype(np.int64),
        bid, ask, bid_size, ask_size,
    )  # fmt: skip
    return QuoteTape(by_venue, n_left_out)


def _price(column: Float64) -> Float64:
    return np.where(column == 0, np.nan, column)


def _mask(kept: Bool) -> "pl.Series":
    import polars as pl  # noqa: PLC0415

    return pl.Series(kept)


def _kept(path: Path, frame: "pl.DataFrame", suspicious: bool) -> Bool:
    import polars as pl  # noqa: PLC0415

    if suspicious or "suspicious" not in frame.columns:
        return np.ones(frame.height, bool)
    column = frame["suspicious"]
    flags = column.cast(pl.Boolean) if column.dtype.is_integer() else column
    if flags.dtype not in (pl.Boolean, pl.Null):
        raise SourceError(
            f"{path}: suspicious is of type {column.dtype}: needs true and false, or 1 and 0"
        )
    return ~np.asarray(flags.cast(pl.Boolean).fill_null(value=False).to_numpy(), bool)


def _words(column: "pl.Series") -> "pl.Series":
    """Codes of exchanges as text, however a file writes them."""
    import polars as pl  # noqa: PLC0415

    return column.cast(pl.String).fill_null("")


def _numbers(path: Path, frame: "pl.DataFrame", name: str) -> Float64:
    import polars as pl  # noqa: PLC0415

    column = frame[name]
    if not column.dtype.is_numeric():
        raise SourceError(f"{path}: column {name} is of type {column.dtype}: needs numbers")
    return np.array(column.cast(pl.Float64).to_numpy(), np.float64)


def _symbol(path: Path, symbol: str | None) -> str:
    if symbol is not None:
        return symbol
    try:
        return stem_to_symbol(path.stem.split("_")[0])
    except DataError:
        raise SourceError(f"{path}: its name tells no symbol: say symbol=") from None
