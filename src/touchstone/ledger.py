"""The trial ledger as everybody below sees it: a protocol, its records, and one in memory.

Whoever fits, searches, sweeps, backtests or looks at sealed rows takes a `Ledger` as a required
argument and writes to it, so that the number of trials is counted and never typed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from touchstone.errors import RefusedError

COUNTED: Final = ("sweep", "look", "repeat", "failed_look")
"""Kinds of rows that verdicts count on: written by `sweep` and `look` alone.

Every other kind goes through `record`: `fit` (its status says finished, stopped or failed),
`backtest`, `audit`, `surrogate`, `run` (a study ended with a verdict), `promotion`.
"""


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
        """Write one row: a fit, a backtest, an audit, a promotion; `facts` is JSON-able.

        Raises:
            RefusedError: a kind of `COUNTED`.
        """

    def written(self, kind: str, config: str) -> tuple[Mapping[str, Any], ...]:
        """The facts of every row of a kind about a config, oldest first.

        So the audits of a study are `written("audit", study.fingerprint)`.
        """

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
        refuse_counted(kind, "the ledger in memory")
        self.rows.append((kind, config, data, facts))

    def written(self, kind: str, config: str) -> tuple[Mapping[str, Any], ...]:
        """Facts of the rows of a kind about a config."""
        return tuple(f for k, c, _, f in self.rows if (k, c) == (kind, config))

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
        kind = "repeat" if look in self._looks else "look"
        if kind == "look":
            self._looks[look] = answer()
        facts: dict[str, object] = {"look": look_facts(look)}
        if kind == "look":
            facts["answer"] = self._looks[look]
        self.rows.append((kind, look.study, look.data, facts))
        return self._looks[look]

    def studies_that_looked(self, span: Span) -> frozenset[str]:
        """Looks and comparisons that overlap the span."""
        looked = {f"{k.study} {k.data}" for k in self._looks if k.span.overlaps(span)}
        return frozenset(looked | {who for who, s, _ in self._sweeps if s.overlaps(span)})


def look_facts(look: Look) -> dict[str, object]:
    """A look as the facts of a row hold it."""
    return {**look._asdict(), "span": span_facts(look.span)}


def span_facts(span: Span) -> dict[str, object]:
    """A span as the facts of a row hold it."""
    return {**span._asdict(), "symbols": list(span.symbols)}


def span_of(facts: Mapping[str, Any]) -> Span:
    """The span that `span_facts` told."""
    return Span(**{**facts, "symbols": tuple(facts["symbols"])})


def refuse_counted(kind: str, where: str) -> None:
    """Keep rows that verdicts count on out of reach of `record`.

    Raises:
        RefusedError: a kind of `COUNTED`.
    """
    if kind in COUNTED:
        raise RefusedError(
            f"{where}: rows of kind {kind!r} are counted, so they are written by "
            f"`sweep` and `look` alone, not by `record`"
        )
