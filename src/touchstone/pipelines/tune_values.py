"""What settings are worth: measured on the folds' validation rows, never on a test row.

Rows on which a calibrator is fitted are those that its account trades here, so that every trial
is flattered alike; what is chosen is judged on rows that no trial saw.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.backtest import Run, daily, sweep
from touchstone.config import Config
from touchstone.dataset.splits import Fold
from touchstone.errors import TrainingError
from touchstone.ledger import Candidate, Ledger, Span
from touchstone.metrics import classification as c
from touchstone.metrics import trading as t
from touchstone.metrics.ranked import ranked, ranked_best_f1
from touchstone.pipelines.decide import (
    calibrate,
    candidate_fingerprint,
    intend,
    outlook,
    segment,
)
from touchstone.pipelines.learn import Learned
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import Study
from touchstone.validation.candidates import candidate

ACCOUNT: Final = "sharpe"
"""The objective that wants an account; so do constraints."""

Measure: TypeAlias = Callable[[Fold, Learned], float | None]
"""What a fit is worth on its fold's validation rows; None where that is not defined."""


class Account(NamedTuple):
    """What a model's fits earned on the folds' validation rows, each fold an account of its own."""

    strategy: Config
    """The setting whose mean Sharpe over the folds is best; of equals the first."""
    sharpe: tuple[float, ...]
    """Of each fold, annual and net; 0 where nothing was earned or lost."""
    max_drawdown: float
    """The deepest of any fold, fraction of the peak."""
    win_rate: float | None
    """Share of all trades that earned something; None without a trade."""
    n_trades: int
    candidates: tuple[Candidate, ...]
    """Every setting as the ledger keeps it, on the pooled days of the folds."""


class Measured(NamedTuple):
    """A model's fits of all folds, measured."""

    by_fold: Mapping[str, tuple[float, ...]]
    """Objective -> its value on each fold."""
    account: Account | None
    """Where an objective or a constraint wants one."""

    def value(self, objective: str) -> float:
        """Mean over the folds."""
        return float(np.mean(self.by_fold[objective]))


def measure(
    study: Study, prepared: Prepared, fits: Sequence[Learned], objectives: Sequence[str],
    limits: Mapping[str, float],
) -> Measured:  # fmt: skip
    """Measure one model's fits of all folds, in order.

    Args:
        study: of that one model.
        prepared: its market.
        fits: of the folds.
        objectives: what is wanted.
        limits: constraints, as `ConstraintsConfig.limits`.

    Raises:
        TrainingError: an objective that is not defined on a fold's validation rows.
    """
    found = None
    if ACCOUNT in objectives or limits:
        found = account(study, prepared, fits)
    told = {}
    for name in objectives:
        if name == ACCOUNT and found is not None:
            told[name] = found.sharpe
            continue
        values = by_fold(name, study, prepared, fits)
        for i, value in enumerate(values):
            if value is None:
                raise TrainingError(
                    f"fold {i + 1}: {name} is not defined on its validation rows: none of them, "
                    "or all, reach the target"
                )
        told[name] = tuple(v for v in values if v is not None)
    return Measured(told, found)


def by_fold(
    objective: str, study: Study, prepared: Prepared, fits: Sequence[Learned]
) -> tuple[float | None, ...]:
    """An objective on each fold's validation rows, fits in the order of the folds."""
    if objective == ACCOUNT:
        return account(study, prepared, fits).sharpe
    one = measure_of(objective, study, prepared)
    return tuple(one(fold, fit) for fold, fit in zip(prepared.folds.folds, fits, strict=True))


def measure_of(
    objective: str, study: Study, prepared: Prepared, strategy: Config | None = None
) -> Measure:
    """An objective as a function of one fold's fit.

    Args:
        objective: its name.
        study: of one model.
        prepared: its market.
        strategy: the setting that trades, where the objective wants an account; None: the study's
            first.
    """
    if objective != ACCOUNT:
        return partial(_on_rows, _RANKED[objective], prepared)
    setting = strategy or _settings(study)[0]

    def earned(fold: Fold, fit: Learned) -> float | None:
        return _sharpe(prepared, _runs(study, prepared, (fold, fit), (setting,))[0][1])

    return earned


