"""What a study would do, without fitting anything: rooms, rows, folds, trials, time and memory."""

from typing import Any

import numpy as np

from touchstone.dataset.paths import pooled
from touchstone.dataset.splits import SPLITS, Folds, timeline
from touchstone.features import evaluate
from touchstone.labels import LABELS
from touchstone.models import members_of
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.inputs import input_columns, input_plan, whole_windows
from touchstone.pipelines.learn_ensemble import parts_of
from touchstone.pipelines.learned import Task
from touchstone.pipelines.prepare import column, known_by, load, resolve
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.refit import epochs_of, fits_study
from touchstone.pipelines.study import Study, StudyConfig, null_bars
from touchstone.registration import kind_of
from touchstone.reports.result import iso_day

# Of one core, as benchmarks/training.py and the quickstart showed; a guess to a factor of three.
_SECONDS_PER_MILLION_ROWS = {"logistic": 10.0, "lightgbm": 50.0, "ensemble": 5.0}
_SCORED_ROWS_PER_SECOND = 50_000.0
_NETWORK_ROWS_PER_SECOND = 20_000.0
_VIEW_SECONDS = 5.0


def check_study(study: Study) -> dict[str, Any]:
    """Load, resolve and count; the estimates are of one core, to a factor of two or three."""
    config = study.config
    if config.null_twin:
        null_bars(config.bars)
    loaded, data = load(study, Silent())
    panel, plan = loaded.panel, resolve(study, loaded.panel)
    features = np.asarray(evaluate(plan, panel), np.float32)
    width = getattr(config.label, "width", None)
    labels = LABELS.part_of(config.label)(
        panel, config.label, None if width is None else column(width, panel)
    )
    inputs = input_columns(input_plan(config, panel, plan.names), panel)
    whole = whole_windows(features, inputs, panel, config.lookback) & panel.members
    line = timeline(panel, labels, whole, config.lookback)
    folds = pooled(SPLITS.part_of(config.folds)(config.folds, line), len(panel))
    _refit_fits(config, folds)
    strategies = config.strategy.candidates()  # type: ignore[attr-defined]
    kinds = [kind_of(model) for model in config.models]
    fitted = _fitted(config)
    rows = sum(f.train.size for f in folds.folds)
    scored = sum(f.validate.size + f.test.size for f in folds.folds)
    markets = 2 if config.null_twin else 1
    searches = markets * (1 + config.surrogates)
    known = known_by(labels, panel, folds.seal)
    return {
        "study": config.name,
        "rooms": _rooms(config),
        "fingerprint": study.fingerprint,
        "bars": {
            "source": str(config.bars.source),  # type: ignore[attr-defined]
            "hash": data,
            "instruments": panel.n_instruments,
            "rows": len(panel),
            "first": iso_day(panel.time.min()),
            "last": iso_day(panel.time.max()),
            "left_out": [r._asdict() for r in loaded.rejects],
            "findings": list(loaded.findings),
        },
        "features": len(plan.names),
        "base_rate": float(np.mean(labels.outcome[known] == 1)) if known.any() else None,
        "rows_with_window_and_label": int((line.has_window & line.has_label).sum()),
        "folds": _ranges(folds),
        "sealed_from": iso_day(folds.seal),
        "models": kinds,
        "fits": markets * (len(fitted) * len(folds.folds) + 1),
        "candidates": len(kinds) * len(strategies),
        "surrogates": config.surrogates,
        "core_seconds": round(searches * _seconds(config, fitted, rows, scored, len(folds.folds))),
        "memory_mb": round((panel.open.nbytes * 8 + features.nbytes * 3) / 1e6 + 400),
    }


def _fitted(config: StudyConfig) -> list[str]:
    """Kinds of all that is fitted on a fold: models and the members of ensembles, each once."""
    every = [one for model in config.models for one in (*members_of(model), model)]
    return [kind_of(one) for one in {one.canonical(): one for one in every}.values()]


def _refit_fits(config: StudyConfig, folds: Folds) -> None:
    """Refuse what a run would refuse once it had made features and labels."""
    fits_study(config.refit, len(config.models), len(folds.folds))
    for i, fold in enumerate(folds.folds):
        for model in config.models:
            parts_of(Task(model, fold, f"fold {i + 1}", epochs_of(config.refit, i)))


