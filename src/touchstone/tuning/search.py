"""A search of so many trials, taken by any number of processes: Optuna, as the rest sees it.

All trials wait in the storage from the beginning, each with its number, and whoever is free takes
the first that waits: so there are exactly as many as were asked for, whoever works, and whenever.
A trial whose process was killed waits again, with the number and the settings that it had.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from touchstone.config import Config
from touchstone.errors import ConfigError, TrainingError
from touchstone.tuning.pruners import PRUNERS
from touchstone.tuning.samplers import SAMPLERS, Asked
from touchstone.tuning.space import Space
from touchstone.tuning.storage import Place, beating, opened

Direction: TypeAlias = Literal["higher", "lower"]
State: TypeAlias = Literal["waiting", "running", "complete", "pruned", "failed"]

_DIRECTIONS: Final = {"higher": StudyDirection.MAXIMIZE, "lower": StudyDirection.MINIMIZE}
_STATES: Final[Mapping[TrialState, State]] = {
    TrialState.WAITING: "waiting", TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed",
}  # fmt: skip
_FAILED: Final = (TrainingError, ConfigError)
"""Of settings from which nothing can come; anything else ends the search, not the trial."""


class Search(NamedTuple):
    """What every process that takes trials has to know; it may be sent to one."""

    place: Place
    name: str
    """Of the study in the storage."""
    n_trials: int
    directions: tuple[Direction, ...]
    """What is better, one an objective."""
    space: Space
    sampler: Config
    pruner: Config
    n_steps: int
    """Most steps of a trial."""
    seed: int


class Seen(NamedTuple):
    """A trial as the storage holds it."""

    number: int
    state: State
    params: Mapping[str, Any]
    """Key -> value, as a file says it."""
    values: tuple[float, ...]
    """One an objective; empty where it did not end."""
    steps: Mapping[int, float]
    """Step -> what it was worth on the way."""
    notes: Mapping[str, Any]
    """What whoever ran it wrote down; `reason` where it failed or was pruned."""
    broken: Mapping[str, float]
    """Constraint -> by how much it is broken; kept at 0 and below."""


class Worth(NamedTuple):
    """What a trial came to."""

    values: tuple[float, ...]
    """One an objective, finite."""
    broken: Mapping[str, float]
    """Constraint -> by how much it is broken; kept at 0 and below."""


class Trial:
    """One trial, as whoever runs it sees it."""

    def __init__(self, trial: optuna.Trial, space: Space, *, prunes: bool) -> None:
        held = {
            key: trial._suggest(key, values) for key, values in space.distributions.items()
        }  # Optuna's own way of asking for a value by its distribution
        self.number = trial.number
        self.settings = space.settings(held)
        """Key -> value."""
        self._trial, self._prunes = trial, prunes
        frozen = trial._get_latest_trial()
        self._told = set(frozen.intermediate_values)
        self._noted = dict(frozen.user_attrs)

    def report(self, step: int, value: float) -> None:
        """Tell what the trial is worth at a step, from 0.

        A step that was told before, by whoever ran the trial until they were killed, stays.
        """
        if self._prunes and step not in self._told:
            self._told.add(step)
            self._trial.report(value, step)

    def is_behind(self) -> bool:
        """Whether the trial is to be ended, by what was reported last."""
        return self._prunes and self._trial.should_prune()

    def note(self, key: str, value: Any) -> None:
        """Write something down beside the trial; JSON-able."""
        if self._noted.get(key) != value:
            self._noted[key] = value
            self._trial.set_user_attr(key, value)


Measure: TypeAlias = Callable[[Trial], Worth | None]
"""Runs a trial; None where it was ended early, as `Trial.is_behind` said."""


def begin(search: Search, *, alone: bool, forget: bool = False) -> int:
    """Open a search, or go on with it: what was left waits again.

    Args:
        search: what is searched.
        alone: whether nobody else can be at its trials: then all that are under way were left.
        forget: whether to drop the trials that are there.

    Returns:
        Trials that are not over.

    Raises:
        ConfigError, DataError: as `storage.opened`.
    """
    with opened(search.place) as storage:
        if forget:
            with contextlib.suppress(KeyError):
                optuna.delete_study(study_name=search.name, storage=storage)
        optuna.create_study(
            storage=storage,
            study_name=search.name,
            directions=[_DIRECTIONS[d] for d in search.directions],
            load_if_exists=True,
        )
        study_id = storage.get_study_id_from_name(search.name)
        # Whoever else begins it at the same time adds some too: those beyond the last number are
        # never taken, so that no lock is needed.
        for _ in range(search.n_trials - storage.get_n_trials(study_id)):
            storage.create_new_trial(
                study_id, template_trial=create_trial(state=TrialState.WAITING)
            )
        _take_back(search, storage, study_id, alone=alone)
        return len(_open(search, storage, study_id))


def left(search: Search) -> int:
    """Trials that are not over; those that another machine has left wait again."""
    with opened(search.place) as storage:
        study_id = storage.get_study_id_from_name(search.name)
        _take_back(search, storage, study_id, alone=False)
        return len(_open(search, storage, study_id))


def take(search: Search, measure: Measure) -> Seen | None:
    """Take the first trial that waits, run it, and tell the storage; None where none waits.

    A trial whose settings give no model fails, with its reason; every other error leaves it as it
    is, for whoever begins the search again.
    """
    with opened(search.place) as storage, _calm():
        study_id = storage.get_study_id_from_name(search.name)
        trial_id = _claim(search, storage, study_id)
        if trial_id is None:
            return None
        number = storage.get_trial_number_from_id(trial_id)
        study = optuna.load_study(
            study_name=search.name,
            storage=storage,
            sampler=_sampler(search, number),
            pruner=PRUNERS.part_of(search.pruner)(search.pruner, search.n_steps),
        )
        # Another process may have taken it for left, and been quicker: then it is over.
        with contextlib.suppress(UpdateFinishedTrialError), beating(storage, trial_id):
            _run(search, study, optuna.Trial(study, trial_id), measure)
        return _seen(search.space, storage.get_trial(trial_id))


def seen(search: Search) -> list[Seen]:
    """Every trial of the search, in order of its number."""
    with opened(search.place) as storage:
        study_id = storage.get_study_id_from_name(search.name)
        found = storage.get_all_trials(study_id, deepcopy=False)
        chosen = [t for t in found if t.number < search.n_trials]
        return [_seen(search.space, t) for t in sorted(chosen, key=lambda t: t.number)]


@contextlib.contextmanager
def study_of(search: Search) -> Iterator[optuna.Study]:
    """The search as a study of Optuna's own, of its trials alone, to be asked and not changed."""
    kept = optuna.create_study(directions=[_DIRECTIONS[d] for d in search.directions])
    with opened(search.place) as storage:
        study_id = storage.get_study_id_from_name(search.name)
        for trial in storage.get_all_trials(study_id):
            if trial.number < search.n_trials and trial.state.is_finished():
                kept.add_trial(trial)
    yield kept


