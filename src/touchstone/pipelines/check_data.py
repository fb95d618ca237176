"""Check a folder of bars, say what was found, and raise what somebody must know."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.config import Config
from touchstone.data.checking import Checked, check_folder
from touchstone.market.findings import EVERYONE, Finding, Grade
from touchstone.monitoring.alarms import Sent
from touchstone.pipelines.alarms import alarms_of, raise_alarms


def checked_folder(
    path: Path,
    bars: Mapping[str, Any],
    checks: Mapping[str, Any] | None = None,
    symbols: tuple[str, ...] | None = None,
    now: int | None = None,
) -> Checked:
    """Check a folder, or one file.

    Args:
        path: the folder.
        bars: what a study says under `bars:`.
        checks: settings of checks by kind.
        symbols: only these.
        now: present time, ns UTC; None: nothing is said about the present.
    """
    return check_folder({**bars, "path": str(path.resolve())}, checks, symbols, now)


def worse(found: Checked, fail_at: Grade) -> list[str]:
    """Symbols whose grade is `fail_at` or worse."""
    return [symbol for symbol, grade in found.grades.items() if grade >= fail_at]


def ring(
    path: Path,
    found: Checked,
    senders: Sequence[Config],
    memory: Path,
    symbols: tuple[str, ...] | None = None,
) -> tuple[Sent, ...]:
    """Raise what casts doubt on bars; what was raised before and still stands is not repeated.

    Args:
        path: the folder.
        found: what was found in it.
        senders: configs of the `ALARMS` family.
        memory: file that remembers what was raised.
        symbols: the only ones that were looked at; None: all.
    """
    source = f"data check {path.resolve()}"
    return raise_alarms(source, alarms_of(source, found.findings), senders, memory, symbols)


def as_json(path: Path, found: Checked, fail_at: Grade) -> dict[str, Any]:
    """All that was found; times in ns UTC."""
    failed = worse(found, fail_at)
    return {
        "path": str(path),
        "timeframe": found.timeframe,
        "calendar": found.calendar,
        "grade": max(found.grades.values(), default=Grade.GOOD).name.lower(),
        "fail_at": fail_at.name.lower(),
        "passed": not failed,
        "failed": failed,
        "symbols": [
            {"symbol": s, "grade": g.name.lower(), "n_bars": found.n_bars.get(s, 0)}
            for s, g in found.grades.items()
        ],
        "findings": [f.as_dict() for f in found.findings],
        "checks": list(found.checks),
    }


def table_rows(found: Checked) -> list[tuple[str, Grade, int, list[Finding]]]:
    """(symbol, grade, bars, its findings) of every symbol with findings, the worst first."""
    by_symbol: dict[str, list[Finding]] = {}
    for finding in found.findings:
        by_symbol.setdefault(finding.symbol, []).append(finding)
    named = [
        (s, found.grades.get(s, Grade.GOOD), found.n_bars.get(s, 0), findings)
        for s, findings in by_symbol.items()
        if s != EVERYONE
    ]
    return sorted(named, key=lambda row: (-row[1], -len(row[3]), row[0]))
