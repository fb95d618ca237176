"""Yahoo's chart endpoint: stocks, ETFs, funds, indices, currencies, futures, coins."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field

from touchstone.arrays import Float64, Int64
from touchstone.data.http import Access, JsonClient, shown
from touchstone.data.sources import SOURCES
from touchstone.data.stamps import local
from touchstone.data.stored import Marks
from touchstone.data.vendors import DAY_NS, Chunk, Fetch, Page, VendorConfig, rows_of, vendor
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Timeframe
from touchstone.market.bars import FIELDS

_URL: Final = "https://query2.finance.yahoo.com"
_SPANS: Final = {"1m": 7, "2m": 50, "5m": 50, "15m": 50, "30m": 50, "1h": 700, "1d": 3650}
"""Days that one request may ask for."""
_HISTORIES: Final = {"1m": 29, "2m": 59, "5m": 59, "15m": 59, "30m": 59, "1h": 729}
"""Days that Yahoo remembers; of days it remembers all."""


class YahooConfig(VendorConfig):
    """Bars of Yahoo Finance, as `touchstone data fetch --source yahoo` stored them."""

    source: Literal["yahoo"] = "yahoo"
    path: str = "data/yahoo"
    """Folder of the store, relative to the study's file."""
    calendar: Literal["24/7", "XNYS", "FX"] = "XNYS"
    """Hours of the market: XNYS for US stocks, FX for currencies, 24/7 for coins."""
    adjustment: Literal["split", "all"] = "split"
    """What past prices are adjusted for: Yahoo has no raw ones, and dividends only by the day."""
    names: Mapping[str, str] = Field(default_factory=dict)
    """Symbol -> Yahoo's own name, where it is not the usual one, as in {GSPC: ^GSPC, ES: ES=F}."""

    def marks(self, symbol: str) -> Marks:  # noqa: ARG002
        """One feed: regular hours."""
        return Marks("yahoo", "regular", self.adjustment)

    @property
    def span_ns(self) -> int:
        """What one request may ask for."""
        return _SPANS.get(self.timeframe, 7) * DAY_NS

    @property
    def history_ns(self) -> int:
        """Yahoo forgets bars of less than a day."""
        return _HISTORIES.get(self.timeframe, 730) * DAY_NS


