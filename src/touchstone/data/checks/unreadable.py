"""Files that cannot be read as bars at all."""

from collections.abc import Iterator
from typing import Literal

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.market.findings import Finding, Severity


class UnreadableConfig(Config):
    """Nothing to choose: what cannot be read cannot be used."""

    kind: Literal["unreadable"] = "unreadable"


@CHECKS.register(UnreadableConfig)
def unreadable(config: UnreadableConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a file that could not be read, with the reader's reason and way out."""
    for reject in cohort.unreadable:
        said = f"{reject.symbol}: {reject.reason}"
        yield Finding(reject.symbol, config.kind, Severity.REFUSE, None, 0, 1.0, 0.0, said)
