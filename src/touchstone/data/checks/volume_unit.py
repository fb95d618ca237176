"""Volume that changes its unit or its feed: another size overnight, at the same liveliness."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.cohort import Clean, Cohort
from touchstone.data.levels import level_changes
from touchstone.data.robust import ALPHA
from touchstone.market.findings import Finding, Severity


_NEAR = 5  # bars by which vendors mark a split's volume and its price apart


class VolumeUnitConfig(Config):
    """What counts as another unit."""

    kind: Literal["volume_unit"] = "volume_unit"
    side: int = 50
    """Bars either side that must lie apart completely; by chance 1 in 10^29."""
    ratio: float = 8.0
    """Least ratio of the two medians; the share of one exchange in all volume is 2 to 20 %."""
    range_ratio: float = 2.0
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
    """(row, volume after over volume before) where the two sides lie apart completely."""
    n, side = bars.volume.size, config.side
    if n < 2 * side:
        return
    windows = np.lib.stride_tricks.sliding_window_view(bars.volume, side)
    low, high = windows.min(axis=1), windows.max(axis=1)
    before, after = slice(0, n - 2 * side + 1), slice(side, n - side + 1)
    apart = (low[after] > high[before]) | (high[after] < low[before])
    spread = np.log(bars.high / bars.low)
    for start in np.flatnonzero(apart).tolist():
        row = start + side
        old, new = np.median(windows[start]), np.median(windows[row])
        if min(old, new) <= 0:
            continue
        ratio = float(new / old)
        calm = float(np.median(spread[start:row])), float(np.median(spread[row : row + side]))
        alike = min(calm) > 0 and max(calm) / min(calm) < config.range_ratio
        if alike and max(ratio, 1 / ratio) >= config.ratio:
            yield row, ratio