def best(found: Sequence[Seen], directions: Sequence[Direction]) -> tuple[int, ...]:
    """Numbers of the best trials that ended and keep every constraint.

    With one objective the best, of equals the first; with several all that no other trial is at
    least as good as in each objective and better in one, the best in the first objective first.
    """
    signs = [1.0 if d == "higher" else -1.0 for d in directions]
    able = {
        t.number: tuple(s * v for s, v in zip(signs, t.values, strict=True))
        for t in found
        if t.state == "complete" and not is_broken(t)
    }
    front = [n for n, one in able.items() if not any(_beats(two, one) for two in able.values())]
    order = sorted(front, key=lambda n: (tuple(-v for v in able[n]), n))
    return tuple(order[:1] if len(directions) == 1 else order)


def is_broken(trial: Seen) -> bool:
    """Whether a trial breaks a constraint."""
    return any(amount > 0 for amount in trial.broken.values())


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def _run(search: Search, study: optuna.Study, trial: optuna.Trial, measure: Measure) -> None:
    one = Trial(trial, search.space, prunes=len(search.directions) == 1)
    values, state = None, TrialState.COMPLETE
    try:
        worth = measure(one)
    except _FAILED as error:
        one.note("reason", str(error))
        state = TrialState.FAIL
    else:
        if worth is None:
            state = TrialState.PRUNED
        else:
            values = list(worth.values)
            known = trial.constraints
            for name, amount in worth.broken.items():
                if name not in known:
                    trial.set_constraint(name, amount)
    study.tell(trial, values, state, skip_if_finished=True)


def _sampler(search: Search, number: int) -> optuna.samplers.BaseSampler:
    asked = Asked(search.seed, number, search.space.distributions)
    return SAMPLERS.part_of(search.sampler)(search.sampler, asked)


def _open(search: Search, storage: BaseStorage, study_id: int) -> list[FrozenTrial]:
    states = (TrialState.WAITING, TrialState.RUNNING)
    found = storage.get_all_trials(study_id, deepcopy=False, states=states)
    chosen = (t for t in found if t.number < search.n_trials)
    return sorted(chosen, key=lambda t: t.number)


def _claim(search: Search, storage: BaseStorage, study_id: int) -> int | None:
    """The first trial that waits, taken: of several processes that want it one gets it."""
    for trial in _open(search, storage, study_id):
        if trial.state != TrialState.WAITING:
            continue
        if isinstance(storage, BaseHeartbeat):
            storage.record_heartbeat(trial._trial_id)  # without one it could never be found left
        with contextlib.suppress(UpdateFinishedTrialError):
            if storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING):
                return int(trial._trial_id)
    return None


def _take_back(search: Search, storage: BaseStorage, study_id: int, *, alone: bool) -> None:
    """Let trials that were left wait again."""
    under_way = [t for t in _open(search, storage, study_id) if t.state == TrialState.RUNNING]
    stale = {t._trial_id for t in under_way}
    if not alone:
        left_by_others = set[int]()
        if isinstance(storage, BaseHeartbeat):
            left_by_others = set(storage._get_stale_trial_ids(study_id))
        stale &= left_by_others
    for trial_id in sorted(stale):
        with contextlib.suppress(UpdateFinishedTrialError):
            storage.set_trial_state_values(trial_id, TrialState.WAITING)


def _seen(space: Space, trial: FrozenTrial) -> Seen:
    return Seen(
        trial.number,
        _STATES[trial.state],
        space.settings(trial.params),
        tuple(trial.values) if trial.state == TrialState.COMPLETE and trial.values else (),
        {step: value for step, value in sorted(trial.intermediate_values.items())},
        dict(trial.user_attrs),
        dict(trial.constraints),
    )


@contextlib.contextmanager
def _calm() -> Iterator[None]:
    """Optuna says of some of its samplers that they may still change: we hold its version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
