"""What one run of a study left behind, as the layers read it that scramble nothing."""

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest import Run
from touchstone.data.loading import Loaded
from touchstone.labels import UNKNOWN
from touchstone.ledger import MemoryLedger
from touchstone.market import Panel
from touchstone.pipelines import decide, prepare, seal
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import Study
from touchstone.pipelines.trace import Whole, on_bars
from touchstone.pipelines.trace_fits import Kept
from touchstone.validation.audit import Book, Counted, Evidence, Fitted, Foreseen, hard_bars


def evidence_of(study: Study, whole: Whole) -> Evidence:
    """Folds with the rows that were really taken, books, and what was counted."""
    prepared = whole.searched.prepared
    config = study.config
    return Evidence(
        prepared.panel,
        prepared.labels,
        config.lookback,
        prepared.folds.seal,
        _fits(study, whole),
        (*_hard(study, prepared.panel), *_books(study, whole)),
        config.account,
        config.costs,
        _counted(study, whole),
    )


def outcomes(study: Study, loaded: Loaded, panel: Panel) -> Float64:
    """Up, down, outcome, exit, realised of every row of some bars, (n_rows, 5)."""
    found, data = prepare.load(on_bars(study, loaded._replace(panel=panel)), Silent())
    labels = prepare.label_rows(study.config.label, found.panel, (data, study.source), Kept())
    unknown = labels.exit == UNKNOWN
    columns = [labels.up, labels.down, labels.outcome, labels.exit, labels.realised]
    wide = np.stack([np.asarray(c, np.float64) for c in columns], axis=1)
    wide[unknown, 2:] = np.nan
    return wide


def directions(study: Study, whole: Whole) -> tuple[Foreseen, ...]:
    """Each model's score of up against down on the test rows, beside the symmetric barrier."""
    prepared = whole.searched.prepared
    panel, outcome = prepared.panel, prepared.symmetric.outcome
    truth = np.where(outcome == 1, 1.0, np.where(outcome == -1, 0.0, np.nan))
    truth[prepared.symmetric.exit == UNKNOWN] = np.nan
    blocks, found = panel.blocks(), []
    tested = np.zeros(len(panel), bool)
    for fold in prepared.folds.folds:
        tested[fold.test] = True
    times = np.searchsorted(blocks.time, np.unique(panel.time[tested]))
    for name, fits in zip(decide.model_names(study.config), whole.searched.learned, strict=True):
        score = np.full(len(panel), np.nan)
        for fold, fit in zip(prepared.folds.folds, fits, strict=True):
            up, down = fit.test[:, -1], fit.test[:, 0]
            both = up / np.maximum(up + down, 1e-12) if fit.test.shape[1] > 1 else up
            score[fold.test] = both
        found.append(Foreseen(name, blocks.spread(score)[times], blocks.spread(truth)[times]))
    return tuple(found)


def _fits(study: Study, whole: Whole) -> tuple[Fitted, ...]:
    folds = whole.searched.prepared.folds
    names, place = decide.model_names(study.config), whole.winner.place
    parts = [
        (place, f"fold {i + 1}", fold) for place in range(len(names))
        for i, fold in enumerate(folds.folds)
    ]  # fmt: skip
    found = []
    for k, name, fold in (*parts, (place, "final", folds.final)):
        seen = whole.ledger.watched(study.config, study.config.models[k], name)
        taken = {of: one.job.train.rows for of, one in seen.items()} or {"": fold.train}
        found += [Fitted(f"{names[k]}{of}, {name}", fold, rows) for of, rows in taken.items()]
    return tuple(found)


def _books(study: Study, whole: Whole) -> tuple[Book, ...]:
    comparison, final = whole.searched.comparison, whole.final
    names = decide.model_names(study.config)
    books = [
        Book(f"candidate {k + 1} ({names[s.place]})", comparison.segment.panel,
             comparison.intent(s), s.run)
        for k, s in enumerate(comparison.scored)
    ]  # fmt: skip
    return (Book("sealed", final.where.panel, final.intent, final.run), *books)


def _hard(study: Study, panel: Panel) -> tuple[Book, ...]:
    """The study's engine on bars that ask every rule, by both ways in which a study calls it.

    The wishes are long, and the account is: the slow one, which follows, knows no other.
    """
    config, own = study.config, study.config.account
    account = own.model_copy(update={"short": False, "max_gross": min(own.max_gross, 1.0)})
    bars, intent = hard_bars(panel, config.seed)
    # by the names that a run calls them by
    sweep, alone = vars(decide)["sweep"], vars(seal)["run"]
    swept = sweep(bars, [intent], account, config.costs)[0]
    run = alone(bars, intent, account, config.costs, MemoryLedger(), "hard bars")
    return (
        Book("hard bars", bars, intent, swept, account),
        Book("hard bars, alone", bars, intent, run, account),
    )


def _counted(study: Study, whole: Whole) -> Counted:
    searched, ledger = whole.searched, whole.ledger
    scored = searched.comparison.scored
    strategies = study.config.strategy.candidates()  # type: ignore[attr-defined]
    span = decide.tested_span(searched.prepared)
    deflated = seal.deflation(searched.prepared, searched.comparison.winner, ledger)
    return Counted(
        tuple(s.record for s in scored),
        tuple(_returns(searched.comparison.segment.panel, s.run) for s in scored),
        len(study.config.models) * len(strategies),
        ledger.candidates(span),
        ledger.n_fits,
        sum(kind == "fit" for kind, *_ in ledger.rows),
        sum(kind == "backtest" for kind, *_ in ledger.rows),
        None if deflated is None else deflated.n,
        ledger.candidates(seal.whole_span(searched.prepared)),
    )


def _returns(panel: Panel, run: Run) -> Float64:
    """Daily returns of every day with a bar, from the equity at its end; no day is left out."""
    day = panel.calendar.day(run.time)
    ends = run.equity[np.r_[day[1:] != day[:-1], np.ones(min(day.size, 1), bool)]]
    return np.asarray(ends / np.r_[run.initial_cash, ends[:-1]] - 1.0, np.float64)
