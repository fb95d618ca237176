"""What can be wrong with bars: a config and a cohort in, findings out. One file each.

A part is `check(config, cohort) -> Iterator[Finding]`. It changes nothing and refuses nothing;
it sees raw columns, since much that is wrong would never become `Bars`, and all instruments at
once, since a crash is told from a bad row by what the others did.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from touchstone.data.doubt.cohort import Cohort
from touchstone.market.findings import Finding
from touchstone.registration import Family

Check: TypeAlias = Callable[[Any, Cohort], Iterator[Finding]]
CHECKS: Family[Check] = Family("check of bars", __name__)
