"""Ensembles of one study's models: fitted out of fold, compared with their best member, distilled.

Every fit of a member goes through `learn` and the stage cache, so that an ensemble that was stopped
goes on where it stood. Only rows before the seal are scored; members and ensembles are written to
the trial ledger as one sweep.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from touchstone.data.cache import StageCache
from touchstone.data.sources import Loaded
from touchstone.dataset.splits import Fold
from touchstone.files import lock, write_bytes, write_text
from touchstone.ledger import Ledger
from touchstone.pipelines.architectures import study_text
from touchstone.pipelines.artifact import Fit, artifact_parts, write_artifact
from touchstone.pipelines.decide import calibrate, candidate_fingerprint, tested_span
from touchstone.pipelines.distil import Market, Taught, distil, student_study, untaught_study
from touchstone.pipelines.ensemble_board import STUDENT_FILE, Found, artifact_name, board
from touchstone.pipelines.ensemble_compare import compare_all, contenders
from touchstone.pipelines.ensemble_config import PRUNED, Ensembles
from touchstone.pipelines.ensemble_fit import (
    Asked,
    Columns,
    OnFold,
    asked_columns,
    asked_of,
    fit_on_fold,
)
from touchstone.pipelines.ensemble_members import fit_members, read_expressions
from touchstone.pipelines.ensemble_onward import write_studies
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared, load, prepare, resolve
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import (
    Ask,
    ledger_of,
    now,
    run_fingerprint,
    sound_ledger,
    versions,
)
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.track import OFF, place_of, tell
from touchstone.pipelines.track_ensemble import ensemble_batch
from touchstone.pipelines.track_records import enqueue
from touchstone.reports.ensemble import EnsembleResult
from touchstone.reports.ensemble_page import page
from touchstone.seeding import derive

RESULT = "result.json"


class Ended(NamedTuple):
    """Where the comparison lies and what it says."""

    folder: Path
    result: EnsembleResult
    shown: bool
    """True where a finished ensemble was shown and nothing was computed."""


class Fitted(NamedTuple):
    """Members and ensembles on every fold."""

    learned: list[list[Learned]]
    """Per member, its fits of the folds."""
    validation: list[Asked]
    """What members said of validation rows, fold by fold."""
    combined: dict[str, list[OnFold]]
    """Per ensemble, fold by fold."""
    columns: Columns


def ensemble(
    asked: Ensembles, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]
) -> Ended:
    """Run an ensemble, go on with one that was stopped, or show a finished one.

    Args:
        asked: who is asked, and how the answers become one.
        ask: where, with how many processes, and whether to repeat.
        progress: who shows the stages.
        seconds: (stage, seconds), filled by whoever shows the stages; goes to run.json.

    Raises:
        TouchstoneError: with what is wrong and the way out; finished fits stay in the cache.
    """
    place_of(ask.workspace, ask.tracking)  # what is no address is refused now, not at the end
    ended = _ended(asked, ask, progress, seconds)
    tell(ask.workspace, ask.tracking, progress)
    return ended


def fingerprint(asked: Ensembles, loaded: Loaded, data: str) -> str:
    """Names an ensemble on data: 12 hex digits."""
    # What the study says stands in its fingerprint; where its file lies is no part of it.
    own = asked.config.model_copy(update={"study": "", "name": ""}).canonical()
    noun = (run_fingerprint(asked.study, loaded, data), own)
    return hashlib.sha256(repr(noun).encode()).hexdigest()[:12]


def fit_all(asked: Ensembles, prepared: Prepared, resources: Resources) -> Fitted:
    """Fit every member on every fold, and every ensemble on its validation rows."""
    folds = [(f"fold {i + 1}", fold) for i, fold in enumerate(prepared.folds.folds)]
    learned = fit_members(asked, prepared, folds, resources)
    columns = asked_columns(asked, prepared)
    told = [
        _told(asked, prepared, (fold, [fits[i] for fits in learned]), columns)
        for i, (_, fold) in enumerate(folds)
    ]
    combined = dict[str, list[OnFold]]()
    names = [*asked.combiners, *([PRUNED] if asked.config.prune else [])]
    with resources.progress.stage("ensembles", len(names)) as step:
        for name in names:
            config = asked.combiner(name)
            combined[name] = [
                fit_on_fold(config, name == PRUNED, rows, derive(asked.seed, "ensemble", name, i))
                for i, rows in enumerate(told)
            ]
            step.advance(name)
        step.say(f"{len(names)} on {len(folds)} folds")
    return Fitted(learned, [validate for validate, _ in told], combined, columns)


def find(
    asked: Ensembles, prepared: Prepared, ledger: Ledger, resources: Resources
) -> tuple[Found, Fitted]:
    """Fit, compare and distil; everything but writing it down."""
    fitted = fit_all(asked, prepared, resources)
    who = contenders(asked, fitted.learned, fitted.combined)
    with resources.progress.stage("candidates", len(who)) as step:
        compared = compare_all(asked, prepared, who, ledger)
        n = len(ledger.candidates(tested_span(prepared)))
        step.say(f"{len(compared.comparison.scored)} compared")
    taught = None
    if asked.config.distil is not None:
        best = max(compared.ensembles, key=lambda i: compared.validated[i].by(
            asked.config.choose_by))  # fmt: skip
        name = asked.config.distil.ensemble or who[best].name
        market = Market(prepared, fitted.learned, fitted.columns)
        taught = distil(asked, market, (name, fitted.combined[name]), resources)
    found = Found(prepared, fitted.validation, fitted.combined, compared, taught, n)
    return found, fitted


def _told(
    asked: Ensembles, prepared: Prepared, on: tuple[Fold, Sequence[Learned]], columns: Columns
) -> tuple[Asked, Asked]:
    """What members say of a fold's validation rows and of its test rows."""
    fold, fits = on
    return (
        asked_of(asked, prepared, fold.validate, [fit.validate for fit in fits], columns),
        asked_of(asked, prepared, fold.test, [fit.test for fit in fits], columns),
    )


