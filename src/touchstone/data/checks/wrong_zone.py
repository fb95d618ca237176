"""Stamps of another time zone: sessions at the wrong hours, or moves that come late or early."""

from collections.abc import Iterator
from typing import Literal

from pydantic import PositiveFloat

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.alignment import Shift, against_others, against_sessions
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.faults import span
from touchstone.market.findings import Finding, Severity


class WrongZoneConfig(Config):
    """How sure to be."""

    kind: Literal["wrong_zone"] = "wrong_zone"
    z: PositiveFloat = 6.0
    """Standard errors by which another clock must fit better; 1 in 10^9 for one lag."""


@CHECKS.register(WrongZoneConfig)
def wrong_zone(config: WrongZoneConfig, cohort: Cohort) -> Iterator[Finding]:
    """One finding a stretch of bars whose clock is off, by sessions first, then by the others.

    A folder whose files are all off by the same hours is seen only where its market closes:
    round the clock there is nothing that it could be compared with.
    """
    told = set()
    for shift in against_sessions(cohort):
        told.add(shift.instrument)
        how = f"{shift.z:,.0f} bars lie outside the sessions, and inside with the clock moved"
        yield _found(config, cohort, shift, how)
    for shift in against_others(cohort, config.z):
        if shift.instrument not in told:
            how = f"moves agree with the others' {shift.z:,.0f} standard errors better so"
            yield _found(config, cohort, shift, how)


def _found(config: WrongZoneConfig, cohort: Cohort, shift: Shift, how: str) -> Finding:
    rows = cohort.clean[shift.instrument].at[shift.first : shift.end]
    way = "late" if shift.late_ns > 0 else "early"
    said = (
        f"stamps are {span(abs(shift.late_ns))} {way}: {how}; state the zone they are written in "
        "(timezone:), or whether they are ends (stamp: end)"
    )
    where = (shift.instrument, rows)
    return cohort.finding(config.kind, Severity.REFUSE, where, (shift.z, config.z), said)
