"""`data check`: grade every symbol of a folder, list what was found, fail past a threshold."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from touchstone.cli import options as o
from touchstone.errors import ConfigError

if TYPE_CHECKING:
    from touchstone.config import Config
    from touchstone.data.checking import Checked

_FAILED = 3
_ADDRESS = "TOUCHSTONE_WEBHOOK"
_FIRST_YEAR, _LAST_YEAR = 1900, 2261  # 64 bits of nanoseconds hold no later one
_STYLES = {"good": "green", "usable": "cyan", "doubtful": "yellow", "refused": "red"}


TimeframeTold: TypeAlias = Annotated[
    str | None, typer.Option("--timeframe", help="Length of a bar: 1m, 5m, 1h, 1d; told by the "
                             "bars by default."),
]  # fmt: skip
CalendarTold: TypeAlias = Annotated[
    str | None, typer.Option("--calendar", help="When the market is open: 24/7, XNYS, FX, CME; "
                             "told by the bars by default."),
]  # fmt: skip
Thresholds: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="CHECK.KEY=VALUE", help="Change a threshold, as in "
                 "gaps.alpha=0.001; may be given more than once."),
]  # fmt: skip
FailAt: TypeAlias = Annotated[
    str, typer.Option("--fail-at", metavar="GRADE", help="Exit with code 3 where a symbol is "
                      "graded so or worse: good, usable, doubtful, refused."),
]  # fmt: skip
Now: TypeAlias = Annotated[
    str | None,
    typer.Option("--now", metavar="TIME", help="Present time, ISO 8601 UTC: finds bars of the "
                 "future, unfinished and old ones. `machine` asks the machine's clock."),
]  # fmt: skip
Alarms: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--alarm", metavar="KIND", help="Raise what casts doubt on bars, once while it "
                 f"stands: log, webhook:URL, or webhook (address in {_ADDRESS})."),
]  # fmt: skip


def check(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of bars, or one file.")],
    timeframe: TimeframeTold = None,
    calendar: CalendarTold = None,
    symbols: o.Symbols = None,
    bars_set: o.BarsSet = None,
    set_: Thresholds = None,
    fail_at: FailAt = "refused",
    now: Now = None,
    alarm: Alarms = None,
    out: o.Out = Path(),
    verbose: o.Verbose = False,
    json_: o.Json = False,
) -> None:
    """Grade each symbol's bars, list every finding, and exit with code 3 past a threshold.

    Grades: good (nothing against the bars), usable (a part is missing or odd), doubtful (some
    bars are probably not what the market printed), refused (bars that cannot be, or that mean
    something else than they say).

    Example: touchstone data check data/1d --timeframe 1d --calendar XNYS --fail-at doubtful
    """
    from touchstone.market.findings import Grade
    from touchstone.pipelines.check_data import as_json, checked_folder, ring, worse
    from touchstone.pipelines.study import nested, parse_overrides
    from touchstone.pipelines.workspace import Workspace

    limit, senders = Grade.named(fail_at), _senders(alarm or [])
    stated = {"timeframe": timeframe, "calendar": calendar}
    bars = {k: v for k, v in stated.items() if v} | nested(parse_overrides(bars_set or []))
    named = _names(symbols)
    found = checked_folder(path, bars, nested(parse_overrides(set_ or [])), named, _instant(now))
    if json_:
        typer.echo(json.dumps(as_json(path, found, limit), indent=1))
    else:
        _print(path, found, verbose)
    for sent in ring(path, found, senders, Workspace(out).alarms, named) if senders else ():
        if not sent.ok:
            typer.echo(f"alarm not sent: {sent.problem}", err=True)
    failed = worse(found, limit)
    if failed:
        shown = ", ".join(failed[:5]) + (f" and {len(failed) - 5} more" if len(failed) > 5 else "")
        typer.echo(f"failed: {limit.name.lower()} or worse: {shown}", err=True)
        raise typer.Exit(_FAILED)


def _print(path: Path, found: "Checked", verbose: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from touchstone.cli.terminal import console
    from touchstone.market.findings import EVERYONE, Grade, Severity
    from touchstone.pipelines.check_data import table_rows

    screen = console(stderr=False)
    table = Table(box=None, pad_edge=False, show_edge=False)
    for name in ("symbol", "grade", "bars", "check", "n"):
        table.add_column(name, justify="right" if name in ("bars", "n") else "left", no_wrap=True)
    table.add_column("what was found", overflow="fold")
    least = Severity.NOTE if verbose else Severity.WARN
    for symbol, grade, n_bars, findings in table_rows(found):
        head = (symbol, Text(grade.name.lower(), style=_STYLES[grade.name.lower()]), f"{n_bars:,}")
        per_check: dict[str, list[Any]] = {}
        for finding in findings:
            if finding.severity >= least:
                per_check.setdefault(finding.check, []).append(finding)
        for check_, some in per_check.items():
            for k, finding in enumerate(some if verbose else some[:1]):
                n = "" if k else f"{len(some):,}"
                table.add_row(*head, "" if k else check_, n, Text(_alone(finding)))
                head = ("", Text(""), "")
    if table.row_count:
        screen.print(table)
    for finding in found.findings:
        if finding.symbol == EVERYONE and (verbose or finding.severity >= least):
            screen.print(f"all: {finding.sentence}", markup=False, highlight=False, soft_wrap=True)
    counts = [sum(g == grade for g in found.grades.values()) for grade in Grade]
    words = ", ".join(f"{n:,} {g.name.lower()}" for g, n in zip(Grade, counts, strict=True) if n)
    n_notes = sum(f.severity == Severity.NOTE for f in found.findings)
    rows = sum(found.n_bars.values())
    more = f"; {n_notes:,} notes more, -v shows them" if n_notes and not verbose else ""
    screen.print(
        f"{path}: {len(found.grades):,} symbols, {rows:,} bars of {found.timeframe} "
        f"({found.calendar}), {len(found.checks)} checks: "
        f"{words or 'nothing there'}{more}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def _alone(finding: Any) -> str:
    """A finding's sentence without the symbol, which stands beside it."""
    text: str = finding.sentence
    return text.removeprefix(finding.symbol).lstrip(":, ")


def _senders(words: list[str]) -> list["Config"]:
    """`log`, `webhook:URL`, or `webhook` with its address in the environment."""
    from touchstone.monitoring.alarms import ALARMS

    out = []
    for word in words:
        kind, _, address = word.partition(":")
        if kind == "webhook" and not address:
            address = os.environ.get(_ADDRESS, "")
            if not address:
                raise ConfigError(f"--alarm webhook: needs webhook:URL, or the URL in {_ADDRESS}")
        if kind != "webhook" and address:
            raise ConfigError(f"--alarm {word}: {kind} takes no address")
        out.append(ALARMS.parse({"kind": kind, "url": address} if address else {"kind": kind}))
    return out


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    import time

    import numpy as np

    if text == "machine":
        return time.time_ns()
    try:
        when = datetime.fromisoformat(text)
        if not _FIRST_YEAR <= when.year <= _LAST_YEAR:
            raise ValueError(when)
    except ValueError:
        raise ConfigError(
            f"--now {text!r}: needs a time such as 2024-01-31T21:00, or machine"
        ) from None
    if when.tzinfo is not None:
        when = when.astimezone(UTC).replace(tzinfo=None)
    return int(np.datetime64(when, "ns").astype(np.int64))


def _names(symbols: str | None) -> tuple[str, ...] | None:
    return None if symbols is None else tuple(s.strip() for s in symbols.split(",") if s.strip())
