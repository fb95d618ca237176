"""Fits of ensembles: which fits their members need, and the combination fitted on what those say.

Members are fitted as any model, in parallel, from the same cache; the combination, which takes
seconds, follows in this process. It reads validation rows alone.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.dataset.scalers import Scaler
from touchstone.ensembles import Members, Outcomes
from touchstone.ensembles.out_of_fold import How, across, fit
from touchstone.errors import ConfigError
from touchstone.models import head_of, members_of
from touchstone.models.ensemble import Columns, EnsembleModelConfig, asked, packed
from touchstone.models.scoring import DECIMALS
from touchstone.pipelines.inputs import read_by
from touchstone.pipelines.learned import Learned, Task, keep, kept
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.refit import seed_of
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import StudyConfig
from touchstone.seeding import derive


class Asked(NamedTuple):
    """One ensemble on one fold."""

    key: str
    """Where its fit is kept in the cache."""
    task: Task
    fits: tuple[Learned, ...]
    """Its members', in their order."""


def parts_of(task: Task) -> list[Task]:
    """The fits that a fit needs: of an ensemble its members', of any other model itself.

    Raises:
        ConfigError: a number of epochs for an ensemble, whose members each have their own.
    """
    members = members_of(task.model)
    if not members:
        return [task]
    if task.epochs is not None:
        raise ConfigError(
            f"refit.epochs: {task.epochs} for an ensemble, each member of which finds its own: "
            "write 0 for every fold, or leave refit out"
        )
    epochs = task.members_epochs or (None,) * len(members)
    return [
        task._replace(model=member, epochs=n, members_epochs=())
        for member, n in zip(members, epochs, strict=True)
    ]


def combine(
    config: StudyConfig, prepared: Prepared, ensembles: Sequence[Asked], resources: Resources
) -> list[Learned]:
    """Fit the combinations, those already in the cache excepted; each a fit in the ledger.

    Raises:
        DataError: validation rows that a combination cannot be fitted on.
    """
    if not ensembles:
        return []
    found = []
    with resources.progress.stage("ensembles", len(ensembles)) as step:
        for one in ensembles:
            learned = kept(resources.cache, one.key)
            if learned is None:
                learned = _recorded(config, prepared, one, resources)
                keep(resources.cache, one.key, learned)
            found.append(learned)
            step.advance(one.task.told)
        step.say(f"{len(ensembles)} combined")
    return found


def _recorded(config: StudyConfig, prepared: Prepared, one: Asked, resources: Resources) -> Learned:
    """A combination's fit, and its row in the ledger."""
    model = one.task.model
    text = f"{model.canonical()}\n{config.training.canonical()}"
    facts: dict[str, object] = {
        "model": "ensemble",
        "head": head_of(model),
        "seed": _seed(config, one.task),
        "rows_available": one.task.fold.validate.size,
        "status": "finished",
    }
    try:
        return _combined(config, prepared, one)
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        facts |= {"status": "stopped"} if stopped else {"status": "failed", "reason": str(error)}
        raise
    finally:
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        resources.ledger().record("fit", name, prepared.data, facts)


def _combined(config: StudyConfig, prepared: Prepared, one: Asked) -> Learned:
    began = time.perf_counter()
    (_, task, fits), model = one, cast("EnsembleModelConfig", one.task.model)
    columns, validate, test = _told(config, prepared, one)
    outcomes = _outcomes(prepared, task.fold.validate)
    how = How(model.combiner, model.prune, _seed(config, task))
    validated = across(how, validate, outcomes, learns=False)
    combination = fit(how, validate, outcomes)
    return Learned(
        validate=np.round(validated, DECIMALS),
        test=np.round(combination.combine(test), DECIMALS),
        best_epoch=0,
        rows_used=max(fit.rows_used for fit in fits),
        rows_available=max(fit.rows_available for fit in fits),
        seconds=time.perf_counter() - began,
        shape=fits[0].shape,
        scaler=fits[0].scaler,
        files=packed([fit.files for fit in fits], combination, columns),
        view=fits[0].view,
        metric=config.training.metric,
        members_epochs=tuple(fit.best_epoch for fit in fits),
    )


def _seed(config: StudyConfig, task: Task) -> int:
    seed = seed_of(config.refit, config.seed)
    return derive(seed, "combine", task.model.fingerprint(), task.name)


def _told(config: StudyConfig, prepared: Prepared, one: Asked) -> tuple[Columns, Members, Members]:
    """What the members said of the fold's validation rows and of its test rows."""
    (_, task, fits), model = one, cast("EnsembleModelConfig", one.task.model)
    panel, own = prepared.panel, prepared.plan.names
    names = read_by(model, config, panel, prepared.plan)
    within = own if fits[0].seen is None else fits[0].seen.names
    scaler = Scaler.from_json(fits[0].scaler)
    columns = Columns.at([within.index(name) for name in names], scaler)
    at, places = columns.place, np.array([own.index(name) for name in names], np.int64)
    scaler = scaler._replace(centre=scaler.centre[at], scale=scaler.scale[at])

    def of(rows: Int64, scores: Sequence[Float64]) -> Members:
        # As a window holds the columns: scaled, cut, in float32.
        scaled = scaler.transform(prepared.features[np.ix_(rows, places)])
        asset = panel.asset_id[rows].astype(np.int64)
        instant = panel.available_at[rows]
        return asked(model, np.stack(scores), instant, asset, columns.read(scaled))

    validate = of(task.fold.validate, [fit.validate for fit in fits])
    return columns, validate, of(task.fold.test, [fit.test for fit in fits])


def _outcomes(prepared: Prepared, rows: Int64) -> Outcomes:
    labels, panel = prepared.labels, prepared.panel
    return Outcomes(
        outcome=labels.outcome[rows],
        realised=labels.realised[rows],
        known=panel.available_at[labels.exit[rows]],
        weight=np.ones(rows.size),
    )
