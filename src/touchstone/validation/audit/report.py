"""What an audit says: a word, and for each layer what it looked at and what it found."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.validation.audit.compare import Difference

LayerName = Literal["A", "B", "C", "C2", "D", "E", "F"]
LAYERS: Final[Mapping[LayerName, str]] = {
    "A": "rows: no row moves when what came after it is another",
    "B": "artifacts: nothing fitted or chosen moves when what came after it is another",
    "C": "folds: no sample shares a bar with one that judges it; bars are known at their end",
    "C2": "fills: every fill follows the engine's rules, recomputed by a slow account",
    "D": "provenance: bars, universe and side data are as they were known then",
    "E": "ledger: everything that was scored is counted, and the chain holds",
    "F": "smoke: labels that nobody can foresee are not foreseen",
}
"""Layer -> what it holds true."""


class Slice(NamedTuple):
    """The bars on which something was found, or looked for."""

    symbols: tuple[str, ...]
    n_bars: int
    """Distinct times."""
    start: int
    """Start of the first bar, ns UTC."""
    end: int
    """Close of the last bar, ns UTC."""


class Finding(NamedTuple):
    """One leak: where it first shows."""

    layer: LayerName
    law: str
    """What was broken, in a few words."""
    stage: str
    column: str
    symbol: str
    time: int | None
    """Start of the bar of the row that changed, ns UTC; None for what is no row."""
    cut: int | None
    """Everything after it was replaced, ns UTC; None for what is no scramble."""
    old: str
    new: str
    slice: Slice | None
    """The smallest bars that show it; None where nothing was cut."""

    @property
    def sentence(self) -> str:
        """All of it for a person."""
        who = f" of {self.symbol}" if self.symbol else ""
        when = "" if self.time is None else f" at {utc(self.time)}"
        text = f"{self.stage}, {self.column}{who}{when}: {self.old} became {self.new}"
        if self.cut is not None:
            text += f" when {self.law} after {utc(self.cut)}"
        else:
            text = f"{self.law}: {self.stage}, {self.column}{who}{when}: {self.old} <> {self.new}"
        if self.slice is not None:
            names = ", ".join(self.slice.symbols)
            text += f"; shown by {self.slice.n_bars} bars of {names} from {utc(self.slice.start)}"
        return text

    @property
    def facts(self) -> dict[str, object]:
        """The same for JSON."""
        found = self._asdict()
        found["time"] = None if self.time is None else utc(self.time)
        found["cut"] = None if self.cut is None else utc(self.cut)
        found["slice"] = None if self.slice is None else slice_facts(self.slice)
        return {**found, "sentence": self.sentence}


class Layer(NamedTuple):
    """What one layer did."""

    name: LayerName
    n_checks: int
    """Runs compared, or things checked."""
    finding: Finding | None
    """The first that was found."""
    notes: tuple[str, ...] = ()
    """What was not looked at, and why."""


class Audit(NamedTuple):
    """The whole audit."""

    layers: tuple[Layer, ...]
    slice: Slice
    seed: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One for each layer that found something."""
        return tuple(x.finding for x in self.layers if x.finding is not None)

    @property
    def word(self) -> Literal["PASS", "HALT"]:
        """HALT where any layer found something."""
        return "HALT" if self.findings else "PASS"

    @property
    def facts(self) -> dict[str, object]:
        """The audit for the ledger and for JSON."""
        return {
            "result": self.word,
            "slice": slice_facts(self.slice),
            "seed": self.seed,
            "layers": {
                x.name: {"checks": x.n_checks, "found": x.finding is not None,
                         "notes": list(x.notes)}
                for x in self.layers
            },
            "findings": [f.facts for f in self.findings],
        }  # fmt: skip


def found(layer: LayerName, law: str, cut: int | None, what: Difference, where: Slice | None
          ) -> Finding:  # fmt: skip
    """A difference as a finding."""
    return Finding(
        layer, law, what.stage, what.column, what.symbol, what.time, cut, what.old, what.new, where
    )


def broken(layer: LayerName, law: str, where: tuple[str, str, str, int | None],
           values: tuple[object, object]) -> Finding:  # fmt: skip
    """A law that needs no scramble: (stage, column, symbol, time), (needed, got)."""
    return Finding(layer, law, *where, None, str(values[0]), str(values[1]), None)


def slice_facts(bars: Slice) -> dict[str, object]:
    """A slice for JSON."""
    return {"symbols": list(bars.symbols), "bars": bars.n_bars, "start": utc(bars.start),
            "end": utc(bars.end)}  # fmt: skip


def utc(time: int) -> str:
    """Nanoseconds as a moment, to the second.

    >>> utc(0)
    '1970-01-01T00:00:00Z'
    """
    return f"{np.datetime64(int(time), 'ns').astype('datetime64[s]')}Z"
