"""The main job: a study in, a verdict, `result.json` and `report.html` out, in one folder."""

import getpass
import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import touchstone
from touchstone.data.cache import StageCache
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError, RefusedError
from touchstone.files import write_bytes, write_text
from touchstone.ledger import Ledger, Span
from touchstone.pipelines.artifact import save_artifact
from touchstone.pipelines.exports import save_exports
from touchstone.pipelines.market import Market, judge_market
from touchstone.pipelines.prepare import load, resolve
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.standing import RESULT, held, standing
from touchstone.pipelines.study import Study, null_bars
from touchstone.pipelines.track import OFF, place_of, tell, tell_untracked
from touchstone.pipelines.track_records import Told, batch, enqueue
from touchstone.pipelines.workspace import Workspace, git_commit
from touchstone.reports.images import images
from touchstone.reports.result import StudyResult, from_json, to_json
from touchstone.reports.skill_images import skill_images
from touchstone.reports.study import RunFacts, render
from touchstone.validation.chain import Head
from touchstone.validation.ledger import SqliteLedger

PACKAGES = (
    "numpy", "numba", "polars", "pyarrow", "torch", "lightgbm", "scikit-learn", "scipy", "arch",
    "exchange-calendars", "pydantic",
)  # fmt: skip


class Ask(NamedTuple):
    """What one call of `run` wants beside the study."""

    workspace: Workspace
    jobs: int
    command: str
    """What was typed, for the record."""
    again: bool = False
    """Run even where a finished run of the same study on the same data stands."""
    tracking: str = OFF
    """`off`, empty for the workspace's SQLite file, or the address of a tracking server."""
    ray: str = ""
    """Address of a Ray cluster for whoever asks for one; empty: one of this machine."""


class Outcome(NamedTuple):
    """Where the run lies and what it found."""

    folder: Path
    result: StudyResult
    shown: bool
    """True where a finished run was shown and nothing was computed."""


def run(study: Study, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]) -> Outcome:
    """Run a study, or show its finished run.

    Args:
        study: what to ask of which data.
        ask: where, with how many processes, and whether to repeat.
        progress: who shows the stages.
        seconds: (stage, seconds), filled by whoever shows the stages; goes to run.json.

    Raises:
        TouchstoneError: with what is wrong and the way out; finished stages stay in the cache.
    """
    place_of(ask.workspace, ask.tracking)  # what is no address is refused now, not at the end
    outcome = _answer(study, ask, progress, seconds)
    tell(ask.workspace, ask.tracking, progress)
    return outcome


def _answer(
    study: Study, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]
) -> Outcome:
    if study.config.null_twin:
        null_bars(study.config.bars)
    loaded, data = load(study, progress, StageCache(ask.workspace.cache))
    resolve(study, loaded.panel)
    folder = ask.workspace.runs / f"{study.config.name}-{run_fingerprint(study, loaded, data)}"
    if not ask.again and (found := _finished(folder, study, progress)) is not None:
        _recount(found, loaded, ask, progress)
        if ask.tracking != OFF:
            tell_untracked(folder, "run", progress)
        return Outcome(folder, found, shown=True)
    with held(ask.workspace.locks / folder.name, "run", progress):
        if not ask.again and (found := _finished(folder, study, progress)) is not None:
            return Outcome(folder, found, shown=True)  # another process was quicker
        return _run(study, ask, (folder, loaded, data), progress, seconds)


def run_fingerprint(study: Study, loaded: Loaded, data: str) -> str:
    """Names the run of a study on data, what was left out included: 12 hex digits."""
    told = [(r.symbol, Path(r.file).name, r.reason) for r in loaded.rejects]
    noun = (study.fingerprint, data, told, loaded.findings)
    return hashlib.sha256(repr(noun).encode()).hexdigest()[:12]


def ledger_of(workspace: Workspace) -> Callable[[], SqliteLedger]:
    """Opens the workspace's ledger; may be handed to worker processes."""
    return partial(_open_ledger, workspace.ledger.absolute(), who(), git_commit(workspace.root))


def resources_of(ask: Ask, progress: Progress) -> Resources:
    """What every stage of work is given: cache, ledger, processes, checkpoints."""
    return Resources(
        StageCache(ask.workspace.cache), ledger_of(ask.workspace), progress, ask.jobs,
        ask.workspace.checkpoints,
    )  # fmt: skip


def ledger_head(text: str) -> Head:
    """A ledger's head as run.json holds it, ROWS:HASH."""
    rows, colon, digest = text.partition(":")
    if not colon or not rows.isdigit():
        raise ConfigError(f"--since {text!r}: needs ROWS:HASH, the ledger_head of a run.json")
    return Head(int(rows), digest)


