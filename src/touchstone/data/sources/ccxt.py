"""Spot markets of any exchange that ccxt knows; bars stamped with their start."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import StringConstraints

from touchstone.data.http import (
    Access,
    DeniedError,
    TransientError,
    UnreachableError,
    retry_after,
    shown,
)
from touchstone.data.sources import SOURCES
from touchstone.data.stored import Marks
from touchstone.data.vendors import Chunk, Fetch, Page, VendorConfig, rows_of, vendor
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Timeframe

_N_BARS: Final = 500  # what every exchange of weight gives in one page
_N_PAGES: Final = 20
_MS: Final = 10**6


class CcxtConfig(VendorConfig):
    """Bars of a coin exchange, as `touchstone data fetch --source ccxt` stored them."""

    source: Literal["ccxt"] = "ccxt"
    path: str = "data/ccxt"
    """Folder of the store, relative to the study's file."""
    exchange: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$")] = "binance"
    """The exchange, as ccxt names it."""

    def marks(self, symbol: str) -> Marks:  # noqa: ARG002
        """Trades of one exchange's spot market; coins have nothing to adjust."""
        return Marks(f"ccxt/{self.exchange}", "spot", "raw")

    @property
    def span_ns(self) -> int:
        """Some pages."""
        return _N_PAGES * _N_BARS * Timeframe(self.timeframe).ns


@SOURCES.register(CcxtConfig)
@vendor()
@contextmanager
def pages(config: CcxtConfig, access: Access) -> Iterator[Fetch]:
    """Pages of bars; a page's token is the time that the next one begins at, ms.

    Raises:
        ConfigError: ccxt is not installed, knows no such exchange, or the exchange has no bars
            of this timeframe.
    """
    try:
        import ccxt  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "source ccxt needs ccxt: `make setup` in touchstone's folder installs it"
        ) from None
    if config.exchange not in ccxt.exchanges:
        raise ConfigError(f"ccxt knows no exchange {config.exchange!r}")
    # the download spaces the requests and repeats them
    exchange = getattr(ccxt, config.exchange)(
        {"enableRateLimit": False, "timeout": int(access.timeout_seconds * 1000)}
    )
    if config.timeframe not in (exchange.timeframes or {}):
        has = ", ".join(exchange.timeframes or {})
        raise ConfigError(f"{config.exchange} has no bars of {config.timeframe}: {has}")
    if "types" in (kinds := exchange.options.get("fetchMarkets") or {}):
        exchange.options["fetchMarkets"] = {**kinds, "types": ["spot"]}
    if access.url is not None:
        exchange.urls["api"] = _moved(exchange.urls["api"], access.url.rstrip("/"))
    try:
        yield partial(_page, exchange, config)
    finally:
        exchange.session.close()


def _page(exchange: Any, config: CcxtConfig, chunk: Chunk, token: str | None) -> Page:
    step = Timeframe(config.timeframe).ns // _MS
    first, end = -(-chunk.start // _MS), -(-chunk.end // _MS)
    since = first if token is None else int(token)
    limit = min(_N_BARS, max(1, -(-(end - since) // step)))
    rows = _ask(exchange, chunk.symbol, config.timeframe, since, limit)
    if not isinstance(rows, list):
        raise SourceError(f"{exchange.id} answers no list of bars: {rows!r:.120}")
    time, columns = rows_of(rows, range(6), exchange.id)
    # the exchange is told a number of bars, not an end: where bars are missing it goes beyond
    inside = time < end
    following = int(time[-1]) + step if time.size else since + limit * step
    going = bool(inside.all()) and since < following < end
    return Page(
        chunk.symbol,
        time[inside] * np.int64(_MS),
        columns[inside],
        str(following) if going else None,
    )


def _ask(exchange: Any, symbol: str, timeframe: str, since: int, limit: int) -> Any:
    """One request (the first one also asks for the list of markets), its failures as ours."""
    import ccxt  # noqa: PLC0415

    try:
        if exchange.markets is None:
            exchange.load_markets()
        if symbol not in exchange.markets:
            raise SourceError(f"{exchange.id} has no market {symbol}")
        return exchange.fetch_ohlcv(symbol, timeframe, since, limit)
    except (ccxt.RateLimitExceeded, ccxt.DDoSProtection, ccxt.ExchangeNotAvailable) as error:
        raise TransientError(_said(exchange, error), _wait(error)) from None
    except ccxt.NetworkError as error:
        cause = repr(error.__cause__ or error.__context__)
        if "NewConnectionError" in cause or "NameResolution" in cause:
            said = f"{exchange.id} cannot be reached: {shown(str(error))}"
            raise UnreachableError(said) from None
        raise TransientError(_said(exchange, error)) from None
    except ccxt.AuthenticationError as error:
        raise DeniedError(_said(exchange, error)) from None
    except ccxt.BaseError as error:
        raise SourceError(_said(exchange, error)) from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        # ccxt reads what it is sent without looking: a wrong answer ends anywhere inside it
        raise SourceError(f"{_said(exchange, error)}: an answer that ccxt cannot read") from None


def _wait(error: Exception) -> float | None:
    """What the server said in the answer that ccxt failed on."""
    failed = error.__cause__ or error.__context__
    answer = getattr(failed, "response", None)
    return retry_after(getattr(answer, "headers", None) or {})


def _said(exchange: Any, error: Exception) -> str:
    return f"{exchange.id}: {shown(str(error))}"


def _moved(urls: Any, root: str) -> Any:
    """Every address in a tree of them, its host replaced."""
    if isinstance(urls, dict):
        return {name: _moved(url, root) for name, url in urls.items()}
    return re.sub(r"^https?://[^/]+", root, urls) if isinstance(urls, str) else urls
