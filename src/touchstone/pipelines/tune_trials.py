"""A search by trials: begun or gone on with, architecture by architecture, and its winners."""

import hashlib
import pickle
import threading
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, cast

import numpy as np
from joblib import delayed

from touchstone.config import Config
from touchstone.errors import TrainingError
from touchstone.labels import Labels
from touchstone.ledger import Ledger
from touchstone.pipelines.asked import fingerprint_of
from touchstone.pipelines.decide import model_names
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.ray_cluster import on_ray
from touchstone.pipelines.run import Ask, resources_of, run_fingerprint, sound_ledger
from touchstone.pipelines.shelf import Resources, shelve
from touchstone.pipelines.standing import held
from touchstone.pipelines.track_tune import tune_batch
from touchstone.pipelines.tune_bench import at_bench, at_sent, bare, packed
from touchstone.pipelines.tune_config import DIRECTIONS, Tune
from touchstone.pipelines.tune_found import Over, result_of, seconds_of
from touchstone.pipelines.tune_shown import Shown, said, under_way
from touchstone.pipelines.tune_trial import (
    CANDIDATES,
    REASON,
    STRATEGY,
    STUDY,
    Bench,
    attempt,
    entered,
    stride,
    study_of,
)
from touchstone.pipelines.tune_values import ACCOUNT, measure_of, validated_span
from touchstone.pipelines.tune_way import Found, Market, Way
from touchstone.pipelines.tune_winner import Winning, winner
from touchstone.pipelines.views import fit_views
from touchstone.pipelines.workers import workers
from touchstone.registration import kind_of
from touchstone.reports.tune import TuneResult, WinnerFound, told
from touchstone.reports.tune_page import page
from touchstone.strategies import STRATEGIES
from touchstone.tuning.by_number import size
from touchstone.tuning.importance import importance
from touchstone.tuning.methods.trials import TrialsConfig
from touchstone.tuning.pruners import PRUNERS
from touchstone.tuning.search import (
    Search,
    begin,
    left,
    seen,
)
from touchstone.tuning.search import (
    study_of as optuna_study_of,
)
from touchstone.tuning.space import Space, spaces
from touchstone.tuning.storage import Place, place_of

_LOOK_SECONDS: Final = 1.0
"""Between two looks at what other machines are doing."""


class _Ground(NamedTuple):
    """What the searches of all architectures share."""

    asked: Tune
    prepared: Prepared
    resources: Resources
    place: Place
    key: str
    """Names the trials in their storage."""
    again: bool
    held: Path
    """The file that is locked, last changed when the search began."""
    ray: str
    """Address of a Ray cluster; empty: one of this machine."""


def run(asked: Tune, ask: Ask, market: Market, progress: Progress, folder: Path) -> Found:
    """Search every architecture; see `Way.run`.

    Raises:
        TrainingError: every trial of every architecture failed.
    """
    config, loaded = asked.config, market[0]
    key = _key(asked, market)
    place = place_of(config.storage, ask.workspace.trials / f"{key}.journal")
    # The place alone holds the address of a database: what goes to workers names no password.
    asked = asked._replace(config=config.model_copy(update={"storage": None}))
    names = model_names(asked.study.config)
    found = spaces(
        dict(zip(names, asked.study.config.models, strict=True)), asked.study.config.training,
        config.sought,
    )  # fmt: skip
    # Searches for more or fewer trials share them.
    mark = ask.workspace.locks / f"trials-{key}"
    with held(mark, "search", progress):
        mark.touch()  # tells fits of now from those that somebody left
        book = sound_ledger(ask.workspace)
        resources = resources_of(ask, progress)
        prepared = prepare(asked.study, loaded, market[1], resources.cache, progress)
        _views(asked, prepared, resources)
        ground = _Ground(asked, prepared, resources, place, key, ask.again, mark, ask.ray)
        over = [_searched(ground, name, space) for name, space in found.items()]
        _count(book, prepared, over)
        _refuse_nothing(over)
        winners = [_crowned(ground, one, folder) for one in over]
        n = len(book.candidates(validated_span(prepared)))
    result = result_of(
        asked, prepared, winners, fingerprint_of(folder),
        {
            "n_candidates": n,
            "notes": _notes(asked, winners, place),
            "machine": {"jobs": ask.jobs, "backend": config.backend, **seconds_of(winners)},
        },
    )  # fmt: skip
    return Found(result, {}, lambda about: tune_batch(folder, asked, result, about))


