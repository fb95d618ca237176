"""What is known without a model: of volatility alone, and of symbol and hour alone.

Each is fitted on a fold's train rows, calibrated on its validation rows and scores its test rows,
as the study's models are, so that it is judged on the same rows. They are yardsticks and no
candidates: nothing is chosen by them, nothing trades them, and the ledger does not count them.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Float32, Float64, Int64
from touchstone.dataset.samples import samples
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.splits import Fold
from touchstone.dataset.windows import Windows
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS, OUTCOMES
from touchstone.models.calibrators import calibrate_outcomes
from touchstone.models.scoring import score
from touchstone.pipelines.decide import Segment
from touchstone.pipelines.prepare import Prepared, column
from touchstone.pipelines.study import StudyConfig
from touchstone.seeding import derive
from touchstone.training import Job, run

Name = Literal["volatility", "symbol_and_hour"]
VOLATILITIES: Final = (
    "log(std(close / lag(close, 1) - 1, 12))",
    "log(std(close / lag(close, 1) - 1, 48))",
    "log(mean((high - low) / close, 24))",
)
"""How much an instrument moved over half a day, two days, a day of hours, and not where to."""
_PRIOR_ROWS: Final = 50.0
"""So many rows of the whole train range stand behind each rate of a symbol and hour."""
_HOUR_NS: Final = 3_600_000_000_000


_Fit = Callable[[StudyConfig, Prepared, tuple[Fold, Float32], int], tuple[Float64, Float64]]
"""(config, prepared, (fold, columns of volatility), seed) -> scores of validation, test rows."""


class Yardstick(NamedTuple):
    """One of them on a segment."""

    name: Name
    probability: Float64
    """(n_segment_rows, 3) calibrated, columns -1, 0, +1; NaN where no fold tests."""


def yardsticks(
    config: StudyConfig, prepared: Prepared, folds: Sequence[Fold], where: Segment
) -> tuple[Yardstick, ...]:
    """Both, from the test rows of these folds, pooled; columns known at the close of a row's bar.

    Args:
        config: the study: its scaler, weights and calibrator.
        prepared: its market.
        folds: those whose tests lie in the segment.
        where: the segment.
    """
    moved = _moved(prepared)
    found = []
    fits: dict[Name, _Fit] = {
        "volatility": _by_volatility,
        "symbol_and_hour": _by_symbol_and_hour,
    }
    for name, fit in fits.items():
        probability = np.full((where.rows.size, 3), np.nan)
        for i, fold in enumerate(folds):
            seed = derive(config.seed, "yardstick", name, i)
            validate, test = fit(config, prepared, (fold, moved), seed)
            outcome = prepared.labels.outcome[fold.validate]
            calibrator = calibrate_outcomes(config.calibrator, validate, outcome)
            at, inside = where.place(fold.test)
            probability[at[inside]] = calibrator.apply(test[inside])
        found.append(Yardstick(name, probability))
    return tuple(found)


def _moved(prepared: Prepared) -> Float32:
    """The columns of volatility, (n_rows, n_columns); NaN in warm-up and where nothing moved."""
    columns = [column(text, prepared.panel) for text in VOLATILITIES]
    moved = np.column_stack(columns)
    moved[~np.isfinite(moved)] = np.nan
    return moved.astype(np.float32)


def _by_volatility(
    config: StudyConfig, prepared: Prepared, on: tuple[Fold, Float32], seed: int
) -> tuple[Float64, Float64]:
    """Scores of validation and test rows by the logistic regression on the columns alone."""
    fold, moved = on
    # A row whose own columns are not known yet has the mean of the train rows: it knows nothing.
    usual = np.nanmean(moved[fold.train], axis=0, dtype=np.float64)
    features = np.where(np.isnan(moved), np.nan_to_num(usual), moved).astype(np.float32)
    scaler = SCALERS.part_of(config.scaler)(config.scaler, features, fold.train)
    nobody = np.zeros(len(features), np.int32)
    windows = Windows(features, nobody, 1, scaler)
    job = Job(
        model=MODELS.parse({"kind": "logistic"}),
        recipe=config.training,
        train=samples(windows, prepared.labels, fold.train, config.weights),
        validate=samples(windows, prepared.labels, fold.validate),
        n_assets=1,
        seed=seed,
        data=prepared.data,
    )
    # A ledger of its own, thrown away: a yardstick is no try at being lucky.
    fitted = run(job, MemoryLedger()).fitted
    return score(fitted, windows, fold.validate), score(fitted, windows, fold.test)


def _by_symbol_and_hour(
    config: StudyConfig, prepared: Prepared, on: tuple[Fold, Float32], seed: int
) -> tuple[Float64, Float64]:
    """Rates of the outcomes among train rows of the same instrument and hour of the day."""
    del config, seed
    fold, panel = on[0], prepared.panel
    hour = panel.available_at // _HOUR_NS % 24
    cell: Int64 = panel.asset_id.astype(np.int64) * 24 + hour
    outcome = prepared.labels.outcome[fold.train]
    n_cells = panel.n_instruments * 24
    counts = np.column_stack(
        [
            np.bincount(cell[fold.train][outcome == o], minlength=n_cells)
            for o in OUTCOMES["barrier"]
        ]
    ).astype(np.float64)
    whole = counts.sum(0) / counts.sum()
    rates = (counts + _PRIOR_ROWS * whole) / (counts.sum(1, keepdims=True) + _PRIOR_ROWS)
    return rates[cell[fold.validate]], rates[cell[fold.test]]
