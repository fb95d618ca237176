"""What is known of a finished run, put together for the gate: nothing is believed that was edited.

The result must be the one whose hash the ledger holds, the artifact the one whose identity it
holds, and the audit one of this study by this code. What is read from anywhere else is not used.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from touchstone.errors import ArtifactError, RefusedError
from touchstone.ledger import Ledger, span_of
from touchstone.pipelines.finished import Finished
from touchstone.pipelines.study import parse_study
from touchstone.registry import artifact as shelf
from touchstone.registry.artifact import Artifact
from touchstone.reports.figures import plural
from touchstone.reports.result import MarketResult, StudyResult
from touchstone.validation.gate import AUDIT_LAYERS, LIFTABLE_LAYERS, Claim, GateConfig
from touchstone.validation.verdict import Word

_SURROGATE = "this run was made without it: repeat it with touchstone run --again"


class Challenger(NamedTuple):
    """A finished run with everything that the gate asks of it."""

    run: Finished
    claim: Claim
    recorded: Mapping[str, Any]
    """The facts of its row in the ledger."""
    data: str
    """Hash of the data, as the ledger knows it."""
    artifact: Artifact | None
    """Whole and checked; None where there is none, or another than was recorded."""
    audit: Mapping[str, Any] | None
    """The newest leak audit of this study by this code; None without one."""


def challenger(run: Finished, ledger: Ledger, terms: GateConfig) -> Challenger:
    """Everything that is known of a run's artifact, as the gate asks for it.

    Raises:
        RefusedError: the run is not as it was written, or was made with another ledger.
    """
    about, result = _about(run.folder), run.result
    recorded = _recorded(run, ledger)
    data = str(recorded["data"])
    _import_parts(run.folder, about, result)
    found, wrong = _artifact(run.folder / "artifact", recorded.get("artifact"))
    audit, audited = _audit(ledger, result.fingerprint, str(recorded["source"]), data)
    word, looked = _word(result, data, ledger)
    notes = {"golden rows": wrong, "leak audit": audited, "verdict": looked}
    claim = _claim(result.market, terms)._replace(
        verdict=word,
        audit_clean=None if audit is None else audit.get("result") == "PASS",
        golden_reproduced=None if recorded.get("artifact") is None else found is not None,
        notes={**_unknown(result.market), **{k: note for k, note in notes.items() if note}},
    )
    return Challenger(run, claim, recorded, data, found, audit)


def _claim(market: MarketResult, terms: GateConfig) -> Claim:
    """What the sealed look and the diagnostics beside it say."""
    sealed, skill = market.sealed, market.skill
    rungs = () if sealed is None else sealed.ladder
    judged = None if skill is None or skill.rows != "sealed" else skill
    interval = None if sealed is None else sealed.annual_return_interval
    dearer = [r.net_return for r in rungs if r.multiple == terms.cost_multiple]
    return Claim(
        verdict=market.verdict.word,
        excess_over_cash=None if interval is None else interval[0],  # cash earns nothing here
        excess_over_buy_and_hold=_diagnostic(market, "better_than_buy_and_hold"),
        expectancy=_diagnostic(market, "expectancy_lower"),
        precision=None if judged is None else judged.precision,
        break_even_precision=None if judged is None else judged.break_even_precision,
        drawdown=None if sealed is None else sealed.max_drawdown,
        net_at_multiple=dearer[0] if dearer else None,
        control_rank=_diagnostic(market, "control_rank"),
        audit_clean=None,
        golden_reproduced=None,
    )  # fmt: skip


def _diagnostic(market: MarketResult, key: str) -> float | None:
    found = market.diagnostics.get(key)
    return None if found is None else found.value


def _unknown(market: MarketResult) -> dict[str, str]:
    """Why a figure is not known, where a run can be repeated to know it."""
    if market.sealed is None:
        return {}
    named = {
        "better than buy-and-hold": "better_than_buy_and_hold",
        "net expectancy": "expectancy_lower",
        "better than chance at its turnover": "control_rank",
    }
    return {name: _SURROGATE for name, key in named.items() if key not in market.diagnostics}


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError) as error:
        raise RefusedError(f"{folder}: run.json cannot be read: {error}") from None
    if not isinstance(about, dict):
        raise RefusedError(f"{folder}: run.json holds no facts of a run")
    return about


def _recorded(run: Finished, ledger: Ledger) -> Mapping[str, Any]:
    """What the ledger holds of this very result."""
    digest = hashlib.sha256((run.folder / "result.json").read_bytes()).hexdigest()
    rows = [r for r in ledger.written("run", run.result.fingerprint) if r.get("result") == digest]
    if not rows:
        raise RefusedError(
            f"{run.folder}: the trial ledger knows no run with this result.json: it was edited "
            "since, or made with another --ledger. touchstone run --again makes it anew."
        )
    return rows[-1]


def _import_parts(folder: Path, about: Mapping[str, Any], result: StudyResult) -> None:
    """A study's own parts, without which its artifact cannot be loaded; they must be unchanged."""
    settings = json.loads((folder / "study.json").read_text())
    if not settings.get("plugins"):
        return
    study = parse_study(settings, Path(str(about.get("root"))), str(folder / "study.json"))
    if study.fingerprint != result.fingerprint:
        raise RefusedError(
            f"{folder}: its plugins, or its study.json, have changed since this run: run the "
            "study again"
        )


