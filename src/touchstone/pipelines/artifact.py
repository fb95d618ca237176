"""The chosen candidate as an artifact: everything that decides, in one verified folder."""

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Int64
from touchstone.config import Config
from touchstone.dataset.regimes import begins
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.splits import Fold
from touchstone.dataset.view import Raw, View
from touchstone.features import FeaturesConfig, Plan, compile_features
from touchstone.pipelines.decide import Calibration, hold_bars, named_columns
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.market import Market
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.registry.artifact import ArtifactParts, save
from touchstone.registry.golden import MAX_ROWS, Decider, Rows, record
from touchstone.registry.manifest import Origin
from touchstone.seeding import generator


class Fit(NamedTuple):
    """One candidate as it was fitted on one fold."""

    name: str
    """Of the fold: 1, 2, ... or final."""
    fold: Fold
    learned: Learned
    calibration: Calibration
    model: Config
    strategy: Config
    """With a single threshold or margin."""
    candidate: str
    """Fingerprint in the ledger."""


def save_artifact(folder: Path, study: Study, market: Market, versions: dict[str, str]) -> str:
    """Write the chosen, refitted candidate; in place of an older one of the same run.

    Returns its identity. Its golden rows are drawn from validation rows before the seal.
    """
    looked, winner = market.looked, market.comparison.winner
    assert looked is not None and winner is not None  # noqa: PT018  the caller has looked
    sealed, prepared = looked.sealed, market.prepared
    fit = Fit(
        "final",
        prepared.folds.final,
        sealed.learned,
        sealed.calibration,
        winner.model,
        winner.strategy,
        winner.record.fingerprint,
    )
    return write_artifact(folder, artifact_parts(study, prepared, fit, versions))


def write_artifact(folder: Path, parts: ArtifactParts) -> str:
    """Save beside an older one and swap, so that a crash leaves a whole artifact of one of them.

    Returns its identity.
    """
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    manifest = save(new, parts)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return manifest.identity


def artifact_parts(
    study: Study, prepared: Prepared, fit: Fit, versions: dict[str, str]
) -> ArtifactParts:
    """Everything that decides, as it was known by the end of a fold's validation range."""
    config, spans = study.config, fit.fold.spans
    decider = Decider(
        fitted=fit.learned.restore(fit.model),
        scaler=Scaler.from_json(fit.learned.scaler),
        calibrator=fit.calibration.outcomes,
        expected=fit.calibration.expected,
        strategy=fit.strategy,
        costs=config.costs,
        rest=fit.calibration.rest,
        hold_bars=hold_bars(config.label),
        bars_per_year=prepared.panel.timeframe.periods_per_year(prepared.panel.calendar),
    )
    seen, is_final = fit.learned.seen, fit.name == "final"
    plan, panel = _plan(prepared, seen), prepared.panel
    number = known_first(prepared.begun, spans.train_end)
    return ArtifactParts(
        decider=decider,
        golden=record(decider, _golden_rows(config, prepared, fit)),
        timeframe=panel.timeframe.name,
        calendar=panel.calendar.name,
        symbols=tuple(prepared.assets[i] for i in np.argsort(number)),
        features=dict(plan.expressions),
        features_fingerprint=plan.fingerprint,
        label=config.label,
        origin=Origin(
            data=prepared.data,
            study=study.fingerprint,
            candidate=fit.candidate,
            seed=config.seed,
            train_start=spans.train_start,
            train_end=spans.train_end,
            val_end=spans.validate_end,
            test_start=None if is_final else spans.test_start,
            test_end=None if is_final else spans.test_end,
            packages=versions,
        ),
        view=seen,
    )


def _plan(prepared: Prepared, seen: View | None) -> Plan:
    """The plan of the features that the model sees, and of no other."""
    plan = prepared.plan
    if seen is None:
        return plan
    kept = {name: plan.expressions[name] for name in seen.names if name in plan.expressions}
    return compile_features(FeaturesConfig(set="none", extra=kept), prepared.panel.side)


def _golden_rows(config: StudyConfig, prepared: Prepared, fit: Fit) -> Rows:
    """Some validation rows before the fold's test, drawn by the study's seed."""
    rng = generator(config.seed, "golden", *([] if fit.name == "final" else [fit.name]))
    validate, seen = fit.fold.validate, fit.learned.seen
    if getattr(fit.strategy, "is_across", False):
        rows = _whole_instants(prepared.panel.available_at[validate], validate, rng)
    else:
        rows = np.sort(rng.choice(validate, min(MAX_ROWS, validate.size), replace=False))
    named = named_columns(fit.strategy, prepared.panel, rows)
    at = rows[:, None] + np.arange(1 - config.lookback, 1)
    features = prepared.features
    if seen is not None:
        raw = Raw(features, prepared.plan.names, prepared.inputs, begins(prepared.panel))
        features = seen.matrix(raw)
    return Rows(
        np.ascontiguousarray(features[at]),
        known_first(prepared.begun, fit.fold.spans.train_end)[prepared.asset_id[rows]],
        prepared.labels.up[rows],
        prepared.labels.down[rows],
        prepared.panel.available_at[rows],
        np.stack([*named.values()], axis=1) if named else np.zeros((rows.size, 0)),
    )


def _whole_instants(known: Int64, rows: Int64, rng: np.random.Generator) -> Int64:
    """Rows of a few instants, at most `MAX_ROWS`: what compares instruments shall have some."""
    place = np.unique(known, return_inverse=True)[1]
    turn = rng.permutation(int(place.max()) + 1)[place] if rows.size else place
    return np.sort(rows[np.argsort(turn, kind="stable")[:MAX_ROWS]])
