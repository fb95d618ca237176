"""What a search came to, as result.json tells it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.tune_config import DIRECTIONS, Tune
from touchstone.pipelines.tune_trial import CONSTRAINTS, REASON, SECONDS, watched
from touchstone.registration import kind_of
from touchstone.reports.contents import iso_day
from touchstone.reports.tune import SearchFound, SpaceKey, TrialFound, TuneResult, WinnerFound
from touchstone.reports.tune import Step as ReportStep
from touchstone.tuning.methods.trials import TrialsConfig
from touchstone.tuning.search import Search, Seen, best, is_broken
from touchstone.tuning.space import Space


class Over(NamedTuple):
    """The search of one architecture, over."""

    name: str
    search: Search
    trials: Sequence[Seen]
    importance: Mapping[str, float] | None
    winner: WinnerFound | None

    @property
    def best(self) -> tuple[int, ...]:
        """Numbers of the best trials."""
        return best(self.trials, self.search.directions)


def result_of(
    asked: Tune, prepared: Prepared, over: Sequence[Over], name: str, more: Mapping[str, Any]
) -> TuneResult:
    """A finished search.

    Args:
        asked: what was searched.
        prepared: on what.
        over: one an architecture.
        name: the search's fingerprint.
        more: `n_candidates`, `notes` and `machine`, as `TuneResult` has them.
    """
    config = asked.config
    method = cast("TrialsConfig", config.method)
    return TuneResult(
        name=config.name,
        fingerprint=name,
        seed=asked.seed,
        method=kind_of(method),
        sampler=kind_of(method.sampler),
        pruner=kind_of(over[0].search.pruner),
        objectives=config.objectives,
        directions=tuple(DIRECTIONS[one] for one in config.objectives),
        watched=watched(config.objectives[0], asked.study.config.training),
        limits=config.constraints.limits,
        searches=tuple(_search_found(asked, one) for one in over),
        data=_data(prepared),
        **more,
    )


def _search_found(asked: Tune, one: Over) -> SearchFound:
    return SearchFound(
        name=one.name,
        space=space_keys(one.search.space),
        trials=tuple(_trial(asked, trial) for trial in one.trials),
        best=one.best,
        importance=one.importance,
        winner=one.winner,
    )


def space_keys(space: Space) -> tuple[SpaceKey, ...]:
    """What was searched."""
    return tuple(
        SpaceKey(
            key=key,
            low=None if values.choices else values.low,
            high=None if values.choices else values.high,
            step=None if values.choices else values.step,
            log=values.log,
            choices=values.choices,
        )
        for key, values in space.keys.items()
    )


def _trial(asked: Tune, trial: Seen) -> TrialFound:
    limits = asked.config.constraints.limits
    measured = trial.notes.get(CONSTRAINTS, {})
    state = "infeasible" if trial.state == "complete" and is_broken(trial) else trial.state
    return TrialFound(
        number=trial.number,
        state=state,
        params=trial.params,
        values=trial.values,
        constraints={name: measured.get(name) for name in limits},
        steps=tuple(ReportStep(step=step, value=value) for step, value in trial.steps.items()),
        reason=str(trial.notes.get(REASON, "")) if trial.state in ("pruned", "failed") else "",
    )


def _data(prepared: Prepared) -> dict[str, Any]:
    panel, folds = prepared.panel, prepared.folds
    return {
        "hash": prepared.data,
        "n_instruments": panel.n_instruments,
        "first": iso_day(int(panel.available_at.min())),
        "last": iso_day(int(panel.available_at.max())),
        "n_folds": len(folds.folds),
        "n_validate": int(sum(fold.validate.size for fold in folds.folds)),
        "sealed_from": iso_day(folds.seal),
    }


def seconds_of(over: Sequence[Over]) -> dict[str, Any]:
    """What the trials took, one core's: what another machine measures otherwise."""
    found = [t.notes[SECONDS] for one in over for t in one.trials if SECONDS in t.notes]
    return {"seconds": round(float(np.mean(found)), 3) if found else None}
