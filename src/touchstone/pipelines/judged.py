"""A made market, judged from bars to verdict and forgotten, as measurements of the pipeline ask."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest import daily
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.data.loading import Loaded
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.features import evaluate
from touchstone.ledger import MemoryLedger
from touchstone.market import Panel
from touchstone.models.scoring import score
from touchstone.pipelines.decide import Calibration, Comparison, Scored, intend, placed
from touchstone.pipelines.inputs import whole_windows
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.market import search_market
from touchstone.pipelines.oracle import Rule, rows_of
from touchstone.pipelines.prepare import Prepared, resolve
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.seal import SealedRun, deflation, sealed_span, trade_sealed
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import Study
from touchstone.simulation import Truth
from touchstone.strategies import Decision, Outlook
from touchstone.validation import verdict as v

Choose = Callable[[Comparison], Scored | None]
"""Which candidate goes on to the sealed rows."""


class Judged(NamedTuple):
    """What a study said of a market."""

    verdict: v.Verdict
    n_trades: int
    """Closed on the sealed rows."""
    before: Float64
    """Daily net returns of every candidate on the tests before the seal, (n_days, n)."""
    chosen: Scored | None
    sealed: SealedRun | None
    """The look; None where nobody was chosen."""


def winner(comparison: Comparison) -> Scored | None:
    """The candidate that a user's study would look with."""
    return comparison.winner


def judge_panel(study: Study, panel: Panel, rng: np.random.Generator, choose: Choose) -> Judged:
    """Run a whole study on a panel, the one look included, with a ledger and a cache of its own.

    Args:
        study: what is asked.
        panel: the market.
        rng: of the verdict's bootstrap.
        choose: who goes on.
    """
    data = panel.content_hash()
    loaded = Loaded(panel, (), (), f"made:{data[:16]}", None)
    ledger = MemoryLedger()
    with tempfile.TemporaryDirectory(prefix="touchstone-") as folder:
        resources = Resources(StageCache(Path(folder)), lambda: ledger, Silent(), 1)
        found = search_market(study, (loaded, data), resources)
        prepared, chosen = found.prepared, choose(found.comparison)
        sealed = None
        if chosen is not None:
            fits = found.learned[chosen.place]
            sealed = trade_sealed(study, prepared, chosen, fits, resources)
    search = v.Search(
        chosen=chosen is not None,
        deflated=deflation(prepared, chosen, ledger),
        surrogate_p=None,
        n_studies=1,
    )
    returns, n_trades = _sealed_returns(prepared, sealed)
    evidence = v.weigh(v.Sealed(returns, n_trades, panel.calendar.days_per_year), search, rng)
    table = np.column_stack([s.returns for s in found.comparison.scored])
    return Judged(v.judge(evidence), n_trades, table, chosen, sealed)


def rule_of(study: Study, chosen: Scored, sealed: SealedRun) -> Rule:
    """The chosen candidate as it would trade other bars of the same instruments, truth unread.

    Args:
        study: without a selection of columns and without regimes.
        chosen: the candidate.
        sealed: its last fit, with scaler and calibrator.
    """
    return rule_by(study, (chosen.model, chosen.strategy), sealed.learned, sealed.calibration)


def rule_by(
    study: Study, candidate: tuple[Config, Config], fit: Learned, calibration: Calibration
) -> Rule:
    """The same of any fit of a model, with what validation rows say of its scores.

    Args:
        study: without a selection of columns and without regimes.
        candidate: model, and a strategy of one value each.
        fit, calibration: of the model.
    """
    config, (model, strategy) = study.config, candidate
    scaler, fitted = Scaler.from_json(fit.scaler), fit.restore(model)

    def rule(panel: Panel, truth: Truth) -> Decision:  # noqa: ARG001 (it sees no truth)
        features = np.asarray(evaluate(resolve(study, panel), panel), np.float32)
        windows = Windows(features, panel.asset_id, config.lookback, scaler)
        rows = np.flatnonzero(whole_windows(features, None, panel, config.lookback))
        scores = score(fitted, windows, rows)
        probability = np.full((len(panel), scores.shape[1]), np.nan)
        probability[rows] = calibration.outcomes.apply(scores)
        expected = None
        if calibration.expected is not None:
            expected = np.full(len(panel), np.nan)
            expected[rows] = calibration.expected.apply(scores[:, 0])
        labels = rows_of(config.label, panel)
        view = Outlook(
            probability, labels.up, labels.down, calibration.rest, config.costs.round_trip, expected
        )
        view = placed(view, strategy, panel, np.arange(len(panel)))
        return intend(config.label, strategy, view)

    return rule


def _sealed_returns(prepared: Prepared, sealed: SealedRun | None) -> tuple[Float64, int]:
    """Daily net returns of the sealed days, and the trades closed there."""
    if sealed is None:
        span, panel = sealed_span(prepared), prepared.panel
        days = np.unique(panel.calendar.day(panel.time[panel.available_at >= span.start]))
        return np.zeros(days.size), 0
    return daily(sealed.where.panel, sealed.run)[1], int(sealed.run.trades.pnl.size)
