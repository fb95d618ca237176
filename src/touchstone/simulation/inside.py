"""Bars of a shorter timeframe inside bars that were drawn anew."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.market import Panel
from touchstone.market.bars import FIELDS


class Drawn(NamedTuple):
    """What each bar's shape was taken from; both (n_rows,)."""

    source: Int64
    """The row whose shape it is; -1 where the bar stayed."""
    sigma: Float64
    """Volatility of each row, by which a shape is stretched."""


def inside(panel: Panel, made: Panel, drawn: Drawn) -> Panel | None:
    """The finer bars of the shapes drawn, stretched and moved as these were; None without any.

    A finer bar keeps its place in the bar and stays between the new bar's low and high. One that
    would begin behind the end of a shorter bar is left out.

    Args:
        panel: as it was, with `finer`.
        made: the same rows with their new prices.
        drawn: which shape each took.
    """
    finer = panel.finer
    if finer is None:
        return None
    source = np.where(drawn.source >= 0, drawn.source, np.arange(len(panel)))
    counts, rows, of = [], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for symbol, a, b in zip(finer.symbols, finer.offsets[:-1], finer.offsets[1:], strict=True):
        if symbol not in panel.symbols:
            counts.append(0)
            continue
        i = panel.symbols.index(symbol)
        own = np.arange(*panel.offsets[i : i + 2])
        begin = a + np.searchsorted(finer.time[a:b], panel.time[source[own]])
        end = a + np.searchsorted(finer.time[a:b], panel.available_at[source[own]])
        at, within = _runs(begin, end)
        late = finer.time[at] - panel.time[source[own[within]]] + panel.time[own[within]]
        fits = late < panel.available_at[own[within]]
        rows.append(at[fits])
        of.append(own[within][fits])
        counts.append(int(fits.sum()))
    return _moved(panel, made, drawn, (np.concatenate(rows), np.concatenate(of), np.array(counts)))


def _moved(panel: Panel, made: Panel, drawn: Drawn, which: tuple[Int64, Int64, Int64]) -> Panel:
    """Finer rows as those of other bars: (finer rows, rows of the panel, how many of each)."""
    finer = panel.finer
    assert finer is not None
    rows, of, counts = which
    source = np.where(drawn.source >= 0, drawn.source, np.arange(len(panel)))[of]
    stretch = drawn.sigma[of] / drawn.sigma[source]
    columns = {
        name: np.clip(
            made.open[of] * (getattr(finer, name)[rows] / panel.open[source]) ** stretch,
            made.low[of],
            made.high[of],
        )
        for name in FIELDS[:4]
    }
    traded = panel.volume[source]
    share = np.divide(finer.volume[rows], traded, out=np.zeros(rows.size), where=traded > 0)
    return replace(
        finer,
        offsets=np.r_[0, np.cumsum(counts)].astype(np.int64),
        time=finer.time[rows] - panel.time[source] + panel.time[of],
        volume=share * made.volume[of],
        side={name: column[rows] for name, column in finer.side.items()},
        member=None if finer.member is None else finer.member[rows],
        happened=None,
        **columns,
    )


def _runs(begin: Int64, end: Int64) -> tuple[Int64, Int64]:
    """begin[k] .. end[k] - 1 for each k, one after the other, and the k of each."""
    count = np.maximum(end - begin, 0)
    k = np.repeat(np.arange(count.size), count)
    first = np.cumsum(count) - count
    return np.arange(k.size) - first[k] + begin[k], k
