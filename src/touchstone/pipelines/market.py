"""One market of a study, from bars to verdict: the result's contents, and arrays for exports."""

from typing import NamedTuple

import numpy as np

from touchstone.backtest.again import again_of
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError
from touchstone.pipelines import cards
from touchstone.pipelines.decide import Comparison, Scored, compare, model_names
from touchstone.pipelines.diagnostics import diagnostics
from touchstone.pipelines.errors import Errors, errors
from touchstone.pipelines.fold_cards import fold_cards
from touchstone.pipelines.inputs import regime_names
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.money import Traded, performance
from touchstone.pipelines.naive import yardsticks
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.refit import epochs_of, fits_study
from touchstone.pipelines.seal import Looked, deflation, look, sealed_span, whole_span
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.skill import best_f1_threshold, classic_label, is_classic, judged, skill
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.surrogates import Tested, surrogates
from touchstone.pipelines.thresholds import Validated, thresholds, validated
from touchstone.reports.result import (
    ClassicLabel,
    Condition,
    LedgerCounts,
    MarketResult,
    Performance,
    Skill,
    VerdictResult,
    iso_moment,
)
from touchstone.reports.thresholds import Thresholds
from touchstone.seeding import generator
from touchstone.validation import verdict as v

_DAY_NS = 86_400_000_000_000


class Market(NamedTuple):
    """Everything that was computed on one market."""

    result: MarketResult
    prepared: Prepared
    comparison: Comparison
    looked: Looked | None
    learned: list[list[Learned]]
    """Per model, its fits of the folds in order."""
    validated: tuple[Validated, ...] = ()
    """What the shown model said of each fold's validation rows."""


class Searched(NamedTuple):
    """A market before anybody looked at its sealed rows."""

    prepared: Prepared
    learned: list[list[Learned]]
    """Per model, its fits of the folds in order."""
    comparison: Comparison


def search_market(study: Study, bars: tuple[Loaded, str], resources: Resources) -> Searched:
    """Prepare, learn and compare; the sealed rows stay closed."""
    config, progress = study.config, resources.progress
    prepared = prepare(study, *bars, resources.cache, progress)
    if not prepared.folds.final.test.size:
        raise ConfigError(
            "folds.sealed leaves no row to judge by: seal some time, as in 20% or 90d (at least "
            "60 days with 20 trades can be judged)"
        )
    fits_study(config.refit, len(config.models), len(prepared.folds.folds))
    tasks = [
        Task(model, fold, f"fold {i + 1}", epochs_of(config.refit, i))
        for model in config.models
        for i, fold in enumerate(prepared.folds.folds)
    ]
    fits = learn(study, prepared, tasks, resources)
    n_folds = len(prepared.folds.folds)
    learned = [fits[i : i + n_folds] for i in range(0, len(fits), n_folds)]
    with progress.stage("candidates") as step:
        comparison = compare(study, prepared, learned, resources.ledger())
        step.say(_said(config, comparison))
    return Searched(prepared, learned, comparison)


def compared(study: Study, bars: tuple[Loaded, str], resources: Resources) -> Comparison:
    """The same up to the choice alone: the search that surrogate markets go through."""
    return search_market(study, bars, resources).comparison


def judge_market(
    study: Study, title: str, bars: tuple[Loaded, str], resources: Resources
) -> Market:
    """Prepare, learn, compare, search surrogates, look once, judge; `bars` as `load` gives them."""
    progress = resources.progress
    prepared, learned, comparison = search_market(study, bars, resources)
    tested = surrogates(study, prepared, comparison, compared, resources)
    looked = look(study, prepared, comparison, learned, resources) if comparison.winner else None
    with progress.stage("verdict") as step:
        verdict, evidence = _judge(study, prepared, comparison, (looked, tested), resources)
        result = _result(
            study, title, (prepared, comparison, looked, learned), (verdict, evidence), resources
        )
        if tested is not None:
            result = result.model_copy(update={"surrogates": tested.told})
        step.say(verdict.word)
    said = validated(study.config, prepared, learned[shown(comparison).place])
    return Market(result, prepared, comparison, looked, learned, said)


def _said(config: StudyConfig, comparison: Comparison) -> str:
    winner = comparison.winner
    n = len(comparison.scored)
    if winner is None:
        return f"{n} compared, none earned more than cash"
    name = model_names(config)[winner.place]
    return f"{n} compared, chosen: {name} {cards.candidate_label(winner)}"


