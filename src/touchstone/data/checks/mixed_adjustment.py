"""Closes adjusted for dividends or splits beside highs and lows that are not."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.doubt.diagnosis import Cause, diagnose
from touchstone.market.findings import Finding, Severity


class MixedAdjustmentConfig(Config):
    """Nothing to choose: prices of one row are of one kind."""

    kind: Literal["mixed_adjustment"] = "mixed_adjustment"


@CHECKS.register(MixedAdjustmentConfig)
def mixed_adjustment(config: MixedAdjustmentConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument; the value is the usual ratio of close to the middle of its bar."""
    for i, bars in enumerate(cohort.bars):
        rows = np.flatnonzero(diagnose(bars).cause == Cause.ADJUSTMENT)
        if rows.size:
            middle = 0.5 * (bars.high[rows] + bars.low[rows])
            ratio = float(np.median(bars.close[rows] / middle))
            said = (
                f"{rows.size:,} closes lie outside their bar's low and high, by a factor of about "
                f"{ratio:.4g}: adjusted and unadjusted prices are mixed in one row; take all four "
                "prices raw or all four adjusted"
            )
            yield cohort.finding(config.kind, Severity.REFUSE, (i, rows), (ratio, 1), said)
