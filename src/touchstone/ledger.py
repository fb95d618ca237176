"""The trial ledger as everybody below sees it: a protocol, its records, and one in memory.

Whoever fits, searches, sweeps, backtests or looks at sealed rows takes a `Ledger` as a required
argument and writes to it, so that the number of trials is counted and never typed.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, runtime_checkable


class Span(NamedTuple):
    """Which rows of which market: two spans overlap if they share a symbol at a time.

    `namespace` keeps worlds apart whose symbols and times agree by accident: "market" for real
    data, "simulated:<fingerprint>" for a market that was made.
    """

    namespace: str
    symbols: tuple[str, ...]
    start: int
    """First time, ns UTC."""
    end: int
    """After the last time, ns UTC."""

    def overlaps(self, other: "Span") -> bool:
        """Whether some row lies in both."""
        return (
            self.namespace == other.namespace
            and self.start < other.end
            and other.start < self.end
            and not set(self.symbols).isdisjoint(other.symbols)
        )


class Candidate(NamedTuple):
    """One point of a search whose score on rows before the seal was written."""

    fingerprint: str
    daily_sharpe: float | None
    """Per-day net Sharpe on the pooled walk-forward test returns; None without variance."""
    n_trades: int


class Look(NamedTuple):
    """One study's one look at sealed rows."""

    data: str
    """Hash of the data."""
    study: str
    """Fingerprint of the study's config, seed included."""
    seed: int
    source: str
    """Hash of the source of the rooms that compute."""
    span: Span


class Ledger(Protocol):
    """What is written when something was tried, and what can be asked about it."""

    def record(self, kind: str, config: str, data: str, facts: Mapping[str, object]) -> None:
        """Write one row: a fit, a backtest, a failed trial; `facts` is JSON-able."""

    def sweep(self, data: str, study: str, span: Span, candidates: tuple[Candidate, ...]) -> None:
        """Write one row that holds every candidate of a comparison with its score.

        Args:
            data: hash of the data.
            study: fingerprint of whoever compared.
            span: the rows they were scored on.
            candidates: all of them.
        """

    def candidates(self, span: Span) -> tuple[Candidate, ...]:
        """Distinct candidates ever written whose span overlaps, the newest score of each."""

    def look(self, look: Look, answer: Callable[[], str]) -> str:
        """Answer a look: the first time by calling `answer`, ever after from the record."""

    def studies_that_looked(self, span: Span) -> frozenset[str]:
        """Who knows how something did on rows of the span.

        "study data" of every look at them, and of every comparison that scored candidates there.
        """


@runtime_checkable
class Watching(Protocol):
    """A ledger that wants to see every epoch of every fit as it ends: an audit's."""

    def watch(self, job: object, epoch: object) -> None:
        """Called with the fit's `training.Job` and its `training.Epoch`."""


class MemoryLedger:
    """A ledger that forgets: for tests, and for controls that are no trials."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, Mapping[str, object]]] = []
        self._sweeps: list[tuple[str, Span, tuple[Candidate, ...]]] = []
        self._looks: dict[Look, str] = {}

    def record(self, kind: str, config: str, data: str, facts: Mapping[str, object]) -> None:
        """Keep one row."""
        self.rows.append((kind, config, data, facts))

    def sweep(self, data: str, study: str, span: Span, candidates: tuple[Candidate, ...]) -> None:
        """Keep one comparison."""
        self.rows.append(("sweep", study, data, {"n": len(candidates)}))
        self._sweeps.append((f"{study} {data}", span, candidates))

    def candidates(self, span: Span) -> tuple[Candidate, ...]:
        """Distinct candidates whose span overlaps."""
        kept = {c.fingerprint: c for _, s, cs in self._sweeps if s.overlaps(span) for c in cs}
        return tuple(kept.values())

    def look(self, look: Look, answer: Callable[[], str]) -> str:
        """Call once, then repeat."""
        self.rows.append(("repeat" if look in self._looks else "look", look.study, look.data, {}))
        if look not in self._looks:
            self._looks[look] = answer()
        return self._looks[look]

    def studies_that_looked(self, span: Span) -> frozenset[str]:
        """Looks and comparisons that overlap the span."""
        looked = {f"{k.study} {k.data}" for k in self._looks if k.span.overlaps(span)}
        return frozenset(looked | {who for who, s, _ in self._sweeps if s.overlaps(span)})
