"""The chosen candidate as an artifact: everything that decides, in one verified folder."""

import shutil
from pathlib import Path

import numpy as np

from touchstone.dataset.regimes import begins
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.view import Raw, View
from touchstone.features import FeaturesConfig, Plan, compile_features
from touchstone.pipelines.decide import hold_bars
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.market import Market
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.registry.artifact import ArtifactParts, save
from touchstone.registry.golden import MAX_ROWS, Decider, Rows, record
from touchstone.registry.manifest import Origin
from touchstone.seeding import generator


def save_artifact(folder: Path, study: Study, market: Market, versions: dict[str, str]) -> str:
    """Write the chosen, refitted candidate; in place of an older one of the same run.

    Returns its identity.

    Its golden rows are drawn from validation rows before the seal.
    """
    config, prepared, looked = study.config, market.prepared, market.looked
    winner = market.comparison.winner
    assert looked is not None and winner is not None  # noqa: PT018  the caller has looked
    sealed, final = looked.sealed, prepared.folds.final
    decider = Decider(
        fitted=sealed.learned.restore(winner.model),
        scaler=Scaler.from_json(sealed.learned.scaler),
        calibrator=sealed.calibration.outcomes,
        expected=sealed.calibration.expected,
        strategy=winner.strategy,
        costs=config.costs,
        rest=sealed.calibration.rest,
        hold_bars=hold_bars(config.label),
    )
    seen = sealed.learned.seen
    golden = record(decider, _golden_rows(config, prepared, seen))
    plan, panel = _plan(prepared, seen), prepared.panel
    number = known_first(prepared.begun, final.spans.train_end)
    parts = ArtifactParts(
        decider=decider,
        golden=golden,
        timeframe=panel.timeframe.name,
        calendar=panel.calendar.name,
        symbols=tuple(prepared.assets[i] for i in np.argsort(number)),
        features=dict(plan.expressions),
        features_fingerprint=plan.fingerprint,
        label=config.label,
        origin=Origin(
            data=prepared.data,
            study=study.fingerprint,
            candidate=winner.record.fingerprint,
            seed=config.seed,
            train_start=final.spans.train_start,
            train_end=final.spans.train_end,
            packages=versions,
        ),
        view=seen,
    )
    # Saved beside the old one and swapped, so that a crash leaves a whole artifact of one of them.
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    manifest = save(new, parts)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return manifest.identity


def _plan(prepared: Prepared, seen: View | None) -> Plan:
    """The plan of the features that the model sees, and of no other."""
    plan = prepared.plan
    if seen is None:
        return plan
    kept = {name: plan.expressions[name] for name in seen.names if name in plan.expressions}
    return compile_features(FeaturesConfig(set="none", extra=kept), prepared.panel.side)


def _golden_rows(config: StudyConfig, prepared: Prepared, seen: View | None) -> Rows:
    """Some validation rows before the seal, drawn by the study's seed."""
    rng = generator(config.seed, "golden")
    validate = prepared.folds.final.validate
    rows = np.sort(rng.choice(validate, min(MAX_ROWS, validate.size), replace=False))
    at = rows[:, None] + np.arange(1 - config.lookback, 1)
    features = prepared.features
    if seen is not None:
        raw = Raw(features, prepared.plan.names, prepared.inputs, begins(prepared.panel))
        features = seen.matrix(raw)
    return Rows(
        np.ascontiguousarray(features[at]),
        known_first(prepared.begun, prepared.folds.final.spans.train_end)[prepared.asset_id[rows]],
        prepared.labels.up[rows],
        prepared.labels.down[rows],
    )
