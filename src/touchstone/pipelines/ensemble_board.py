"""From everything that was fitted and compared to what is told of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.ensembles import recalibrates
from touchstone.ensembles.diversity import Diversity, diversity
from touchstone.ensembles.out_of_fold import Selected
from touchstone.ensembles.weights import by_cells, over_time
from touchstone.metrics import classification as c
from touchstone.metrics import trading as t
from touchstone.metrics.ranked import Ranked, ranked, ranked_pr_auc
from touchstone.pipelines.campaign_board import label_words
from touchstone.pipelines.campaign_measures import Common, common_of, less, pr_auc_of
from touchstone.pipelines.cards import candidate_label
from touchstone.pipelines.distil import Taught
from touchstone.pipelines.ensemble_compare import Compared, Contender
from touchstone.pipelines.ensemble_config import PRUNED, Ensembles
from touchstone.pipelines.ensemble_fit import Asked, OnFold
from touchstone.pipelines.ensemble_onward import Onward, onward
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.skill import Judged, judged
from touchstone.reports import ensemble as told
from touchstone.reports.contents import iso_day
from touchstone.seeding import generator
from touchstone.validation.bootstrap import sharpe_interval
from touchstone.validation.day_bootstrap import counted_interval, days_of
from touchstone.validation.stretches import stretches

_STRETCHES = 24
"""Of the test's time, for which weights are told."""
_THIRDS = 3


class Found(NamedTuple):
    """Everything that was fitted and compared."""

    prepared: Prepared
    validation: Sequence[Asked]
    """What members said of the validation rows, fold by fold."""
    combined: dict[str, list[OnFold]]
    compared: Compared
    taught: Taught | None
    n_candidates: int


class _Sheet(NamedTuple):
    """What the figures of all contenders share."""

    asked: Ensembles
    found: Found
    rows: tuple[Judged, ...]
    """Per contender, the same test rows."""
    common: Common
    onward: Mapping[str, Onward]
    """Of each ensemble."""


def board(asked: Ensembles, found: Found, name: str) -> told.EnsembleResult:
    """The result of an ensemble; `name` is its fingerprint."""
    config, prepared, compared = asked.study.config, found.prepared, found.compared
    where, views = compared.comparison.segment, compared.comparison.views
    nobody = np.zeros(where.rows.size, np.bool_)
    rows = tuple(judged(prepared, where, view.probability, nobody) for view in views)
    ways = onward(asked, prepared.panel)
    sheet = _Sheet(asked, found, rows, common_of(rows[0], asked.seed), ways)
    figures = [_figures(sheet, i) for i in range(len(compared.contenders))]
    measure, validated = asked.config.choose_by, compared.validated
    order = sorted(compared.ensembles, key=lambda i: -validated[i].by(measure))
    panel, hit = prepared.panel, rows[0].hit
    return told.EnsembleResult(
        name=asked.config.name,
        study=config.name,
        fingerprint=name,
        data=prepared.data,
        seed=asked.seed,
        choose_by=measure,
        label=label_words(config.label),
        n_instruments=panel.n_instruments,
        n_bars=len(panel),
        first=iso_day(panel.time.min()),
        last=iso_day(panel.time.max()),
        sealed_from=iso_day(prepared.folds.seal),
        n_folds=len(prepared.folds.folds),
        n_validate=sum(one.rows.size for one in found.validation),
        n_test=int(hit.size),
        n_days=int(compared.account(0).returns.size),
        base_rate=float(hit.mean()) if hit.size else None,
        round_trip=config.costs.round_trip,
        members=tuple(f for f, w in zip(figures, compared.contenders, strict=True) if w.is_member),
        best=compared.contenders[compared.best].name,
        best_on_test=compared.contenders[compared.best_on_test].name,
        ensembles=tuple(_combined(sheet, i, figures[i]) for i in order),
        alike=_alike(found),
        pruning=_paths(asked, found.combined),
        student=None if found.taught is None else _student(asked, found, found.taught),
        n_candidates=found.n_candidates,
    )


