"""Alpaca: US stocks and ETFs, coins, and news; bars stamped with their start."""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Literal

import numpy as np

from touchstone.arrays import Int64
from touchstone.data.articles import Article
from touchstone.data.http import Access, TransientError, UnreachableError, refuse_status, shown
from touchstone.data.sources import SOURCES
from touchstone.data.stamps import local
from touchstone.data.stored import Marks
from touchstone.data.vendors import (
    MINUTE_NS,
    Chunk,
    Fetch,
    FetchNews,
    NewsPage,
    Page,
    VendorConfig,
    rows_of,
    vendor,
)
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Timeframe

SECRETS: Final = ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")
_DAY_NS: Final = 86_400_000_000_000
_N_BARS: Final = 10_000  # most that one page holds
_N_ARTICLES: Final = 50
_KEYS: Final = ("t", "o", "h", "l", "c", "v")
_UNITS: Final = {"m": "Min", "h": "Hour", "d": "Day"}

Get = Callable[[str, dict[str, Any]], dict[str, Any]]


class AlpacaConfig(VendorConfig):
    """Bars of Alpaca's market data, as `touchstone data fetch --source alpaca` stored them."""

    source: Literal["alpaca"] = "alpaca"
    path: str = "data/alpaca"
    """Folder of the store, relative to the study's file."""
    calendar: Literal["24/7", "XNYS", "FX"] = "XNYS"
    """Hours of the market: XNYS for stocks, 24/7 for coins."""
    feed: Literal["sip", "iex", "boats", "otc"] = "sip"
    """Which trades a stock's bars count: sip all exchanges, iex one of them (about 3 % of the
    volume); coins have one feed, us."""
    adjustment: Literal["raw", "split", "dividend", "all"] = "all"
    """What past prices of a stock are adjusted for; all: splits and dividends. Coins are raw."""

    def marks(self, symbol: str) -> Marks:
        """Coins have a feed of their own, and nothing to adjust."""
        coin = "/" in symbol
        return Marks("alpaca", "us" if coin else self.feed, "raw" if coin else self.adjustment)

    @property
    def span_ns(self) -> int:
        """About a page of bars, stocks' nights included."""
        return _N_BARS * Timeframe(self.timeframe).ns

    @property
    def delay_ns(self) -> int:
        """The last 15 minutes of sip are for subscribers."""
        return 16 * MINUTE_NS


@contextmanager
def news(access: Access) -> Iterator[FetchNews]:
    """Pages of articles that name a symbol, by the time of their last edit."""
    with _getter("NewsClient", access) as get:
        yield partial(_news_page, get)


@SOURCES.register(AlpacaConfig)
@vendor(SECRETS, news)
@contextmanager
def pages(config: AlpacaConfig, access: Access) -> Iterator[Fetch]:
    """Pages of bars, 10,000 at most each.

    Raises:
        ConfigError: alpaca-py is not installed, or Alpaca has no such timeframe.
    """
    frame = _timeframe(config.timeframe)
    with (
        _getter("StockHistoricalDataClient", access) as stocks,
        _getter("CryptoHistoricalDataClient", access) as coins,
    ):

        def fetch(chunk: Chunk, token: str | None) -> Page:
            asked = {"timeframe": frame, "limit": _N_BARS, **_wish(chunk, token)}
            if "/" in chunk.symbol:
                if config.calendar != "24/7":
                    raise SourceError(f"{chunk.symbol}: coins trade at all hours: --calendar 24/7")
                return _page(coins("/crypto/us/bars", asked), chunk, config)
            of_stock = {"feed": config.feed, "adjustment": config.adjustment}
            return _page(stocks("/stocks/bars", asked | of_stock), chunk, config)

        yield fetch


def _page(answer: dict[str, Any], chunk: Chunk, config: AlpacaConfig) -> Page:
    found, token = answer.get("bars", {}), answer.get("next_page_token")
    if "bars" not in answer or not isinstance(found, dict | None):
        raise SourceError(f"Alpaca answers no bars: {answer!r:.200}")
    if token is not None and not isinstance(token, str):
        raise SourceError(f"Alpaca's next_page_token is {token!r:.80}")
    found = found or {}
    symbol = next((s for s in found if s != chunk.symbol), chunk.symbol)
    rows = found.get(chunk.symbol) or []
    if not isinstance(rows, list):
        raise SourceError(f"Alpaca's bars are {rows!r:.80}, no list")
    stamped = [{**row, "t": _ns(row.get("t"))} if isinstance(row, dict) else row for row in rows]
    time, columns = rows_of(stamped, _KEYS, "Alpaca")
    if Timeframe(config.timeframe).is_daily and "/" not in chunk.symbol:
        time = _dates(time)
    return Page(symbol, time, columns, token or None)


def _dates(time: Int64) -> Int64:
    """A stock's day begins at midnight in New York; a daily bar carries 00:00 UTC of its date."""
    if not time.size or not (time % _DAY_NS).any():
        return time
    days = local(time, "America/New_York")
    if (days % _DAY_NS).any():
        raise SourceError("Alpaca's daily bars begin neither at 00:00 UTC nor in New York")
    return days


