"""One trial, in whichever process: fit every fold, telling each epoch's worth, and measure."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from touchstone.data.cache import StageCache
from touchstone.errors import ConfigError, TrainingError
from touchstone.ledger import Candidate
from touchstone.models import MODELS
from touchstone.pipelines.drive import HaltError, History
from touchstone.pipelines.learn import Learned, Task, learn
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import OpenLedger, Resources
from touchstone.pipelines.study import Study
from touchstone.pipelines.tune_config import DIRECTIONS, Tune
from touchstone.pipelines.tune_values import (
    ACCOUNT,
    broken,
    candidates_of,
    enter,
    measure,
    measured_limits,
)
from touchstone.training import TrainingConfig
from touchstone.training.progress import Watch
from touchstone.tuning.search import Search, Seen, Trial, Worth, take
from touchstone.tuning.space import Space

STUDY: Final = "study"
"""Among a trial's notes: fingerprint of its study."""
CANDIDATES: Final = "candidates"
"""What the ledger holds of it."""
CONSTRAINTS: Final = "constraints"
"""What was measured of what constraints are about."""
STRATEGY: Final = "strategy"
"""The strategy's setting that did best on its account."""
SECONDS: Final = "seconds"
"""Of its fits, one core's."""
REASON: Final = "reason"


class Bench(NamedTuple):
    """What a process needs to take trials of one architecture; it may be sent to one."""

    asked: Tune
    prepared: Prepared
    search: Search
    cache: StageCache
    ledger: OpenLedger
    checkpoints: Path | None

    @property
    def resources(self) -> Resources:
        """One process's."""
        return Resources(self.cache, self.ledger, Silent(), 1, self.checkpoints)


def attempt(bench: Bench) -> Seen | None:
    """Take the next trial that waits, and run it; None where none waits."""
    return take(bench.search, partial(tried, bench))


def tried(bench: Bench, trial: Trial) -> Worth | None:
    """What a trial comes to; None where it was ended early. Either way it is in the ledger.

    Raises:
        TrainingError, ConfigError: its settings give no model; that too is in the ledger.
    """
    asked, prepared, book = bench.asked, bench.prepared, bench.ledger()
    try:
        study = study_of(asked, bench.search.space, trial.settings)
    except ConfigError:
        enter(book, asked.study, prepared, (_nameless(bench.search, trial.settings),))
        raise
    trial.note(STUDY, study.fingerprint)
    try:
        fits = _fits(bench, study, trial)
        objectives, limits = asked.config.objectives, asked.config.constraints.limits
        found = None if fits is None else measure(study, prepared, fits, objectives, limits)
    except (TrainingError, ConfigError):
        _enter(bench, study, trial, candidates_of(study, prepared))
        raise
    if fits is None or found is None:
        _enter(bench, study, trial, candidates_of(study, prepared))
        return None
    account = found.account
    _enter(bench, study, trial, candidates_of(study, prepared, account))
    trial.note(SECONDS, round(sum(fit.seconds for fit in fits), 3))
    if account is not None:
        trial.note(CONSTRAINTS, measured_limits(account))
        trial.note(STRATEGY, account.strategy.model_dump(mode="json", serialize_as_any=True))
    return Worth(
        tuple(found.value(name) for name in objectives),
        {} if account is None else broken(limits, account),
    )


def study_of(asked: Tune, space: Space, settings: dict[str, Any]) -> Study:
    """The study of a trial: one model, and its recipe.

    Raises:
        ConfigError: settings that do not go together.
    """
    return asked.alone(*space.configs(settings))


def fold_tasks(study: Study, prepared: Prepared) -> list[Task]:
    """The fits of a study of one model, a fold each."""
    (model,) = study.config.models
    return [Task(model, f, f"fold {i + 1}") for i, f in enumerate(prepared.folds.folds)]


