"""An average price that lies outside the prices it averages."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.robust import Share
from touchstone.market.findings import Finding, Severity


class VwapOutsideConfig(Config):
    """How exactly a vendor's average must fit."""

    kind: Literal["vwap_outside"] = "vwap_outside"
    rounding: Share = 1e-4
    """Share of the price by which rounding may carry an average out of its bar."""


@CHECKS.register(VwapOutsideConfig)
def vwap_outside(config: VwapOutsideConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument; bars without volume have no average and are passed over."""
    for i, bars in enumerate(cohort.bars):
        if bars.vwap is None:
            continue
        slack = config.rounding * np.abs(bars.close)
        outside = (bars.vwap < bars.low - slack) | (bars.vwap > bars.high + slack)
        rows = np.flatnonzero(outside & (bars.volume > 0))
        if rows.size:
            r = rows[0]
            said = (
                f"the average price {bars.vwap[r]:g} lies outside low {bars.low[r]:g} .. high "
                f"{bars.high[r]:g} ({rows.size:,} rows in all): prices and averages are of "
                "different adjustment or feed; take both from one"
            )
            yield cohort.finding(config.kind, Severity.DOUBT, (i, rows), (rows.size, 0), said)
