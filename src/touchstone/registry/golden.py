"""From raw windows to a decision, and the rows that prove it is still the same decision.

Another processor may round otherwise: decisions must be equal, scores to 1e-5.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from touchstone.arrays import Bool, Float32, Float64, Int32, Int64
from touchstone.config import Config
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.errors import ArtifactError
from touchstone.execution.costs import CostsConfig
from touchstone.models import Fitted
from touchstone.models.calibrators import Calibrator, OutcomeCalibrator
from touchstone.models.scoring import score
from touchstone.strategies import STRATEGIES, Outlook, columns_of

MAX_ROWS: Final = 64
"""Golden rows an artifact may carry: one batch of the scoring path."""
TOLERANCE: Final = 1e-5
"""How far a score may lie from the golden one."""

_DTYPES: Final[dict[str, Any]] = {
    "windows": np.float32,
    "asset_id": np.int32,
    "up": np.float64,
    "down": np.float64,
    "score": np.float64,
    "enter": np.bool_,
    "instant": np.int64,
    "named": np.float64,
}
_LATER: Final = frozenset({"instant", "named"})
"""Parts that golden rows of older artifacts do not have: no strategy of theirs asks for them."""


class Decider(NamedTuple):
    """Everything between raw windows and the wish to enter."""

    fitted: Fitted
    scaler: Scaler
    calibrator: OutcomeCalibrator | None
    """Scores to probabilities; None where the strategy takes the score as it is."""
    expected: Calibrator | None
    """E[realised | last column of the score, not calibrated]; None for a `barrier` head."""
    strategy: Config
    """With a single threshold or margin."""
    costs: CostsConfig
    rest: float
    """Mean realised return of horizon exits on validation rows."""
    hold_bars: int
    """Bars after which a position leaves."""
    bars_per_year: float = float("nan")
    """Of the timeframe and calendar that it was made for."""


class Golden(NamedTuple):
    """Rows with what the decider said about them when it was made."""

    windows: Float32
    """(n, lookback, n_features) raw features, before scaling; n <= `MAX_ROWS`."""
    asset_id: Int32
    """(n,)"""
    up: Float64
    """(n,) width of the target as a fraction of the entry price, inf for none."""
    down: Float64
    """(n,) width of the stop, likewise."""
    score: Float64
    """(n, n_outcomes) as the scoring path gave it."""
    enter: Bool
    """(n,) the decision."""
    instant: Int64
    """(n,) when each row's close was known, ns UTC. A strategy that compares instruments compares
    the golden rows of an instant, be they all or not: the same rows, the same decision."""
    named: Float64
    """(n, n_columns) the columns that the strategy asks for, in the order of `columns_of`."""


class Rows(NamedTuple):
    """Golden rows before anything was said about them; columns as in `Golden`."""

    windows: Float32
    asset_id: Int32
    up: Float64
    down: Float64
    instant: Int64 | None = None
    """None: each row has an instant of its own."""
    named: Float64 | None = None
    """None: the strategy asks for no column."""


def scores(decider: Decider, windows: Float32, asset_id: Int32) -> Float64:
    """Scores (n, n_outcomes) of raw windows (n, lookback, n_features), by the one scoring path."""
    n, lookback, n_features = windows.shape
    flat = np.ascontiguousarray(windows, np.float32).reshape(n * lookback, n_features)
    stacked = Windows(flat, np.repeat(asset_id, lookback), lookback, decider.scaler)
    return score(decider.fitted, stacked, np.arange(n, dtype=np.int64) * lookback + lookback - 1)


def outlook(decider: Decider, score: Float64, rows: Golden | Rows) -> Outlook:
    """What the strategy gets to see of rows with these scores, (n, n_outcomes)."""
    calibrator, expected = decider.calibrator, decider.expected
    n, asked = len(score), columns_of(decider.strategy)
    named = np.full((n, len(asked)), np.nan) if rows.named is None else rows.named
    return Outlook(
        probability=score if calibrator is None else calibrator.apply(score),
        up=rows.up,
        down=rows.down,
        rest=decider.rest,
        round_trip=decider.costs.round_trip,
        expected=None if expected is None else expected.apply(score[:, -1]),
        instant=np.arange(n) if rows.instant is None else rows.instant,
        asset=rows.asset_id.astype(np.int64),
        bars_per_year=decider.bars_per_year,
        named=dict(zip(asked, named.T, strict=True)),
    )


def enters(decider: Decider, score: Float64, rows: Golden | Rows) -> Bool:
    """Which of n rows the strategy wishes to enter, (n,)."""
    strategy = STRATEGIES.part_of(decider.strategy)
    seen = outlook(decider, score, rows)
    return strategy(decider.strategy, seen, decider.hold_bars).enter


def record(decider: Decider, rows: Rows) -> Golden:
    """What the decider says about these rows now.

    Raises:
        ArtifactError: rows that are no golden rows for this decider's shape.
    """
    said = scores(decider, rows.windows, rows.asset_id)
    n, n_named = len(said), len(columns_of(decider.strategy))
    golden = Golden(
        windows=rows.windows,
        asset_id=rows.asset_id,
        up=rows.up,
        down=rows.down,
        score=said,
        enter=enters(decider, said, rows),
        instant=np.arange(n, dtype=np.int64) if rows.instant is None else rows.instant,
        named=np.full((n, n_named), np.nan) if rows.named is None else rows.named,
    )
    return check(golden, decider, "golden rows")


def difference(decider: Decider, golden: Golden, where: str) -> float:
    """Largest distance between the golden scores and those computed now.

    Raises:
        ArtifactError: it is above `TOLERANCE`, or a decision is another one.
    """
    if not golden.enter.size:
        return 0.0
    found = scores(decider, golden.windows, golden.asset_id)
    distance = float(np.abs(found - golden.score).max())
    if not distance <= TOLERANCE:
        row = int(np.abs(found - golden.score).max(1).argmax())
        raise ArtifactError(
            f"{where}: golden row {row}: got score {found[row].tolist()}, needed "
            f"{golden.score[row].tolist()} to {TOLERANCE:g}"
        )
    enter = enters(decider, found, golden)
    changed = np.flatnonzero(enter != golden.enter)
    if changed.size:
        row = int(changed[0])
        raise ArtifactError(
            f"{where}: golden row {row}: got decision {bool(enter[row])}, needed "
            f"{bool(golden.enter[row])} ({changed.size} of {enter.size} rows differ)"
        )
    return distance


def to_bytes(golden: Golden) -> bytes:
    """As safetensors: exact, without code."""
    return bytes(save({n: np.ascontiguousarray(part) for n, part in golden._asdict().items()}))


def from_bytes(content: bytes, decider: Decider, where: str) -> Golden:
    """The golden rows that `to_bytes` wrote.

    Raises:
        ArtifactError: not safetensors, or no golden rows for this decider's shape.
    """
    try:
        arrays = load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ArtifactError(f"{where}: cannot be read as safetensors: {error}") from None
    if arrays.keys() == _DTYPES.keys() - _LATER:
        n = len(arrays["enter"])
        arrays |= {"instant": np.arange(n, dtype=np.int64), "named": np.zeros((n, 0))}
    if arrays.keys() != _DTYPES.keys():
        raise ArtifactError(f"{where}: got {sorted(arrays)}, needed {sorted(_DTYPES)}")
    return check(Golden(**arrays), decider, where)


def check(golden: Golden, decider: Decider, where: str) -> Golden:
    """The golden rows, if they are some for this decider's shape."""
    shape, n = decider.fitted.shape, len(golden.windows)
    needed: dict[str, tuple[int, ...]] = dict.fromkeys(_DTYPES, (n,))
    needed["windows"] = (n, shape.lookback, shape.n_features)
    needed["score"] = (n, shape.n_outcomes)
    needed["named"] = (n, len(columns_of(decider.strategy)))
    for name, part in golden._asdict().items():
        if part.shape != needed[name] or part.dtype != _DTYPES[name]:
            raise ArtifactError(
                f"{where}: {name}: got {part.dtype} {part.shape}, needed "
                f"{np.dtype(_DTYPES[name])} {needed[name]}"
            )
    if n > MAX_ROWS:
        raise ArtifactError(f"{where}: got {n} rows, needed {MAX_ROWS} at most")
    if not (np.isfinite(golden.windows).all() and np.isfinite(golden.score).all()):
        raise ArtifactError(f"{where}: a window or a score is not finite; leave such rows out")
    if not ((golden.up > 0).all() and (golden.down > 0).all()):
        raise ArtifactError(
            f"{where}: got a barrier width that is not above 0, needed inf for none"
        )
    return golden
