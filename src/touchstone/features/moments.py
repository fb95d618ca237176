"""Moments of the last n values as a graph of joints: log n of them, shared between lengths.

A window is split as a sum is: n = 20 into 4 recent bars and 16 before, 16 into 8 and 8. Every
value is joined from its own window alone, so nothing drifts and no order of arriving leaves a
trace; windows of other lengths, and the other moments, use the same parts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from touchstone.features import joints

JOINTS: Final[dict[str, Callable[..., None]]] = {
    kernel.__name__: kernel
    for kernel in (
        joints.gap, joints.shift, joints.spread, joints.mixed, joints.trend, joints.third,
        joints.fourth, joints.scaled, joints.deviation, joints.skewness, joints.peakedness,
        joints.correlation,
    )
}  # fmt: skip
"""Kernels that no text can name."""


class Growing(Protocol):
    """A graph that nodes are added to: each returns the place of its node."""

    def joint(self, op: str, args: tuple[int, ...], weights: tuple[float, ...] = ()) -> int:
        """An element-wise node."""

    def constant(self, value: float) -> int:
        """A number."""

    def lag(self, x: int, n: int) -> int:
        """The value n bars ago."""


class _Asked(NamedTuple):
    moment: str
    columns: tuple[int, ...]
    n: int


@dataclass(frozen=True)
class Moments:
    """Builds the moments of a graph's columns, each once."""

    graph: Growing
    _made: dict[_Asked, int] = field(default_factory=dict)

    def std(self, x: int, n: int) -> int:
        """Standard deviation of the last n values, dividing by n."""
        if n == 1:
            return self.graph.joint("subtract", (x, x))
        return self.graph.joint("deviation", (self._of("spread", n, x),), (1.0 / n,))

    def from_mean(self, x: int, n: int) -> int:
        """Distance of the value from the mean of the last n, whatever their level."""
        if n == 1:
            return self.graph.joint("subtract", (x, x))
        return self.graph.joint("scaled", (self._of("mean", n, x),), (-1.0,))

    def skew(self, x: int, n: int) -> int:
        """Third central moment of the last n over the cubed deviation; 0 if all are equal."""
        args = (self._of("third", n, x), self._of("spread", n, x))
        return self.graph.joint("skewness", args, (1.0 / n,))

    def kurtosis(self, x: int, n: int) -> int:
        """Fourth central moment over the squared variance, less the normal's 3; 0 if all equal."""
        args = (self._of("fourth", n, x), self._of("spread", n, x))
        return self.graph.joint("peakedness", args, (1.0 / n,))

    def slope(self, x: int, n: int) -> int:
        """Slope, per bar, of the least-squares line through the last n values."""
        weight = 12.0 / (n * (n * n - 1.0))
        return self.graph.joint("scaled", (self._of("trend", n, x),), (weight,))

    def decay(self, x: int, n: int) -> int:
        """Mean of the last n values under weights that fall by 1 a bar: n now, 1 for the oldest."""
        # the plain mean, and what time has to do with x
        tilt = self.graph.joint("scaled", (self._of("trend", n, x),), (2.0 / (n * (n + 1.0)),))
        return self.graph.joint("add", (x, self.graph.joint("add", (self._of("mean", n, x), tilt))))

    def corr(self, x: int, y: int, n: int) -> int:
        """Pearson's correlation of the last n pairs; 0 if either is flat."""
        spreads = (self._of("spread", n, x), self._of("spread", n, y))
        return self.graph.joint("correlation", (self._of("mixed", n, x, y), *spreads))

    def beta(self, x: int, y: int, n: int) -> int:
        """Slope of the last n values of x on those of y; 0 if y is flat."""
        return self.graph.joint("divide", (self._of("mixed", n, x, y), self._of("spread", n, y)))

    def _of(self, moment: str, n: int, *columns: int) -> int:
        """A sum over the last n values of one column or two; that of one value is 0."""
        asked = _Asked(moment, columns, n)
        if asked not in self._made:
            self._made[asked] = self._join(asked) if n > 1 else self.graph.constant(0.0)
        return self._made[asked]

    def _join(self, asked: _Asked) -> int:
        moment, columns, n = asked
        m, k = _parts(n)
        if moment == "gap":
            return self._gap(columns[0], n)
        gaps = tuple(self._of("gap", n, x) for x in columns)
        if moment == "mean":
            recent = () if m == 1 else (self._of("mean", m, *columns),)
            return self.graph.joint("shift" if recent else "scaled", (*recent, *gaps), (k / n,))
        halves = self._halves(moment, n, *columns)
        if moment in ("spread", "mixed", "trend"):
            weight = m * k / 2 if moment == "trend" else m * k / n
            return self.graph.joint(moment, (*halves, *gaps), (weight,))
        spreads = self._halves("spread", n, *columns)
        if moment == "third":
            return self.graph.joint(moment, (*halves, *spreads, *gaps), (m, k))
        thirds = self._halves("third", n, *columns)
        added = self.graph.joint(moment, (*thirds, *spreads, *gaps), (m, k))
        return self.graph.joint("add", (self.graph.joint("add", halves), added))

    def _gap(self, x: int, n: int) -> int:
        before = self.graph.lag(x, _parts(n)[0])
        if n == 2:
            return self.graph.joint("subtract", (before, x))
        return self.graph.joint("gap", (x, before, *self._halves("mean", n, x)))

    def _halves(self, moment: str, n: int, *columns: int) -> tuple[int, int]:
        m, k = _parts(n)
        before = self._of(moment, k, *columns)
        return self._of(moment, m, *columns), self.graph.lag(before, m) if k > 1 else before


def _parts(n: int) -> tuple[int, int]:
    """Bars of the recent part and of the older one, which is the largest power of 2 below n."""
    k = 1 << ((n - 1).bit_length() - 1)
    return n - k, k
