"""What a fit is asked for; and its scores with all that restores its model, kept in the cache."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.dataset.splits import Fold
from touchstone.dataset.view import View
from touchstone.models import Fitted, Shape, restore


class Task(NamedTuple):
    """One fit: a model on a fold; `epochs` fixes what the folds have chosen."""

    model: Config
    fold: Fold
    name: str
    """Names the fold: fold 1, fold 2, ..., final."""
    epochs: int | None = None
    members_epochs: tuple[int, ...] = ()
    """The same of each member of an ensemble; none: validation stops them."""
    view: View | None = None
    """What the fold's models see; None for every column."""
    phases: tuple[Int64, ...] = ()
    """Train rows of each phase of the curriculum."""
    teacher: Float64 | None = None
    """(n_train, n_outcomes) what a teacher said of the train rows, for the loss `distillation`."""

    @property
    def told(self) -> str:
        """The fit, for people."""
        return f"{getattr(self.model, 'kind', '?')} {self.name}"


class Learned(NamedTuple):
    """One fit's scores, and what a later stage needs to restore the model."""

    validate: Float64
    """(n_validate, n_outcomes), the one scoring path's probabilities."""
    test: Float64
    """(n_test, n_outcomes)."""
    best_epoch: int
    rows_used: int
    rows_available: int
    seconds: float
    shape: Shape
    scaler: str
    """The fold's scaler as JSON."""
    files: dict[str, bytes]
    """The model's own files."""
    view: str = ""
    """The fold's view as JSON; empty where the model saw every column."""
    looks: tuple[tuple[int, float], ...] = ()
    """Every epoch or tree at which the fit looked, and `metric` on validation rows."""
    metric: str = ""
    """The recipe's, by which the epoch was chosen."""
    history: tuple[tuple[int, dict[str, float]], ...] = ()
    """(epoch or tree, its metrics as in `training.Epoch`) of every look from the first; `net`,
    which depends on the costs, only where epochs are chosen by it."""
    members_epochs: tuple[int, ...] = ()
    """Of an ensemble, each member's `best_epoch`."""

    def restore(self, config: Config) -> Fitted:
        """The fitted model."""
        return restore(config, self.shape, self.files)

    @property
    def seen(self) -> View | None:
        """What the model sees; None for every column."""
        return View.from_json(self.view) if self.view else None


def as_long(task: Task, fits: Sequence[Learned]) -> Task:
    """The same fit, lasting as long as a model's fits of the folds did, by their median."""
    if fits[0].members_epochs:
        each = zip(*(fit.members_epochs for fit in fits), strict=True)
        return task._replace(members_epochs=tuple(_median(epochs) for epochs in each))
    return task._replace(epochs=_median([fit.best_epoch for fit in fits]))


def _median(epochs: Sequence[int]) -> int:
    return max(int(np.median(epochs)), 1)


def keep(cache: StageCache, key: str, learned: Learned) -> None:
    """Keep a fit in the cache; `key` names all that it depends on."""
    facts = {
        "best_epoch": learned.best_epoch,
        "rows_used": learned.rows_used,
        "rows_available": learned.rows_available,
        "seconds": learned.seconds,
        "shape": list(learned.shape),
        "scaler": learned.scaler,
        "view": learned.view,
        "looks": learned.looks,
        "metric": learned.metric,
        "history": learned.history,
        "members_epochs": learned.members_epochs,
    }
    arrays = {"validate": learned.validate, "test": learned.test}
    blobs = {f"file:{name}": np.frombuffer(b, np.uint8) for name, b in learned.files.items()}
    facts_blob = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    cache.save("models", key, {**arrays, **blobs, "facts": facts_blob})


def kept(cache: StageCache, key: str) -> Learned | None:
    """A fit that is in the cache; None where it is not."""
    found = cache.load("models", key)
    if found is None:
        return None
    facts = json.loads(np.asarray(found["facts"]).tobytes())
    facts["shape"] = Shape(*facts["shape"])
    facts["looks"] = tuple((int(at), float(score)) for at, score in facts["looks"])
    facts["history"] = tuple((int(at), dict(told)) for at, told in facts["history"])
    facts["members_epochs"] = tuple(facts["members_epochs"])
    files = {
        name.removeprefix("file:"): np.asarray(column).tobytes()
        for name, column in found.items()
        if name.startswith("file:")
    }
    return Learned(np.asarray(found["validate"]), np.asarray(found["test"]), **facts, files=files)