def _rooms(config: StudyConfig) -> dict[str, str]:
    """Which part works in each room."""
    strategy, costs = config.strategy, config.costs
    return {
        "data": str(getattr(config.bars, "source", "?")),
        "features": _asked(config),
        "labels": kind_of(config.label),
        "dataset": f"{kind_of(config.folds)} folds, {kind_of(config.scaler)} scaler, windows of "
        f"{config.lookback} bars{_seen(config)}",
        "models": ", ".join(model_names(config)) + f"; {kind_of(config.calibrator)} calibrator",
        "strategies": f"{kind_of(strategy)}, {len(strategy.candidates())} points",  # type: ignore[attr-defined]
        "execution": f"{costs.per_side_bp:g} bp a side, cash {config.account.cash:,.0f}",
    }


def _asked(config: StudyConfig) -> str:
    """The set, the groups beside it, what is left out, and what is the user's own."""
    asked = config.features
    names = ", ".join((asked.set, *asked.groups))
    less = f" without {', '.join(asked.exclude)}" if asked.exclude else ""
    return f"{names}{less} and {len(asked.extra)} of your own"


def _seen(config: StudyConfig) -> str:
    """What each fold adds to the columns, and by what it chooses among them."""
    regimes, rules = config.regimes, " then ".join(kind_of(rule) for rule in config.selection)
    added = "" if regimes is None else f", regimes by {kind_of(regimes)}"
    return added + (f", columns by {rules}" if rules else "")


def _ranges(folds: Folds) -> list[dict[str, Any]]:
    """Each fold with its dates and its rows."""
    return [
        {
            "name": "final" if fold is folds.final else str(i + 1),
            "train": [iso_day(fold.spans.train_start), iso_day(fold.spans.train_end)],
            "test": [iso_day(fold.spans.test_start), iso_day(fold.spans.test_end)],
            "n_train": int(fold.train.size),
            "n_validate": int(fold.validate.size),
            "n_test": int(fold.test.size),
            "purged": int(fold.purged_train + fold.purged_validate),
        }
        for i, fold in enumerate((*folds.folds, folds.final))
    ]


def told(found: dict[str, Any]) -> str:
    """The same for the terminal."""
    bars = found["bars"]
    lines = [
        f"study       {found['study']}, fingerprint {found['fingerprint']}",
        *(f"{room:<12}{what}" for room, what in found["rooms"].items()),
        f"bars        {bars['rows']:,} of {bars['instruments']} instruments, {bars['first']} to "
        f"{bars['last']} ({bars['source']})",
        *(f"  left out  {r['file']}: {r['reason']}" for r in bars["left_out"]),
        *(f"  finding   {text}" for text in bars["findings"]),
        f"features    {found['features']}",
        f"samples     {found['rows_with_window_and_label']:,} with a window and a known label, "
        f"{found['base_rate'] or 0:.1%} at the target",
    ]
    lines += [
        f"fold {fold['name']:<6} train {fold['train'][0]}..{fold['train'][1]} "
        f"{fold['n_train']:,}, validate {fold['n_validate']:,}, test {fold['test'][0]}.."
        f"{fold['test'][1]} {fold['n_test']:,}, purged {fold['purged']:,}"
        for fold in found["folds"]
    ]
    lines += [
        f"sealed      from {found['sealed_from']}",
        f"models      {', '.join(found['models'])}: {found['fits']} fits",
        f"candidates  {found['candidates']}, each counted in the ledger",
        *_surrogates_said(found["surrogates"]),
        f"estimate    {found['core_seconds']:,} s of one core, {found['memory_mb']:,} MB",
    ]
    return "\n".join(lines)


def _surrogates_said(budget: int) -> list[str]:
    again = f"{budget:,} at most, each the whole search again; fewer where three are as good"
    return [f"surrogates  {again}"] if budget else []


def _seconds(config: Any, kinds: list[str], rows: int, scored: int, n_folds: int) -> float:
    total = 0.0
    for kind in kinds:
        if kind in _SECONDS_PER_MILLION_ROWS:
            total += rows / 1e6 * _SECONDS_PER_MILLION_ROWS[kind]
        else:
            budget = min(config.training.rows or rows, rows // n_folds)
            total += budget * config.training.epochs * n_folds / _NETWORK_ROWS_PER_SECOND
            total += scored / _SCORED_ROWS_PER_SECOND
    n_fitted = len(config.selection) + (config.regimes is not None)
    return total + 10.0 + n_fitted * (n_folds + 1) * _VIEW_SECONDS
