"""A trace: all that one run of a pipeline computed, each piece with the time it was known at.

Two runs whose data agree until a time must have traces that agree until it. A trace names rows by
(symbol, time) and never by their places, which a symbol of the future shifts.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from touchstone.arrays import Bool, Int64

Values: TypeAlias = npt.NDArray[Any]
Names: TypeAlias = npt.NDArray[np.str_]


class Rows(NamedTuple):
    """Columns of one stage, a row each for what has a symbol and a time of its own."""

    stage: str
    columns: tuple[str, ...]
    symbol: Names
    """(n,), "" for what is of no one instrument."""
    time: Int64
    """Start of the row's bar, ns UTC, (n,)."""
    known: Int64
    """From when on the row could be known, ns UTC, (n,)."""
    values: Values
    """(n, n_columns), NaN where there is none."""

    def until(self, time: int) -> "Rows":
        """The rows known by then."""
        keep: Bool = self.known <= time
        if keep.all():
            return self
        return self._replace(
            symbol=self.symbol[keep],
            time=self.time[keep],
            known=self.known[keep],
            values=self.values[keep],
        )


class Fact(NamedTuple):
    """One thing that was fitted or chosen."""

    stage: str
    name: str
    known: int
    """From when on it could be known, ns UTC."""
    value: str | bytes
    """Its text or bytes, exact."""
    optional: bool = False
    """Whether a run may end before it comes to it: the epochs of a fit that stopped early."""


class Trace(NamedTuple):
    """What a run computed, in the order of its stages."""

    rows: tuple[Rows, ...] = ()
    facts: tuple[Fact, ...] = ()

    def and_also(self, other: "Trace") -> "Trace":
        """This trace and what came after it."""
        return Trace(self.rows + other.rows, self.facts + other.facts)

    @property
    def n_values(self) -> int:
        """How many numbers and facts it holds."""
        return sum(r.values.size for r in self.rows) + len(self.facts)
