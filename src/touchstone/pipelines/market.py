"""One market of a study, from bars to verdict: the result's contents, and arrays for exports."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.data.sources import Loaded
from touchstone.labels import UNKNOWN
from touchstone.metrics import trading
from touchstone.pipelines.decide import Comparison, Scored, compare
from touchstone.pipelines.learn import Learned, Resources, Task, learn
from touchstone.pipelines.money import Traded, performance, slices, worst_false_positives
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.seal import Looked, ledger_counts, look, open_span, sealed_span
from touchstone.pipelines.skill import best_f1_threshold, classic_label, judged, skill
from touchstone.pipelines.study import Study
from touchstone.reports.result import (
    CandidateResult,
    ClassicLabel,
    Condition,
    DataCard,
    Diagnostic,
    FalsePositive,
    FoldResult,
    LabelCard,
    LedgerCounts,
    MarketResult,
    Performance,
    RejectResult,
    Skill,
    Slice,
    VerdictResult,
    iso_day,
    iso_moment,
)
from touchstone.seeding import generator
from touchstone.validation import deflated as d
from touchstone.validation import verdict as v

_DAY_NS = 86_400_000_000_000


class Market(NamedTuple):
    """Everything that was computed on one market."""

    result: MarketResult
    prepared: Prepared
    comparison: Comparison
    looked: Looked | None


def judge_market(
    study: Study, title: str, bars: tuple[Loaded, str], resources: Resources
) -> Market:
    """Prepare, learn, compare, look once, judge; `bars` as `load` gives them."""
    config, progress = study.config, resources.progress
    prepared = prepare(study, *bars, resources.cache, progress)
    tasks = [
        Task(model, fold, f"fold {i + 1}")
        for model in config.models
        for i, fold in enumerate(prepared.folds.folds)
    ]
    fits = learn(study, prepared, tasks, resources)
    n_folds = len(prepared.folds.folds)
    learned = [fits[i : i + n_folds] for i in range(0, len(fits), n_folds)]
    with progress.stage("candidates") as step:
        comparison = compare(config, prepared, learned, resources.ledger(), open_span(prepared))
        step.say(_said(comparison))
    looked = look(study, prepared, comparison, learned, resources) if comparison.winner else None
    with progress.stage("verdict") as step:
        verdict, evidence = _judge(study, prepared, comparison, looked, resources)
        result = _result(
            study, title, (prepared, comparison, looked, learned), (verdict, evidence), resources
        )
        step.say(verdict.word)
    return Market(result, prepared, comparison, looked)


def _said(comparison: Comparison) -> str:
    winner = comparison.winner
    n = len(comparison.scored)
    if winner is None:
        return f"{n} compared, none earned more than cash"
    return f"{n} compared, chosen: {winner.model.kind} {candidate_label(winner)}"  # type: ignore[attr-defined]


def candidate_label(scored: Scored) -> str:
    """What sets a candidate apart from the others of its model.

    A strategy's fields that hold one point of a grid are those that are tuples of one.
    """
    fields = scored.strategy.model_dump()
    points = {k: x[0] for k, x in fields.items() if isinstance(x, (tuple, list)) and len(x) == 1}
    return " ".join(f"{k} {x:g}" for k, x in points.items())


def _judge(
    study: Study, prepared: Prepared, comparison: Comparison, looked: Looked | None,
    resources: Resources,
) -> tuple[v.Verdict, v.Evidence]:  # fmt: skip
    winner, ledger = comparison.winner, resources.ledger()
    whole = open_span(prepared)._replace(end=sealed_span(prepared).end)
    search = v.Search(
        chosen=winner is not None,
        deflated=None
        if winner is None
        else d.deflated_sharpe(winner.returns, ledger.candidates(whole)),
        surrogate_p=None,
        n_studies=len(ledger.studies_that_looked(sealed_span(prepared))),
    )
    per_year = prepared.panel.calendar.days_per_year
    answer = None if looked is None else looked.answer
    sealed = v.Sealed(
        np.zeros(_sealed_days(prepared)) if answer is None else np.array(answer.returns),
        0 if answer is None else answer.n_trades,
        per_year,
    )
    evidence = v.weigh(sealed, search, generator(study.config.seed, "verdict"))
    return v.judge(evidence), evidence


def _result(
    study: Study,
    title: str,
    stages: tuple[Prepared, Comparison, Looked | None, list[list[Learned]]],
    judgement: tuple[v.Verdict, v.Evidence],
    resources: Resources,
) -> MarketResult:
    prepared, comparison, looked, learned = stages
    verdict, evidence = judgement
    answer = None if looked is None else looked.answer
    before = _before_the_seal(study, prepared, comparison)
    sealed = sealed_span(prepared)
    n_candidates, n_studies = ledger_counts(resources.ledger(), prepared)
    return MarketResult(
        title=title,
        verdict=_verdict(verdict, evidence),
        sealed=None if answer is None else answer.performance,
        walk_forward=before.money,
        skill=before.skill if answer is None else answer.skill,
        classic=_classic(study, prepared, comparison, learned),
        where_rows="walk_forward" if answer is None else "sealed",
        where=before.where if answer is None else answer.where,
        worst_false_positives=before.worst if answer is None else answer.worst_false_positives,
        candidates=_candidates(comparison),
        folds=_folds(study, prepared, learned, looked),
        sealed_span=(iso_moment(sealed.start), iso_moment(sealed.end)),
        ledger=LedgerCounts(
            n_candidates=n_candidates, n_looks_studies=n_studies, exploratory=n_studies > 1
        ),
        diagnostics=_diagnostics(prepared, comparison, verdict, evidence),
        data=_data_card(study, prepared),
        label=_label_card(study, prepared),
        features=prepared.plan.names,
        limits=_limits(study, prepared, verdict),
    )


class _Before(NamedTuple):
    """The closest candidate on the pooled tests before the seal."""

    money: Performance | None
    skill: Skill
    where: tuple[Slice, ...]
    worst: tuple[FalsePositive, ...]


def _before_the_seal(study: Study, prepared: Prepared, comparison: Comparison) -> _Before:
    """Money, skill and slices of the chosen candidate, or of the best of those that lost."""
    config, where = study.config, comparison.segment
    closest = comparison.closest
    shown = comparison.scored[0] if closest is None else closest
    probability = comparison.probability[shown.place]
    rows = judged(prepared, where, probability, shown.intent.enter)
    measured = skill(config, rows, "walk_forward", generator(config.seed, "skill", "before"))
    if closest is None:
        return _Before(None, measured, (), ())
    traded = Traded(where, closest.run, ~np.isnan(probability[:, -1]))
    return _Before(
        performance(config, traded, "before"),
        measured,
        slices(
            config, traded, prepared.labels.outcome[where.rows], prepared.volatility[where.rows]
        ),
        worst_false_positives(prepared, traded, probability),
    )


def _classic(
    study: Study, prepared: Prepared, comparison: Comparison, learned: list[list[Learned]]
) -> ClassicLabel | None:
    rows = {}
    for place, (model, fits) in enumerate(zip(study.config.models, learned, strict=True)):
        validated = [
            (fit.validate[:, -1], prepared.labels.outcome[fold.validate] == 1)
            for fold, fit in zip(prepared.folds.folds, fits, strict=True)
        ]
        said = np.concatenate([p for p, _ in validated])
        threshold = best_f1_threshold(said, np.concatenate([hit for _, hit in validated]))
        scores = np.full(comparison.probability[place].shape, np.nan)
        for fold, fit in zip(prepared.folds.folds, fits, strict=True):
            at, inside = comparison.segment.place(fold.test)
            scores[at[inside]] = fit.test[inside]
        nowhere = np.zeros(len(scores), np.bool_)
        found = judged(prepared, comparison.segment, scores, nowhere)
        rows[str(model.kind)] = (found, threshold)  # type: ignore[attr-defined]
    return classic_label(study.config, rows)


def _verdict(verdict: v.Verdict, evidence: v.Evidence) -> VerdictResult:
    glosses = {
        "sealed p-value": "chance of so high a mean daily net return on the sealed days if the "
        "true mean were zero",
        "deflated Sharpe": "probability that the chosen candidate's walk-forward Sharpe beats the "
        "luck of all candidates ever compared on these data",
        "search-corrected p-value": "chance of so good a search on markets without an edge",
    }
    conditions = tuple(
        Condition(
            name=c.name, value=c.value, threshold=c.threshold, met=c.met, gloss=glosses[c.name]
        )
        for c in (verdict.primary, verdict.secondary)
    )
    return VerdictResult(
        word=verdict.word,
        reason=verdict.reason,
        sentence=verdict.sentence,
        cannot_prove=verdict.limits,
        conditions=conditions,
        primary_p=verdict.primary_p,
        n_days=evidence.n_days_with_return,
        sealed_days=evidence.n_days,
        n_trades=evidence.n_trades,
    )


def _candidates(comparison: Comparison) -> tuple[CandidateResult, ...]:
    per_year = comparison.segment.panel.calendar.days_per_year
    return tuple(
        CandidateResult(
            model=str(s.model.kind),  # type: ignore[attr-defined]
            label=candidate_label(s),
            sharpe=trading.sharpe(s.returns, per_year),
            n_trades=s.record.n_trades,
            net_return=s.run.total_return,
            chosen=i == comparison.chosen,
        )
        for i, s in enumerate(comparison.scored)
    )


def _folds(
    study: Study, prepared: Prepared, learned: list[list[Learned]], looked: Looked | None
) -> tuple[FoldResult, ...]:
    kinds = [str(m.kind) for m in study.config.models]  # type: ignore[attr-defined]
    found = []
    plan = [*prepared.folds.folds, prepared.folds.final]
    for i, fold in enumerate(plan):
        is_final = i == len(plan) - 1
        fits: Mapping[str, Learned] = (
            {} if is_final else {k: f[i] for k, f in zip(kinds, learned, strict=True)}
        )
        if is_final and looked is not None:
            fits = {"chosen": looked.sealed.learned}
        spans = [iso_moment(ns) for ns in fold.spans]
        found.append(
            FoldResult(
                name="final" if is_final else str(i + 1),
                train_span=(spans[0], spans[1]),
                validate_span=(spans[2], spans[3]),
                test_span=(spans[4], spans[5]),
                n_train=fold.train.size,
                n_validate=fold.validate.size,
                n_test=fold.test.size,
                purged_train=fold.purged_train,
                purged_validate=fold.purged_validate,
                rows_available=fold.train.size,
                rows_used={k: f.rows_used for k, f in fits.items()},
                best_epoch={k: f.best_epoch for k, f in fits.items()},
            )
        )
    return tuple(found)


def _diagnostics(
    prepared: Prepared, comparison: Comparison, verdict: v.Verdict, evidence: v.Evidence
) -> dict[str, Diagnostic]:
    per_year = prepared.panel.calendar.days_per_year
    found = {
        "smallest_detectable_sharpe": Diagnostic(
            value=d.smallest_detectable_sharpe(evidence.n_days, per_year),
            gloss="true annual Sharpe that the sealed segment finds with 80 % power",
        )
    }
    winner, told = comparison.winner, verdict.deflated
    if winner is None or told is None:
        return found
    annual = trading.sharpe(winner.returns, per_year) or 0.0
    seen = d.moments(winner.returns)
    found["deflated_sharpe"] = Diagnostic(
        value=told.value, gloss="probability that the search found more than luck would have"
    )
    found["expected_max"] = Diagnostic(
        value=told.threshold * np.sqrt(per_year),
        gloss=f"annual Sharpe that the best of {told.n} worthless candidates is expected to show",
    )
    found["min_backtest_years"] = Diagnostic(
        value=d.min_backtest_length(told.n, annual),
        gloss="years of data below which so high a Sharpe is expected of the best of so many",
    )
    if seen is not None:
        found["min_track_record_days"] = Diagnostic(
            value=d.min_track_record(seen),
            gloss="days of such returns that prove a Sharpe above zero at 95 %, one candidate",
        )
    return found


def _sealed_days(prepared: Prepared) -> int:
    panel = prepared.panel
    return int(
        np.unique(panel.calendar.day(panel.time[panel.available_at > prepared.folds.seal])).size
    )


def _data_card(study: Study, prepared: Prepared) -> DataCard:
    loaded, panel = prepared.loaded, prepared.panel
    market = getattr(study.config.bars, "market", None)
    truth = None
    if market is not None:
        truth = (
            f"simulated, {'an edge planted' if market.ic else 'no edge'}: the hidden state's "
            f"correlation with the next bar's return is {market.ic:g}; it shows itself in volume "
            "alone. Nobody finds an edge like the planted one in a real market."
        )
    return DataCard(
        source=str(study.config.bars.source),  # type: ignore[attr-defined]
        hash=prepared.data,
        timeframe=panel.timeframe.name,
        calendar=panel.calendar.name,
        first=iso_day(panel.time.min()),
        last=iso_day(panel.time.max()),
        n_instruments=panel.n_instruments,
        n_rows=len(panel),
        findings=loaded.findings,
        rejects=tuple(
            RejectResult(symbol=r.symbol, file=Path(r.file).name, reason=r.reason)
            for r in loaded.rejects
        ),
        survivorship=loaded.survivorship,
        simulated_truth=truth,
    )


def _label_card(study: Study, prepared: Prepared) -> LabelCard:
    labels = prepared.labels
    known = labels.exit != UNKNOWN
    outcome, realised = labels.outcome[known], labels.realised[known]
    names = {"+1": 1, "-1": -1, "0": 0}
    up, down = labels.up[known], labels.down[known]
    return LabelCard(
        kind=str(study.config.label.kind),  # type: ignore[attr-defined]
        base_rates={n: float(np.mean(outcome == o)) for n, o in names.items()},
        ambiguous_share=labels.ambiguous_share,
        unknown_share=float(1 - known.mean()),
        mean_realised={
            n: float(realised[outcome == o].mean())
            for n, o in names.items()
            if (outcome == o).any()
        },
        median_up=float(np.median(up)) if known.any() else None,
        median_down=float(np.median(down)) if known.any() else None,
    )


def _limits(study: Study, prepared: Prepared, verdict: v.Verdict) -> tuple[str, ...]:
    told = [verdict.limits]
    if prepared.loaded.survivorship:
        told.append(prepared.loaded.survivorship)
    if study.config.costs.half_spread_bp == 0:
        told.append(
            "Half the spread is set to 0 bp: slippage alone stands for it. Impact and the share "
            "of a bar's volume that an order may take are not modelled; keep orders small."
        )
    told.append(
        "The order of touches inside a bar is not known; a bar that spans both barriers is "
        "counted as the stop."
    )
    return tuple(told)