def _ended(
    asked: Ensembles, ask: Ask, progress: Progress, seconds: list[tuple[str, float]]
) -> Ended:
    loaded, data = load(asked.study, progress, StageCache(ask.workspace.cache))
    resolve(asked.study, loaded.panel)
    read_expressions(asked, loaded.panel)
    name = fingerprint(asked, loaded, data)
    folder = ask.workspace.ensembles / f"{asked.config.name}-{name}"
    with lock(ask.workspace.locks / folder.name):
        if not ask.again and (found := _finished(folder, asked, progress)) is not None:
            return Ended(folder, found, shown=True)
        started, book = now(), sound_ledger(ask.workspace)
        cache = StageCache(ask.workspace.cache)
        resources = Resources(
            cache, ledger_of(ask.workspace), progress, ask.jobs, ask.workspace.checkpoints
        )
        prepared = prepare(asked.study, loaded, data, cache, progress)
        all_found, fitted = find(asked, prepared, book, resources)
        with progress.stage("report") as step:
            result = board(asked, all_found, name)
            about: dict[str, object] = {
                "command": ask.command, "versions": versions(), "stages": seconds,
                "started": started, "source": asked.study.source,
            }  # fmt: skip
            if all_found.taught is not None:
                _write_student(folder, asked, prepared, all_found.taught)
            write_studies(folder, asked, prepared.panel)
            _write(folder, asked, result, about)
            if ask.tracking != OFF:
                enqueue(
                    folder,
                    lambda: ensemble_batch(folder, asked, fitted.learned, result, about),
                    progress,
                )
            step.say(f"{len(result.better)} of {len(result.ensembles)} better than {result.best}")
    return Ended(folder, result, shown=False)


def _finished(folder: Path, asked: Ensembles, progress: Progress) -> EnsembleResult | None:
    """The result of a finished ensemble; None where there is none that can still be read."""
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        found = EnsembleResult.model_validate_json(path.read_bytes())
        about = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as error:
        progress.note(f"an earlier ensemble cannot be read and is made anew: {error}")
        return None
    if about.get("source") != asked.study.source:
        progress.note("this ensemble was run by another version of the code: --again repeats it")
    return found


def _write_student(folder: Path, asked: Ensembles, prepared: Prepared, taught: Taught) -> None:
    """The student's study, and the student itself as an artifact of every fold it learned on."""
    settings = asked.config.distil
    assert settings is not None  # there is a student
    study = untaught_study(asked, settings)
    head = (
        "The student's network as a study of its own. A study has no teacher: here it learns\n"
        "from outcomes alone. What the teacher taught lies in the artifacts beside this file."
    )
    write_text(folder / STUDENT_FILE, study_text(study, "student", folder, head))
    taught_study = student_study(asked, settings)
    strategies = study.config.strategy.candidates()  # type: ignore[attr-defined]  # strategies have
    for one in taught.found:
        fold = prepared.folds.folds[one.number]
        fit = Fit(
            str(one.number + 1),
            fold,
            one.student,
            calibrate(study.config, prepared, fold, one.student),
            settings.student,
            strategies[0],
            candidate_fingerprint(taught_study, prepared.panel, settings.student, strategies[0]),
        )
        parts = artifact_parts(taught_study, prepared, fit, versions())
        write_artifact(folder / artifact_name(one.number), parts)


def _write(
    folder: Path, asked: Ensembles, result: EnsembleResult, about: dict[str, object]
) -> None:
    config = asked.config.model_dump(mode="json", serialize_as_any=True)
    write_text(folder / "ensemble.json", json.dumps(config, indent=1) + "\n")
    write_bytes(folder / "run.json", json.dumps(about, indent=1).encode())
    write_text(folder / "report.html", page(result, str(about["command"])))
    # Last: an ensemble with it is finished.
    write_text(folder / RESULT, result.model_dump_json(indent=1) + "\n")