def _figures(sheet: _Sheet, place: int) -> told.Figures:
    compared, rows, common = sheet.found.compared, sheet.rows[place], sheet.common
    one, on_validation = compared.contenders[place], compared.validated[place]
    account = compared.account(place)
    per_year = compared.comparison.segment.panel.calendar.days_per_year
    measure = pr_auc_of(common, rows)
    return told.Figures(
        name=one.name,
        config=_settings(one),
        validation_pr_auc=on_validation.pr_auc,
        validation_log_loss=on_validation.log_loss,
        validation_sharpe=on_validation.sharpe,
        setting=candidate_label(account),
        pr_auc=measure(np.ones(common.days.n)),
        pr_auc_interval=common.interval([measure], rows.p.size),
        log_loss=c.log_loss(rows.p, rows.hit),
        roc_auc=c.roc_auc(rows.p, rows.hit),
        sharpe=t.sharpe(account.returns, per_year),
        sharpe_interval=sharpe_interval(
            account.returns, per_year, generator(sheet.asked.seed, "ensemble", "interval")
        ),
        net_return=account.run.total_return,
        max_drawdown=t.max_drawdown(np.r_[account.run.initial_cash, account.run.equity]),
        n_trades=account.record.n_trades,
    )


def _settings(one: Contender) -> Mapping[str, Any]:
    """A member's own settings; of an ensemble those of the combination."""
    settings: dict[str, Any] = one.config.model_dump(mode="json", serialize_as_any=True)
    return settings if one.is_member else settings["combiner"]


def _combined(sheet: _Sheet, place: int, figures: told.Figures) -> told.Combined:
    found, compared = sheet.found, sheet.found.compared
    members = compared.contenders
    name, names = members[place].name, [one.name for one in members if one.is_member]
    return told.Combined(
        figures=figures,
        versus=_versus(sheet, place),
        hindsight=_hindsight(sheet, place),
        weights=_weights(sheet.asked, found, name),
        kept=tuple(tuple(names[k] for k in fold.kept) for fold in found.combined[name]),
        onward=sheet.onward[name].told(name),
    )


def _versus(sheet: _Sheet, place: int) -> told.Versus:
    compared, common = sheet.found.compared, sheet.common
    versus, root = compared.versus[place], _root(compared)
    ours, theirs = (pr_auc_of(common, sheet.rows[i]) for i in (place, compared.best))
    [difference] = less([ours], [theirs])
    member = compared.account(compared.best).record.daily_sharpe
    test, gain = versus.test, None
    if test.difference is not None and member is not None and member > 0:
        gain = test.difference / member
    return told.Versus(
        member=compared.contenders[compared.best].name,
        difference=_times(test.difference, root),
        interval=_ends(test.interval, root),
        p=test.p,
        adjusted=versus.adjusted,
        better=versus.is_better,
        gain=gain,
        reaches_target=gain is not None and gain >= told.TARGET,
        pr_auc=difference(np.ones(common.days.n)),
        pr_auc_interval=common.interval([difference], 2 * sheet.rows[place].p.size),
    )


def _hindsight(sheet: _Sheet, place: int) -> told.Hindsight:
    compared = sheet.found.compared
    test, root = compared.hindsight[place], _root(compared)
    return told.Hindsight(
        member=compared.contenders[compared.best_on_test].name,
        difference=_times(test.difference, root),
        interval=_ends(test.interval, root),
        p=test.p,
    )


