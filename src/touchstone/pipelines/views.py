"""Fit what each fold's models see, regimes and selection, once a fold; kept in the cache."""

import hashlib
from collections.abc import Iterator, Sequence

from joblib import delayed

from touchstone.dataset.splits import Fold
from touchstone.dataset.view import View, fit_view
from touchstone.pipelines.prepare import Prepared, stage_key
from touchstone.pipelines.shelf import Resources, Shelf, columns_of
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.workers import workers
from touchstone.seeding import derive


def asks(config: StudyConfig) -> tuple[str, ...]:
    """What a study asks of its folds' views, as text; empty where every model sees all columns."""
    if config.regimes is None and not config.selection:
        return ()
    regimes = "" if config.regimes is None else config.regimes.canonical()
    return (regimes, *(rule.canonical() for rule in config.selection))


def fit_views(
    study: Study,
    prepared: Prepared,
    folds: Sequence[tuple[str, Fold]],
    shelf: Shelf,
    resources: Resources,
) -> dict[str, View | None]:
    """The view of each named fold, those already in the cache excepted; None where none is asked.

    Raises:
        TrainingError, TooFewBarsError: train rows that no filter or rule can be fitted on.
    """
    config = study.config
    distinct = dict(folds)
    if not asks(config):
        return dict.fromkeys(distinct)
    keys = {name: _key(config, prepared, name, fold) for name, fold in distinct.items()}
    found: dict[str, View | None] = {}
    for name, key in keys.items():
        kept = resources.cache.load_bytes("views", key)
        found[name] = None if kept is None else View.from_json(kept.decode())
    todo = [name for name, view in found.items() if view is None]
    with resources.progress.stage("views", len(distinct)) as step:
        for _ in range(len(distinct) - len(todo)):
            step.advance("from cache")
        for name, view in _made(study, {n: distinct[n] for n in todo}, shelf, resources.jobs):
            resources.cache.save_bytes("views", keys[name], view.to_json().encode())
            found[name] = view
            step.advance(f"{name}: {len(view.names)} columns")
        step.say(_said(found))
    return found


def _made(
    study: Study, folds: dict[str, Fold], shelf: Shelf, jobs: int
) -> Iterator[tuple[str, View]]:
    """Yields each view as it is done."""
    config = study.config
    if jobs == 1 or len(folds) < 2:
        for name, fold in folds.items():
            yield _in_worker(config, name, fold, shelf)
        return
    pool = workers(min(jobs, len(folds)), study.plugins)
    yield from pool(delayed(_in_worker)(config, name, fold, shelf) for name, fold in folds.items())


def _in_worker(config: StudyConfig, name: str, fold: Fold, shelf: Shelf) -> tuple[str, View]:
    columns, seed = columns_of(shelf), derive(config.seed, "view", name)
    view = fit_view(config.regimes, config.selection, columns.raw, columns.rows, fold, seed)
    return name, view


def _key(config: StudyConfig, prepared: Prepared, name: str, fold: Fold) -> str:
    rows = (hashlib.sha256(part.tobytes()).hexdigest() for part in (fold.train, fold.validate))
    return stage_key(prepared.key, "view", *asks(config), str(config.seed), name, *rows)


def _said(views: dict[str, View | None]) -> str:
    sizes = sorted({len(view.names) for view in views.values() if view is not None})
    span = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return f"{span} columns in {len(views)} folds"