def _news_page(get: Get, chunk: Chunk, token: str | None) -> NewsPage:
    answer = get("/news", {"limit": _N_ARTICLES, **_wish(chunk, token)})
    rows, following = answer.get("news"), answer.get("next_page_token")
    if not isinstance(rows, list):
        raise SourceError(f"Alpaca answers no news: {answer!r:.200}")
    if following is not None and not isinstance(following, str):
        raise SourceError(f"Alpaca's next_page_token is {following!r:.80}")
    return NewsPage(tuple(_article(row, chunk.symbol) for row in rows), following or None)


def _article(row: Any, symbol: str) -> Article:
    if not isinstance(row, dict) or not isinstance(row.get("id"), int | str):
        raise SourceError(f"Alpaca's article has no id: {row!r:.120}")
    name = f"article {row['id']!r:.40}"
    symbols = row.get("symbols")
    if not isinstance(symbols, list) or symbol not in symbols:
        raise SourceError(f"Alpaca's {name} is about {symbols!r:.80}, not {symbol}")
    created, updated = _ns(row.get("created_at")), _ns(row.get("updated_at"))
    if updated < created:
        raise SourceError(f"Alpaca's {name} was edited before it was written")
    texts = [row.get(name) or "" for name in ("headline", "summary", "source")]
    if not all(isinstance(text, str) for text in texts):
        raise SourceError(f"Alpaca's {name} holds something else than text")
    # half a surrogate pair is legal JSON, and no text
    number, *texts = (t.encode("utf-8", "replace").decode() for t in (str(row["id"]), *texts))
    return Article(number, symbol, created, updated, 0, *texts)


@contextmanager
def _getter(name: str, access: Access) -> Iterator[Get]:
    """One request by alpaca-py's client of that name, its way of failing turned into ours.

    The client's own paging holds all pages in memory and its own retries sleep unseen, so each
    page is asked for alone, and retries are left to the download.
    """
    client = getattr(_clients(), name)(*_keys(access), raw_data=True, url_override=access.url)
    from alpaca.common.exceptions import APIError  # noqa: PLC0415
    from requests import exceptions  # noqa: PLC0415

    client._retry_codes = []
    send = client._session.request
    client._session.request = partial(send, timeout=access.timeout_seconds)

    def get(path: str, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = client.get(path, asked)
        except APIError as error:
            answered = error.response
            code = 0 if answered is None else answered.status_code
            refuse_status(code, str(error), {} if answered is None else answered.headers, "Alpaca")
            raise SourceError(f"Alpaca: {shown(str(error))}") from None
        except (exceptions.JSONDecodeError, RecursionError):
            raise TransientError("Alpaca answers no whole JSON") from None
        except (exceptions.ConnectTimeout, exceptions.ReadTimeout):
            raise TransientError("Alpaca did not answer in time") from None
        except exceptions.ConnectionError as error:
            if "NewConnectionError" in repr(error) or "NameResolution" in repr(error):
                raise UnreachableError(f"Alpaca cannot be reached: {_root(client)}") from None
            raise TransientError(f"Alpaca's answer broke off: {error!r:.160}") from None
        except exceptions.RequestException as error:
            raise TransientError(f"Alpaca's answer broke off: {error!r:.160}") from None
        if not isinstance(answer, dict):
            raise SourceError(f"Alpaca answers no JSON object: {answer!r:.120}")
        return answer

    try:
        yield get
    finally:
        client._session.close()


def _clients() -> Any:
    """alpaca-py's clients of historical data.

    Raises:
        ConfigError: alpaca-py is not installed.
    """
    try:
        with warnings.catch_warnings():  # its streams import what websockets deprecates
            if "alpaca.data" not in sys.modules:
                warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module("alpaca.data.historical")
    except ImportError:
        raise ConfigError(
            "source alpaca needs alpaca-py: `make setup` in touchstone's folder installs it"
        ) from None


def _root(client: Any) -> str:
    root = client._base_url
    return str(getattr(root, "value", root))


def _keys(access: Access) -> tuple[str, str]:
    key, secret = (access.secrets[name] for name in SECRETS)
    return key, secret


def _wish(chunk: Chunk, token: str | None) -> dict[str, Any]:
    asked = {
        "symbols": chunk.symbol,
        "start": _iso(chunk.start),
        "end": _iso(chunk.end - 1),  # Alpaca's end is included
        "sort": "asc",
    }
    return asked if token is None else {**asked, "page_token": token}


def _timeframe(name: str) -> str:
    n, unit = int(name[:-1]), name[-1]
    most = {"m": 59, "h": 23, "d": 1}[unit]
    if n > most:
        raise ConfigError(f"Alpaca has no bars of {name}: 1m to 59m, 1h to 23h, 1d")
    return f"{n}{_UNITS[unit]}"


def _iso(ns: int) -> str:
    return f"{np.datetime64(ns, 'ns')}Z"


def _ns(text: Any) -> int:
    """RFC 3339 in UTC -> ns."""
    if not isinstance(text, str) or not text.endswith("Z"):
        raise SourceError(f"Alpaca's time is {text!r:.80}: needs RFC 3339 in UTC")
    try:
        return int(np.datetime64(text[:-1], "ns").astype(np.int64))
    except ValueError:
        raise SourceError(f"Alpaca's time is {text!r:.80}: needs RFC 3339 in UTC") from None