def search_of(ground: _Ground, name: str, space: Space) -> Search:
    """The search of one architecture."""
    config = ground.asked.config
    method = cast("TrialsConfig", config.method)
    several = len(config.objectives) > 1
    default = "none" if several else "median"
    pruner: Config = method.pruner or PRUNERS.parse({"kind": default})
    n_trials = method.trials if space.keys else 1
    if kind_of(method.sampler) == "grid":
        n_trials = min(n_trials, size(space.distributions, getattr(method.sampler, "points", 4)))
    return Search(
        place=ground.place,
        name=f"touchstone {ground.key} {name}",
        n_trials=n_trials,
        directions=tuple(DIRECTIONS[one] for one in config.objectives),
        space=space,
        sampler=method.sampler,
        pruner=pruner,
        n_steps=stride(space) * len(ground.prepared.folds.folds),
        seed=ground.asked.seed,
    )


def _key(asked: Tune, market: Market) -> str:
    """Names the trials: by all that is asked but their number, the data, and the code."""
    method = asked.config.method.model_copy(update={"trials": 1})
    question = asked.config.model_copy(update={"method": method}).question
    noun = (run_fingerprint(asked.study, *market), question, asked.study.source)
    return hashlib.sha256(repr(noun).encode()).hexdigest()[:16]


def _views(asked: Tune, prepared: Prepared, resources: Resources) -> None:
    """Fit what the folds' models see, once for all trials."""
    folds = [(f"fold {i + 1}", fold) for i, fold in enumerate(prepared.folds.folds)]
    shelf = shelve(asked.study.config, prepared, resources.cache)
    fit_views(asked.study, prepared, folds, shelf, resources)


def _searched(ground: _Ground, name: str, space: Space) -> Over:
    """Every trial of an architecture, over."""
    search, resources = search_of(ground, name, space), ground.resources
    forget = ground.again and not ground.place.shared
    n_open = begin(search, alone=not ground.place.shared, forget=forget)
    bench = Bench(
        ground.asked, _sent(ground.prepared), search, resources.cache, resources.ledger,
        resources.checkpoints,
    )  # fmt: skip
    with resources.progress.stage(name, search.n_trials) as step:
        shown = Shown(search, step)
        step.watch(partial(under_way, resources.checkpoints, ground.held.stat().st_mtime_ns))
        for _ in range(search.n_trials - n_open):
            step.advance("as it was")
        try:
            while n_open:
                _attempts(bench, n_open, (resources.jobs, ground.ray), shown)
                n_open = _others(search)
        except KeyboardInterrupt:
            resources.progress.note(
                f"{name}: {search.n_trials - left(search)} of {search.n_trials} trials are over "
                "and kept: the same command goes on"
            )
            raise
        found = seen(search)
        step.say(said(search, found))
    with optuna_study_of(search) as study:
        weights = importance(study, list(space.keys), ground.asked.seed)
    return Over(name, search, found, weights, None)


def _sent(prepared: Prepared) -> Prepared:
    """The market as worker processes need it: features they map from the cache themselves."""
    # What is mapped from the cache has no name by which another process could map it.
    labels, symmetric = (
        Labels(**{name: np.array(column) for name, column in one._asdict().items()})
        for one in (prepared.labels, prepared.symmetric)
    )
    features = np.empty((0, prepared.features.shape[1]), np.float32)
    return prepared._replace(features=features, labels=labels, symmetric=symmetric)


def _others(search: Search) -> int:
    """Trials that are left for us; waits for those that other machines are at."""
    n_open = left(search)
    if n_open and search.place.shared:
        threading.Event().wait(_LOOK_SECONDS)
    return n_open


