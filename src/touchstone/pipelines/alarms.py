"""Which findings become alarms, and that each is raised once while it stands."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.files import lock, write_text
from touchstone.market.findings import Finding, Severity
from touchstone.monitoring.alarms import ALARMS, Alarm, Sent

Memory = dict[str, dict[str, list[list[str]]]]
"""Source -> sender -> keys of the alarms that were sent and still stand."""


def alarms_of(
    source: str, findings: Sequence[Finding], at_least: Severity = Severity.DOUBT
) -> tuple[Alarm, ...]:
    """Findings as grave as `at_least`, one alarm a (symbol, check, place), the gravest kept."""
    kept: dict[tuple[str, str, str], Alarm] = {}
    for finding in findings:
        if finding.severity < at_least:
            continue
        begins = "" if finding.place is None else _iso(finding.place.first)
        alarm = Alarm(
            source, finding.symbol, finding.check, begins, finding.severity, finding.sentence
        )
        held = kept.get(alarm.key)
        if held is None or held.severity < alarm.severity:
            kept[alarm.key] = alarm
    return tuple(kept.values())


def raise_alarms(
    source: str,
    alarms: Sequence[Alarm],
    senders: Sequence[Config],
    memory: Path,
    about: Collection[str] | None = None,
) -> tuple[Sent, ...]:
    """Hand every alarm that was not raised before to every sender.

    What a sender failed to send is not remembered, so that the next run tries it again; what no
    longer stands is forgotten, so that it rings anew when it comes back.

    Args:
        source: what was looked at; each source has a memory of its own.
        alarms: all that stand now.
        senders: configs of the `ALARMS` family.
        memory: file that remembers what was raised; made if absent.
        about: the only subjects that were looked at, None for all; of others nothing is forgotten.

    Returns:
        What became of them, one per sender; `n_tries` 0 where there was nothing new.
    """
    out = []
    with lock(memory.with_suffix(".lock")):
        known = _read(memory)
        mine = known.get(source, {})
        standing = {a.key for a in alarms}
        for sender in senders:
            name = f"{getattr(sender, 'kind', '')}:{_print(sender)}"
            sent_before = {
                k
                for key in mine.get(name, [])
                if (k := _key(key)) in standing or (about is not None and k[0] not in about)
            }
            new = [a for a in alarms if a.key not in sent_before]
            sent = ALARMS.part_of(sender)(sender, new) if new else Sent(ok=True, n_tries=0)
            out.append(sent)
            raised = sent_before | ({a.key for a in new} if sent.ok else set())
            mine[name] = [list(key) for key in sorted(raised)]
        known[source] = mine
        write_text(memory, json.dumps(known, indent=1))
    return tuple(out)


def _print(sender: Config) -> str:
    """Tells two senders of a kind apart without holding their secrets."""
    import hashlib  # noqa: PLC0415

    url = getattr(sender, "url", None)
    text = sender.canonical() if url is None else url.get_secret_value()
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _key(raw: Sequence[str]) -> tuple[str, str, str]:
    subject, kind, place = raw
    return subject, kind, place


def _read(memory: Path) -> Memory:
    try:
        found: Any = json.loads(memory.read_text(encoding="utf-8"))
        return {
            str(source): {str(n): [list(_key(k)) for k in keys] for n, keys in senders.items()}
            for source, senders in found.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"{memory}: is no memory of alarms ({type(error).__name__}): remove the file, then "
            "every alarm that stands is raised once more"
        ) from None


def _iso(ns: int) -> str:
    return f"{np.datetime64(int(ns), 'ns').astype('datetime64[s]')}Z"
