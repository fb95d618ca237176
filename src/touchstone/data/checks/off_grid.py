"""Times that are no starts of bars of this timeframe."""

from collections.abc import Iterator
from typing import Literal

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.market.findings import Finding, Severity


class OffGridConfig(Config):
    """Nothing to choose: bars start on the clock or with their session."""

    kind: Literal["off_grid"] = "off_grid"


@CHECKS.register(OffGridConfig)
def off_grid(config: OffGridConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument whose times keep no grid, in the reader's words."""
    for bars in cohort.bars:
        if bars.off_grid is not None:
            said = f"{bars.symbol}: {bars.off_grid}"
            yield Finding(bars.symbol, config.kind, Severity.REFUSE, None, 0, 1.0, 0.0, said)
