"""A universe file: instruments in groups, who belonged when, and what they were called before."""

import datetime
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from pydantic import model_validator

from touchstone.arrays import Bool, Int64
from touchstone.config import Config
from touchstone.errors import ConfigError, SourceError
from touchstone.files import SYMBOL, read_yaml
from touchstone.market import Panel
from touchstone.market.bars import FIELDS
from touchstone.market.happened import Happened
from touchstone.market.instrument import Date, Instrument

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NEVER: Final = 1_000_000
"""A trading day, days since 1970, after all others."""


class Membership(Config):
    """One stay in the universe, from its first trading day to the first one without it."""

    since: Date
    """First trading day as a member."""
    until: Date | None = None
    """First trading day that is no member any more; None: a member to this day."""
    since_known: Date | None = None
    """Day at whose end the entry was told; None: told before `since`."""
    until_known: Date | None = None
    """Day at whose end the leaving was told; None: told before `until`."""

    @model_validator(mode="after")
    def _check(self) -> "Membership":
        for name in ("since", "until", "since_known", "until_known"):
            _day(getattr(self, name), name)
        if self.until is not None and self.until <= self.since:
            raise ConfigError(f"until {self.until} is not after since {self.since}")
        if self.until_known is not None and self.until is None:
            raise ConfigError("until_known needs until: write the day of the leaving too")
        return self

    @property
    def span(self) -> tuple[int, int]:
        """First trading day known to be a member, and the first known not to be one any more."""
        begin, end = _day(self.since, "since"), _day(self.until, "until")
        told = _day(self.since_known, "since_known"), _day(self.until_known, "until_known")
        first = begin if told[0] is None else max(begin or 0, told[0] + 1)
        last = _NEVER if end is None else end if told[1] is None else max(end, told[1] + 1)
        return first or 0, last


class FormerName(Config):
    """A name that an instrument had."""

    symbol: str
    until: Date
    """First trading day under the next name; bars of this name before it are its own."""


class Listing(Instrument):
    """One instrument of a universe."""

    groups: tuple[str, ...] = ()
    """What it is reported with, as a sector; the first one counts in reports."""
    member: tuple[Membership, ...] | None = None
    """Its stays, in order; None: a member throughout, which is what a list of today says."""
    formerly: tuple[FormerName, ...] = ()
    """What it was called before, the oldest first. Its asset id stays."""

    @model_validator(mode="after")
    def _check_order(self) -> "Listing":
        for stay, after in pairwise(self.member or ()):
            if stay.until is None or after.since < stay.until:
                raise ConfigError(f"{self.symbol}: stays overlap: give them in order of time")
        strange = [f.symbol for f in self.formerly if not SYMBOL.fullmatch(f.symbol)]
        if strange:
            raise ConfigError(f"{self.symbol}: formerly {strange[0]!r}: needs {SYMBOL.pattern}")
        names = [former.until for former in self.formerly]
        if names != sorted(set(names)):
            raise ConfigError(f"{self.symbol}: formerly: give the oldest name first")
        return self


