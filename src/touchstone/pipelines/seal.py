"""The one look: refit the chosen candidate before the seal; score and trade what follows, once."""

from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter

from touchstone.arrays import Float64
from touchstone.backtest import Run, daily, run
from touchstone.backtest.again import again_of
from touchstone.ledger import Ledger, Look, Span
from touchstone.pipelines.decide import (
    Calibration,
    Comparison,
    Scored,
    Segment,
    calibrate,
    intend,
    outlook,
    segment,
)
from touchstone.pipelines.diagnostics import Sealed, SealedIntervals, sealed_intervals
from touchstone.pipelines.errors import errors
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.learned import as_long
from touchstone.pipelines.money import Traded, performance
from touchstone.pipelines.naive import yardsticks
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.skill import judged, skill
from touchstone.pipelines.study import Study
from touchstone.reports.contents import Contents, Interval
from touchstone.reports.result import (
    FalseNegative,
    FalsePositive,
    Performance,
    Skill,
    Slice,
    SliceTests,
)
from touchstone.seeding import generator
from touchstone.strategies import Decision
from touchstone.validation import deflated
from touchstone.validation.deflated import Deflated


class Answer(Contents):
    """What the look found; the ledger keeps its JSON, and a repeat is answered with the same."""

    performance: Performance
    """Money on the sealed segment."""
    skill: Skill
    """Of the refitted model's probabilities there."""
    where: tuple[Slice, ...]
    """Trades and rows by symbol, calendar, hour and regime."""
    where_tests: SliceTests | None
    """What of `where` may be luck."""
    worst_false_positives: tuple[FalsePositive, ...]
    """Confident entries that lost."""
    worst_false_negatives: tuple[FalseNegative, ...]
    """Rows that reached their target and were not entered."""
    returns: tuple[float, ...]
    """Daily net returns, every sealed day."""
    n_trades: int
    """Closed round trips."""
    over_buy_and_hold: Interval = None
    """95 %, of the annual Sharpe less that of buy-and-hold on these days."""
    expectancy_interval: Interval = None
    """95 %, of the mean net return of a trade, fraction."""

    @property
    def for_diagnostics(self) -> Sealed:
        """What the printed diagnostics read of it."""
        intervals = SealedIntervals(self.over_buy_and_hold, self.expectancy_interval)
        return Sealed(self.performance, intervals)


class SealedRun(NamedTuple):
    """The look in full, for the artifact and the exports."""

    where: Segment
    intent: Decision
    run: Run
    probability: Float64
    """Calibrated, (n_segment_rows, n_outcomes), NaN where no score is."""
    learned: Learned
    calibration: Calibration
    epochs: int


class Looked(NamedTuple):
    """An answer and what it came from."""

    answer: Answer
    sealed: SealedRun


def look(
    study: Study, prepared: Prepared, comparison: Comparison, learned: list[list[Learned]],
    resources: Resources,
) -> Looked:  # fmt: skip
    """Take the study's one look with its chosen candidate, through the ledger.

    The same look again is answered from the ledger. What it needs for exports is recomputed;
    should that not agree with the record, it is said, and the record stands.
    """
    winner = comparison.winner
    assert winner is not None
    ledger = resources.ledger()
    done: list[tuple[SealedRun, Answer]] = []

    def answer() -> str:
        sealed = trade_sealed(study, prepared, winner, learned[winner.place], resources)
        done.append((sealed, _answer(study, prepared, sealed)))
        return done[0][1].model_dump_json()

    with resources.progress.stage("sealed look") as step:
        noun = Look(
            prepared.data,
            study.fingerprint,
            study.config.seed,
            study.source,
            sealed_span(prepared),
        )
        text = ledger.look(noun, answer)
        recorded = TypeAdapter(Answer).validate_json(text)
        if not done:
            answer()
            if done[0][1].model_dump_json() != text:
                resources.progress.note(
                    "the sealed look was answered from the ledger; computed anew on this machine "
                    "it differs, so the exports may not agree with it to the last digit"
                )
        step.say(f"{recorded.n_trades} trades on {len(recorded.returns)} days")
    return Looked(recorded, done[0][0])


def trade_sealed(
    study: Study, prepared: Prepared, winner: Scored, folds: list[Learned], resources: Resources
) -> SealedRun:
    """Refit by the folds' recipe on the last range before the seal; trade what follows."""
    config, final = study.config, prepared.folds.final
    task = as_long(Task(winner.model, final, "final"), folds)
    fit = learn(study, prepared, [task], resources)[0]
    calibration = calibrate(config, prepared, final, fit)
    end = int(prepared.panel.available_at.max())
    where = segment(prepared.panel, prepared.folds.seal, end)
    view = outlook(config, prepared, where, [(final.test, fit.test, calibration)])
    intent = intend(config.label, winner.strategy, view)
    ran = run(where.panel, intent, config.account, config.costs, resources.ledger(), prepared.data)
    return SealedRun(where, intent, ran, view.probability, fit, calibration, task.epochs or 0)


def sealed_span(prepared: Prepared) -> Span:
    """The sealed rows, as the ledger names them."""
    panel = prepared.panel
    end = int(panel.available_at.max()) + 1
    return Span(prepared.loaded.namespace, panel.symbols, prepared.folds.seal + 1, end)


def whole_span(prepared: Prepared) -> Span:
    """All rows of the study."""
    return sealed_span(prepared)._replace(start=int(prepared.panel.time.min()))


def deflation(prepared: Prepared, winner: Scored | None, ledger: Ledger) -> Deflated | None:
    """The chosen candidate's deflated Sharpe, among all that the ledger holds of these rows."""
    if winner is None:
        return None
    return deflated.deflated_sharpe(winner.returns, ledger.candidates(whole_span(prepared)))


def _answer(study: Study, prepared: Prepared, sealed: SealedRun) -> Answer:
    config, where = study.config, sealed.where
    known = ~np.isnan(sealed.probability[:, -1])
    traded = Traded(where, sealed.run, known, again_of(where.panel, sealed.intent))
    rows = judged(prepared, where, sealed.probability, sealed.intent.long)
    over, expectancy = sealed_intervals(config, traded)
    beside = yardsticks(config, prepared, [prepared.folds.final], where)
    found = errors(config, prepared, where, rows, traded)
    return Answer(
        performance=performance(config, traded, "sealed"),
        skill=skill(config, rows, "sealed", generator(config.seed, "skill", "sealed"), beside),
        where=found.where,
        where_tests=found.tests,
        worst_false_positives=found.false_positives,
        worst_false_negatives=found.false_negatives,
        returns=tuple(daily(where.panel, sealed.run)[1]),
        n_trades=int(sealed.run.trades.pnl.size),
        over_buy_and_hold=over,
        expectancy_interval=expectancy,
    )
