"""Prices that leave and return: what one bad row, or a few, look like from outside."""

from typing import Final

import numpy as np

from touchstone.data.doubt.cohort import Moves
from touchstone.data.doubt.robust import QUIET_SHARE, tail_threshold

LONGEST: Final = 3
"""Bars after which a price must be back."""
_CLIP: Final = 3.0
_FEWEST: Final = 30
_BOUNCE: Final = -0.15  # correlation of a move with the next
_TORN: Final = 0.5
_LEFT: Final = 0.25
"""Share of the leap that may remain."""


def excursions(moves: Moves, alpha: float, surge: float) -> list[tuple[int, int, float, float]]:
    """(first row, end, z, threshold) of every leap that is undone within `LONGEST` bars.

    Both the leap and the return must be beyond what two independent returns would ever be, and
    neither volume nor another instrument may vouch for it. Between bars side by side the leap or
    the return must happen from a close to the next open: whoever trades moves inside bars.
    Where prices bounce between bid and ask, a return does not need a chance of its own.
    """
    n = moves.step.size
    limit = tail_threshold(n, alpha, together=2)
    if _bounces(moves):
        limit = tail_threshold(n, alpha / QUIET_SHARE)
    found: list[tuple[int, int, float, float]] = []
    last = -1
    for t in np.flatnonzero(np.abs(moves.z) > limit).tolist():
        if t <= last:
            continue
        for back in range(t + 1, min(t + LONGEST, n - 1) + 1):
            home = moves.step[t : back + 1].sum()
            returns = np.sign(moves.z[back]) == -np.sign(moves.z[t]) and abs(moves.z[back]) > limit
            if not returns or abs(home) > _LEFT * abs(moves.step[t]):
                continue
            vouched = (
                not _torn(moves, t, back)
                or (moves.surge[t : back + 1] > surge).any()
                or moves.company[t:back].any()
            )
            if not vouched:
                z = float(min(abs(moves.z[t]), abs(moves.z[back])))
                found.append((t, back, z, limit))
            last = back
            break
    return found


def _bounces(moves: Moves) -> bool:
    """Whether a move is usually followed by its opposite, as of thin names (Roll 1984)."""
    z = np.clip(moves.z[1:], -_CLIP, _CLIP)
    if z.size < _FEWEST:
        return False
    power = float((z**2).sum())
    return bool(power > 0 and float((z[1:] * z[:-1]).sum()) / power < _BOUNCE)


def _torn(moves: Moves, leap: int, back: int) -> bool:
    """Whether most of the leap or of the return lies between two bars; true after a pause."""
    return any(
        bool(moves.rested[r]) or abs(moves.opening[r]) > _TORN * abs(moves.step[r])
        for r in (leap, back)
    )