class Universe(Config):
    """Instruments that a study may trade, and when.

    Raises:
        ConfigError: no instrument, or a symbol that stands twice.
    """

    instruments: tuple[Listing, ...]

    @model_validator(mode="after")
    def _check(self) -> "Universe":
        symbols = [listing.symbol for listing in self.instruments]
        if not symbols:
            raise ConfigError("a universe needs at least one instrument")
        twice = sorted({s for s in symbols if symbols.count(s) > 1}) if _repeats(symbols) else []
        if twice:
            raise ConfigError(f"{twice[0]}: stands twice; one instrument may have several stays")
        former = [(f.symbol, f.until) for listing in self.instruments for f in listing.formerly]
        shared = sorted({pair for pair in former if former.count(pair) > 1})
        if shared:
            name, until = shared[0]
            raise ConfigError(
                f"{name}: two instruments say that it was theirs until {until}: its bars are of one"
            )
        return self

    @property
    def symbols(self) -> tuple[str, ...]:
        """What its instruments are called today, sorted."""
        return tuple(sorted(listing.symbol for listing in self.instruments))

    @property
    def files(self) -> tuple[str, ...]:
        """Every name under which bars may lie, former ones too, sorted."""
        former = {f.symbol for listing in self.instruments for f in listing.formerly}
        return tuple(sorted(former.union(self.symbols)))

    @property
    def renamed(self) -> dict[str, str]:
        """Former name -> today's."""
        return {f.symbol: x.symbol for x in self.instruments for f in x.formerly}

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Group -> its symbols, both sorted."""
        found: dict[str, list[str]] = {}
        for listing in self.instruments:
            for group in listing.groups:
                found.setdefault(group, []).append(listing.symbol)
        return {group: tuple(sorted(found[group])) for group in sorted(found)}

    @property
    def left(self) -> tuple[str, ...]:
        """Symbols that are no members any more, sorted: without any it is a list of today."""
        return tuple(sorted(x.symbol for x in self.instruments if x.member and x.member[-1].until))

    def members_on(self, date: str) -> tuple[str, ...]:
        """Symbols that belong on a trading day, as was known by its beginning, sorted.

        Raises:
            ConfigError: no such date.
        """
        if not _DATE.fullmatch(date):  # numpy reads "2023", "today" and "" as days too
            raise ConfigError(f"date {date!r}: needs a day as in 2023-03-14")
        day = np.array([_day(date, "date")], np.int64)
        return tuple(sorted(x.symbol for x in self.instruments if _inside(x, day)[0]))


class Applied(NamedTuple):
    """A panel as a universe sees it."""

    panel: Panel
    """Its instruments alone, by symbol, renamed ones joined, with `member` and `groups`."""
    findings: tuple[str, ...]
    survivorship: str | None


def read_universe(path: Path) -> Universe:
    """The universe of a YAML file.

    Raises:
        ConfigError: no such file, or what is wrong in it, by key.
    """
    try:
        return Universe.parse(_plain(read_yaml(path)))
    except ConfigError as error:
        if str(error).startswith(str(path)):
            raise
        lines = "\n".join(f"  {line}" for line in str(error).splitlines())
        raise ConfigError(f"{path}:\n{lines}", error.problems) from None


def apply(universe: Universe, panel: Panel, asked: Collection[str] | None = None) -> Applied:
    """Bars as loaded -> bars of the universe, each row marked as inside or outside.

    Rows outside stay: they warm features up and tell what became of a position. Membership is of
    trading days, and only what was told by the close of the day before counts.

    Args:
        universe: who belongs, and when.
        panel: bars under today's names and former ones.
        asked: symbols that the bars were loaded for; None: all.

    Raises:
        SourceError: no instrument of the universe has bars.
    """
    listings = {x.symbol: x for x in universe.instruments}
    day, bars = panel.calendar.day(panel.time), _held(panel)
    # a name may have passed on: until it was given up, its bars are those of who gave it up
    given_up: dict[str, list[int]] = {}
    for former in (f for x in listings.values() for f in x.formerly):
        given_up.setdefault(former.symbol, []).append(_day(former.until, "until") or 0)
    rows = {s: _rows(listings[s], bars, day, given_up) for s in universe.symbols}
    held = [s for s in universe.symbols if rows[s].size]
    if not held:
        raise SourceError(
            f"none of the universe's {len(listings)} instruments has bars: the bars are of "
            f"{', '.join(panel.symbols[:5])} ...; do symbols of both agree?"
        )
    order = np.concatenate([rows[s] for s in held])
    member = np.concatenate([_inside(listings[s], day[rows[s]]) for s in held])
    columns: dict[str, Any] = {n: getattr(panel, n)[order] for n in ("time", *FIELDS)}
    of_universe = replace(
        panel,
        symbols=tuple(held),
        offsets=np.r_[0, np.cumsum([rows[s].size for s in held])].astype(np.int64),
        side={name: column[order] for name, column in panel.side.items()},
        member=member,
        groups={s: listings[s].groups[0] for s in held if listings[s].groups},
        happened=None if panel.happened is None else Happened(*(c[order] for c in panel.happened)),
        **columns,
    )
    absent = [s for s in universe.left if not rows[s].size and (asked is None or s in asked)]
    unasked = [s for s in universe.left if asked is not None and s not in asked]
    findings = (*_findings(of_universe, absent), *_other_hours(listings, of_universe))
    return Applied(of_universe, findings, _survivorship(universe, absent, unasked))


def _rows(
    listing: Listing, bars: dict[str, Int64], day: Int64, given_up: dict[str, list[int]]
) -> Int64:
    """Rows of the panel that are this instrument's, in time, under all its names.

    Its own name's bars count from the last renaming on, or from wherever a vendor has carried
    them back to; those of a former name fill what lies before.
    """
    own = bars.get(listing.symbol, np.zeros(0, np.int64))
    own = own[day[own] >= max(given_up.get(listing.symbol, ()), default=-_NEVER)]
    begins = int(day[own[0]]) if own.size else _NEVER
    pieces: list[Int64] = []
    since = -_NEVER
    for former in listing.formerly:
        renamed = _day(former.until, "until") or 0
        rows = bars.get(former.symbol, np.zeros(0, np.int64))
        others = [d for d in given_up[former.symbol] if d < renamed]
        since = max([since, *others])
        until = min(renamed, begins)
        pieces.append(rows[(day[rows] >= since) & (day[rows] < until)])
        since = renamed
    return np.concatenate([*pieces, own]).astype(np.int64)


def _held(panel: Panel) -> dict[str, Int64]:
    """Symbol -> its rows."""
    return {
        symbol: np.arange(panel.offsets[i], panel.offsets[i + 1], dtype=np.int64)
        for i, symbol in enumerate(panel.symbols)
    }


def _inside(listing: Listing, day: Int64) -> Bool:
    if listing.member is None:
        return np.ones(day.size, bool)
    inside = np.zeros(day.size, bool)
    for first, last in (stay.span for stay in listing.member):
        inside |= (day >= first) & (day < last)
    return inside


def _findings(panel: Panel, absent: list[str]) -> tuple[str, ...]:
    assert panel.member is not None
    outside = int((~panel.member).sum())
    found = []
    if outside:
        found.append(
            f"{outside:,} of {len(panel):,} bars lie outside their instrument's membership in the "
            "universe: they warm features up and are neither learned from nor entered on."
        )
    if absent:
        found.append(
            f"{len(absent)} that left the universe have no bars ({', '.join(absent[:5])}"
            f"{' ...' if len(absent) > 5 else ''}): what they did after is missing."
        )
    return tuple(found)


def _other_hours(listings: dict[str, Listing], panel: Panel) -> tuple[str, ...]:
    """Instruments that say they trade at other hours than the bars are read with."""
    said = [
        f"{s}: {listings[s].hours.name}"
        for s in panel.symbols
        if listings[s].given & {"kind", "calendar"} and listings[s].hours != panel.calendar
    ]
    if not said:
        return ()
    return (
        f"{len(said)} of the universe keep other hours than calendar: {panel.calendar.name} "
        f"({', '.join(said[:3])}{' ...' if len(said) > 3 else ''}): gaps and annual figures are of "
        "the wrong hours; give each market a study of its own.",
    )


def _survivorship(universe: Universe, absent: list[str], unasked: list[str]) -> str | None:
    n = len(universe.instruments)
    if not universe.left:
        return (
            f"Survivorship: the universe is a list of today. None of its {n} instruments ever "
            "left it; whoever wrote it knew which would live, and what was delisted or dropped is "
            "missing, so returns are likely to be flattered. Compare with equal weight of the same "
            "universe, and add those that left, with the day they did."
        )
    if absent:
        return (
            f"Survivorship: {len(absent)} of the {len(universe.left)} instruments that left the "
            "universe have no bars, so returns are likely to be flattered. Add their bars."
        )
    if unasked:
        return (
            f"Survivorship: {len(unasked)} of the {len(universe.left)} instruments that left the "
            "universe are not among the symbols asked for; if they were left out because they "
            "left, returns are flattered."
        )
    return None


def _repeats(symbols: list[str]) -> bool:
    return len(set(symbols)) < len(symbols)


def _day(date: str | None, name: str) -> int | None:
    if date is None:
        return None
    try:
        return int(np.datetime64(date, "D").astype(np.int64))
    except ValueError:
        raise ConfigError(f"{name} {date!r}: there is no such date") from None


def _plain(value: Any) -> Any:
    """YAML's lists as tuples and its dates as text."""
    if isinstance(value, list):
        return tuple(_plain(v) for v in value)
    if isinstance(value, dict):
        return dict(_pairs(value))
    return str(value) if isinstance(value, datetime.date) else value


def _pairs(value: dict[Any, Any]) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items():
        yield key, _plain(item)
