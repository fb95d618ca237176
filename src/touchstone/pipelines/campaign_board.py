"""From everything that was fitted to the leaderboard: one row an architecture, best first."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np

from touchstone.config import Config
from touchstone.metrics.classification import break_even_precision
from touchstone.pipelines.campaign_config import Campaign
from touchstone.pipelines.campaign_machine import Cost, inference_us, n_parameters
from touchstone.pipelines.campaign_measures import (
    Common,
    OfDays,
    Ranking,
    common_of,
    gap,
    less,
    net_found,
    pr_auc_of,
    ranking,
    spreads,
    yardsticks_of,
)
from touchstone.pipelines.decide import Comparison, model_names
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.shelf import Columns
from touchstone.pipelines.skill import is_classic
from touchstone.pipelines.study import StudyConfig
from touchstone.reports.campaign import (
    Against,
    Architecture,
    CampaignResult,
    Check,
    FitFound,
    FoldFound,
    Machine,
    Measure,
)
from touchstone.reports.contents import iso_day, iso_moment

_LOWER_IS_BETTER = ("log_loss",)


class Raced(NamedTuple):
    """Everything that was fitted and compared, the seeds in order."""

    prepared: Prepared
    columns: Columns
    learned: tuple[list[list[Learned]], ...]
    """Per seed and model, the fits of the folds in order."""
    comparisons: tuple[Comparison, ...]
    costs: dict[str, Cost]
    """Model -> what one of its fits costs."""
    checks: tuple[Check, ...]
    n_candidates: int
    """That the ledger holds of these rows."""


class _Row(NamedTuple):
    """An architecture with what differences to it are made from."""

    told: Architecture
    pr_auc: list[OfDays]


def board(asked: Campaign, raced: Raced, name: str) -> CampaignResult:
    """The result of a campaign; `name` is its fingerprint."""
    config, prepared = asked.study.config, raced.prepared
    names = model_names(config)
    first = _rankings(asked, raced, 0)
    common = common_of(first[0].rows, config.seed)
    rows = [_row(asked, raced, (names[0], 0, first), common)]
    rows += [
        _row(asked, raced, (names[i], i, _rankings(asked, raced, i)), common)
        for i in range(1, len(names))
    ]
    rows.sort(key=lambda row: _order(row.told, asked.config.rank_by))
    beside = yardsticks_of(
        config, prepared, raced.comparisons[0], first[0].rows, common, asked.config.baselines
    )
    others = [(row.told.name, row.told.baseline, row.pr_auc) for row in rows[1:]]
    others += [(told.name, True, [measure]) for told, measure in beside.values()]
    hit = first[0].rows.hit
    panel = prepared.panel
    return CampaignResult(
        name=asked.config.name,
        study=config.name,
        fingerprint=name,
        data=prepared.data,
        seeds=asked.seeds,
        rank_by=asked.config.rank_by,
        label=label_words(config.label),
        classic=is_classic(config.label),
        n_instruments=panel.n_instruments,
        n_bars=len(panel),
        first=iso_day(panel.time.min()),
        last=iso_day(panel.time.max()),
        sealed_from=iso_day(prepared.folds.seal),
        n_test_rows=int(hit.size),
        base_rate=float(hit.mean()) if hit.size else None,
        round_trip=config.costs.round_trip,
        budget=_budget(config),
        folds=_folds(prepared),
        architectures=tuple(row.told for row in rows),
        yardsticks=tuple(told for told, _ in beside.values()),
        against=tuple(_against(common, rows[0], other, hit.size) for other in others),
        n_candidates=raced.n_candidates,
        checks=raced.checks,
    )


def file_of(name: str) -> str:
    """The study of an architecture, beside the leaderboard."""
    return f"{name.replace(' ', '_')}.yaml"


def label_words(label: Config) -> str:
    """What must be foreseen, in words."""
    up, down = getattr(label, "take_profit", None), getattr(label, "stop_loss", None)
    horizon = getattr(label, "horizon", None)
    if up is None or down is None:
        return f"{getattr(label, 'kind', 'label')} within {horizon} bars"
    if getattr(label, "width", None) is not None:
        return f"+{up:g} before \u2212{down:g} widths within {horizon} bars"
    return f"+{100 * up:g} % before \u2212{100 * down:g} % within {horizon} bars"


def _rankings(asked: Campaign, raced: Raced, place: int) -> list[Ranking]:
    """One model with every seed."""
    return [
        ranking(raced.prepared, compared, place, learned[place], seed)
        for seed, learned, compared in zip(
            asked.seeds, raced.learned, raced.comparisons, strict=True
        )
    ]


def _row(
    asked: Campaign, raced: Raced, on: tuple[str, int, list[Ranking]], common: Common
) -> _Row:  # fmt: skip
    (name, place, found), config = on, asked.study.config
    model, measure = config.models[place], asked.config.rank_by
    fits = tuple(fit for one in found for fit in one.fits)
    rows = [one.rows for one in found]
    by_seed = tuple(_validation(one.fits, measure) for one in found)
    known = [v for v in by_seed if v is not None]
    cost, last = raced.costs[name], raced.learned[0][place][-1]
    told = Architecture(
        name=name,
        baseline=name in asked.config.baselines,
        config=model.model_dump(mode="json", serialize_as_any=True),
        file=file_of(name),
        validation=float(np.mean(known)) if known else None,
        validation_by_seed=by_seed,
        **spreads(common, rows),
        break_even_precision=_mean([_break_even(config, one) for one in found]),
        gap=gap(fits, get_args(Measure)),
        net=net_found(raced.comparisons, place, config.seed),
        parameters=n_parameters(last.restore(model)),
        file_bytes=sum(len(content) for content in last.files.values()),
        fits=fits,
        machine=Machine(
            train_seconds=cost.seconds,
            inference_us=inference_us(config, raced.prepared, raced.columns, (model, last)),
            peak_mb=cost.peak_mb,
        ),
    )
    return _Row(told, [pr_auc_of(common, one) for one in rows])


def _validation(fits: Sequence[FitFound], measure: Measure) -> float | None:
    return _mean([fit.on_validation[measure] for fit in fits])


def _break_even(config: StudyConfig, found: Ranking) -> float | None:
    rows = found.rows
    taken = rows.selected
    return break_even_precision(config.costs.round_trip, rows.realised[taken], rows.hit[taken])


def _order(row: Architecture, measure: Measure) -> tuple[bool, float, str]:
    """Best first on validation rows; those without a figure last."""
    value = row.validation
    if value is None:
        return True, 0.0, row.name
    return False, value if measure in _LOWER_IS_BETTER else -value, row.name


def _against(
    common: Common, leader: _Row, other: tuple[str, bool, Sequence[OfDays]], n_rows: int
) -> Against:
    name, baseline, theirs = other
    found = common.spread(less(leader.pr_auc, theirs), 2 * n_rows)
    return Against(name=name, baseline=baseline, difference=found.mean, interval=found.interval)


def _budget(config: StudyConfig) -> dict[str, float | None]:
    training = config.training
    return {"rows": training.rows, "epochs": training.epochs, "patience": training.patience}


def _folds(prepared: Prepared) -> tuple[FoldFound, ...]:
    outcome = prepared.labels.outcome
    return tuple(
        FoldFound(
            train=(iso_moment(f.spans.train_start), iso_moment(f.spans.train_end)),
            test=(iso_moment(f.spans.test_start), iso_moment(f.spans.test_end)),
            n_train=f.train.size,
            n_validate=f.validate.size,
            n_test=f.test.size,
            validate_base_rate=float(np.mean(outcome[f.validate] == 1)),
            test_base_rate=float(np.mean(outcome[f.test] == 1)),
        )
        for f in prepared.folds.folds
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
