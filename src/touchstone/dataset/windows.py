"""Windows: views into one flat feature matrix, gathered and scaled when asked for."""

from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float32, Int32, Int64
from touchstone.dataset.scalers import Scaler
from touchstone.errors import TooFewBarsError

SUMMARIES: Final = ("last", "recent", "mean")
"""What `tabular` makes of each feature, in this order."""


class Batch(NamedTuple):
    """Some windows of a list of rows."""

    at: Int64
    """Their places in the list, (n,): index outcomes and weights with it."""
    windows: Float32
    """(n, lookback, n_features), scaled; overwritten by the next batch."""
    asset_id: Int32
    """(n,)."""


class Windows:
    """The samples of a panel: row t stands for features[t - lookback + 1 .. t], scaled.

    Nothing is materialised: memory is that of the flat matrix, whose rows of one instrument are
    one contiguous run, so that a window is one run too. A row's values depend on its own window
    alone, bit for bit the same in any batch.

    Args:
        features: float32 (n_rows, n_features), C-contiguous (else it is copied), row t known at
            the close of bar t.
        asset_id: instrument of each row, (n_rows,).
        lookback: bars of a window, the row's own included.
        scaler: fitted on train rows; None leaves features as they are.
    """

    def __init__(
        self, features: Float32, asset_id: Int32, lookback: int, scaler: Scaler | None = None
    ) -> None:
        self.features: Float32 = np.ascontiguousarray(features, np.float32)
        self.asset_id: Int32 = np.ascontiguousarray(asset_id, np.int32)
        self.lookback = lookback
        self.scaler = scaler

    def __len__(self) -> int:
        return int(self.features.shape[0])

    @property
    def n_features(self) -> int:
        """Features of one bar."""
        return int(self.features.shape[1])

    def with_scaler(self, scaler: Scaler) -> "Windows":
        """The same windows, scaled by another; the matrix is shared."""
        return Windows(self.features, self.asset_id, self.lookback, scaler)

    def gather(self, rows: Int64, out: Float32 | None = None) -> Float32:
        """Scaled windows of some rows, (n, lookback, n_features) float32.

        Args:
            rows: (n,), each with a whole window of its own instrument before it (`complete`).
            out: a buffer of at least n windows to write to; the result is its first n.

        Raises:
            TooFewBarsError: a row whose window reaches back before its instrument's first bar,
                or no row of the matrix.
        """
        if out is None:
            out = np.empty((rows.size, self.lookback, self.n_features), np.float32)
        windows = out[: rows.size]
        flat = windows.reshape(rows.size, self.lookback * self.n_features)
        if not np.shares_memory(flat, out) and rows.size:
            raise ValueError("out must be C-contiguous, so that it can be written in place")
        self._refuse(_gather(self.features, self.asset_id, rows, self._tile, flat))
        return windows

    def ids(self, rows: Int64) -> Int32:
        """Instrument of each row, (n,)."""
        return np.asarray(self.asset_id[rows], np.int32)

    def tabular(self, rows: Int64) -> Float32:
        """The last bar and two averages of each scaled feature, (n, 3 * n_features) float32.

        Columns, a block of n_features for each of `SUMMARIES`: the row's own bar; the mean over
        the window with weights that halve every lookback / 4 bars, which is close to the best
        filter of a hidden state that fades; the plain mean. Summed window by window, not by a
        running sum, so that a row's bits do not depend on the rows before its window.

        Raises:
            TooFewBarsError: as in `gather`.
        """
        out = np.empty((rows.size, len(SUMMARIES) * self.n_features), np.float32)
        self._refuse(_summarise(self.features, self.asset_id, rows, self._tile, out))
        return out

    def tabular_names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the columns of `tabular`: `rsi`, ..., `rsi.recent`, ..., `rsi.mean`, ..."""
        return tuple(
            name if summary == "last" else f"{name}.{summary}"
            for summary in SUMMARIES
            for name in names
        )

    def batches(
        self, rows: Int64, batch: int, rng: np.random.Generator | None = None
    ) -> Iterator[Batch]:
        """Batches over all rows once, the last one short; in order without an rng.

        The windows of a batch lie in one buffer that the next batch overwrites.

        Args:
            rows: (n,) rows with a whole window.
            batch: rows of a batch.
            rng: shuffles the rows, anew at each call.
        """
        order = np.arange(rows.size, dtype=np.int32 if rows.size < 2**31 else np.int64)
        if rng is not None:
            rng.shuffle(order)
        out = np.empty((min(batch, rows.size), self.lookback, self.n_features), np.float32)
        for start in range(0, rows.size, batch):
            at = order[start : start + batch].astype(np.int64)
            chosen = rows[at]
            yield Batch(at, self.gather(chosen, out), self.ids(chosen))

    @cached_property
    def _tile(self) -> "_Tile":
        """The scaler repeated along a window, so that a window is scaled in one straight run."""
        f, lookback = self.n_features, self.lookback
        centre, inverse, clip = np.zeros(f, np.float32), np.ones(f, np.float32), np.inf
        if self.scaler is not None:
            centre, inverse, clip = self.scaler.centre, self.scaler.inverse, self.scaler.clip
        age = np.arange(lookback - 1, -1, -1)
        weight = 0.5 ** (age / (lookback / 4))
        return _Tile(
            np.tile(centre, lookback),
            np.tile(inverse, lookback),
            np.float32(clip),
            (weight / weight.sum()).astype(np.float32),
        )

    def _refuse(self, bad: int) -> None:
        if bad != _NONE:
            raise TooFewBarsError(
                f"row {bad}: a window of {self.lookback} bars begins before its instrument's "
                f"first bar, or the row is not one of {len(self)}; ask for rows that are "
                f"complete() only"
            )


def summarised(windows: Float32) -> Float32:
    """`Windows.tabular` of scaled windows at hand, (n, lookback, f) -> (n, 3 f), the same bits."""
    n, lookback, n_features = windows.shape
    flat = windows.reshape(n * lookback, n_features)
    each = Windows(flat, np.repeat(np.arange(n, dtype=np.int32), lookback), lookback)
    return each.tabular(np.arange(lookback - 1, n * lookback, lookback))


def complete(features: Float32, offsets: Int64, lookback: int) -> Bool:
    """Rows with a whole window of finite features of their own instrument, (n_rows,).

    Args:
        features: (n_rows, n_features).
        offsets: where each instrument's rows begin, (n_instruments + 1,).
        lookback: bars of a window, the row's own included.
    """
    return np.asarray(_complete(np.asarray(features), offsets, lookback), bool)


_NONE: Final = -(2**62)


class _Tile(NamedTuple):
    centre: Float32
    """(lookback * n_features,)."""
    inverse: Float32
    """(lookback * n_features,)."""
    clip: np.float32
    recent: Float32
    """Weights of the bars of a window, oldest first, sum 1, (lookback,)."""


@njit(cache=True, error_model="numpy")
def _gather(features: Float32, asset_id: Int32, rows: Int64, tile: _Tile, out: Float32) -> int:
    """Write scaled windows, (n, lookback * n_features); returns the first bad row or _NONE."""
    n_features, lookback = features.shape[1], tile.recent.size
    flat = features.reshape(-1)
    length = lookback * n_features
    centre, inverse, high, low = tile.centre, tile.inverse, tile.clip, -tile.clip
    for i in range(rows.size):
        row = rows[i]
        first = row - lookback + 1
        if first < 0 or row >= asset_id.size or asset_id[first] != asset_id[row]:
            return int(row)
        window, scaled = flat[first * n_features : first * n_features + length], out[i]
        for j in range(length):
            value = (window[j] - centre[j]) * inverse[j]
            value = high if value > high else value  # comparisons let a NaN through
            scaled[j] = low if value < low else value
    return _NONE


@njit(cache=True, error_model="numpy")
def _summarise(features: Float32, asset_id: Int32, rows: Int64, tile: _Tile, out: Float32) -> int:
    n_features, lookback = features.shape[1], tile.recent.size
    centre, inverse = tile.centre[:n_features], tile.inverse[:n_features]
    high, low = tile.clip, -tile.clip
    share = np.float32(1) / np.float32(lookback)
    for i in range(rows.size):
        row = rows[i]
        first = row - lookback + 1
        if first < 0 or row >= asset_id.size or asset_id[first] != asset_id[row]:
            return int(row)
        last, recent = out[i, :n_features], out[i, n_features : 2 * n_features]
        mean = out[i, 2 * n_features :]
        recent[:] = 0
        mean[:] = 0
        for k in range(lookback):
            bar, weight = features[first + k], tile.recent[k]
            for j in range(n_features):
                value = (bar[j] - centre[j]) * inverse[j]
                value = high if value > high else value
                value = low if value < low else value
                last[j] = value
                recent[j] += weight * value
                mean[j] += share * value
    return _NONE


@njit(cache=True)
def _complete(features: Float32, offsets: Int64, lookback: int) -> Bool:
    n_rows, n_features = features.shape
    out = np.zeros(n_rows, np.bool_)
    for i in range(offsets.size - 1):
        run = 0
        for row in range(offsets[i], offsets[i + 1]):
            total = np.float32(0)
            for j in range(n_features):
                total += features[row, j] * np.float32(0)  # 0 unless something is not finite
            run = run + 1 if total == 0 else 0
            out[row] = run >= lookback
    return out