def account(study: Study, prepared: Prepared, fits: Sequence[Learned]) -> Account:
    """Trade each fold's validation rows by its own fit, with every setting of the strategy."""
    settings, folds = _settings(study), prepared.folds.folds
    by_setting: list[list[tuple[Run, Float64]]] = [[] for _ in settings]
    for fold, fit in zip(folds, fits, strict=True):
        for mine, one in zip(
            by_setting, _runs(study, prepared, (fold, fit), settings), strict=True
        ):
            mine.append(one)
    ratios = [tuple(_sharpe(prepared, days) for _, days in mine) for mine in by_setting]
    best = max(range(len(settings)), key=lambda k: float(np.mean(ratios[k])))
    runs = [run for run, _ in by_setting[best]]
    pnl = np.concatenate([run.trades.pnl for run in runs])
    model = study.config.models[0]
    names = [candidate_fingerprint(study, prepared.panel, model, s) for s in settings]
    return Account(
        strategy=settings[best],
        sharpe=ratios[best],
        max_drawdown=max(t.max_drawdown(np.r_[r.initial_cash, r.equity]) for r in runs),
        win_rate=t.win_rate(pnl) if pnl.size else None,
        n_trades=int(pnl.size),
        candidates=tuple(
            candidate(
                name, np.concatenate([days for _, days in mine]),
                sum(int(run.trades.pnl.size) for run, _ in mine),
            )
            for name, mine in zip(names, by_setting, strict=True)
        ),
    )  # fmt: skip


def measured_limits(found: Account) -> dict[str, float | None]:
    """What an account comes to in what constraints are about: name -> value."""
    return {
        "max_drawdown": found.max_drawdown,
        "min_win_rate": found.win_rate,
        "min_trades": float(found.n_trades),
    }


def broken(limits: Mapping[str, float], found: Account) -> dict[str, float]:
    """By how much each constraint is broken; 0 and below where it is kept.

    Without a trade there is no win rate: a bound of it is broken whole.
    """
    amounts = {}
    values = measured_limits(found)
    for name, bound in limits.items():
        value = values[name]
        if name.startswith("max_"):
            amounts[name] = (value or 0.0) - bound
        else:
            amounts[name] = bound - (value or 0.0)
    return amounts


def candidates_of(
    study: Study, prepared: Prepared, found: Account | None = None
) -> tuple[Candidate, ...]:
    """What a trial was, as the ledger counts it.

    With an account every setting of the strategy, each with its score; without one, or where the
    trial did not come so far, the trial itself, with no score.
    """
    if found is not None:
        return found.candidates
    config = study.config
    name = candidate_fingerprint(study, prepared.panel, config.models[0], config.strategy)
    return (Candidate(name, None, 0),)


def validated_span(prepared: Prepared) -> Span:
    """From the first validation row of a fold to the seal: on these rows trials are compared."""
    start = min(fold.spans.validate_start for fold in prepared.folds.folds)
    return Span(
        prepared.loaded.namespace, prepared.panel.symbols, start + 1, prepared.folds.seal + 1
    )


def enter(
    ledger: Ledger, study: Study, prepared: Prepared, tried: tuple[Candidate, ...]
) -> None:  # fmt: skip
    """Write what was tried, one row; nothing where this very row stands already."""
    span = validated_span(prepared)
    known = {c.fingerprint: c for c in ledger.candidates(span)}
    if all(known.get(c.fingerprint) == c for c in tried):
        return
    ledger.sweep(prepared.data, study.fingerprint, span, tried)


def _on_rows(
    rank: Callable[[Float64, Bool], float | None], prepared: Prepared, fold: Fold, fit: Learned
) -> float | None:
    return rank(fit.validate[:, -1], prepared.labels.outcome[fold.validate] == 1)


def _best_f1(score: Float64, hit: Bool) -> float | None:
    found = ranked_best_f1(ranked(score, hit, np.zeros(score.size, np.int64)))
    return None if found is None else found.f1


_RANKED: Final[Mapping[str, Callable[[Float64, Bool], float | None]]] = {
    "pr_auc": c.pr_auc,
    "f1": _best_f1,
    "log_loss": c.log_loss,
}


def _settings(study: Study) -> tuple[Config, ...]:
    found: tuple[Config, ...] = tuple(study.config.strategy.candidates())  # type: ignore[attr-defined]  # strategies have
    return found


def _runs(
    study: Study, prepared: Prepared, on: tuple[Fold, Learned], settings: Sequence[Config]
) -> list[tuple[Run, Float64]]:
    """Each setting's account on a fold's validation rows, and its daily returns."""
    config, (fold, fit) = study.config, on
    calibration = calibrate(config, prepared, fold, fit)
    where = segment(prepared.panel, fold.spans.validate_start, fold.spans.validate_end)
    view = outlook(config, prepared, where, [(fold.validate, fit.validate, calibration)])
    intents = [intend(config.label, strategy, view) for strategy in settings]
    runs = sweep(where.panel, intents, config.account, config.costs)
    return [(run, daily(where.panel, run)[1]) for run in runs]


def _sharpe(prepared: Prepared, days: Float64) -> float:
    """Annual; an account that stood still earned 0 at no risk."""
    return t.sharpe(days, prepared.panel.calendar.days_per_year) or 0.0
