"""What vendors of bars share: a chunk of time goes in, a page of bars and a token come out.

Studies never touch the network. A study with `bars: {source: alpaca, path: STORE}` reads what
`touchstone data fetch` put into the store; only that command connects.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from pydantic import PositiveInt, field_validator

from touchstone.arrays import Float64, Int64
from touchstone.config import Config
from touchstone.data.articles import Article
from touchstone.data.http import Access
from touchstone.data.loading import Loaded, Request
from touchstone.data.stored import Marks, load_stored
from touchstone.errors import SourceError
from touchstone.market import Timeframe
from touchstone.market.bars import FIELDS

MINUTE_NS: Final = 60_000_000_000
DAY_NS: Final = 86_400_000_000_000


class Chunk(NamedTuple):
    """A span of one instrument's history that is fetched on its own."""

    symbol: str
    start: int
    """First bar start that belongs to it, ns UTC."""
    end: int
    """First bar start after it, ns UTC."""


class Page(NamedTuple):
    """One answer of a vendor, as it claims to be: nothing is checked yet."""

    symbol: str
    """Whose bars the vendor says these are."""
    time: Int64
    """Bar starts, ns UTC, in the vendor's order, (n,)."""
    columns: Float64
    """Open, high, low, close, volume, (n, 5)."""
    token: str | None
    """Asks for the next page; None: the chunk is complete."""


class NewsPage(NamedTuple):
    """One answer of a vendor of news."""

    articles: tuple[Article, ...]
    token: str | None


Fetch: TypeAlias = Callable[[Chunk, str | None], Page]
"""(chunk, page token) -> page. Raises SourceError; see `http` for those worth another try."""
FetchNews: TypeAlias = Callable[[Chunk, str | None], NewsPage]


class VendorConfig(Config):
    """What the sources that are fetched have in common."""

    path: str
    """Folder of the store, relative to the study's file."""
    timeframe: str = "1h"
    """Length of a bar: 1m, 5m, 1h, 1d."""
    calendar: Literal["24/7", "XNYS", "FX"] = "24/7"
    """Hours of the market; a study leaves out bars outside them, and counts them."""
    minimum_bars: PositiveInt = 2
    """A symbol with fewer bars is left out. Beware: a high minimum leaves out what died young."""

    @field_validator("timeframe")
    @classmethod
    def _known_timeframe(cls, name: str) -> str:
        return Timeframe(name).name

    def marks(self, symbol: str) -> Marks:
        """Who prints this instrument's bars, on which feed, adjusted how."""
        raise NotImplementedError

    @property
    def span_ns(self) -> int:
        """Length of a chunk."""
        raise NotImplementedError

    @property
    def history_ns(self) -> int:
        """How far back bars are fetched where nobody says."""
        return 730 * DAY_NS

    @property
    def delay_ns(self) -> int:
        """How long after its end a bar is asked for first."""
        return MINUTE_NS


class Vendor(NamedTuple):
    """A source that can be fetched: as a source it reads its store, connected it gives pages."""

    connect: Callable[[Any, Access], AbstractContextManager[Fetch]]
    """(config, access) -> pages, for one thread, until it is left."""
    secrets: tuple[str, ...] = ()
    """Environment variables that hold its keys."""
    news: Callable[[Access], AbstractContextManager[FetchNews]] | None = None

    def __call__(self, config: VendorConfig, request: Request) -> Loaded:
        """Bars of its store."""
        return load_stored(config, config.marks, request)


def vendor(
    secrets: tuple[str, ...] = (),
    news: Callable[[Access], AbstractContextManager[FetchNews]] | None = None,
) -> Callable[[Callable[[Any, Access], AbstractContextManager[Fetch]]], Vendor]:
    """Decorate the context manager that connects: `with pages(config, access) as fetch`."""
    return lambda connect: Vendor(connect, secrets, news)


def rows_of(rows: Sequence[Any], keys: Sequence[Any], where: str) -> tuple[Int64, Float64]:
    """(times, (n, 5) values) of a vendor's list of bars; keys are those of time and `FIELDS`.

    Times are as the vendor counts them.

    Raises:
        SourceError: a bar that lacks a number, or has something else in its place.
    """
    out = np.empty((len(rows), len(keys) - 1))
    time = np.empty(len(rows), np.int64)
    for i, row in enumerate(rows):
        for j, (key, name) in enumerate(zip(keys, ("time", *FIELDS), strict=True)):
            try:
                value = row[key]
            except (KeyError, IndexError, TypeError):
                raise SourceError(f"{where}: bar {i} has no {name}: {row!r:.120}") from None
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise SourceError(f"{where}: {name} of bar {i} is {value!r:.80}, no number")
            if j == 0:
                if not isinstance(value, int) or abs(value) > 2**62:
                    raise SourceError(f"{where}: time of bar {i} is {value!r:.80}")
                time[i] = value
            else:
                out[i, j - 1] = _finite(value, name, i, where)
    return time, out


def _finite(value: float, name: str, i: int, where: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise SourceError(f"{where}: {name} of bar {i} is beyond any price") from None
