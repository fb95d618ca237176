"""What a source is asked for and what it gives."""

from pathlib import Path
from typing import NamedTuple

from touchstone.market import Panel
from touchstone.market.findings import Finding


class Request(NamedTuple):
    """Which bars a study wants."""

    symbols: tuple[str, ...] | None = None
    """Only these; None: everything the source holds."""
    start: int | None = None
    """Only bars that start at or after this, ns UTC."""
    end: int | None = None
    """Only bars that are known at or before this, ns UTC."""
    seed: int = 0
    """Study seed; only a simulated market reads it."""
    root: Path = Path()
    """Folder that relative paths of a config are relative to."""


class Reject(NamedTuple):
    """One instrument that could not be loaded, and why."""

    symbol: str
    file: str
    """Path as it was opened; empty where there was no file."""
    reason: str
    """Row, column or key, what was got, what was needed and the way out; one sentence."""


class Loaded(NamedTuple):
    """Bars, and everything that a reader of a result must know about them."""

    panel: Panel
    """Instruments in the order of their symbols."""
    rejects: tuple[Reject, ...]
    """What was left out, in the order of the files."""
    findings: tuple[str, ...]
    """Plain sentences: gaps, frozen prices, bars without volume, bars dropped."""
    namespace: str
    """Which world the bars are of, as in `ledger.Span`: "market", or "simulated:..."."""
    survivorship: str | None
    """The banner of a universe in which nothing ever died; None where something did."""
    quality: tuple[Finding, ...] = ()
    """What `findings` says, typed: about everyone, and about each instrument concerned."""
    asset_ids: tuple[str, ...] = ()
    """Symbols in the order of the ids that a universe keeps for them; empty: none are kept."""
