"""What a stream remembers, as plain arrays: to be stored, sent and taken up again."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import DataError


class LongerState(NamedTuple):
    """The bars of one longer timeframe that are under way, and what was computed on those over."""

    span: Int64
    """Start and end of the bar under way, ns UTC, (2,)."""
    under_way: Bool
    """Which instruments have such a bar, (n_instruments,)."""
    bars: Float64
    """Its fields so far, then its side columns in order of name, (5 + n_side, n_instruments)."""
    member: Bool
    """Whether it belonged to the universe at the last shorter bar, (n_instruments,)."""
    values: Float64
    """What the last bar that was over gave, NaN where none, (n_instruments, n_columns)."""
    stream: "StreamState"


class StreamState(NamedTuple):
    """All that a stream remembers."""

    of: str
    """SHA-256 of the plan, where its columns lie, the calendar and the timeframe."""
    time: int
    """Start of the last bar, ns UTC."""
    turn: int
    """Bars by which the columns that are rings have turned."""
    seen: Int64
    """Bars that each instrument has had, (n_instruments,)."""
    columns: Float64
    """All columns with their histories, flat."""
    longer: tuple[LongerState, ...] = ()
    """One of each longer timeframe that the plan looks at, in order of its name."""

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state as named arrays without objects, as `np.savez` stores them."""
        out: dict[str, npt.NDArray[Any]] = {
            "of": np.frombuffer(self.of.encode(), np.uint8),
            "time": np.array([self.time, self.turn], np.int64),
            "seen": self.seen,
            "columns": self.columns,
        }
        for number, longer in enumerate(self.longer):
            own = {name: getattr(longer, name) for name in LongerState._fields[:5]}
            for name, array in (own | longer.stream.arrays()).items():
                out[f"{number}.{name}"] = array
        return out

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "StreamState":
        """The state that `arrays` gave.

        Raises:
            DataError: an array is missing or is not of its kind.
        """
        try:
            longer: list[LongerState] = []
            while f"{len(longer)}.of" in arrays:
                head = f"{len(longer)}."
                own = {n[len(head) :]: arrays[n] for n in arrays if n.startswith(head)}
                fields = (
                    np.array(own["span"], np.int64),
                    np.array(own["under_way"], bool),
                    np.array(own["bars"], np.float64),
                    np.array(own["member"], bool),
                    np.array(own["values"], np.float64),
                )
                longer.append(LongerState(*fields, cls.from_arrays(own)))
            time = np.asarray(arrays["time"], np.int64)
            return cls(
                np.asarray(arrays["of"], np.uint8).tobytes().decode(),
                int(time[0]),
                int(time[1]),
                np.array(arrays["seen"], np.int64),
                np.array(arrays["columns"], np.float64),
                tuple(longer),
            )
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise DataError(
                f"these arrays are no state of a stream: {error!r}. Replay the history instead."
            ) from error