def _judge(
    study: Study, prepared: Prepared, comparison: Comparison,
    found: tuple[Looked | None, Tested | None], resources: Resources,
) -> tuple[v.Verdict, v.Evidence]:  # fmt: skip
    looked, tested = found
    winner, ledger = comparison.winner, resources.ledger()
    search = v.Search(
        chosen=winner is not None,
        deflated=deflation(prepared, winner, ledger),
        surrogate_p=None if tested is None else tested.test.p,
        n_studies=len(ledger.studies_that_looked(sealed_span(prepared))),
        drawn=None if tested is None else tested.drawn,
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
    before = before_the_seal(study, prepared, comparison)
    found = before.errors
    sealed = sealed_span(prepared)
    return MarketResult(
        title=title,
        verdict=_verdict(verdict, evidence),
        sealed=None if answer is None else answer.performance,
        walk_forward=before.money,
        skill=before.skill if answer is None else answer.skill,
        thresholds=_thresholds(study, prepared, comparison, learned),
        classic=_classic(study, prepared, comparison, learned),
        where_rows="walk_forward" if answer is None else "sealed",
        where=found.where if answer is None else answer.where,
        where_tests=found.tests if answer is None else answer.where_tests,
        worst_false_positives=(
            found.false_positives if answer is None else answer.worst_false_positives
        ),
        worst_false_negatives=(
            found.false_negatives if answer is None else answer.worst_false_negatives
        ),
        candidates=cards.candidates(study.config, comparison),
        folds=fold_cards(study, prepared, learned, looked),
        sealed_span=(iso_moment(sealed.start), iso_moment(sealed.end)),
        ledger=_counts(verdict, prepared, resources),
        diagnostics=diagnostics(
            comparison,
            verdict.deflated,
            None if answer is None else answer.for_diagnostics,
            evidence.n_days,
            study.config.seed,
        ),
        data=cards.data_card(study, prepared),
        label=cards.label_card(study, prepared),
        features=(*prepared.plan.names, *regime_names(study.config)),
        limits=cards.limits(study, prepared, verdict),
    )


def _counts(verdict: v.Verdict, prepared: Prepared, resources: Resources) -> LedgerCounts:
    n = verdict.n_studies
    return LedgerCounts(
        n_candidates=len(resources.ledger().candidates(whole_span(prepared))),
        n_looks_studies=n,
        exploratory=n > 1,
    )


class _Before(NamedTuple):
    """The closest candidate on the pooled tests before the seal."""

    money: Performance | None
    skill: Skill
    errors: Errors


def shown(comparison: Comparison) -> Scored:
    """The candidate that the page is about: chosen, or closest to it, or else the first."""
    return comparison.closest or comparison.scored[0]


def before_the_seal(study: Study, prepared: Prepared, comparison: Comparison) -> _Before:
    """Money, skill and slices of the chosen candidate, or of the best of those that lost."""
    config, where = study.config, comparison.segment
    closest, best = comparison.closest, shown(comparison)
    probability = comparison.views[best.place].probability
    intent = comparison.intent(best)
    rows = judged(prepared, where, probability, intent.long)
    beside = yardsticks(config, prepared, prepared.folds.folds, where)
    rng = generator(config.seed, "skill", "before")
    measured = skill(config, rows, "walk_forward", rng, beside)
    traded = None
    if closest is not None:
        known = ~np.isnan(probability[:, -1])
        traded = Traded(where, closest.run, known, again_of(where.panel, intent))
    return _Before(
        None if traded is None else performance(config, traded, "before"),
        measured,
        errors(config, prepared, where, rows, traded),
    )


def _thresholds(
    study: Study, prepared: Prepared, comparison: Comparison, learned: list[list[Learned]]
) -> Thresholds:
    place, config = shown(comparison).place, study.config
    name, fits = model_names(config)[place], learned[place]
    return thresholds(name, config, prepared, fits, comparison.segment)


def _classic(
    study: Study, prepared: Prepared, comparison: Comparison, learned: list[list[Learned]]
) -> ClassicLabel | None:
    if not is_classic(study.config.label):
        return None
    found, where = {}, comparison.segment
    for name, fits in zip(model_names(study.config), learned, strict=True):
        scores = np.full((where.rows.size, fits[0].test.shape[1]), np.nan)
        taken = np.zeros(where.rows.size, np.bool_)
        for fold, fit in zip(prepared.folds.folds, fits, strict=True):
            # Each fold's threshold from its own validation rows: those of a later fold are the
            # test rows of this one.
            hit = prepared.labels.outcome[fold.validate] == 1
            threshold = best_f1_threshold(fit.validate[:, -1], hit)
            at, inside = where.place(fold.test)
            scores[at[inside]] = fit.test[inside]
            taken[at[inside]] = fit.test[inside, -1] >= threshold
        found[name] = judged(prepared, where, scores, taken)
    return classic_label(found)


def _verdict(verdict: v.Verdict, evidence: v.Evidence) -> VerdictResult:
    glosses = {
        "sealed p-value": "chance of so high a mean daily net return on the sealed days if the "
        "true mean were zero",
        "deflated Sharpe": "probability that the chosen candidate's walk-forward Sharpe beats the "
        "luck of all candidates ever compared on these data; no surrogate markets were searched",
        "search-corrected p-value": "chance of so good a search on markets without an edge",
    }
    if evidence.drawn is not None:
        glosses["search-corrected p-value"] += f": {v.surrogates_said(evidence.drawn)}"
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


def _sealed_days(prepared: Prepared) -> int:
    panel = prepared.panel
    return int(
        np.unique(panel.calendar.day(panel.time[panel.available_at > prepared.folds.seal])).size
    )
