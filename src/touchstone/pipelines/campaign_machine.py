"""What a fit costs on this machine, measured: by a short fit beforehand, and by its scoring after.

Nothing that is found here goes into a figure that is compared; it is told, and it can refuse.
"""

import ctypes
import gc
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from touchstone.arrays import Int64
from touchstone.config import Config
from touchstone.data.cache import StageCache
from touchstone.dataset.samples import Samples, samples
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.splits import Fold
from touchstone.dataset.windows import Windows
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS, Fitted
from touchstone.models.scoring import score
from touchstone.pipelines.identities import known_first
from touchstone.pipelines.learn import Learned, with_tasks
from touchstone.pipelines.prepare import Prepared, stage_key
from touchstone.pipelines.shelf import Columns
from touchstone.pipelines.study import StudyConfig
from touchstone.training import Job, run

_STAGE: Final = "campaign_costs"
_PROBE: Final = {"window": 4_096, "tabular": 20_000}
"""Train rows of a short fit."""
_WARM: Final = 256
_SCORED: Final = 2_048
_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")


class Cost(NamedTuple):
    """Of one fit with the scoring of its validation and test rows."""

    seconds: float
    peak_mb: float | None
    """Memory beyond what the process held before, of tabular kinds reckoned up to all train rows;
    None where the system does not tell."""
    measured: bool = False
    """By fits that were made, not by a short one."""


def cost_key(config: StudyConfig, prepared: Prepared, model: Config) -> str:
    """Where the cost of a model's fits is kept."""
    return stage_key(prepared.key, model, config.training, config.scaler, str(config.lookback))


def kept_cost(cache: StageCache, key: str) -> Cost | None:
    """What is known already; None: nothing."""
    told = cache.load_bytes(_STAGE, key)
    return None if told is None else Cost(*json.loads(told))


def keep_cost(cache: StageCache, key: str, cost: Cost) -> None:
    """Remember it for the next start."""
    cache.save_bytes(_STAGE, key, json.dumps(cost).encode())


def probed(config: StudyConfig, prepared: Prepared, model: Config, columns: Columns) -> Cost:
    """Fit for a moment on the first fold's train rows, score some rows, and reckon.

    Epochs are taken as all that the budget allows, so it errs on the long side. The fit is thrown
    away unscored on any row that compares: it is no try at being lucky, and the ledger of the
    workspace does not hear of it.

    Raises:
        TouchstoneError: the model cannot be built or fitted on these windows.
    """
    fold, windows, n_assets = _seen(config, prepared, columns)
    part = MODELS.part_of(model)
    n = min(_PROBE[part.inputs], fold.train.size)
    # Rows spread over the range hold hits as often as all of them do.
    rows = fold.train[np.linspace(0, fold.train.size - 1, n).astype(np.int64)]
    made = with_tasks(samples(windows, columns.labels, rows, config.weights), model, columns)
    _timed_fit(config, prepared, model, (_some(made, min(_WARM, n)), n_assets), warm=True)
    with peak() as grown:
        fitted, seconds = _timed_fit(config, prepared, model, (made, n_assets))
    a_row = seconds / n
    scored = scoring_us(fitted, windows, fold.train[-_SCORED:]) * 1e-6
    n_all, n_last = fold.train.size, fold.validate.size + fold.test.size
    if part.inputs == "tabular":
        # The whole table is made at once, so that its memory grows with the rows.
        memory = None if grown[0] is None else grown[0] * n_all / n
        return Cost(a_row * n_all + scored * n_last, memory)
    recipe = config.training
    used = min(recipe.rows or n_all, n_all)
    # A look at the validation rows goes in large batches: about a quarter of a scoring.
    n_epochs = recipe.epochs + sum(phase.epochs for phase in recipe.curriculum)
    epochs = n_epochs * (a_row * used + scored * fold.validate.size / 4)
    return Cost(epochs + scored * n_last, grown[0])


def _timed_fit(
    config: StudyConfig, prepared: Prepared, model: Config, on: tuple[Samples, int],
    warm: bool = False,
) -> tuple[Fitted, float]:  # fmt: skip
    made, n_assets = on
    is_window = MODELS.part_of(model).inputs == "window"
    steps = 1 if is_window or warm else None
    job = Job(
        model=model,
        recipe=config.training.model_copy(update={"rows": None, "curriculum": ()}),
        train=made,
        validate=None if steps else made,
        n_assets=n_assets,
        seed=config.seed,
        data=prepared.data,
        epochs=steps,
    )
    began = time.perf_counter()
    fitted = run(job, MemoryLedger()).fitted
    return fitted, time.perf_counter() - began


def _some(made: Samples, n: int) -> Samples:
    """`n` of the samples, a hit and another among them."""
    hit = made.outcome == 1
    order = np.r_[np.flatnonzero(hit)[:8], np.flatnonzero(~hit)[: max(n - 8, 8)]]
    order.sort()
    return made.take(order)


def _seen(
    config: StudyConfig, prepared: Prepared, columns: Columns
) -> tuple[Fold, Windows, int]:  # fmt: skip
    """The first fold with windows as its fits see them, but for regimes and selection."""
    fold = prepared.folds.folds[0]
    scaler = SCALERS.part_of(config.scaler)(config.scaler, columns.features, fold.train)
    number = known_first(columns.begun, fold.spans.train_end)
    windows = Windows(columns.features, number[columns.asset_id], config.lookback, scaler)
    return fold, windows, int(np.count_nonzero(columns.begun <= fold.spans.train_end))


def inference_us(
    config: StudyConfig, prepared: Prepared, columns: Columns, fit: tuple[Config, Learned]
) -> float:
    """Microseconds a row of a fitted model of the last fold through the one scoring path."""
    model, learned = fit
    fold = prepared.folds.folds[-1]
    seen = learned.seen
    features = columns.features if seen is None else seen.matrix(columns.raw)
    scaler = SCALERS.part_of(config.scaler)(config.scaler, features, fold.train)
    number = known_first(columns.begun, fold.spans.train_end)
    windows = Windows(features, number[columns.asset_id], config.lookback, scaler)
    return scoring_us(learned.restore(model), windows, fold.test[-_SCORED:])


def scoring_us(fitted: Fitted, windows: Windows, rows: Int64) -> float:
    """Microseconds a row, the best of three."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        score(fitted, windows, rows)
        seconds.append(time.perf_counter() - began)
    return min(seconds) / max(rows.size, 1) * 1e6


def n_parameters(fitted: Fitted) -> int | None:
    """Numbers that were fitted; None where the kind does not say."""
    told = getattr(fitted, "n_parameters", None)
    if told is not None:
        return int(told)
    network: Any = getattr(fitted, "network", None)
    return None if network is None else sum(int(p.numel()) for p in network.parameters())


@contextmanager
def peak() -> Iterator[list[float | None]]:
    """The memory that is taken inside, MB, in the list's one place when it is left (Linux)."""
    grown: list[float | None] = [None]
    _give_back()
    before = resident_mb() if _reset_peak() else None
    yield grown
    after = _resident("VmHWM")
    if before is not None and after is not None:
        grown[0] = max(after - before, 0.0)


def _give_back() -> None:
    """Hand freed memory back to the system: what is taken from it again is not seen as taken."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc
    if trim is not None:
        trim(0)


def _reset_peak() -> bool:
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def resident_mb() -> float | None:
    """What this process holds, MB; None where the system does not tell."""
    return _resident("VmRSS")


def _resident(name: str) -> float | None:
    """A figure of the process, MB."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(found[0]) / 1024 if found else None


def available_mb() -> float | None:
    """Memory that processes may still take, MB; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) / 1024 if found else None
