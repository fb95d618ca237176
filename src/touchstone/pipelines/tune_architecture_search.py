"""The rows of an architecture search, and the searches themselves, which go on where they were."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Int64
from touchstone.dataset.folds import Spans, Timeline, cut
from touchstone.dataset.samples import samples
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.splits import Fold, timeline
from touchstone.dataset.windows import Windows
from touchstone.errors import ConfigError, TrainingError
from touchstone.files import write_bytes
from touchstone.labels import Labels
from touchstone.models import OUTCOMES, Shape, head_of
from touchstone.models.darts import DartsConfig
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.inputs import whole_windows
from touchstone.pipelines.prepare import Prepared, stage_key
from touchstone.pipelines.progress import Running, Step
from touchstone.pipelines.shelf import Resources, columns_of, shelve
from touchstone.pipelines.study import Study, StudyConfig
from touchstone.pipelines.views import asks, fit_views
from touchstone.tuning.architecture import FoundCell, search
from touchstone.tuning.architecture_state import Looked, SearchJob, unpack
from touchstone.tuning.methods.darts import ArchitectureConfig

_FOLD = "fold 1"


class Ground(NamedTuple):
    """What a search goes over."""

    windows: Windows
    labels: Labels
    weights: Int64
    """Rows that the weights learn from, (n,)."""
    held: Int64
    """Rows that the architecture learns from, (n,)."""
    n_purged: int
    """Train rows of the fold that are in neither."""
    n_assets: int
    data: str
    key: str
    """Identifies rows, features and labels, for the cache."""

    def shape(self, network: DartsConfig) -> Shape:
        """What a network of this head is made for."""
        n_outcomes = len(OUTCOMES[head_of(network)])
        return Shape(self.windows.lookback, self.windows.n_features, self.n_assets, n_outcomes)


class Searched(NamedTuple):
    """One search, finished."""

    seed: int
    found: FoundCell


def halves(line: Timeline, fold: Fold) -> tuple[Int64, Int64]:
    """A fold's train rows in two halves by time, the earlier purged from the later.

    No outcome of the earlier half is known only after the first bar that a window of the later one
    reads.
    """
    known = line.known[fold.train]
    first, middle, last = int(known.min()) - 1, int(np.median(known)), int(known.max())
    parts = cut(line, Spans(first, middle, middle, last, last, last))
    return np.intersect1d(parts.train, fold.train), np.intersect1d(parts.validate, fold.train)


def ground_of(study: Study, prepared: Prepared, resources: Resources) -> Ground:
    """The first fold's train rows in halves, scaled and seen as its models see them.

    Raises:
        ConfigError: a fold validates or tests on those rows.
    """
    config, folds = study.config, prepared.folds.folds
    fold = folds[0]
    for i, other in enumerate(folds):
        if np.intersect1d(fold.train, np.r_[other.validate, other.test]).size:
            raise ConfigError(
                f"folds: fold {i + 1} validates or tests on train rows of the first one, which the "
                "search sees: take folds that go forward in time, kind: walk_forward or "
                "chronological"
            )
    panel = prepared.panel
    whole = whole_windows(prepared.features, prepared.inputs, panel, config.lookback)
    line = timeline(panel, prepared.labels, whole & panel.members, config.lookback)
    weights, held = halves(line, fold)
    if not (weights.size and held.size):
        raise ConfigError(
            f"folds: {fold.train.size} train rows of the first fold leave {weights.size} and "
            f"{held.size} for the two halves of a search: lengthen `train`"
        )
    shelf = shelve(config, prepared, resources.cache)
    view = fit_views(study, prepared, [(_FOLD, fold)], shelf, resources)[_FOLD]
    columns = columns_of(shelf)
    features = columns.features if view is None else view.matrix(columns.raw)
    scaler = SCALERS.part_of(config.scaler)(config.scaler, features, fold.train)
    number = known_first(columns.begun, fold.spans.train_end)
    windows = Windows(features, number[columns.asset_id], config.lookback, scaler)
    rows = (hashlib.sha256(part.tobytes()).hexdigest() for part in (weights, held))
    return Ground(
        windows,
        columns.labels,
        weights,
        held,
        int(fold.train.size - weights.size - held.size),
        int(np.count_nonzero(columns.begun <= fold.spans.train_end)),
        prepared.data,
        stage_key(
            prepared.key, config.scaler, str(config.lookback), config.weights, *asks(config), *rows
        ),
    )


def searched(
    study: Study, on: tuple[ArchitectureConfig, DartsConfig], ground: Ground,
    asked: tuple[Sequence[int], Path], resources: Resources,
) -> list[Searched]:  # fmt: skip
    """Every search, those already in the cache excepted.

    Args:
        study: recipe and weights.
        on: how is searched, and the network's size.
        ground: rows.
        asked: a seed for each search, and the folder where those under way are kept.
        resources: of the machine.
    """
    (method, _), (seeds, folder) = on, asked
    n_epochs = method.epochs * len(method.stages)
    found = []
    with resources.progress.stage("architecture search", len(seeds) * n_epochs) as step:
        for i, seed in enumerate(seeds):
            key = _key(study.config, on, ground, seed)
            kept = resources.cache.load_bytes("architectures", key)
            if kept is None:
                job = _job(study.config, on, ground, seed)
                place = folder / f"search-{i + 1}.safetensors"
                cell = _run(job, (place, f"search {i + 1}", n_epochs), resources, step)
                resources.cache.save_bytes("architectures", key, _to_json(cell))
                place.unlink(missing_ok=True)
            else:
                cell = _from_json(kept)
                for _ in range(n_epochs):
                    step.advance("from cache")
            found.append(Searched(seed, cell))
        step.say(f"{len(seeds)} x {n_epochs} epochs")
    return found


def _job(
    config: StudyConfig, on: tuple[ArchitectureConfig, DartsConfig], ground: Ground, seed: int
) -> SearchJob:
    weights, held = (
        samples(ground.windows, ground.labels, rows, config.weights)
        for rows in (ground.weights, ground.held)
    )
    return SearchJob(*on, config.training, weights, held, ground.n_assets, seed, ground.data)


def _run(
    job: SearchJob, at: tuple[Path, str, int], resources: Resources, step: Step
) -> FoundCell:  # fmt: skip
    """Search to the end, from the checkpoint if there is one."""
    place, name, n_epochs = at
    resume = _checkpoint(job, place, resources)
    if resume is not None:
        for _ in unpack(job, resume).history:
            step.advance(f"{name}, from its checkpoint")
    under_way = list[Running]()
    step.watch(lambda: tuple(under_way))
    epochs = search(job._replace(resume=resume), resources.ledger())
    try:
        while True:
            try:
                epoch = next(epochs)
            except StopIteration as end:
                found: FoundCell = end.value
                return found
            write_bytes(place, epoch.state())
            looked = epoch.looked
            under_way[:] = [_running(name, looked, n_epochs)]
            step.advance(f"{name}, stage {looked.stage + 1}, epoch {looked.index}")
    finally:
        epochs.close()


def _running(name: str, looked: Looked, n_epochs: int) -> Running:
    return Running(
        name, looked.index, n_epochs, looked.train_loss, "held loss", looked.held_loss,
        None, None, None,
    )  # fmt: skip


def _checkpoint(job: SearchJob, place: Path, resources: Resources) -> bytes | None:
    try:
        state = place.read_bytes()
        unpack(job, state)
    except FileNotFoundError:
        return None
    except (OSError, TrainingError) as error:
        resources.progress.note(f"a checkpoint is not used, and removed: {error}")
        place.unlink(missing_ok=True)
        return None
    return state


def _key(
    config: StudyConfig, on: tuple[ArchitectureConfig, DartsConfig], ground: Ground, seed: int
) -> str:
    method, network = on
    # How many searches and random cells there are does not change one search; nor do cells.
    asked = method.model_copy(update={"searches": 1, "random_cells": 2, "size_band": 0.15})
    bare = network.model_copy(update={"cells": 1, "genotype": DartsConfig().genotype})
    return stage_key(ground.key, asked, bare, config.training, str(seed))


def _to_json(cell: FoundCell) -> bytes:
    history = [list(one) for one in cell.history]
    return json.dumps({"genotype": cell.genotype, "history": history}).encode()


def _from_json(content: bytes) -> FoundCell:
    told = json.loads(content)
    genotype = DartsConfig(genotype=told["genotype"]).genotype
    return FoundCell(genotype, tuple(Looked(*one) for one in told["history"]))
