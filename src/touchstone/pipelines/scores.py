"""Backtest scores that were made elsewhere: bars, scores and a strategy in, money out."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.backtest import daily, run
from touchstone.backtest.again import again_of
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError
from touchstone.labels import Labels
from touchstone.ledger import Ledger
from touchstone.market import Panel
from touchstone.pipelines.backtested import BacktestConfig, Backtested
from touchstone.pipelines.brought import Wanted, brought, once, reading
from touchstone.pipelines.decide import intend, placed
from touchstone.pipelines.money import Traded, performance
from touchstone.pipelines.prepare import refuse_short
from touchstone.pipelines.seen import see
from touchstone.pipelines.skill import best_f1_threshold
from touchstone.pipelines.trial_names import candidate_name, digest
from touchstone.validation.candidates import candidate

COLUMNS = ("timestamp", "symbol", "score")


def read_scores(
    path: Path, panel: Panel, wanted: Collection[str] | None, left_out: Collection[str]
) -> Float64:
    """A table of scores as a column of the panel, NaN where there is none, (n_rows,).

    Columns timestamp (the bar's start, UTC), symbol, score; Parquet or CSV. A score is known at
    its bar's close and can be acted on from the next bar. Scores of instruments that nobody wants,
    or whose bars were left out, are passed over.

    Raises:
        DataError: columns missing, a naive time, an unknown symbol, a time without a bar, a
            score that is not finite, or a row twice; by file, row and value.
    """
    with reading(path):
        found = brought(path, panel, COLUMNS, Wanted(wanted, left_out), "scores")
        score = found.numbers("score")
        found.refuse(
            ~np.isfinite(score),
            lambda r: f"score {score[r]} is not finite",
            "needs a number; leave out the rows that have no score",
        )
        once(found, panel, "scores")
    out = np.full(len(panel), np.nan)
    out[found.row] = score
    return out


def backtest_scores(
    config: BacktestConfig,
    loaded: tuple[Loaded, str],
    score: Float64,
    ledger: Ledger,
    calibrate_until: int | None,
) -> Backtested:
    """Backtest a column of scores, counted in the ledger as one candidate.

    Args:
        config: strategy, label, costs, account.
        loaded: the bars and their hash.
        score: (n_rows,), NaN where there is none.
        ledger: where the trial is counted.
        calibrate_until: ns UTC; rows whose label has ended by then fit E[return | score] and
            `tune`, and only rows after it are traded. Needed by `cost_aware` and `tune`.

    Raises:
        ConfigError: the strategy cannot decide on such scores, or `tune` has nothing to tune.
        DataError: no score on the bars that are traded, or too few to calibrate by.
    """
    (bars, data), asked, tuned = loaded, config, None
    refuse_short(config.strategy, config.account)
    if config.tune is not None and calibrate_until is None:
        raise ConfigError(
            f"tune: {config.tune} finds the threshold on rows known before a date: add "
            "--calibrate-until DATE, or state strategy.entry_threshold"
        )
    seen = see(config, bars, score, calibrate_until)
    if config.tune is not None and seen.fit is not None:
        config, tuned = _tuned(config, seen.labels, score, seen.fit)
    where, strategy = seen.where, config.strategy
    decision = intend(config.label, strategy, placed(seen.view, strategy, bars.panel, where.rows))
    done = run(where.panel, decision, config.account, config.costs, ledger, data)
    name = candidate_name(asked, digest(score), calibrate_until)
    traded = Traded(where, done, seen.known, again_of(where.panel, decision))
    found = performance(config, traded, "scores")
    one = candidate(name, daily(where.panel, done)[1], found.n_trades)
    ledger.sweep(data, name, seen.span, (one,))
    n_scores = int(seen.known.sum())
    return Backtested(found, done, where, asked, name, n_scores=n_scores, entry_threshold=tuned)


def _tuned(
    config: BacktestConfig, labels: Labels, score: Float64, fit: Bool
) -> tuple[BacktestConfig, float]:
    """The config with the threshold that finds the target best by F1, and that threshold."""
    kind: Any = getattr(config.strategy, "kind", None)
    if kind != "threshold":
        raise ConfigError(
            f"tune: {config.tune} sets the entry_threshold of the strategy threshold, this one is "
            f"{kind}: leave tune out, or write strategy: {{kind: threshold}}"
        )
    best = best_f1_threshold(score[fit], labels.outcome[fit] == 1)
    strategy = config.strategy.model_copy(update={"entry_threshold": (best,)})
    return config.model_copy(update={"strategy": strategy}), best
