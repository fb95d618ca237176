"""Missing bars filled for display, and for nothing else: a type that nothing which computes takes.

A missing bar is absent from a `Panel`. A chart may want a line without holes: it asks for `Filled`,
which says of every row whether it was made up. `Filled` is no `Panel`, and refuses to be taken for
one when it is asked for what a panel has: features, labels and the kernel never see a filled bar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, NoReturn

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import BarsError, RefusedError
from touchstone.market.bars import FIELDS
from touchstone.market.panel import Panel

_OF_A_PANEL: Final = frozenset(
    {f.name for f in fields(Panel)} | {n for n in vars(Panel) if n[0] != "_"} | {"symbol"}
)


@dataclass(frozen=True)
class Filled:
    """Bars on a clock without holes, rows sorted by (instrument, time); for display only."""

    original: Panel
    """The bars that were printed: what everything but a display must take."""
    method: Literal["forward", "interpolated"]
    starts: Int64
    """Instrument i holds rows starts[i] .. starts[i + 1] - 1, (n_instruments + 1,)."""
    at: Int64
    """Start of each row, ns UTC, (n_rows,)."""
    shown: Mapping[str, Float64]
    """Open, high, low, close, volume by name, (n_rows,) each; a filled row has volume 0."""
    is_filled: Bool
    """Rows that no market printed, (n_rows,)."""

    def __len__(self) -> int:  # noqa: PLE0303
        self._refuse("length")

    def __getattr__(self, name: str) -> NoReturn:
        if name in _OF_A_PANEL:
            self._refuse(name)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _refuse(self, name: str) -> NoReturn:
        raise RefusedError(
            f"filled bars have no {name!r}: {int(self.is_filled.sum()):,} of them were never "
            "printed and are for display only; take .original"
        )


def fill_forward(panel: Panel, clocks: Sequence[Int64]) -> Filled:
    """Every expected bar that is missing, at the last close before it, without range or volume.

    Args:
        panel: bars.
        clocks: expected starts of each instrument's bars, rising, ns UTC; those before its first
            and after its last bar are not filled.

    Returns:
        Each filled row shows what was known then: it could be shown live.

    Raises:
        BarsError: not one clock an instrument.
    """
    return _filled(panel, clocks, "forward")


def interpolate(panel: Panel, clocks: Sequence[Int64]) -> Filled:
    """The same on a straight line from the last close to the next open, by time.

    It knows the future, so it is for looking back at charts.
    """
    return _filled(panel, clocks, "interpolated")


def _filled(
    panel: Panel, clocks: Sequence[Int64], method: Literal["forward", "interpolated"]
) -> Filled:
    if len(clocks) != panel.n_instruments:
        raise BarsError(
            f"{len(clocks)} clocks for {panel.n_instruments} instruments: needs one for each"
        )
    times, columns, filled = [], [], []
    for i, clock in enumerate(clocks):
        a, b = int(panel.offsets[i]), int(panel.offsets[i + 1])
        time = panel.time[a:b]
        inside = clock[(clock > time[0]) & (clock < time[-1])] if b > a else clock[:0]
        missing = np.setdiff1d(inside, time)
        whole = np.union1d(time, missing)
        own = a + np.searchsorted(time, whole, side="right") - 1
        made = ~np.isin(whole, time)
        rows = np.array([getattr(panel, f)[own] for f in FIELDS]) if b > a else np.zeros((5, 0))
        level = panel.close[own] if b > a else np.zeros(0)
        if method == "interpolated" and made.any():
            later = np.minimum(own + 1, b - 1)
            share = (whole - panel.time[own]) / np.maximum(panel.time[later] - panel.time[own], 1)
            level = level + share * (panel.open[later] - level)
        rows[:4, made], rows[4, made] = level[made], 0.0
        times.append(whole)
        columns.append(rows)
        filled.append(made)
    shown = np.concatenate(columns, axis=1)
    starts = np.r_[0, np.cumsum([t.size for t in times])].astype(np.int64)
    by_name = dict(zip(FIELDS, shown, strict=True))
    return Filled(
        panel, method, starts, np.concatenate(times), by_name, np.concatenate(filled).astype(bool)
    )
