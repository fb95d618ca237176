"""Where the level of a price changes between two bars by a split's ratio and stays there."""

from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.data.doubt.cohort import Clean, Moves
from touchstone.data.doubt.robust import ALPHA, QUIET, QUIET_SHARE, tail_threshold

_WHOLE: Final = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100, 1000)
_BROKEN: Final = (1.5, 4 / 3, 1.25)
_SIDE: Final = 20  # bars either side whose volumes are compared
_FIT: Final = 3.0  # deviations by which a jump may miss a ratio
_LEAST_FIT: Final = 0.01
_SURGE: Final = 3.0  # deviations of volume that vouch for a move: news, no split
_CALMEST: Final = 0.2  # log volume never varies less
_DROWNED: Final = 0.35  # of the step, in noise of the medians


class Split(NamedTuple):
    """One change of level."""

    row: int
    """First clean row at the new level."""
    ratio: float
    """Price before over price after: 7 for 7:1, 0.05 for 1:20."""
    agrees: bool
    """Whether volume changed by the same ratio."""
    z: float
    """The jump in deviations of the instrument's own moves."""
    threshold: float


def level_changes(bars: Clean, moves: Moves, has_volume: bool, alpha: float) -> list[Split]:
    """Jumps between two bars, by a ratio, far beyond what the instrument does, that last."""
    n = bars.time.size
    limit = tail_threshold(n, alpha / QUIET_SHARE)
    size = np.abs(moves.opening) / moves.scale
    rows = np.flatnonzero((size > limit) & (np.abs(moves.opening) > 0.18))
    found = (_split(int(r), bars, moves, has_volume, limit) for r in rows)
    return [s for s in found if s is not None]


def _split(row: int, bars: Clean, moves: Moves, has_volume: bool, limit: float) -> Split | None:
    ratios = np.array([*_WHOLE, *_BROKEN])
    steps = np.log(np.r_[ratios, 1 / ratios])
    noise = float(moves.scale[row])
    nearest = int(np.abs(-moves.opening[row] - steps).argmin())
    step = float(steps[nearest])
    if abs(-moves.opening[row] - step) > max(_FIT * noise, _LEAST_FIT):
        return None
    a, b = max(row - _SIDE, 0), min(row + _SIDE, bars.time.size)
    if row - a < 5 or b - row < 3:
        return None
    before, after = (np.median(bars.close[s]) for s in (slice(row - 5, row), slice(row, row + 5)))
    level = np.log(before / after)
    if abs(level - step) > max(0.5 * abs(step), _FIT * noise):
        return None
    agrees = (
        has_volume
        and _first(step, row, bars, moves) < _SURGE
        and _agrees(step, bars.volume[a:row], bars.volume[row:b])
    )
    z = abs(float(moves.opening[row])) / noise
    if not agrees and not _plain(step, z, bars.time.size, has_volume, float(moves.surge[row])):
        return None
    return Split(row, float(np.exp(step)), agrees, z, limit)


def _plain(step: float, z: float, n: int, has_volume: bool, surge: float) -> bool:
    """Whether the price alone is proof: a ratio, and a jump that one return in n never makes.

    With a volume, one that does not surge; without, a whole ratio.
    """
    if has_volume:
        quiet = ALPHA / QUIET_SHARE if surge < QUIET else ALPHA
        return bool(surge < _SURGE and z > tail_threshold(n, quiet))
    return bool(abs(step) >= np.log(_WHOLE[0]) - 1e-9)


def _first(step: float, row: int, bars: Clean, moves: Moves) -> float:
    """The first bar's log volume over its new usual, in deviations of bars of its like before.

    A crash has its greatest volume then, a split has its new usual one.
    """
    alike = np.flatnonzero(moves.rested[:row] == moves.rested[row])[-_SIDE:]
    usual = np.log(np.maximum(bars.volume[alike], 1e-12))
    if alike.size < 5:
        return 0.0
    middle = float(np.median(usual))
    spread = max(1.4826 * float(np.median(np.abs(usual - middle))), _CALMEST)
    return (float(np.log(max(bars.volume[row], 1e-12))) - middle - step) / spread


def _agrees(step: float, before: Float64, after: Float64) -> bool:
    """Whether volume rose by what the price fell, within half of it and the noise of medians.

    Where the noise drowns the step, volume cannot tell and the price's jump alone decides.
    """
    old, new = (np.log(v[v > 0]) for v in (before, after))
    if min(old.size, new.size) < 2:
        return False
    spread = [1.4826 * float(np.median(np.abs(x - np.median(x)))) for x in (old, new)]
    noise = 1.25 * float(np.hypot(spread[0] / old.size**0.5, spread[1] / new.size**0.5))
    shift = float(np.median(new) - np.median(old))
    nearer = abs(shift - step) < abs(shift) or noise > _DROWNED * abs(step)
    return bool(abs(shift - step) < 0.5 * abs(step) + 2.0 * noise and nearer)
