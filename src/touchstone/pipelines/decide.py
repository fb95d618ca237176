"""From scores to the one candidate: calibrate, backtest every candidate before the seal, choose."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64, Int64
from touchstone.backtest import Run, daily, sweep
from touchstone.config import Config
from touchstone.dataset.splits import Fold
from touchstone.ledger import Candidate, Ledger, Span
from touchstone.market import Panel
from touchstone.models.calibrators import (
    Calibrator,
    OutcomeCalibrator,
    calibrate_outcomes,
    expected_return,
)
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared, column
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.views import asks
from touchstone.registration import kind_of, numbered
from touchstone.strategies import STRATEGIES, Decision, Outlook, columns_of
from touchstone.validation.candidates import candidate, choose
from touchstone.validation.deflated import N_TRADES_TO_JUDGE

_NO_CANDIDATE: Final = {
    "epochs": 1,
    "threads": 1,
    "device": "auto",
    "precision": "float32",
    "keep_every": None,
}
"""Of the training's settings, those that make no other candidate."""


class Calibration(NamedTuple):
    """What validation rows say about a fit's scores."""

    outcomes: OutcomeCalibrator
    expected: Calibrator | None
    """E[realised | score], for the one probability of a `buy` head."""
    rest: float
    """Mean realised return of horizon exits on validation rows."""


class Segment(NamedTuple):
    """Rows of the panel on which a strategy is judged, as a panel of their own."""

    panel: Panel
    rows: Int64
    """Rows of the whole panel, rising, (n_segment_rows,)."""

    def place(self, rows: Int64) -> tuple[Int64, Bool]:
        """Where rows of the whole panel stand in the segment, and which of them do."""
        at = np.minimum(np.searchsorted(self.rows, rows), self.rows.size - 1)
        return at, self.rows[at] == rows


class Scored(NamedTuple):
    """One candidate with what it earned before the seal."""

    model: Config
    place: int
    """Place of the model in the study."""
    strategy: Config
    run: Run
    day: Int64
    returns: Float64
    """Daily net returns, (n_days,)."""
    record: Candidate
    """As the ledger keeps it."""


class Comparison(NamedTuple):
    """All candidates on the pooled walk-forward tests, and the one that goes on, if any."""

    segment: Segment
    scored: tuple[Scored, ...]
    chosen: int | None
    views: tuple[Outlook, ...]
    """Per model, what its strategies saw; probabilities are NaN where no test row is."""
    label: Config

    def intent(self, scored: Scored) -> Decision:
        """What a candidate wished at each row of the segment."""
        return intend(self.label, scored.strategy, self.views[scored.place])

    @property
    def winner(self) -> Scored | None:
        """The chosen candidate."""
        return None if self.chosen is None else self.scored[self.chosen]

    @property
    def closest(self) -> Scored | None:
        """The winner, or else the best of those that lost, for the page; None without trades."""
        traded = [s for s in self.scored if s.record.n_trades >= N_TRADES_TO_JUDGE]
        able = [s for s in traded if s.record.daily_sharpe is not None]
        return self.winner or max(able, key=lambda s: s.record.daily_sharpe or 0.0, default=None)


def segment(panel: Panel, start: int, end: int) -> Segment:
    """The bars that are known after `start` and by `end`, ns UTC, as in a fold's spans."""
    keep = (panel.available_at > start) & (panel.available_at <= end)
    return Segment(panel.where(keep), np.flatnonzero(keep))


def calibrate(config: StudyConfig, prepared: Prepared, fold: Fold, learned: Learned) -> Calibration:
    """Fit the calibrator, and the mean of the rest, on a fold's validation rows."""
    outcome = prepared.labels.outcome[fold.validate]
    realised = prepared.labels.realised[fold.validate]
    at_horizon = outcome == 0
    rest = float(realised[at_horizon].mean()) if at_horizon.any() else 0.0
    outcomes = calibrate_outcomes(config.calibrator, learned.validate, outcome)
    is_single = learned.validate.shape[1] == 1
    expected = expected_return(learned.validate[:, 0], realised) if is_single else None
    return Calibration(outcomes, expected, rest)


def outlook(
    config: StudyConfig,
    prepared: Prepared,
    where: Segment,
    pieces: Sequence[tuple[Int64, Float64, Calibration]],
) -> Outlook:
    """What a strategy may know on a segment: (rows, scores, calibration) of one or more fits."""
    n, n_outcomes = where.rows.size, pieces[0][1].shape[1]
    probability = np.full((n, n_outcomes), np.nan)
    rest, expected = np.full(n, np.nan), np.full(n, np.nan)
    for rows, scores, calibration in pieces:
        at, inside = where.place(rows)
        at = at[inside]
        probability[at] = calibration.outcomes.apply(scores[inside])
        rest[at] = calibration.rest
        if calibration.expected is not None:
            expected[at] = calibration.expected.apply(scores[inside, 0])
    labels = prepared.labels
    seen = Outlook(
        probability=probability,
        up=labels.up[where.rows],
        down=labels.down[where.rows],
        rest=rest,
        round_trip=config.costs.round_trip,
        expected=None if n_outcomes == 3 else expected,
    )
    return placed(seen, config.strategy, prepared.panel, where.rows)


def placed(seen: Outlook, strategy: Config, panel: Panel, rows: Int64) -> Outlook:
    """The same outlook, which knows when and of whom its rows are, and what its strategy asks for.

    Args:
        seen: scores and barriers of the rows.
        strategy: whose columns are evaluated, over the whole panel, so that no row is the first.
        panel: the whole panel.
        rows: its rows that `seen` holds, (n_rows,).
    """
    return seen._replace(
        instant=panel.available_at[rows],
        asset=panel.asset_id[rows].astype(np.int64),
        bars_per_year=panel.timeframe.periods_per_year(panel.calendar),
        named=named_columns(strategy, panel, rows),
    )


