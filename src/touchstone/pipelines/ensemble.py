"""Ensembles of one study's models: fitted out of fold, compared with their best member, distilled.

Every fit of a member goes through `learn` and the stage cache, so that an ensemble that was stopped
goes on where it stood. Only rows before the seal are scored; members and ensembles are written to
the trial ledger as one sweep.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from touchstone.dataset.splits import Fold
from touchstone.files import write_text
from touchstone.ledger import Ledger
from touchstone.pipelines.architectures import study_text
from touchstone.pipelines.artifact import Fit, artifact_parts, write_artifact
from touchstone.pipelines.asked import (
    Ended,
    Made,
    Market,
    Seconds,
    Work,
    answered,
    fingerprint_of,
)
from touchstone.pipelines.decide import calibrate, candidate_fingerprint, tested_span
from touchstone.pipelines.distil import Market as Teaching
from touchstone.pipelines.distil import Taught, distil, student_study, untaught_study
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
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.run import Ask, resources_of, sound_ledger, versions
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.track_ensemble import ensemble_batch
from touchstone.reports.ensemble import EnsembleResult, told
from touchstone.reports.ensemble_page import page
from touchstone.seeding import derive


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
    asked: Ensembles, ask: Ask, progress: Progress, seconds: Seconds
) -> Ended[EnsembleResult]:
    """Run an ensemble, go on with one that was stopped, or show a finished one; see `answered`."""
    return answered(WORK, asked, ask, progress, seconds)


def fit_all(asked: Ensembles, prepared: Prepared, resources: Resources) -> Fitted:
    """Fit every member on every fold, and every ensemble on its validation rows."""
    folds = [(f"fold {i + 1}", fold) for i, fold in enumerate(prepared.folds.folds)]
    learned = fit_members(asked, prepared, folds, resources)
    columns = asked_columns(asked, prepared)
    spoken = [
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
                for i, rows in enumerate(spoken)
            ]
            step.advance(name)
        step.say(f"{len(names)} on {len(folds)} folds")
    return Fitted(learned, [validate for validate, _ in spoken], combined, columns)


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
        market = Teaching(prepared, fitted.learned, fitted.columns)
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


def _make(
    asked: Ensembles, ask: Ask, market: Market, progress: Progress, folder: Path
) -> Made[EnsembleResult]:
    read_expressions(asked, market[0].panel)
    book, resources = sound_ledger(ask.workspace), resources_of(ask, progress)
    prepared = prepare(asked.study, *market, resources.cache, progress)
    found, fitted = find(asked, prepared, book, resources)
    with progress.stage("comparison") as step:
        result = board(asked, found, fingerprint_of(folder))
        step.say(f"{len(result.better)} of {len(result.ensembles)} better than {result.best}")
    if found.taught is not None:
        _write_student(folder, asked, prepared, found.taught)
    write_studies(folder, asked, prepared.panel)
    return Made(
        result,
        batch=lambda about: ensemble_batch(folder, asked, fitted.learned, result, about),
    )


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


WORK: Final = Work("ensemble", "ensemble", _make, EnsembleResult, page, told)