def now() -> str:
    """The clock of this edge: ISO, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251  the edge's clock


def who() -> str:
    """The user, as the ledger names them."""
    try:
        return getpass.getuser().encode(errors="replace").decode()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _open_ledger(path: Path, name: str, git: str) -> SqliteLedger:
    return SqliteLedger(path, name, git, now)


def _run(
    study: Study, ask: Ask, place: tuple[Path, Loaded, str], progress: Progress,
    seconds: list[tuple[str, float]],
) -> Outcome:  # fmt: skip
    started, book = now(), sound_ledger(ask.workspace)
    folder, loaded, data = place
    resources = resources_of(ask, progress)
    title = "planted edge" if study.config.null_twin else study.config.name
    market = judge_market(study, title, (loaded, data), resources)
    twin = None
    if study.config.null_twin:
        progress.note("the same study on the null twin: the same market without its edge")
        null = study.with_bars(null_bars(study.config.bars))
        twin = judge_market(null, "null twin", load(null, progress, resources.cache), resources)
    result = StudyResult(
        name=study.config.name,
        fingerprint=study.fingerprint,
        seed=study.config.seed,
        market=market.result,
        null_twin=None if twin is None else twin.result,
        config=told_config(study),
        versions={"touchstone": touchstone.__version__},
    )
    facts = RunFacts(
        command=ask.command,
        versions=versions(),
        stages=tuple(seconds),
        started=started,
        host=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        git=git_commit(ask.workspace.root),
        overrides=overrides(book, study.fingerprint),
    )
    with progress.stage("report") as step:
        identity = _artifact(folder, study, market)
        record_run(book, study.source, data, result, identity)
        head = book.head()
        about = {"data": data, "ledger_head": f"{head.n_rows}:{head.hash}"}
        _write(folder, study, (result, facts, about), (market, twin))
        if ask.tracking != OFF:
            told = Told(study, result, facts, about, market, twin)
            enqueue(folder, lambda: batch(folder, told, who()), progress)
        step.say("report.html, result.json, run.json, figures")
    return Outcome(folder, result, shown=False)


def sound_ledger(workspace: Workspace) -> SqliteLedger:
    """The workspace's ledger, its chain looked through.

    Raises:
        RefusedError: a row was changed by something else than touchstone.
    """
    book = ledger_of(workspace)()
    broken = book.verify()
    if broken:
        raise RefusedError(
            f"{workspace.ledger}: the trial ledger was changed by something else than "
            f"touchstone (row {broken[0].row}: {broken[0].problem}), so no verdict can count on "
            "it. Restore it from a copy; touchstone ledger verify lists all findings."
        )
    return book


def _artifact(folder: Path, study: Study, market: Market) -> str | None:
    """Save what was opened on the sealed rows, and name it; None where nothing was."""
    if market.looked is None:
        return None
    return save_artifact(folder / "artifact", study, market, versions())


def record_run(
    book: Ledger, source: str, data: str, result: StudyResult, artifact: str | None
) -> None:
    """Write down what a study found: whoever promotes it reads nothing that was edited since."""
    facts = {
        "result": hashlib.sha256(to_json(result)).hexdigest(),
        "data": data,
        "source": source,
        "artifact": artifact,
        "verdict": result.market.verdict.word,
    }
    book.record("run", result.fingerprint, data, facts)


def overrides(book: Ledger, study: str) -> tuple[str, ...]:
    """Why people promoted a study's artifact against its verdict, as its report tells it."""
    told = book.written("promotion", study)
    rows = [p for p in told if p["act"] == "promoted" and p["override"]]
    return tuple(f"{p['who']}, {p['at'][:10]}, as {p['name']}: {p['override']}" for p in rows)


def _write(
    folder: Path, study: Study, told: tuple[StudyResult, RunFacts, dict[str, str]],
    markets: tuple[Market, Market | None],
) -> None:  # fmt: skip
    result, facts, more = told
    market, twin = markets
    save_exports(folder, market)
    if twin is not None:
        save_exports(folder / "null_twin", twin)
    write_text(folder / "study.json", study.config.model_dump_json(indent=1, serialize_as_any=True))
    about = {**facts._asdict(), **more, "source": study.source, "root": str(study.root)}
    write_bytes(folder / "run.json", json.dumps(about, indent=1).encode())
    write_text(folder / "report.html", render(result, facts))
    found = images(result.market.walk_forward, result.market.sealed)
    for name, image in {**found, **skill_images(result.market.skill)}.items():
        write_bytes(folder / "figures" / f"{name}.png", image)
    write_bytes(folder / RESULT, to_json(result))  # see `RESULT`


def _finished(folder: Path, study: Study, progress: Progress) -> StudyResult | None:
    return standing(folder, "run", study.source, from_json, progress)


def _recount(found: StudyResult, loaded: Loaded, ask: Ask, progress: Progress) -> None:
    """Say where others have looked at a shown run's sealed rows since it was made."""
    sealed = found.market.sealed_span
    if sealed is None or not ask.workspace.ledger.is_file():
        return
    start, end = (int(np.datetime64(t.removesuffix("Z"), "ns").astype(np.int64)) for t in sealed)
    span = Span(loaded.namespace, loaded.panel.symbols, start + 1, end + 1)
    n = len(ledger_of(ask.workspace)().studies_that_looked(span))
    if n > max(found.market.ledger.n_looks_studies, 1):
        progress.note(
            f"since this run was made other studies have looked at its sealed rows ({n} in all): "
            "on them nothing can be proven any more"
        )


def told_config(study: Study) -> dict[str, Any]:
    """The study as parsed, without the place of its data: that is no part of what was asked."""
    told: dict[str, Any] = json.loads(study.config.canonical())
    told["bars"].pop("path", None)
    for side in told.get("side", {}).values():
        side.pop("path", None)
    return told


def versions() -> dict[str, str]:
    """Package -> version, Python and the system among them."""
    found = {"touchstone": touchstone.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        found[package] = importlib.metadata.version(package)
    return found
