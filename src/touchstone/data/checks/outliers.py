"""Moves beyond the instrument's and the cross-section's own, that nothing vouches for."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.cohort import Cohort, Moves
from touchstone.data.excursions import excursions
from touchstone.data.levels import level_changes
from touchstone.data.robust import ALPHA, QUIET, QUIET_SHARE, local_scale, tail_threshold
from touchstone.market.findings import Finding, Severity


class OutliersConfig(Config):
    """How sure to be. A Hampel filter on log returns less the cross-section's median."""

    kind: Literal["outliers"] = "outliers"
    alpha: float = ALPHA
    """False alarms allowed on one clean instrument."""
    surge: float = 3.0
    """Log volume this many robust deviations above its usual vouches for a move."""
    quiet: float = QUIET
    """Below this many, volume is usual, and speaks against a move."""
    quiet_share: float = QUIET_SHARE
    """Share of true moves that large which leave the volume usual."""


@CHECKS.register(OutliersConfig)
def outliers(config: OutliersConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a row. A crash of all is none, nor is news with its volume, nor a split.

    Between bars side by side nobody trades, so there a jump from close to open counts from the
    threshold that two returns at once would need.
    """
    for i, (bars, moves) in enumerate(zip(cohort.clean, cohort.moves, strict=True)):
        n = bars.time.size
        limits = tail_threshold(n, config.alpha), tail_threshold(n, config.alpha, together=2)
        limit_of = np.full(n, limits[0])
        after = np.r_[moves.surge[1:], -np.inf]
        if cohort.has_volume[i]:
            still = np.maximum(moves.surge, after) < config.quiet
            limit_of[still] = tail_threshold(n, config.alpha / config.quiet_share)
        jump = np.where(moves.rested, 0.0, _jump(moves))
        far = (np.abs(moves.z) > limit_of) | ((jump > limits[1]) & (np.abs(moves.z) > limits[1]))
        vouched = (np.maximum(moves.surge, after) > config.surge) | moves.company
        known = {s.row for s in level_changes(bars, moves, cohort.has_volume[i], config.alpha)}
        for first, end, _, _ in excursions(moves, config.alpha, np.inf):
            known |= set(range(first, end + 1))
        for row in np.flatnonzero(far & ~vouched).tolist():
            if row in known:
                continue
            limit = limits[1] if jump[row] > limits[1] else float(limit_of[row])
            said = (
                f"the close moves by {100 * np.expm1(moves.step[row]):+.3g} %, "
                f"{abs(moves.z[row]):,.0f} deviations beyond the cross-section, and neither volume "
                "nor another instrument vouches for it: compare with another vendor, repair or "
                "remove the rows"
            )
            measured = (abs(float(moves.z[row])), limit)
            rows = np.array([bars.at[row]])
            yield cohort.finding(config.kind, Severity.DOUBT, (i, rows), measured, said)


def _jump(moves: Moves) -> Float64:
    """From close to open, in deviations of the moves or of such jumps, whichever are larger."""
    beside = np.flatnonzero(~moves.rested)
    scale = moves.scale.copy()
    scale[beside] = np.maximum(scale[beside], local_scale(moves.opening[beside]))
    return np.asarray(np.abs(moves.opening) / scale, np.float64)