def named_columns(strategy: Config, panel: Panel, rows: Int64) -> Mapping[str, Float64]:
    """The columns that a strategy asks for, at some rows of a panel: expression -> (n_rows,)."""
    return {text: column(text, panel)[rows] for text in columns_of(strategy)}


def hold_bars(label: Config) -> int:
    """Bars that a position is held at most: the label's horizon."""
    return int(getattr(label, "horizon", 8))


def intend(label: Config, strategy: Config, view: Outlook) -> Decision:
    """What a strategy wishes at each row of a segment."""
    return STRATEGIES.part_of(strategy)(strategy, view, hold_bars(label))


def compare(
    study: Study, prepared: Prepared, learned: Sequence[Sequence[Learned]], ledger: Ledger
) -> Comparison:
    """Backtest every (model, margin) on the pooled test rows, write one sweep row, choose.

    Args:
        study: what is asked.
        prepared: its market.
        learned: per model, its fits of the folds in order.
        ledger: gets one row with every candidate and its score.
    """
    config, folds = study.config, prepared.folds.folds
    where = segment(prepared.panel, folds[0].spans.test_start, prepared.folds.seal)
    strategies = config.strategy.candidates()  # type: ignore[attr-defined]
    views, scored = [], list[Scored]()
    for place, fits in enumerate(learned):
        pieces = [
            (fold.test, fit.test, calibrate(config, prepared, fold, fit))
            for fold, fit in zip(folds, fits, strict=True)
        ]
        view = outlook(config, prepared, where, pieces)
        views.append(view)
        try:
            intents = [intend(config.label, strategy, view) for strategy in strategies]
            runs = sweep(where.panel, intents, config.account, config.costs)
        except BaseException:
            failed = _failed(study, where.panel, config.models[place], strategies)
            tried = (*(s.record for s in scored), *failed)
            ledger.sweep(prepared.data, study.fingerprint, tested_span(prepared), tried)
            raise
        for strategy, run in zip(strategies, runs, strict=True):
            scored.append(_scored(study, where.panel, place, strategy, run))
    records = tuple(s.record for s in scored)
    ledger.sweep(prepared.data, study.fingerprint, tested_span(prepared), records)
    best = choose(records)
    chosen = None if best is None else records.index(best)
    return Comparison(where, tuple(scored), chosen, tuple(views), config.label)


def tested_span(prepared: Prepared) -> Span:
    """The pooled test rows before the seal, where candidates are compared."""
    # Rows belong where start < known <= end; a span's end lies after its last instant.
    start, seal = prepared.folds.folds[0].spans.test_start, prepared.folds.seal
    return Span(prepared.loaded.namespace, prepared.panel.symbols, start + 1, seal + 1)


def _scored(study: Study, panel: Panel, place: int, strategy: Config, run: Run) -> Scored:
    day, returns = daily(panel, run)
    model = study.config.models[place]
    name = candidate_fingerprint(study, panel, model, strategy)
    record = candidate(name, returns, int(run.trades.pnl.size))
    return Scored(model, place, strategy, run, day, returns, record)


def _failed(
    study: Study, panel: Panel, model: Config, strategies: Sequence[Config]
) -> list[Candidate]:
    """Candidates whose trial did not end: they were tried, so they count, without a score."""
    names = [candidate_fingerprint(study, panel, model, strategy) for strategy in strategies]
    return [Candidate(name, None, 0) for name in names]


def candidate_fingerprint(study: Study, panel: Panel, model: Config, strategy: Config) -> str:
    """Names one candidate: universe, side data, features, label, model, costs, strategy, ...

    Universe and side columns are what the panel holds, whatever the study calls them, so that
    another decay, scorer or file is another candidate. Folds, seeds and the number of epochs are
    left out, and what it is computed on: they repeat a candidate, they do not make another one.
    What a trade costs and the account stay in: a strategy decides by them, and of one fingerprint
    only the newest score is kept, so a score at other costs would take the place of the true one.
    (The ladder of cost multiples costs the same orders anew and is written nowhere.)
    """
    config = study.config
    training = config.training.model_copy(update=_NO_CANDIDATE)
    universe = (panel.symbols, panel.timeframe.name, panel.calendar.name, config.start, config.end)
    parts = (
        config.features, config.label, config.scaler, model, config.weights, training,
        config.calibrator, config.costs, config.account, strategy,
    )  # fmt: skip
    inside = () if panel.member is None else (np.packbits(panel.member).tobytes().hex(),)
    texts = (
        repr(universe), str(config.lookback), study.plugin_hash, *asks(config), *inside,
        *_beside(panel, config),
    )  # fmt: skip
    text = "\x1f".join((*texts, *(p.canonical() for p in parts)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _beside(panel: Panel, config: StudyConfig) -> tuple[str, ...]:
    """What a candidate sees beside raw bars, as text; empty where it sees nothing else."""
    adjust = getattr(config.bars, "adjust", "none")
    found = () if adjust == "none" else (f"adjust {adjust}",)
    if not panel.side:
        return found
    digest = hashlib.sha256()
    for name in sorted(panel.side):
        digest.update(name.encode() + b"\0" + np.ascontiguousarray(panel.side[name]).tobytes())
    return (*found, digest.hexdigest())


def model_names(config: StudyConfig) -> tuple[str, ...]:
    """What each model of a study is called: its kind, numbered where a kind comes again."""
    return numbered([kind_of(model) for model in config.models])
