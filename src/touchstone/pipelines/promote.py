"""The act at the gate: a finished run's artifact becomes champion, or is refused; and the way back.

Whatever happens is written to the trial ledger first. What is refused leaves no trace in the
registry but its model card in the run's folder, which says why.
"""

import json
from functools import partial
from typing import Any, Final, NamedTuple

from touchstone.errors import ConfigError, DataError, RefusedError
from touchstone.files import write_bytes, write_text
from touchstone.pipelines.claim import Challenger, challenger
from touchstone.pipelines.finished import Finished, find, finished_runs
from touchstone.pipelines.model_card import Standpoint, made_card
from touchstone.pipelines.run import ledger_head, ledger_of, now, overrides, who
from touchstone.pipelines.workspace import Workspace
from touchstone.registry.champions import Champions, Event, Origin, Stamp
from touchstone.reports.card import render_card
from touchstone.reports.card_contents import Card, CardOverride, to_json
from touchstone.reports.study import RunFacts, render
from touchstone.validation.gate import Examined, GateConfig, examined
from touchstone.validation.ledger import SqliteLedger

_LONGEST_REASON: Final = 1000
_MOST_NAMES: Final = 3


class Ask(NamedTuple):
    """What one call of `promote` wants."""

    workspace: Workspace
    run: str
    """A run: its folder, its name, or the start of it."""
    name: str | None = None
    """Under which name it shall be champion; the study's name without it."""
    override: str | None = None
    """Why it shall trade although its verdict is not `evidence`."""
    terms: GateConfig = GateConfig()
    """What is asked of it."""


class Outcome(NamedTuple):
    """What came of it."""

    card: Card
    rows: tuple[Examined, ...]
    event: Event | None
    """None where it was refused."""
    page: str
    """Where the model card lies."""

    @property
    def unmet(self) -> tuple[Examined, ...]:
        """The conditions that kept it out."""
        return tuple(row for row in self.rows if row.refuses)


def promote(ask: Ask) -> Outcome:
    """Ask the gate about a run; make it champion if every condition is met, or say which are not.

    Raises:
        RefusedError: the ledger or the run is not as it was written, or it is champion already.
        DataError: no such run, or no ledger.
        ConfigError: a name that no folder may have, or a reason that no page can hold.
    """
    reason = _reason(ask.override)
    run = find(ask.workspace.runs, ask.run)
    champions = _champions(ask, run)
    book = _sound_ledger(ask.workspace, run)
    one = _counted_anywhere(challenger(run, book, ask.terms), ask.workspace, book)
    claim = one.claim
    if ask.override is not None and reason is None:
        claim = claim._replace(notes={**claim.notes, "verdict": "an override needs its reason"})
    rows = examined(claim, ask.terms, reason)
    stamp = Stamp(who(), now())
    used = reason if any(row.overridden for row in rows) else None
    refused = [row.condition for row in rows if row.refuses]
    event = None if refused else _unfinished(champions, one)
    if event is not None:  # its card is all that lacks
        used, stamp = event.override, Stamp(event.who, event.at)
    elif refused:
        _write_down(book, one, ("refused", champions.name, None), stamp, used, refused)
    else:
        event = _make_champion(champions, one, book, stamp, used)
    said = None if used is None else CardOverride(reason=used, who=stamp.who, at=stamp.at)
    view = Standpoint(champions.name, event, said, stamp.at, champions.history())
    card = made_card(one._replace(claim=claim), rows, book, view)
    page = _write_card(run, champions, card)
    if used is not None and event is not None:
        _redraw_report(run, overrides(book, run.result.fingerprint))
    return Outcome(card, rows, event, page)


def roll_back(workspace: Workspace, name: str) -> Event:
    """Make the champion before this one champion again, written down like a promotion.

    Raises:
        DataError: no such name, no champion before this one, or no ledger.
        ArtifactError: its golden rows are not reproduced.
    """
    champions = Champions(workspace.registry, name)
    if not champions.history():
        raise DataError(f"{champions.folder}: nothing was ever promoted under this name")
    book = _ledger(workspace)
    stamp = Stamp(who(), now())

    def write_down(born: Event) -> None:
        facts = {
            "act": "rolled back", "name": name, "version": born.version, "unmet": [],
            "artifact": born.artifact, "override": born.override, **stamp._asdict(),
        }  # fmt: skip
        book.record("promotion", born.study, born.data, facts)

    return champions.roll_back(stamp, write_down)


def refusal(outcome: Outcome) -> str:
    """Why a challenger was refused, a line a condition."""
    lines = [f"  {row.sentence}" for row in outcome.unmet]
    n, of = len(outcome.unmet), len(outcome.rows)
    are = "is" if n == 1 else "are"
    head = f"{outcome.card.run} is refused: {n} of the gate's {of} conditions {are} not met"
    return "\n".join([head, *lines, f"the model card tells more: {outcome.page}"])


def told(outcome: Outcome) -> dict[str, Any]:
    """The same for machines."""
    card = json.loads(to_json(outcome.card))
    return {"promoted": outcome.event is not None, "page": outcome.page, "card": card}


