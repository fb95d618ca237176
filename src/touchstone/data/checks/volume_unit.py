"""Volume that changes its unit or its feed: another size overnight, at the same liveliness."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Clean, Cohort
from touchstone.data.doubt.levels import level_changes
from touchstone.data.doubt.robust import ALPHA
from touchstone.market.findings import Finding, Severity

_NEAR = 5  # bars by which vendors mark a split's volume and its price apart


class VolumeUnitConfig(Config):
    """What counts as another unit."""

    kind: Literal["volume_unit"] = "volume_unit"
    side: PositiveInt = 50
    """Bars either side of which four fifths must lie apart."""
    ratio: PositiveFloat = 20.0
    """Least ratio of the two medians: lots are of 100, one small venue prints 2 to 5 % of all."""
    range_ratio: PositiveFloat = 2.0
    """Ranges either side may differ by this factor; a market that wakes up moves more as well."""


@CHECKS.register(VolumeUnitConfig)
def volume_unit(config: VolumeUnitConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a change."""
    for i, bars in enumerate(cohort.clean):
        if not cohort.has_volume[i]:
            continue
        splits = level_changes(bars, cohort.moves[i], True, ALPHA)
        for row, ratio in _changes(bars, config):
            if any(abs(s.row - row) <= _NEAR for s in splits):
                continue
            said = (
                f"volume changes by a factor of {ratio:.3g} from one bar to the next and stays "
                "there, while prices move as before: another unit or another feed begins; take "
                "one feed throughout"
            )
            yield cohort.finding(
                config.kind,
                Severity.DOUBT,
                (i, np.array([bars.at[row]])),
                (max(ratio, 1 / ratio), config.ratio),
                said,
            )


def _changes(bars: Clean, config: VolumeUnitConfig) -> Iterator[tuple[int, float]]:
    """(row, volume after over volume before) where the two sides lie apart."""
    n, half = bars.volume.size, config.side // 2
    if n < 2 * config.side:
        return
    log_volume = np.log(np.maximum(bars.volume, 1e-12))
    blocks = np.median(log_volume[: n // half * half].reshape(-1, half), axis=1)
    near = np.abs(blocks[2:] - blocks[:-2]) > 0.7 * np.log(config.ratio)
    last = -config.side
    for block in (np.flatnonzero(near) + 1).tolist():
        rows = np.arange(max(block * half, config.side), min((block + 1) * half, n - config.side))
        if not rows.size or block * half - last < config.side:
            continue
        total = np.r_[0.0, np.cumsum(log_volume)]
        after = total[rows + config.side] - total[rows]
        before = total[rows] - total[rows - config.side]
        row = _turn(log_volume, int(rows[np.abs(after - before).argmax()]), config.side)
        ratio = _ratio(bars, row, config)
        if ratio is not None:
            last = row
            yield row, ratio


def _turn(values: Float64, near: int, side: int) -> int:
    """The row near `near` that parts the values around it best into two levels: least squares."""
    first = near - side
    part = values[first : near + side]
    n = np.arange(1, part.size)
    total = np.cumsum(part)
    left, right = total[:-1] / n, (total[-1] - total[:-1]) / (part.size - n)
    gain = n * (part.size - n) * (right - left) ** 2
    row = first + 1 + int(gain.argmax())
    return min(max(row, side), values.size - side)


def _ratio(bars: Clean, row: int, config: VolumeUnitConfig) -> float | None:
    """Volume after over volume before, where four fifths of each side lie apart and all is calm."""
    before, after = slice(row - config.side, row), slice(row, row + config.side)
    old, new = (np.quantile(bars.volume[s], (0.1, 0.5, 0.9)) for s in (before, after))
    if min(old[0], new[0]) <= 0 or not (new[0] > old[2] or new[2] < old[0]):
        return None
    spread = np.log(bars.high / bars.low)
    calm = float(np.median(spread[before])), float(np.median(spread[after]))
    alike = min(calm) > 0 and max(calm) / min(calm) < config.range_ratio
    ratio = float(new[1] / old[1])
    return ratio if alike and max(ratio, 1 / ratio) >= config.ratio else None
