"""Fills the model card: what is known of a challenger, in the words of whoever must use it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from touchstone.ledger import Ledger, span_of
from touchstone.pipelines.claim import Challenger, finding_text
from touchstone.registry import artifact as shelf
from touchstone.registry.champions import Event
from touchstone.registry.manifest import Manifest
from touchstone.reports.card_contents import (
    Card,
    CardAudit,
    CardCondition,
    CardEvent,
    CardGolden,
    CardModel,
    CardOverride,
)
from touchstone.reports.figures import percent, plain_number, plural
from touchstone.reports.result import Performance, StudyResult, iso_moment
from touchstone.validation.gate import Examined
from touchstone.validation.ledger import SqliteLedger

_MOST_SYMBOLS = 8


class Standpoint(NamedTuple):
    """From where a card is written: under which name, after what had happened."""

    name: str
    event: Event | None
    """The promotion; None where it was refused."""
    override: CardOverride | None
    at: str
    history: tuple[Event, ...]
    """Of the name, the promotion included."""


def made_card(
    one: Challenger, rows: tuple[Examined, ...], book: SqliteLedger, view: Standpoint
) -> Card:
    """The card of a challenger.

    Args:
        one: what is known of it.
        rows: what the gate says to that.
        book: the trial ledger, for the counts of today.
        view: the name and what happened under it.
    """
    result, artifact = one.run.result, one.artifact
    manifest = None if artifact is None else artifact.manifest
    n_candidates, n_looks = _counts(one, book)
    head = book.head()
    return Card(
        name=view.name,
        version=None if view.event is None else view.event.version,
        standing="refused" if view.event is None else "champion",
        at=view.at,
        run=one.run.name,
        study=result.fingerprint,
        verdict=one.claim.verdict,
        conditions=tuple(_condition(row) for row in rows),
        override=view.override,
        n_candidates=n_candidates,
        n_looks=n_looks,
        model=None if manifest is None else _model(manifest),
        golden=_golden(one),
        audit=None if one.audit is None else _audit(one.audit),
        intended=() if manifest is None else _intended(manifest),
        forbidden=_forbidden(result, manifest),
        limits=result.market.limits,
        hashes={
            "artifact": str(one.recorded.get("artifact") or "none"),
            "candidate": "none" if manifest is None else manifest.origin.candidate,
            "study": result.fingerprint,
            "data": one.data,
            "code": str(one.recorded["source"]),
            "result.json": str(one.recorded["result"]),
            "ledger head": f"{head.n_rows}:{head.hash}",
        },
        history=tuple(_event(event) for event in view.history),
    )


def _condition(row: Examined) -> CardCondition:
    found = row.found
    if isinstance(found, float) and found != found:  # noqa: PLR0124  NaN is not known
        found = None
    return CardCondition(
        name=row.condition,
        found=found,
        needed=row.needed,
        status="met" if row.met else "overridden" if row.overridden else "not met",
        sentence=row.sentence,
    )


def _counts(one: Challenger, book: Ledger) -> tuple[int, int]:
    """Candidates and looking studies on these rows, as the ledger counts them now."""
    counts = one.run.result.market.ledger
    looks = [
        look
        for look in (r["look"] for r in book.written("look", one.run.result.fingerprint))
        if look["data"] == one.data
    ]
    if not looks:
        return counts.n_candidates, counts.n_looks_studies
    sealed = span_of(looks[-1]["span"])
    first = np.datetime64(one.run.result.market.data.first, "ns")
    whole = sealed._replace(start=int(first.astype(np.int64)))
    return len(book.candidates(whole)), len(book.studies_that_looked(sealed))


def _model(manifest: Manifest) -> CardModel:
    origin = manifest.origin
    return CardModel(
        model=manifest.model,
        strategy=manifest.strategy,
        label=manifest.label,
        costs=manifest.costs,
        features={f.name: f.expression for f in manifest.features},
        symbols=manifest.symbols,
        timeframe=manifest.timeframe,
        calendar=manifest.calendar,
        lookback=manifest.shape.lookback,
        hold_bars=manifest.hold_bars,
        trained=(iso_moment(origin.train_start), iso_moment(origin.train_end)),
    )


def _golden(one: Challenger) -> CardGolden:
    if one.artifact is None:
        problem = one.claim.notes.get("golden rows", "the artifact cannot be loaded")
        return CardGolden(reproduced=False, n_rows=0, problem=problem)
    return CardGolden(
        reproduced=True,
        n_rows=one.artifact.manifest.n_golden,
        difference=shelf.reproduce(one.artifact),
    )


def _audit(facts: Mapping[str, Any]) -> CardAudit:
    findings = facts.get("findings") or []
    return CardAudit(
        result=str(facts.get("result")),
        findings=tuple(finding_text(finding) for finding in findings),
        slice=dict(facts.get("slice") or {}),
    )


def _event(event: Event) -> CardEvent:
    kept = ("number", "act", "at", "who", "version", "run", "verdict", "override")
    return CardEvent(**{name: getattr(event, name) for name in kept})


def _intended(manifest: Manifest) -> tuple[str, ...]:
    listed = ", ".join(manifest.symbols[:_MOST_SYMBOLS])
    more = len(manifest.symbols) - _MOST_SYMBOLS
    names = f"{listed} and {more} more" if more > 0 else listed
    bars = f"{manifest.timeframe} bars on the calendar {manifest.calendar}"
    return (
        "Paper trading: decisions that are written down, filled by a simulator or a paper account, "
        "and compared with this card.",
        f"One decision at the close of each bar, from {bars}, for {names}.",
        f"Positions of up to {plural(manifest.hold_bars, 'bar')}, entered by the strategy and "
        "threshold in the artifact and by nothing else.",
    )


def _forbidden(result: StudyResult, manifest: Manifest | None) -> tuple[str, ...]:
    said = ["Real money. No number here was made with it, and no past proves that an edge lasts."]
    if manifest is not None:
        said += [
            f"Instruments other than the {len(manifest.symbols)} it was made for, bars other than "
            f"{manifest.timeframe}, or bars of another vendor, adjustment or time zone.",
        ]
    part = result.market.sealed
    if part is not None and part.n_trades:
        said += _bounds(part)
    if result.market.data.simulated_truth:
        said.append("Any real market: what it learnt is a simulated one.")
    if result.market.data.survivorship:
        said.append(
            "Claims about instruments that died: they are missing from the data it learnt from."
        )
    return tuple(said)


def _bounds(part: Performance) -> list[str]:
    said = []
    if part.break_even_cost_bp is not None and part.break_even_cost_bp > 0:
        said.append(
            f"Trading that costs more than {plain_number(part.break_even_cost_bp)} bp a side: "
            "there these trades earn nothing."
        )
    if part.max_drawdown is not None:
        said.append(
            f"Going on after a fall beyond {percent(part.max_drawdown)} from a high, the deepest "
            "that was tested, without asking whether the edge still stands."
        )
    if part.starting_equity:
        said.append(
            f"Accounts much larger than the {plain_number(part.starting_equity)} it was tested "
            "with: larger orders move prices more than was assumed."
        )
    return said
