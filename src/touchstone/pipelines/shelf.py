"""What every fit needs of a market, put into the cache once and mapped from there by workers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int32, Int64
from touchstone.data.cache import StageCache
from touchstone.dataset.regimes import begins
from touchstone.dataset.view import Raw, Rows
from touchstone.errors import DataError
from touchstone.labels import Labels
from touchstone.labels.tasks import paths
from touchstone.ledger import Ledger
from touchstone.models import head_of
from touchstone.pipelines.prepare import Prepared, features_key, labels_key, stage_key
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
    tasks: Float64 | None
    """What the bars until each row's exit were like, (n_rows, 3); None where no head asks."""

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
    tasks: str | None


def shelve(config: StudyConfig, prepared: Prepared, cache: StageCache) -> Shelf:
    """Put what is not in the cache yet there, for the workers."""
    panel = prepared.panel
    key = stage_key(prepared.source, "instruments", prepared.data)
    cache.save(
        "instruments",
        key,
        {
            "asset_id": prepared.asset_id,
            "begun": prepared.begun,
            "begins": begins(panel),
            "known": panel.available_at,
        },
    )
    inputs = None
    if config.regimes is not None and prepared.inputs is not None:
        inputs = stage_key(prepared.source, "inputs", prepared.data, config.regimes)
        if cache.load("inputs", inputs) is None:
            cache.save("inputs", inputs, {"inputs": prepared.inputs})
    labels, tasks = labels_key(config.label, prepared.data, prepared.source), None
    if any(head_of(model) == "multi_task" for model in config.models):
        tasks = stage_key(prepared.source, "tasks", labels)
        if cache.load("tasks", tasks) is None:
            cache.save("tasks", tasks, {"tasks": paths(panel, prepared.labels)})
    return Shelf(
        cache,
        features_key(prepared.plan, prepared.data, prepared.source),
        prepared.plan.names,
        labels,
        key,
        inputs,
        tasks,
    )


def columns_of(shelf: Shelf) -> Columns:
    """The columns, mapped from the cache.

    Raises:
        DataError: the cache was cleared meanwhile.
    """
    cache = shelf.cache
    features = cache.load("features", shelf.features)
    labels = cache.load("labels", shelf.labels)
    instruments = cache.load("instruments", shelf.instruments)
    inputs = {} if shelf.inputs is None else cache.load("inputs", shelf.inputs)
    tasks = {} if shelf.tasks is None else cache.load("tasks", shelf.tasks)
    if features is None or labels is None or instruments is None or inputs is None or tasks is None:
        raise DataError(f"{cache.root}: the cache was cleared while a run was using it; run again")
    found = Labels(**{name: np.asarray(labels[name]) for name in Labels._fields})
    rows = {n: np.asarray(instruments[n]) for n in ("asset_id", "begun", "begins", "known")}
    return Columns(
        features["features"],
        shelf.names,
        **rows,
        labels=found,
        inputs=inputs.get("inputs"),
        tasks=tasks.get("tasks"),
    )
