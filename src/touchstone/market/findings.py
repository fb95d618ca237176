"""What is wrong with bars, typed: a finding, its severity, and the grade of an instrument.

| severity | means | grade of a symbol whose worst it is |
|---|---|---|
| `note` | a fact to know; nothing speaks against the bars | good |
| `warn` | a part is missing or odd; the rest stands | usable |
| `doubt` | some bars are probably not what the market printed | doubtful |
| `refuse` | bars that cannot be, or that mean something else than they say | refused |
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

from touchstone.errors import ConfigError

EVERYONE: Final = "*"
"""Symbol of a finding about the whole cross-section."""


class Severity(IntEnum):
    """How grave a finding is, the mildest first."""

    NOTE = 0
    WARN = 1
    DOUBT = 2
    REFUSE = 3


class Grade(IntEnum):
    """What an instrument's bars are good for, the best first."""

    GOOD = 0
    USABLE = 1
    DOUBTFUL = 2
    REFUSED = 3

    @classmethod
    def named(cls, name: str) -> "Grade":
        """A grade by its name, as in "usable".

        Raises:
            ConfigError: no such grade.
        """
        names = [g.name.lower() for g in cls]
        if name.lower() not in names:
            raise ConfigError(f"no grade named {name!r}: needs one of {', '.join(names)}")
        return cls(names.index(name.lower()))


class Place(NamedTuple):
    """Where in an instrument's bars: rows of the file and their times, both ends included."""

    first_row: int
    """Row of the file, counted from 0; -1 where no row is meant."""
    last_row: int
    first: int
    """Time of the first row, ns UTC; of a hole, when its first missing bar should have begun."""
    last: int


class Finding(NamedTuple):
    """One thing found by one check about one symbol; a check says the same thing once."""

    symbol: str
    """Instrument, or `EVERYONE`."""
    check: str
    """Kind of the check, the name of its file."""
    severity: Severity
    place: Place | None
    """From the first to the last row concerned; None: the whole file."""
    n_found: int
    """Rows, or bars, concerned."""
    value: float
    """What was measured; `threshold` says what would have been too much."""
    threshold: float
    sentence: str
    """One plain sentence with the way out."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes two findings the same: symbol, check, and where it begins (ns UTC, or -1)."""
        return self.symbol, self.check, -1 if self.place is None else self.place.first

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: times as ns UTC, numbers that JSON cannot hold as null."""
        place = None if self.place is None else self.place._asdict()
        finite = {
            name: x if abs(x) < float("inf") else None
            for name, x in (("value", self.value), ("threshold", self.threshold))
        }
        return {
            **self._asdict(),
            "severity": self.severity.name.lower(),
            "place": place,
            **finite,
        }


def grade(findings: Iterable[Finding]) -> Grade:
    """The grade of one instrument: that of its gravest finding, `GOOD` without any.

    >>> grade([])
    <Grade.GOOD: 0>
    """
    return Grade(max((int(f.severity) for f in findings), default=0))


def grades(symbols: Sequence[str], findings: Iterable[Finding]) -> dict[str, Grade]:
    """The grade of each symbol; a finding about everyone counts for everyone."""
    worst = dict.fromkeys(symbols, 0)
    for finding in findings:
        touched = symbols if finding.symbol == EVERYONE else (finding.symbol,)
        for symbol in touched:
            worst[symbol] = max(worst.get(symbol, 0), int(finding.severity))
    return {symbol: Grade(worst[symbol]) for symbol in sorted(worst)}
