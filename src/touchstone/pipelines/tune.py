"""`touchstone tune`: settings of every architecture are tried on purged folds, the best is kept.

What is common to all ways of searching: the folder and its lock, the finished search that is shown
again, the files. How is searched stands in `pipelines.tune_<method>`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from touchstone.data.cache import StageCache
from touchstone.data.sources import Loaded
from touchstone.files import lock, write_bytes, write_text
from touchstone.pipelines.architectures import study_text
from touchstone.pipelines.prepare import load, resolve
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask, now, run_fingerprint, versions
from touchstone.pipelines.track import OFF, place_of, tell
from touchstone.pipelines.track_records import enqueue
from touchstone.pipelines.tune_config import Tune
from touchstone.pipelines.tune_way import Found, Way
from touchstone.reports.contents import Contents

RESULT: Final = "result.json"
_TAKES: Final = "Takes these settings to their one look at the sealed rows."


def _trials() -> Way:
    from touchstone.pipelines.tune_trials import WAY  # noqa: PLC0415  only what is asked for

    return WAY


def _darts() -> Way:
    from touchstone.pipelines.tune_architecture import WAY  # noqa: PLC0415  only what is asked for

    return WAY


def _population() -> Way:
    from touchstone.pipelines.tune_population import WAY  # noqa: PLC0415  only what is asked for

    return WAY


WAYS: Final[Mapping[str, Callable[[], Way]]] = {
    "darts": _darts, "population": _population, "trials": _trials,
}  # fmt: skip
"""Kind of the method -> how it runs."""


class Ended(NamedTuple):
    """Where the search lies and what it found."""

    folder: Path
    result: Contents
    shown: bool
    """True where a finished search was shown and nothing was computed."""
    lines: tuple[str, ...]
    """What a terminal shows."""


def tune(
    asked: Tune, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]
) -> Ended:  # fmt: skip
    """Search, go on with a search that was stopped, or show a finished one.

    Args:
        asked: what is searched, on what.
        ask: where, with how many processes, and whether to repeat.
        progress: who shows the stages.
        seconds: (stage, seconds), filled by whoever shows the stages; goes to run.json.

    Raises:
        TouchstoneError: with what is wrong and the way out; finished trials stay.
    """
    place_of(ask.workspace, ask.tracking)  # what is no address is refused now, not at the end
    ended = _ended(asked, ask, progress, seconds)
    tell(ask.workspace, ask.tracking, progress)
    return ended


def fingerprint(asked: Tune, loaded: Loaded, data: str) -> str:
    """Names a search on data: 12 hex digits."""
    noun = (run_fingerprint(asked.study, loaded, data), asked.config.question)
    return hashlib.sha256(repr(noun).encode()).hexdigest()[:12]


def _ended(
    asked: Tune, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]
) -> Ended:  # fmt: skip
    way = WAYS[str(getattr(asked.config.method, "kind", "?"))]()
    loaded, data = load(asked.study, progress, StageCache(ask.workspace.cache))
    resolve(asked.study, loaded.panel)
    folder = ask.workspace.tunes / f"{asked.config.name}-{fingerprint(asked, loaded, data)}"
    with lock(ask.workspace.locks / folder.name):
        if not ask.again and (shown := _finished(folder, asked, way, progress)) is not None:
            return Ended(folder, shown, shown=True, lines=tuple(way.told(shown)))
        started = now()
        found = way.run(asked, ask, (loaded, data), progress, folder)
        with progress.stage("report") as step:
            about: dict[str, object] = {
                "command": ask.command, "versions": versions(), "stages": seconds,
                "started": started, "source": asked.study.source,
            }  # fmt: skip
            _write(folder, asked, (way, found), about)
            if ask.tracking != OFF and (batch := found.batch) is not None:
                enqueue(folder, lambda: batch(about), progress)
            step.say("report.html, result.json, and a study for each winner")
    return Ended(folder, found.result, shown=False, lines=tuple(way.told(found.result)))


def _finished(folder: Path, asked: Tune, way: Way, progress: Progress) -> Contents | None:
    """The result of a finished search; None where there is none that can still be read."""
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        found = way.result.model_validate_json(path.read_bytes())
        about = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as error:
        progress.note(f"an earlier search cannot be read and is made anew: {error}")
        return None
    if about.get("source") != asked.study.source:
        progress.note("this search was made by another version of the code: --again repeats it")
    return found


def _write(
    folder: Path, asked: Tune, made: tuple[Way, Found], about: Mapping[str, object]
) -> None:  # fmt: skip
    way, found = made
    for file, (study, name) in found.studies.items():
        write_text(folder / file, study_text(study, name, folder, _TAKES))
    told: dict[str, Any] = json.loads(asked.config.told)
    write_text(folder / "tune.json", json.dumps(told, indent=1) + "\n")
    write_bytes(folder / "run.json", json.dumps(about, indent=1).encode())
    write_text(folder / "report.html", way.page(found.result, str(about["command"])))
    # Last: a search with it is finished.
    write_text(folder / RESULT, found.result.model_dump_json(indent=1) + "\n")
