"""Prices that are missing, zero or negative; volumes that are missing or negative, or not there."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import SMALLEST, Cohort
from touchstone.market.bars import FIELDS
from touchstone.market.findings import Finding, Severity


class ImpossibleValuesConfig(Config):
    """Nothing to choose: one such row is one too many."""

    kind: Literal["impossible_values"] = "impossible_values"


@CHECKS.register(ImpossibleValuesConfig)
def impossible_values(config: ImpossibleValuesConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding an instrument: how many rows, the first one's value; one of a lacking column."""
    for i, bars in enumerate(cohort.bars):
        if bars.lacks_volume:
            n = int(bars.time.size)
            said = (
                f"{bars.symbol}: the file has no volume: a study leaves it out; add the column, or "
                "set without_volume: true, then it is 0 and a volume cap lets nothing fill"
            )
            yield Finding(bars.symbol, config.kind, Severity.WARN, None, n, n, 0, said)
        columns = (*bars.prices, bars.volume)
        broken = [~np.isfinite(x) | (x < 0 if f == "volume" else _no_price(x))
                  for f, x in zip(FIELDS, columns, strict=True)]  # fmt: skip
        rows = np.flatnonzero(np.any(broken, axis=0))
        if rows.size:
            field = next(k for k, b in enumerate(broken) if b[rows[0]])
            value = columns[field][rows[0]]
            said = (
                f"{FIELDS[field]} is {'missing' if np.isnan(value) else f'{value:g}'}"
                f"{_more(rows.size)}: remove or repair the rows, or set bad_rows: drop"
            )
            yield cohort.finding(config.kind, Severity.REFUSE, (i, rows), (rows.size, 0), said)


def _no_price(values: Float64) -> Bool:
    return np.asarray((values < SMALLEST) | (values > 1 / SMALLEST), np.bool_)


def _more(n: int) -> str:
    return f" in the first of {n:,} impossible rows" if n > 1 else ""