def _root(compared: Compared) -> float:
    """From a day's ratio to a year's."""
    return float(compared.comparison.segment.panel.calendar.days_per_year**0.5)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _ends(ends: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return None if ends is None else (ends[0] * factor, ends[1] * factor)


def _weights(asked: Ensembles, found: Found, name: str) -> told.Weights:
    prepared, on_folds = found.prepared, found.combined[name]
    rows = np.concatenate([fold.test for fold in prepared.folds.folds])
    weights = np.concatenate([one.weights for one in on_folds])
    config = asked.combiner(name)
    times = over_time(weights, prepared.panel.available_at[rows], _STRETCHES)
    return told.Weights(
        shares=name == PRUNED or not recalibrates(config),
        mean=weights.mean(axis=0),
        day=tuple(iso_day(begin) for begin in times.begin),
        over_time=times.weight.T,
        by_volatility=_by_volatility(prepared, on_folds).T,
    )


def _by_volatility(prepared: Prepared, on_folds: Sequence[OnFold]) -> Float64:
    """Mean weights in thirds of each fold's test rows by volatility, (3, n_members).

    Of all rows at once a calm fold would be told for calm rows: weights that stay as they are
    within a fold would seem to follow the volatility. No row of it where no fold has thirds.
    """
    each, sizes = list[Float64](), list[int]()
    for fold, one in zip(prepared.folds.folds, on_folds, strict=True):
        cells = by_cells(one.weights, prepared.volatility[fold.test], _THIRDS)
        known = ~np.isnan(cells.low)
        if known.sum() == _THIRDS:
            each.append(cells.weight[known])
            sizes.append(fold.test.size)
    if not each:
        return np.empty((0, on_folds[0].weights.shape[1]))
    return np.asarray(np.average(each, axis=0, weights=sizes), np.float64)


def _alike(found: Found) -> told.Alike:
    each = [diversity(one.members, one.outcomes) for one in found.validation]

    def mean(of: Callable[[Diversity], Float64]) -> Float64:
        return np.asarray(np.mean([of(one) for one in each], axis=0))

    return told.Alike(
        members=found.validation[0].members.names,
        error_correlation=mean(lambda one: one.error_correlation),
        disagreement=mean(lambda one: one.disagreement),
        q=mean(lambda one: one.q),
        double_fault=mean(lambda one: one.double_fault),
        accuracy=mean(lambda one: one.accuracy),
    )


def _paths(asked: Ensembles, combined: dict[str, list[OnFold]]) -> tuple[told.Path, ...]:
    names = [named.name for named in asked.members]
    found = []
    for number, fold in enumerate(combined.get(PRUNED, ()), start=1):
        assert isinstance(fold.combined, Selected)  # as `fit_on_fold` makes it
        chosen = fold.combined.selection
        steps = tuple(
            told.Step(member=names[int(k)], log_loss=float(loss))
            for k, loss in zip(chosen.added, chosen.loss, strict=True)
        )
        kept = tuple(names[int(k)] for k in chosen.kept)
        found.append(told.Path(fold=number, steps=steps, n_best=chosen.n_best, kept=kept))
    return tuple(found)


def _student(asked: Ensembles, found: Found, taught: Taught) -> told.Student:
    settings = asked.config.distil
    assert settings is not None  # there is a student
    on_folds = found.combined[taught.teacher]
    numbers = [one.number for one in taught.found]
    scores = {
        "teacher": [on_folds[k].test for k in numbers],
        "student": [one.student.test for one in taught.found],
        "untaught": [one.untaught.test for one in taught.found],
    }
    kept, n_rows = _kept(asked, found.prepared, numbers, scores)
    timed = taught.timed
    per_row = 1e6 / timed.n_rows
    return told.Student(
        config=settings.student.model_dump(mode="json", serialize_as_any=True),
        teacher=taught.teacher,
        folds=tuple(k + 1 for k in numbers),
        n_rows=n_rows,
        **kept,
        parameters=taught.parameters,
        ensemble_parameters=taught.ensemble_parameters,
        file=STUDENT_FILE,
        artifacts=tuple(artifact_name(k) for k in numbers),
        machine=told.Speed(
            ensemble_us=float(np.median(timed.ensemble)) * per_row,
            student_us=float(np.median(timed.student)) * per_row,
            share=float(np.median(timed.student / timed.ensemble)),
            rounds=timed.student.size,
        ),
    )


STUDENT_FILE = "student.yaml"


def artifact_name(number: int) -> str:
    """Folder of a student, by the number of its fold from 0."""
    return f"student-fold-{number + 1}"


def _kept(
    asked: Ensembles, prepared: Prepared, numbers: Sequence[int],
    scores: Mapping[str, Sequence[Float64]],
) -> tuple[dict[str, Any], int]:  # fmt: skip
    """PR-AUCs on the same test rows, with intervals over the same days."""
    folds, labels, panel = prepared.folds.folds, prepared.labels, prepared.panel
    rows = np.concatenate([folds[k].test for k in numbers])
    inside = prepared.open_labels[rows]
    rows = rows[inside]
    day = panel.calendar.day(panel.time)
    days = days_of(stretches(day[rows], day[labels.exit[rows]]))
    hit = labels.outcome[rows] == 1

    def rank(name: str) -> Ranked:
        p = np.concatenate([said[:, -1] for said in scores[name]])[inside]
        return ranked(p, hit, days.at)

    orders = {name: rank(name) for name in scores}

    def area(name: str, counts: Float64) -> float | None:
        return ranked_pr_auc(orders[name], counts)

    def ratio(counts: Float64) -> float | None:
        one, other = area("student", counts), area("teacher", counts)
        return one / other if one is not None and other else None

    def gain(counts: Float64) -> float | None:
        one, other = area("student", counts), area("untaught", counts)
        return None if one is None or other is None else one - other

    def spread(measure: Callable[[Float64], float | None]) -> tuple[float, float] | None:
        return counted_interval(measure, days.n, generator(asked.seed, "ensemble", "student"))

    ones = np.ones(days.n)
    return {
        "ensemble_pr_auc": area("teacher", ones),
        "pr_auc": area("student", ones),
        "kept": ratio(ones),
        "kept_interval": spread(ratio),
        "untaught_pr_auc": area("untaught", ones),
        "taught": gain(ones),
        "taught_interval": spread(gain),
    }, int(rows.size)