@SOURCES.register(YahooConfig)
@vendor()
@contextmanager
def pages(config: YahooConfig, access: Access) -> Iterator[Fetch]:
    """One page a chunk.

    Raises:
        ConfigError: Yahoo has no such timeframe, or does not adjust it so.
    """
    if config.timeframe not in _SPANS:
        raise ConfigError(f"Yahoo has no bars of {config.timeframe}: {', '.join(_SPANS)}")
    daily = Timeframe(config.timeframe).is_daily
    if config.adjustment == "all" and not daily:
        raise ConfigError("adjustment: all needs --timeframe 1d: Yahoo adjusts no others so")
    client = JsonClient(access.url or _URL, access.timeout_seconds)

    def fetch(chunk: Chunk, token: str | None) -> Page:  # noqa: ARG001
        name = config.names.get(chunk.symbol) or _name(chunk.symbol, config.calendar)
        # days begin at midnight somewhere else: asked for with a day to spare, cut below
        spare = DAY_NS if daily else 0
        asked = {
            "period1": str((chunk.start - spare) // 10**9),
            "period2": str((chunk.end + spare) // 10**9),
            "interval": config.timeframe,
            "includePrePost": "false",
            "events": "div,split",
        }
        status, answer = client.get(f"/v8/finance/chart/{_quoted(name)}", asked)
        result = _result(answer, status)
        found = _meta(result, "symbol")
        time, columns = _bars(result, config)
        if daily:
            inside = (time >= chunk.start) & (time < chunk.end)
            time, columns = time[inside], columns[inside]
        symbol = chunk.symbol if found == name else str(found)
        return Page(symbol, time, columns, None)

    try:
        yield fetch
    finally:
        client.close()


def _name(symbol: str, calendar: str) -> str:
    """BRK.B -> BRK-B, BTC/USD -> BTC-USD, a currency -> EURUSD=X."""
    if "/" in symbol and calendar == "FX":
        return f"{symbol.replace('/', '')}=X"
    return symbol.replace("/", "-").replace(".", "-")


def _quoted(name: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415

    return quote(name, safe="")


def _result(answer: dict[str, Any], status: int) -> dict[str, Any]:
    """The one result; Yahoo tells errors in the body, whatever the status."""
    chart = answer.get("chart")
    if isinstance(chart, dict):
        error, results = chart.get("error"), chart.get("result")
        if error is None and status < 400 and isinstance(results, list) and len(results) == 1:
            if isinstance(results[0], dict):
                return results[0]
        elif isinstance(error, dict):
            said = f"{error.get('code')}: {error.get('description')}"
            raise SourceError(f"Yahoo: {shown(said)}")
    raise SourceError(f"Yahoo answers {status} without bars: {shown(str(answer))}")


def _meta(result: dict[str, Any], name: str) -> Any:
    meta = result.get("meta")
    if not isinstance(meta, dict) or name not in meta:
        raise SourceError(f"Yahoo's answer has no meta.{name}")
    return meta[name]


def _bars(result: dict[str, Any], config: YahooConfig) -> tuple[Int64, Float64]:
    granularity = _meta(result, "dataGranularity")
    if granularity not in (config.timeframe, {"1h": "60m"}.get(config.timeframe)):
        raise SourceError(f"Yahoo answers bars of {granularity!r}, asked for {config.timeframe}")
    stamps = result.get("timestamp") or []
    if not isinstance(stamps, list):
        raise SourceError("Yahoo's timestamp is no list")
    lists: list[Any] = [stamps]
    if stamps:
        quote = _first(result, "quote")
        lists += [quote.get(name) for name in FIELDS]
        if config.adjustment == "all":
            lists.append(_first(result, "adjclose").get("adjclose"))
        if any(not isinstance(c, list) or len(c) != len(stamps) for c in lists):
            raise SourceError("Yahoo's columns differ in length from its times")
    # a bar in which nothing was traded comes as nulls: it is absent
    rows = [row for row in zip(*lists, strict=True) if any(v is not None for v in row[1:])]
    if config.adjustment == "all":
        rows = [_adjusted(row) for row in rows]
    seconds, columns = rows_of(rows, range(6), "Yahoo")
    if (np.abs(seconds) > 2**33).any():
        raise SourceError("Yahoo's times are no seconds since 1970")
    time, timeframe = seconds * 10**9, Timeframe(config.timeframe)
    if timeframe.is_daily:
        time = _dates(time, _meta(result, "exchangeTimezoneName"))
    if seconds.size and int(seconds[-1]) == result["meta"].get("regularMarketTime"):
        # the price of this moment comes as a last bar: off the grid, or of the day before it
        beside = int(time[-1] - time[-2]) if time.size > 1 else 1
        if beside == 0 or beside % timeframe.ns:
            return time[:-1], columns[:-1]
    return time, columns


def _adjusted(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Prices times adjusted close / close, the volume as it is."""
    try:
        factor = row[6] / row[4]
        return (row[0], *(price * factor for price in row[1:5]), row[5])
    except (TypeError, ZeroDivisionError):
        raise SourceError(
            f"Yahoo's adjusted close is {row[6]!r:.40}, close {row[4]!r:.40}"
        ) from None


def _dates(time: Int64, zone: str) -> Int64:
    """00:00 UTC of the date that each time has at the exchange."""
    from zoneinfo import available_timezones  # noqa: PLC0415

    if zone not in available_timezones():
        raise SourceError(f"Yahoo's exchangeTimezoneName is {zone!r:.80}")
    return local(time, zone) // DAY_NS * DAY_NS if time.size else time


def _first(result: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        found = result["indicators"][name][0]
    except (KeyError, IndexError, TypeError):
        found = None
    if not isinstance(found, dict):
        raise SourceError(f"Yahoo's answer has no indicators.{name}")
    return found
