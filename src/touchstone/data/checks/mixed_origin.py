"""Feeds, sources or adjustments that differ between files, or change inside one."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.market.findings import Finding, Severity


class MixedOriginConfig(Config):
    """Nothing to choose: prices of two adjustments do not compare, volumes of two feeds neither."""

    kind: Literal["mixed_origin"] = "mixed_origin"


@CHECKS.register(MixedOriginConfig)
def mixed_origin(config: MixedOriginConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a file whose rows change origin, one a file whose origin is not the others'."""
    for i, bars in enumerate(cohort.bars):
        for name, marks in bars.marks.items():
            changes = [r for r in range(1, len(marks)) if marks[r] != marks[r - 1]]
            if changes:
                r = changes[0]
                said = (
                    f"{name} changes from {marks[r - 1]} to {marks[r]} inside the file "
                    f"({len(changes):,} times): keep one {name}, or split the file"
                )
                yield cohort.finding(
                    config.kind, Severity.REFUSE, (i, np.array(changes)), (len(changes), 0), said
                )
    yield from _between(config, cohort)


def _between(config: MixedOriginConfig, cohort: Cohort) -> Iterator[Finding]:
    for name in ("source", "feed", "adjustment"):
        own = [_own(b.origin.get(name), b.marks.get(name)) for b in cohort.bars]
        counts = Counter(x for x in own if x is not None)
        if len(counts) < 2:
            continue
        usual, n = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[0]
        severity = Severity.REFUSE if name == "adjustment" else Severity.WARN
        for bars, what in zip(cohort.bars, own, strict=True):
            if what is not None and what != usual:
                said = (
                    f"{bars.symbol}: its {name} is {what}, that of {n:,} other files {usual}: "
                    f"take all from one {name}"
                )
                yield Finding(
                    bars.symbol, config.kind, severity, None, bars.time.size, 1.0, 0.0, said
                )


def _own(recorded: str | None, marks: tuple[str, ...] | None) -> str | None:
    """What the manifest says of a file, else what its rows say most."""
    if recorded is not None or not marks:
        return recorded
    return Counter(marks).most_common(1)[0][0]