def _reason(override: str | None) -> str | None:
    """The reason for an override on one line; None where none was given."""
    said = " ".join((override or "").split())
    if not said.isprintable():
        raise ConfigError(f"--override {said!r}: needs words that can be printed")
    if len(said) > _LONGEST_REASON:
        raise ConfigError(
            f"--override: got {len(said):,} characters, needed {_LONGEST_REASON:,} at most"
        )
    return said or None


def _champions(ask: Ask, run: Finished) -> Champions:
    name = run.result.name if ask.name is None else ask.name
    try:
        return Champions(ask.workspace.registry, name)
    except ConfigError as error:
        way_out = "" if ask.name is not None else "; this study's name has others: give --name"
        raise ConfigError(f"{error}{way_out}") from None


def _ledger(workspace: Workspace) -> SqliteLedger:
    if not workspace.ledger.is_file():
        raise DataError(f"{workspace.ledger}: no ledger there; runs made with --ledger need it")
    return ledger_of(workspace)()


def _sound_ledger(workspace: Workspace, run: Finished) -> SqliteLedger:
    book = _ledger(workspace)
    try:
        head = ledger_head(str(json.loads((run.folder / "run.json").read_text())["ledger_head"]))
    except (OSError, ValueError, KeyError, TypeError, ConfigError):
        raise RefusedError(f"{run.folder}: run.json tells no head of a ledger") from None
    broken = book.verify(since=head)
    if broken:
        raise RefusedError(
            f"{workspace.ledger}: the trial ledger is not the one this run was made with, or was "
            f"changed (row {broken[0].row}: {broken[0].problem}), so nothing can be promoted on "
            "it; touchstone ledger verify lists all findings"
        )
    return book


def _counted_anywhere(one: Challenger, workspace: Workspace, book: SqliteLedger) -> Challenger:
    """The challenger, its verdict taken back where another ledger counts looks at its rows.

    Whoever tries with `--ledger elsewhere` and promotes with the ledger of the workspace has tried
    as often; the runs that are left of it tell.
    """
    heads = {(row.id, row.hash) for row in book.rows()}
    strangers = []
    for other in finished_runs(workspace.runs):
        try:
            about = json.loads((other.folder / "run.json").read_text())
            head = ledger_head(str(about["ledger_head"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # touchstone ledger verify tells of it
        looked = other.result.market.sealed is not None and about.get("data") == one.data
        if looked and other.result.fingerprint != one.run.result.fingerprint:
            strangers += [other.name] if tuple(head) not in heads else []
    if not strangers or one.claim.verdict not in ("evidence", "weak"):
        return one
    said = (
        f"{', '.join(strangers[:_MOST_NAMES])}{' and others' * (len(strangers) > _MOST_NAMES)} "
        "looked at these rows with another ledger than this one"
    )
    notes = {**one.claim.notes, "verdict": said}
    return one._replace(claim=one.claim._replace(verdict="exploratory", notes=notes))


def _make_champion(
    champions: Champions, one: Challenger, book: SqliteLedger, stamp: Stamp, override: str | None
) -> Event:
    assert one.artifact is not None  # a condition of the gate
    manifest, run = one.artifact.manifest, one.run
    origin = Origin(
        run.name, run.result.fingerprint, one.data, manifest.origin.candidate, one.claim.verdict
    )
    born = champions.register(one.artifact.folder, origin, stamp)
    noun = ("promoted", champions.name, born.version)
    write_down = partial(_write_down, book, one, noun, stamp, override, [])
    return champions.promote(born.version, stamp, write_down, override)


def _unfinished(champions: Champions, one: Challenger) -> Event | None:
    """The promotion of this very artifact, where it was stopped before its card was written."""
    acts = [event for event in champions.history() if event.act != "registered"]
    if not acts or acts[-1].artifact != one.recorded.get("artifact"):
        return None
    card = champions.folder / "cards" / f"{acts[-1].version}.html"
    return None if card.is_file() else acts[-1]


def _write_down(
    book: SqliteLedger, one: Challenger, noun: tuple[str, str, int | None], stamp: Stamp,
    override: str | None, refused: list[str],
) -> None:  # fmt: skip
    act, name, version = noun
    facts = {
        "act": act, "name": name, "version": version, "unmet": refused, "override": override,
        "artifact": one.recorded.get("artifact"), **stamp._asdict(),
    }  # fmt: skip
    book.record("promotion", one.run.result.fingerprint, one.data, facts)


def _write_card(run: Finished, champions: Champions, card: Card) -> str:
    """The card beside the run, and beside the champion where it became one."""
    folders = [(run.folder, "card")]
    if card.version is not None:
        folders.append((champions.folder / "cards", str(card.version)))
    page = render_card(card, run.result)
    for folder, stem in folders:
        write_bytes(folder / f"{stem}.json", to_json(card))
        write_text(folder / f"{stem}.html", page)
    last, stem = folders[-1]
    return str(last / f"{stem}.html")


def _redraw_report(run: Finished, told: tuple[str, ...]) -> None:
    """The run's report, with the override in red."""
    about = json.loads((run.folder / "run.json").read_text())
    facts = RunFacts(
        command=about["command"],
        versions=about["versions"],
        stages=tuple((name, seconds) for name, seconds in about["stages"]),
        started=about["started"],
        host=about["host"],
        git=about["git"],
        overrides=told,
    )
    write_text(run.folder / "report.html", render(run.result, facts))
