"""Columns under each other's names: high and low, open and close, a price and the volume."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Clean, Cohort
from touchstone.data.doubt.diagnosis import Cause, diagnose
from touchstone.data.doubt.robust import runs
from touchstone.market.findings import Finding, Severity


class SwappedColumnsConfig(Config):
    """When opens and closes count as swapped."""

    kind: Literal["swapped_columns"] = "swapped_columns"
    block: PositiveInt = 32
    """Bars judged together."""
    z: PositiveFloat = 6.0
    """Standard errors by which closes must follow the opens before them, instead of opens the
    closes before them; a sign test over neighbouring blocks, one false alarm in 10^9."""


@CHECKS.register(SwappedColumnsConfig)
def swapped_columns(config: SwappedColumnsConfig, cohort: Cohort) -> Iterator[Finding]:
    """Swaps that break rows are seen row by row; open and close by which follows which."""
    for i, bars in enumerate(cohort.bars):
        found = diagnose(bars)
        rows = np.flatnonzero(found.cause == Cause.SWAP)
        if rows.size:
            said = (
                f"{' and '.join(found.swapped)} stand under each other's names in {rows.size:,} "
                "rows: exchange the two, or name them right under columns:"
            )
            yield cohort.finding(config.kind, Severity.REFUSE, (i, rows), (rows.size, 0), said)
            continue
        clean = cohort.clean[i]
        for first, end, z in _turned(clean, config):
            said = (
                f"open and close stand under each other's names: over {end - first:,} bars a close "
                "is nearer to the open before it than an open to the close before it; exchange "
                "the two"
            )
            rows = clean.at[first:end]
            yield cohort.finding(config.kind, Severity.REFUSE, (i, rows), (z, config.z), said)


def _turned(bars: Clean, config: SwappedColumnsConfig) -> list[tuple[int, int, float]]:
    """(first, end, z) of stretches whose closes follow opens."""
    if bars.time.size <= config.block:
        return []
    forward = np.abs(np.log(bars.open[1:] / bars.close[:-1]))
    backward = np.abs(np.log(bars.close[1:] / bars.open[:-1]))
    vote = np.sign(forward - backward)  # +1: the close follows the open before it
    edges = np.arange(0, vote.size + 1, config.block)
    edges[-1] = vote.size
    votes = np.add.reduceat(vote, edges[:-1])
    n = np.add.reduceat(np.abs(vote), edges[:-1])
    out = []
    for a, b in zip(*runs(votes > 0), strict=True):
        z = float(votes[a:b].sum() / np.sqrt(max(n[a:b].sum(), 1.0)))
        if z > config.z:
            out.append((int(edges[a]), int(edges[b]) + 1, z))
    return out