def _artifact(folder: Path, identity: object) -> tuple[Artifact | None, str]:
    """The artifact that was recorded, if it still decides as then; else what is wrong with it."""
    if identity is None:
        return None, "no candidate was opened on the sealed rows, so there is no artifact"
    try:
        found = shelf.load(folder, str(identity))
        shelf.reproduce(found)
    except ArtifactError as error:
        return None, str(error)
    return found, ""


def _audit(
    ledger: Ledger, study: str, source: str, data: str
) -> tuple[Mapping[str, Any] | None, str]:  # fmt: skip
    """The audit of a study by this code on these data that counts; what to know of it.

    The newest one that left no layer out. A leak that one of them proved stands: the same code on
    the same data cannot lose it, so no later audit with other cuts takes it back.
    """
    audits = ledger.written("audit", study)
    own = [a for a in audits if (a.get("source"), a.get("data")) == (source, data)]
    proved = [a for a in own if _proves(a)]
    whole = [a for a in own if not _left_out(a)]
    if proved or whole:
        counts = (proved or whole)[-1]
        if counts.get("result") == "PASS":
            return counts, ""
        findings = counts.get("findings") or []
        first = f"; the first: {finding_text(findings[0])}" if findings else ""
        return counts, f"{counts.get('result')}, {plural(len(findings), 'finding')}{first}"
    if own:
        left_out = ", ".join(_left_out(own[-1]))
        return None, f"the newest left out layers {left_out}; touchstone audit runs all"
    if audits:
        told = f"the audits there are were of other code or other bars than this run's ({source})"
        return None, f"{told}; touchstone audit looks at this one"
    return None, "touchstone audit runs one"


def _left_out(audit: Mapping[str, Any]) -> list[str]:
    """Layers that an audit did not look at: all of them where it does not say."""
    return [name for name in AUDIT_LAYERS if name not in (audit.get("layers") or ())]


def _proves(audit: Mapping[str, Any]) -> bool:
    """Whether an audit showed a leak, and not just an alarm that another audit may lift."""
    if audit.get("result") == "PASS":
        return False
    layers = audit.get("layers") or {}
    alarmed = {n for n in layers if isinstance(layers[n], Mapping) and layers[n].get("found")}
    return not alarmed or not alarmed <= set(LIFTABLE_LAYERS)


def finding_text(finding: object) -> str:
    """A finding of an audit as a sentence."""
    if not isinstance(finding, Mapping):
        return str(finding)
    return str(finding.get("sentence") or ", ".join(f"{k} {v}" for k, v in finding.items()))


def _word(result: StudyResult, data: str, ledger: Ledger) -> tuple[Word, str]:
    """The verdict's word as it stands today: others may have looked since the run was made."""
    market, word = result.market, result.market.verdict.word
    written = [r["look"] for r in ledger.written("look", result.fingerprint)]
    looks = [look for look in written if look["data"] == data]
    if market.sealed is None:
        return word, ""
    if not looks:
        raise RefusedError(
            "the trial ledger holds no look by this study, which its result tells of"
        )
    seen = [ledger.studies_that_looked(span_of(look["span"])) for look in looks]
    n = len(frozenset().union(*seen))
    if n > max(market.ledger.n_looks_studies, 1):
        return "exploratory", f"{n} studies have looked at these sealed rows by now"
    return word, ""
