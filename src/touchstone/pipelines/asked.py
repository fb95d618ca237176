"""Asked, made under a lock, shown again: the frame of all long work on a study's market.

A kind of work says how it is called, made and told (`Work`). What is common stands here: the
fingerprint, the folder and its lock; finished work that is shown; the files; the tracking.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from touchstone.data.cache import StageCache
from touchstone.data.sources import Loaded
from touchstone.files import write_text
from touchstone.pipelines.architectures import study_text
from touchstone.pipelines.prepare import load, resolve
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask, now, run_fingerprint, versions
from touchstone.pipelines.standing import RESULT, held, standing
from touchstone.pipelines.study import Study
from touchstone.pipelines.track import OFF, place_of, tell, tell_untracked
from touchstone.pipelines.track_records import enqueue
from touchstone.pipelines.workspace import Kind
from touchstone.registry.tracking import Batch
from touchstone.reports.contents import Contents

Market: TypeAlias = tuple[Loaded, str]
"""Bars, and the hash of their data."""
Seconds: TypeAlias = list[tuple[str, float]]
"""(stage, seconds), filled by whoever shows the stages; goes to run.json."""
About: TypeAlias = Mapping[str, Any]
"""The facts of run.json: command, versions, stages, started, source."""


class Settings(Protocol):
    """The config of what is asked."""

    @property
    def name(self) -> str:
        """Begins the folder's name."""

    @property
    def question(self) -> str:
        """What is asked, as text: names the work together with the study and its data."""

    @property
    def told(self) -> str:
        """All of it as JSON text, no password among it."""


class Asked(Protocol):
    """What is asked, as its file said it."""

    @property
    def config(self) -> Settings:
        """How."""

    @property
    def study(self) -> Study:
        """On what."""


A = TypeVar("A", bound=Asked)
R = TypeVar("R", bound=Contents)


class Made(NamedTuple, Generic[R]):
    """What work came to, not yet written down."""

    result: R
    """As result.json will hold it."""
    studies: Mapping[str, tuple[Study, str]] = MappingProxyType({})
    """File beside the result -> a study that `touchstone run` takes to its verdict, and its
    name."""
    batch: Callable[[About], Batch] | None = None
    """What a tracking server is told; None: nothing."""


class Ended(NamedTuple, Generic[R]):
    """Where finished work lies and what it says."""

    folder: Path
    result: R
    shown: bool
    """True where it was finished before and nothing was computed."""
    noun: str
    lines: tuple[str, ...]
    """What a terminal shows."""


class Work(NamedTuple, Generic[A, R]):
    """A kind of work, whole."""

    kind: Kind
    """Names the workspace's folder of it, and the file that holds what was asked."""
    noun: str
    """What people call it."""
    make: Callable[[A, Ask, Market, Progress, Path], Made[R]]
    """Make it, or go on where it was stopped. The folder names it; nothing has to be written
    there."""
    result: type[R]
    """What result.json holds."""
    page: Callable[[R, str], str]
    """Result and command -> report.html."""
    told: Callable[[R], Sequence[str]]
    """Result -> the lines that a terminal shows."""
    head: str = ""
    """Stands above the studies beside it."""


def answered(
    work: Work[A, R], asked: A, ask: Ask, progress: Progress, seconds: Seconds
) -> Ended[R]:
    """Make work, go on with what was stopped, or show what is finished.

    Args:
        work: its kind.
        asked: what is asked, of which study.
        ask: where, with how many processes, and whether to repeat.
        progress: who shows the stages.
        seconds: see `Seconds`.

    Raises:
        TouchstoneError: with what is wrong and the way out; what is finished of it stays.
    """
    place_of(ask.workspace, ask.tracking)  # what is no address is refused now, not at the end
    market = load(asked.study, progress, StageCache(ask.workspace.cache))
    resolve(asked.study, market[0].panel)
    name = f"{asked.config.name}-{fingerprint(asked, market)}"
    folder = ask.workspace.folder(work.kind) / name
    read = work.result.model_validate_json
    with held(ask.workspace.locks / name, work.noun, progress):
        found = None
        if not ask.again:
            found = standing(folder, work.noun, asked.study.source, read, progress)
        shown = found is not None
        if found is None:
            found = _made(work, (asked, market, folder), ask, progress, seconds)
        elif ask.tracking != OFF:
            tell_untracked(folder, work.noun, progress)
    tell(ask.workspace, ask.tracking, progress)
    return Ended(folder, found, shown, work.noun, tuple(work.told(found)))


def fingerprint(asked: Asked, market: Market) -> str:
    """Names what is asked of which data: 12 hex digits."""
    noun = (run_fingerprint(asked.study, *market), asked.config.question)
    return hashlib.sha256(repr(noun).encode()).hexdigest()[:12]


def fingerprint_of(folder: Path) -> str:
    """The same, from the folder's name."""
    return folder.name.rpartition("-")[2]


def _made(
    work: Work[A, R], on: tuple[A, Market, Path], ask: Ask, progress: Progress, seconds: Seconds
) -> R:
    asked, market, folder = on
    started = now()
    made = work.make(asked, ask, market, progress, folder)
    with progress.stage("report") as step:
        about = {
            "command": ask.command, "versions": versions(), "stages": seconds,
            "started": started, "source": asked.study.source,
        }  # fmt: skip
        for file, (study, name) in made.studies.items():
            write_text(folder / file, study_text(study, name, folder, work.head))
        told = json.loads(asked.config.told)
        write_text(folder / f"{work.kind}.json", json.dumps(told, indent=1) + "\n")
        write_text(folder / "run.json", json.dumps(about, indent=1))
        write_text(folder / "report.html", work.page(made.result, ask.command))
        write_text(folder / RESULT, made.result.model_dump_json(indent=1) + "\n")  # see `RESULT`
        if ask.tracking != OFF and made.batch is not None:
            batch = made.batch
            enqueue(folder, lambda: batch(about), progress)
        n = len(made.studies)
        studies = [f"{n} {'study' if n == 1 else 'studies'}"] if n else []
        step.say(", ".join(["report.html", RESULT, *studies]))
    return made.result
