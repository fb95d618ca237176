"""Moves beyond the instrument's and the cross-section's own, that nothing vouches for."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import FiniteFloat, NonNegativeFloat

from touchstone.arrays import Bool, Float64
from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort, Moves
from touchstone.data.doubt.excursions import excursions
from touchstone.data.doubt.levels import level_changes
from touchstone.data.doubt.robust import (
    ALPHA,
    QUIET,
    QUIET_SHARE,
    Chance,
    local_scale,
    tail_threshold,
)
from touchstone.market.findings import Finding, Severity


class OutliersConfig(Config):
    """How sure to be. A Hampel filter on log returns less the cross-section's median."""

    kind: Literal["outliers"] = "outliers"
    alpha: Chance = ALPHA
    """False alarms allowed on one clean instrument."""
    surge: FiniteFloat = 3.0
    """Log volume this many robust deviations above its usual vouches for a move."""
    quiet: FiniteFloat = QUIET
    """Below this many, volume is usual, and speaks against a move."""
    quiet_share: Chance = QUIET_SHARE
    """Share of true moves that large which leave the volume usual."""
    least: NonNegativeFloat = 0.01
    """A log return below this does no harm, whoever printed it."""


@CHECKS.register(OutliersConfig)
def outliers(config: OutliersConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a row. A crash of all is none, nor is news with its volume, nor a split.

    Between bars side by side nobody trades, so there a jump from close to open counts from the
    threshold that two returns at once would need.
    """
    for i, (bars, moves) in enumerate(zip(cohort.clean, cohort.moves, strict=True)):
        far, limit = _far(moves, cohort.has_volume[i], config)
        known = {s.row for s in level_changes(bars, moves, cohort.has_volume[i], config.alpha)}
        for first, end, _, _ in excursions(moves, config.alpha, np.inf):
            known |= set(range(first, end + 1))
        for row in np.flatnonzero(far).tolist():
            if row in known:
                continue
            said = (
                f"the close moves by {100 * np.expm1(moves.step[row]):+.3g} %, "
                f"{abs(moves.z[row]):,.0f} deviations beyond the cross-section, and neither volume "
                "nor another instrument vouches for it: compare with another vendor, repair or "
                "remove the rows"
            )
            measured = (abs(float(moves.z[row])), float(limit[row]))
            rows = np.array([bars.at[row]])
            yield cohort.finding(config.kind, Severity.DOUBT, (i, rows), measured, said)


def _far(moves: Moves, has_volume: bool, config: OutliersConfig) -> tuple[Bool, Float64]:
    """(rows that nothing vouches for, limits), (n_clean,) each."""
    size, n = np.abs(moves.z), moves.z.size
    # what happens late in a bar is traded in the next one, but not what happened before it
    later = np.maximum(moves.surge, np.r_[moves.surge[1:], -np.inf])
    limit = np.full(n, tail_threshold(n, config.alpha))
    if has_volume:
        limit[later < config.quiet] = tail_threshold(n, config.alpha / config.quiet_share)
    between = tail_threshold(n, config.alpha, together=2)
    torn = ~moves.rested & (_jump(moves) > between) & (size > between)
    surge = np.where(torn, moves.surge, later)
    far = (size > np.where(torn, between, limit)) & (np.abs(moves.step) > config.least)
    found = far & (surge <= config.surge) & ~moves.company
    return np.asarray(found, np.bool_), np.where(torn, between, limit)


def _jump(moves: Moves) -> Float64:
    """From close to open, in deviations of the moves or of such jumps, whichever are larger."""
    beside = np.flatnonzero(~moves.rested)
    scale = moves.scale.copy()
    scale[beside] = np.maximum(scale[beside], local_scale(moves.opening[beside]))
    return np.asarray(np.abs(moves.opening) / scale, np.float64)
