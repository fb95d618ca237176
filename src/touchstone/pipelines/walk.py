"""The walk-forward as artifacts: what was known before each fold's test, one folder a fold."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from touchstone.arrays import Float64, Int64
from touchstone.dataset.windows import Windows
from touchstone.errors import DataError
from touchstone.files import write_bytes
from touchstone.market import Panel
from touchstone.models.scoring import score
from touchstone.pipelines.artifact import Fit, artifact_parts, write_artifact
from touchstone.pipelines.decide import calibrate, candidate_fingerprint, model_names
from touchstone.pipelines.finished import Finished, reopened
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.refit import epochs_of
from touchstone.pipelines.run import versions
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.registry.artifact import Artifact, load
from touchstone.registry.sight import matrix
from touchstone.reports.result import CandidateResult, iso_moment
from touchstone.validation.deflated import N_TRADES_TO_JUDGE

LISTING: Final = "folds.json"


def export_folds(run: Finished, target: Path, resources: Resources) -> list[str]:
    """Write the chosen candidate of a run as it stood in each fold; one line a fold is told.

    Fits come from the cache where they still are and are made again where not, which the ledger
    then counts. Where none was chosen it is the candidate that came closest.

    Args:
        run: finished.
        target: a folder; gets fold-1, fold-2, ... and `folds.json` with their bounds.
        resources: cache, ledger, progress.

    Raises:
        DataError: the bars have changed, or an artifact does not score as its fold did.
    """
    study, loaded, data = reopened(run, resources.cache, resources.progress)
    prepared = prepare(study, loaded, data, resources.cache, resources.progress)
    fits = _fits(study, prepared, run.result.market.candidates, resources)
    told, packages, listing = [], versions(), []
    with resources.progress.stage("artifacts", len(fits)) as step:
        for fit in fits:
            folder = target / f"fold-{fit.name}"
            target.mkdir(parents=True, exist_ok=True)
            identity = write_artifact(folder, artifact_parts(study, prepared, fit, packages))
            _agrees(folder, prepared.panel, fit)
            listing.append(_bounds(fit, folder.name, identity))
            told.append(_line(folder, fit))
            step.advance(folder.name)
    content = {"run": run.name, "model": fits[0].model.model_dump(mode="json"), "folds": listing}
    write_bytes(target / LISTING, (json.dumps(content, indent=1) + "\n").encode())
    return [*told, *_unlike(run, prepared, fits)]


def fold_scores(artifact: Artifact, panel: Panel, rows: Int64) -> Float64:
    """Calibrated probabilities of rows by an artifact alone, (n, n_outcomes).

    The bits of the study where the panel holds the same bars up to each row; later bars change
    nothing.

    Args:
        artifact: of a fold, or any other.
        panel: bars, with whatever side columns its features read.
        rows: (n,) with a whole window.
    """
    number = {symbol: i for i, symbol in enumerate(artifact.manifest.symbols)}
    ids = np.array([number.get(s, len(number)) for s in panel.symbols], np.int32)
    lookback, decider = artifact.manifest.shape.lookback, artifact.decider
    windows = Windows(matrix(artifact, panel), ids[panel.asset_id], lookback, decider.scaler)
    said = score(decider.fitted, windows, rows)
    return said if decider.calibrator is None else decider.calibrator.apply(said)


def _fits(
    study: Study,
    prepared: Prepared,
    candidates: tuple[CandidateResult, ...],
    resources: Resources,
) -> list[Fit]:
    """The candidate to be written, as fitted on each fold."""
    config = study.config
    best, place, point = chosen_place(config, candidates)
    strategies = config.strategy.candidates()  # type: ignore[attr-defined]
    model, strategy = config.models[place], strategies[point]
    folds = prepared.folds.folds
    tasks = [
        Task(model, fold, f"fold {i + 1}", epochs_of(config.refit, i))
        for i, fold in enumerate(folds)
    ]
    learned = learn(study, prepared, tasks, resources)
    name = candidate_fingerprint(study, prepared.panel, model, strategy)
    resources.progress.note(
        f"{model_names(config)[place]} {candidates[best].label}"
        + ("" if candidates[best].chosen else ": none was chosen, this one came closest")
    )
    return [
        Fit(str(i + 1), fold, fit, calibrate(config, prepared, fold, fit), model, strategy, name)
        for i, (fold, fit) in enumerate(zip(folds, learned, strict=True))
    ]


def chosen_place(
    config: StudyConfig, candidates: tuple[CandidateResult, ...]
) -> tuple[int, int, int]:
    """Of the chosen candidate, or the closest: its place, its model's, and its strategy's.

    Raises:
        DataError: the run compared other candidates than its study now has.
    """
    n_strategies = len(config.strategy.candidates())  # type: ignore[attr-defined]  # strategies have
    if len(candidates) != len(config.models) * n_strategies:
        raise DataError(
            f"the run compared {len(candidates)} candidates, the study now has "
            f"{len(config.models)} x {n_strategies}: run it again"
        )
    # In the order in which they were compared: all strategies of a model, then the next model.
    best = closest(candidates)
    return best, *divmod(best, n_strategies)


def closest(candidates: tuple[CandidateResult, ...]) -> int:
    """The place of the chosen candidate, or else of the best of those that traded enough.

    As `Comparison.closest`, whose figures the page shows; the first where none traded enough.
    """

    def rank(i: int) -> tuple[bool, float]:
        told = candidates[i]
        able = told.sharpe is not None and told.n_trades >= N_TRADES_TO_JUDGE
        return told.chosen, told.sharpe if able and told.sharpe is not None else -np.inf

    return max(range(len(candidates)), key=rank)


def _agrees(folder: Path, panel: Panel, fit: Fit) -> None:
    """The artifact as it lies on the disk scores the fold's test rows to the bit."""
    again = fold_scores(load(folder), panel, fit.fold.test)
    if not np.array_equal(again, _pooled(fit.learned, fit)):
        raise DataError(f"{folder}: does not score the rows of its test as the study did")


def _pooled(learned: Learned, fit: Fit) -> Float64:
    return fit.calibration.outcomes.apply(learned.test)


def _unlike(run: Finished, prepared: Prepared, fits: list[Fit]) -> list[str]:
    """A warning where the run's own scores are others: made by other code, or of no winner."""
    table = run.scores.filter(pl.col("segment") == "walk_forward")
    if not table.height:
        return []
    rows = np.sort(np.concatenate([fit.fold.test for fit in fits]))
    ours = np.empty(len(prepared.panel))
    for fit in fits:
        ours[fit.fold.test] = _pooled(fit.learned, fit)[:, -1]
    if np.array_equal(ours[rows], table["score"].to_numpy()):
        return []
    return ["these are not the scores of the run: another version of the code made it"]


def _bounds(fit: Fit, folder: str, identity: str) -> dict[str, Any]:
    spans = fit.fold.spans
    return {
        "fold": fit.name,
        "artifact": folder,
        "identity": identity,
        **{name: iso_moment(ns) for name, ns in spans._asdict().items()},
        "n_train": int(fit.fold.train.size),
        "n_validate": int(fit.fold.validate.size),
        "n_test": int(fit.fold.test.size),
    }


def _line(folder: Path, fit: Fit) -> str:
    spans = fit.fold.spans
    if max(spans.train_end, spans.validate_end) > spans.test_start:
        return f"{folder}: fitted on rows after its test too, so nobody could have traded it"
    return (
        f"{folder}: known by {iso_moment(spans.validate_end)}, tests {iso_moment(spans.test_start)}"
        f" to {iso_moment(spans.test_end)}"
    )
