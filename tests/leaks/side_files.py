"""Side data for a simulated market: tables of figures, each with the time at which it was told."""

import numpy as np
import polars as pl

HOUR_NS = 3_600_000_000_000


def write(place, **columns):
    """A table as Parquet; columns that end in _time become UTC stamps."""
    frame = pl.DataFrame(columns)
    stamps = [pl.col(c).cast(pl.Datetime("ns", "UTC")) for c in columns if c.endswith("_time")]
    frame.with_columns(stamps).write_parquet(place)


def read(place):
    """Such a table as arrays by name, stamps in ns."""
    frame = pl.read_parquet(place)
    return {
        c: (frame[c].cast(pl.Int64) if frame[c].dtype.is_temporal() else frame[c]).to_numpy()
        for c in frame.columns
    }


def as_of(panel, table, time):
    """The newest figure of each row's instrument by a time column, and its age: (value, age_ns).

    Args:
        panel: rows; a row looks at its close.
        table: with symbol, value and the column `time`.
        time: the column that a figure counts from.
    """
    value, age = np.full(len(panel), np.nan), np.full(len(panel), np.nan)
    for i, symbol in enumerate(panel.symbols):
        rows = slice(*panel.offsets[i : i + 2])
        mine = np.flatnonzero(table["symbol"] == symbol)
        mine = mine[np.argsort(table[time][mine], kind="stable")]
        at = np.searchsorted(table[time][mine], panel.available_at[rows], side="right") - 1
        found = mine[np.maximum(at, 0)] if mine.size else mine
        if mine.size:
            value[rows] = np.where(at >= 0, table["value"][found], np.nan)
            late = panel.available_at[rows] - table[time][found]
            age[rows] = np.where(at >= 0, late.astype(float), np.nan)
    return value, age


def later_return(panel, symbol, event, hours):
    """What an instrument earns in the hours after an event, 0 where its bars end."""
    bars = panel.bars(panel.symbols.index(symbol))
    at = np.searchsorted(bars.time, event)
    first, last = (np.minimum(at + k, len(bars) - 1) for k in (0, hours))
    return np.log(bars.close[last] / bars.close[first])