def _attempts(bench: Bench, n: int, by: tuple[int, str], shown: Shown) -> None:
    """So many attempts to take a trial, beside each other."""
    asked, (jobs, ray) = bench.asked, by
    if asked.config.backend == "ray":
        without, secrets = bare(bench)
        with shown.counted():
            each = [(asked.study.plugins, secrets)] * n
            on_ray(ray, min(jobs, n), at_sent, pickle.dumps(without), each)
    elif jobs == 1 or n == 1:
        for _ in range(n):
            shown.see(attempt(bench))
    else:
        pool, place = workers(min(jobs, n), asked.study.plugins), packed(bench)
        try:
            for trial in pool(delayed(at_bench)(place) for _ in range(n)):
                shown.see(trial)
        except BrokenProcessPool:
            raise TrainingError(
                "a worker process was ended from outside, as a system does that runs out of "
                "memory. Trials that ended are kept; repeat the command, with fewer --jobs"
            ) from None


def _count(book: Ledger, prepared: Prepared, over: list[Over]) -> None:
    """Write down what other machines tried: it stands in their ledgers, not yet in this one."""
    span = validated_span(prepared)
    known = {c.fingerprint for c in book.candidates(span)}
    for one in over:
        for trial in one.trials:
            tried = entered(trial.notes.get(CANDIDATES, ()))
            if any(c.fingerprint not in known for c in tried):
                book.sweep(prepared.data, str(trial.notes.get(STUDY, "")), span, tried)
                known |= {c.fingerprint for c in tried}


def _refuse_nothing(over: list[Over]) -> None:
    if any(trial.state != "failed" for one in over for trial in one.trials):
        return
    first = over[0].trials[0]
    raise TrainingError(
        f"every trial failed; the first of {over[0].name}: {first.notes.get(REASON, 'no reason')}"
    )


def _crowned(ground: _Ground, one: Over, folder: Path) -> Over:
    """The same with its winner, trained anew; without one where no trial is fit to win."""
    if not one.best:
        return one
    return one._replace(winner=_winner(ground, one, folder))


def _winner(ground: _Ground, one: Over, folder: Path) -> WinnerFound:
    asked, prepared = ground.asked, ground.prepared
    trial = next(t for t in one.trials if t.number == one.best[0])
    study = study_of(asked, one.search.space, dict(trial.params))
    objective = asked.config.objectives[0]
    setting = None
    if objective == ACCOUNT and STRATEGY in trial.notes:
        setting = STRATEGIES.parse(trial.notes[STRATEGY])
    return winner(
        Winning(
            name=one.name,
            number=trial.number,
            study=study,
            training={
                key.removeprefix("training."): value
                for key, value in trial.params.items()
                if key.startswith("training.")
            },
            measure=measure_of(objective, study, prepared, setting),
            higher=DIRECTIONS[objective] == "higher",
            seeds=asked.seeds,
        ),
        prepared,
        ground.resources,
        folder,
    )


def _notes(asked: Tune, over: list[Over], place: Place) -> tuple[str, ...]:
    """What a reader should know."""
    found = []
    method = cast("TrialsConfig", asked.config.method)
    if place.shared:
        found.append(f"Trials are kept in {place.at}, for any machine.")
    if ACCOUNT in asked.config.objectives or asked.config.constraints.limits:
        found.append(
            "Accounts trade the very rows that their calibrators were fitted on: what they earn "
            "here orders trials, and is no measure of what the winner will earn."
        )
    if len(asked.config.objectives) > 1:
        found.append(
            "With several objectives nothing is pruned, and the winner is the best in "
            f"{asked.config.objectives[0]} of those that no other trial beats in all."
        )
    elif asked.config.objectives[0] == ACCOUNT and kind_of(over[0].search.pruner) != "none":
        found.append(
            "An epoch has no account, so pruning goes by the recipe's own metric, "
            f"{asked.study.config.training.metric}."
        )
    for one in over:
        n = one.search.n_trials
        if not one.search.space.keys:
            found.append(f"{one.name}: nothing of it is searched, so it has one trial.")
        elif n < method.trials:
            found.append(f"{one.name}: its grid has {n} points, fewer than {method.trials} trials.")
        if not one.best:
            found.append(f"{one.name}: no trial ended within the constraints: {_first(one)}")
    return tuple(found)


def _first(one: Over) -> str:
    reasons = [str(t.notes[REASON]) for t in one.trials if t.state == "failed"]
    return f"the first that failed: {reasons[0]}" if reasons else "every one breaks a bound."


WAY: Final = Way(run=run, result=TuneResult, page=page, told=told)