def stride(space: Space) -> int:
    """Steps of one fold: no fit of the space has more epochs, or rounds of trees.

    Fits that end early leave steps out, so that a step means the same in every trial.
    """
    if MODELS.part_of(space.model).inputs == "window":
        phases = sum(phase.epochs for phase in space.training.curriculum)
        return phases + space.most("training.epochs", space.training.epochs)
    return max(1, space.most("rounds", int(getattr(space.model, "rounds", 1))))


def on_the_way(objective: str, training: TrainingConfig) -> tuple[str, float]:
    """By which metric of an epoch a trial is watched, and the sign that makes more better.

    An epoch has no account: there the recipe's own metric stands in.
    """
    name = training.metric if objective == ACCOUNT else objective
    lower = not Watch(name, 0.0).see(1, 1.0)
    turned = lower == (DIRECTIONS[objective] == "higher")
    return f"validate_{name}", -1.0 if turned else 1.0


def watched(objective: str, training: TrainingConfig) -> str:
    """The same for people: the metric, `-` before it where its negative is told."""
    name, sign = on_the_way(objective, training)
    return "-" * (sign < 0) + name.removeprefix("validate_")


def _fits(bench: Bench, study: Study, trial: Trial) -> list[Learned] | None:
    """The fits of all folds in order; None where the trial was ended."""
    watcher = _Watcher(bench, study, trial)
    found = []
    for task in fold_tasks(study, bench.prepared):
        try:
            (fit,) = learn(study, bench.prepared, [task], bench.resources, watcher.see)
            watcher.finished(fit)
        except HaltError as halt:
            trial.note(REASON, str(halt))
            return None
        found.append(fit)
    return found


class _Watcher:
    """Tells the search what a trial would be worth if its present fit ended now."""

    def __init__(self, bench: Bench, study: Study, trial: Trial) -> None:
        recipe = study.config.training
        self._now: float | None
        self._watch: Watch
        self._n: int
        self._trial, self._metric = trial, recipe.metric
        self._name, self._sign = on_the_way(bench.asked.config.objectives[0], recipe)
        self._stride = stride(bench.search.space)
        self._past: list[float] = []
        self._begin()

    def _begin(self) -> None:
        """A fold begins."""
        self._watch, self._n, self._now = Watch(self._metric), 0, None

    def see(self, _: str, history: History) -> None:
        """An epoch is over: every epoch that was not seen yet is told.

        Raises:
            HaltError: the trial is to be ended.
        """
        fresh, self._n = history[self._n :], len(history)
        for epoch, told in fresh:
            score = told.get(f"validate_{self._metric}")
            if score is None or self._watch.see(epoch, score):
                now = told.get(self._name)
                self._now = self._now if now is None else self._sign * now
            if self._now is not None:
                step = len(self._past) * self._stride + min(max(epoch, 1), self._stride) - 1
                self._trial.report(step, float(np.mean([*self._past, self._now])))
        if fresh and self._now is not None and self._trial.is_behind():
            epoch, fold = fresh[-1][0], f"fold {len(self._past) + 1}"
            raise HaltError(f"behind the others at {f'epoch {epoch} of ' * bool(epoch)}{fold}")

    def finished(self, fit: Learned) -> None:
        """A fit is over; one from the cache is told as if it had been fitted now."""
        self.see("", fit.history)
        self._past.append(0.0 if self._now is None else self._now)
        self._begin()


def _enter(bench: Bench, study: Study, trial: Trial, tried: tuple[Candidate, ...]) -> None:
    # Before the storage is told: whoever is killed between the two writes it no second time.
    enter(bench.ledger(), study, bench.prepared, tried)
    trial.note(CANDIDATES, [list(one) for one in tried])


def _nameless(search: Search, settings: dict[str, Any]) -> Candidate:
    """Settings that are no study still were tried."""
    text = f"{search.space.model.canonical()}\x1f{sorted(settings.items())!r}"
    return Candidate(hashlib.sha256(text.encode()).hexdigest()[:16], None, 0)


def entered(notes: Sequence[Any]) -> tuple[Candidate, ...]:
    """The candidates among a trial's notes."""
    return tuple(Candidate(*one) for one in notes)
