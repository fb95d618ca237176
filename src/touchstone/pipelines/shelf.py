"""What every fit needs of a market, put into the cache once and mapped from there by workers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int32, Int64
from touchstone.data.cache import AnyArray, StageCache
from touchstone.dataset.regimes import begins
from touchstone.dataset.view import Raw, Rows
from touchstone.errors import DataError
from touchstone.labels import Labels
from touchstone.labels.tasks import paths
from touchstone.ledger import Ledger
from touchstone.models import head_of, members_of
from touchstone.pipelines.prepare import (
    Prepared,
    features_key,
    label_rows,
    labels_key,
    stage_key,
)
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.study import StudyConfig

OpenLedger = Callable[[], Ledger]
"""Opens the study's ledger: each worker process has its own connection."""


class Resources(NamedTuple):
    """What the machine lends a pipeline."""

    cache: StageCache
    ledger: OpenLedger
    progress: Progress
    jobs: int
    checkpoints: Path | None = None
    """Folder of the checkpoints of fits under way; None: a fit that is stopped is begun again."""


class Columns(NamedTuple):
    """What every fit needs of the market, memory-mapped where large."""

    features: Float32
    names: tuple[str, ...]
    """Of the features."""
    asset_id: Int32
    begun: Int64
    """When the first bar of each id is known, ns: those by a fold's end are known to it."""
    begins: Bool
    """Where an instrument begins or comes back, (n_rows,)."""
    known: Int64
    """When each row is known, ns UTC, (n_rows,)."""
    labels: Labels
    inputs: Float64 | None
    """Of the regime filter, (n_rows, n_inputs)."""
    tasks: Float64 | None = None
    """What the bars until each row's exit were like, (n_rows, 3); None where no head asks."""
    phases: tuple[Labels, ...] = ()
    """Labels of the curriculum's phases."""

    @property
    def raw(self) -> Raw:
        """What a fold's view is made from."""
        return Raw(self.features, self.names, self.inputs, self.begins)

    @property
    def rows(self) -> Rows:
        """What rules of selection know of each row."""
        return Rows(self.labels.outcome, self.asset_id, self.known)


class Shelf(NamedTuple):
    """Where a worker process finds the columns: each maps them from the cache, none is sent."""

    cache: StageCache
    features: str
    names: tuple[str, ...]
    labels: str
    instruments: str
    inputs: str | None
    tasks: str | None = None
    phases: tuple[str, ...] = ()


def shelve(config: StudyConfig, prepared: Prepared, cache: StageCache) -> Shelf:
    """Put what is not in the cache yet there, for the workers."""
    panel = prepared.panel
    key = stage_key(prepared.source, "instruments", prepared.data)
    if cache.load("instruments", key) is None:
        rows: dict[str, AnyArray] = {
            "asset_id": prepared.asset_id,
            "begun": prepared.begun,
            "begins": begins(panel),
            "known": panel.available_at,
        }
        cache.save("instruments", key, rows)
    inputs = None
    if config.regimes is not None and prepared.inputs is not None:
        inputs = stage_key(prepared.source, "inputs", prepared.data, config.regimes)
        if cache.load("inputs", inputs) is None:
            cache.save("inputs", inputs, {"inputs": prepared.inputs})
    labels, tasks = labels_key(config.label, prepared.data, prepared.source), None
    fitted = [one for model in config.models for one in members_of(model) or (model,)]
    if any(head_of(one) == "multi_task" for one in fitted):
        tasks = stage_key(prepared.source, "tasks", labels)
        if cache.load("tasks", tasks) is None:
            cache.save("tasks", tasks, {"tasks": paths(panel, prepared.labels)})
    curriculum = [phase.label for phase in config.training.curriculum]
    for label in curriculum:
        label_rows(label, panel, (prepared.data, prepared.source), cache)
    return Shelf(
        cache,
        features_key(prepared.plan, prepared.data, prepared.source),
        prepared.plan.names,
        labels,
        key,
        inputs,
        tasks,
        tuple(labels_key(label, prepared.data, prepared.source) for label in curriculum),
    )


def columns_of(shelf: Shelf) -> Columns:
    """The columns, mapped from the cache.

    Raises:
        DataError: the cache was cleared meanwhile.
    """
    features = _loaded(shelf, "features", shelf.features)["features"]
    labels = _labels(_loaded(shelf, "labels", shelf.labels))
    phases = tuple(_labels(_loaded(shelf, "labels", key)) for key in shelf.phases)
    instruments = _loaded(shelf, "instruments", shelf.instruments)
    inputs = None if shelf.inputs is None else _loaded(shelf, "inputs", shelf.inputs)["inputs"]
    tasks = None if shelf.tasks is None else _loaded(shelf, "tasks", shelf.tasks)["tasks"]
    rows = {n: np.asarray(instruments[n]) for n in ("asset_id", "begun", "begins", "known")}
    return Columns(
        features,
        shelf.names,
        **rows,
        labels=labels,
        inputs=inputs,
        tasks=tasks,
        phases=phases,
    )


def _loaded(shelf: Shelf, stage: str, key: str) -> dict[str, AnyArray]:
    found = shelf.cache.load(stage, key)
    if found is None:
        raise DataError(
            f"{shelf.cache.root}: the cache was cleared while a run was using it; run again"
        )
    return found


def _labels(kept: Mapping[str, AnyArray]) -> Labels:
    return Labels(**{name: np.asarray(kept[name]) for name in Labels._fields})
