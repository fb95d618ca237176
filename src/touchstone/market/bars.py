"""Bars of one instrument: built once, checked once, trusted everywhere after."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import BarsError

FIELDS: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Bars:
    """Open, high, low, close and volume, row t covering [time[t], time[t] + timeframe).

    time is int64 nanoseconds since 1970 UTC, strictly rising; prices are float64 in quote
    currency, finite and positive; volume is float64 in units of the instrument, finite and not
    negative. All (n_bars,).

    Raises:
        BarsError: lengths differ, time does not rise, a price is not finite and positive, a
            bar's low and high do not enclose its open and close, or a volume is negative. The
            message names the symbol, the first offending row and its values.
    """

    symbol: str
    time: Int64
    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64

    def __post_init__(self) -> None:
        columns = [getattr(self, name) for name in FIELDS]
        if any(c.shape != self.time.shape for c in columns):
            raise BarsError(f"{self.symbol}: columns differ in length from time {self.time.shape}")
        self._refuse("time must rise strictly", np.r_[False, np.diff(self.time) <= 0])
        for name in FIELDS[:4]:
            price = getattr(self, name)
            self._refuse(f"{name} must be finite and positive", ~(np.isfinite(price) & (price > 0)))
        outside = (self.low > np.minimum(self.open, self.close)) | (
            self.high < np.maximum(self.open, self.close)
        )
        self._refuse("low and high must enclose open and close", outside)
        bad_volume = ~(np.isfinite(self.volume) & (self.volume >= 0))
        self._refuse("volume must be finite and not negative", bad_volume)

    def __len__(self) -> int:
        return self.time.size

    def head(self, n: int) -> "Bars":
        """The first n bars: what was known at the close of bar n - 1."""
        return Bars(self.symbol, self.time[:n], *(getattr(self, name)[:n] for name in FIELDS))

    def _refuse(self, rule: str, broken: Bool) -> None:
        if broken.any():
            row = int(broken.argmax())
            when = np.datetime64(int(self.time[row]), "ns").astype("datetime64[s]")
            values = ", ".join(f"{name} {getattr(self, name)[row]:g}" for name in FIELDS)
            raise BarsError(
                f"{self.symbol}: {rule}; row {row} ({when} UTC: {values}) does not "
                f"({int(broken.sum())} rows in all)"
            )
