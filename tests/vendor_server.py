"""A vendor on loopback: speaks Alpaca's bars and news, Yahoo's chart and Binance's klines.

It has a true market, and a `mischief` that may answer anything else: throttle, break off, lie.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from touchstone.market.bars import FIELDS

SECOND = 10**9
_FRAMES = {"1Min": "1m", "1Hour": "1h", "1Day": "1d"}


class Asked(NamedTuple):
    """One request, as the server got it."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    n: int
    """How many came before it."""

    @property
    def symbol(self):
        named = self.parameters.get("symbols") or self.parameters.get("symbol")
        return named or unquote(self.path.rsplit("/", 1)[-1])


class Answer(NamedTuple):
    """What the server says; `cut` bytes of the body are sent before the line goes dead."""

    body: object
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None


class VendorServer:
    """Serves `bars` (symbol -> Bars) until it is left."""

    def __init__(self, bars, *, page=100, articles=(), timeframe="1h", zone="America/New_York"):
        self.bars, self.page, self.articles = bars, page, list(articles)
        self.timeframe, self.zone = timeframe, zone
        self.mischief = lambda _, answer: answer
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a line that went dead is what tests want
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked):
        """The truth."""
        if asked.path in ("/v2/stocks/bars", "/v1beta3/crypto/us/bars"):
            return self._alpaca(asked)
        if asked.path == "/v1beta1/news":
            return self._news(asked)
        if asked.path.startswith("/v8/finance/chart/"):
            return self._yahoo(asked)
        if asked.path == "/api/v3/exchangeInfo":
            return Answer({"symbols": [_market(name) for name in self.bars]})
        if asked.path == "/api/v3/klines":
            return self._klines(asked)
        return Answer({"message": "no such page"}, 404)

    def _alpaca(self, asked):
        q = asked.parameters
        if not asked.headers.get("apca-api-key-id"):
            return Answer({"message": "forbidden."}, 403)
        if _FRAMES.get(q["timeframe"]) != self.timeframe or q["symbols"] not in self.bars:
            return Answer({"message": "invalid symbol"}, 422)
        bars = self.bars[q["symbols"]]
        inside = (bars.time >= _ns(q["start"])) & (bars.time <= _ns(q["end"]))
        first = int(inside.argmax()) if inside.any() else 0
        at, end = int(q.get("page_token", first)), first + int(inside.sum())
        stop = min(at + min(self.page, int(q["limit"])), end)
        rows = [
            {"t": _iso(bars.time[i]), **_prices(bars, i, "ohlcv"), "n": 1, "vw": bars.close[i]}
            for i in range(at, stop)
        ]
        return Answer(
            {
                "bars": {q["symbols"]: rows} if rows else {},
                "next_page_token": str(stop) if stop < end else None,
            }
        )

    def _news(self, asked):
        q = asked.parameters
        found = sorted(
            (
                a
                for a in self.articles
                if q["symbols"] in a["symbols"]
                and _ns(q["start"]) <= _ns(a["updated_at"]) <= _ns(q["end"])
            ),
            key=lambda a: a["updated_at"],
        )
        at = int(q.get("page_token", 0))
        stop = at + min(self.page, int(q["limit"]))
        return Answer(
            {
                "news": found[at:stop],
                "next_page_token": str(stop) if stop < len(found) else None,
            }
        )

    def _yahoo(self, asked):
        name = unquote(asked.path.rsplit("/", 1)[-1])
        if name not in self.bars:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return Answer({"chart": {"result": None, "error": error}}, 404)
        bars, q = self.bars[name], asked.parameters
        inside = (bars.time >= int(q["period1"]) * SECOND) & (
            bars.time < int(q["period2"]) * SECOND
        )
        rows = np.flatnonzero(inside)
        quote = {n: [getattr(bars, n)[i].item() for i in rows] for n in FIELDS}
        result = {
            "meta": {
                "symbol": name, "exchangeTimezoneName": self.zone,
                "dataGranularity": q["interval"], "regularMarketTime": 1,
            },
            "timestamp": [int(bars.time[i]) // SECOND for i in rows],
            "indicators": {"quote": [quote]},
        }  # fmt: skip
        if q["interval"] == "1d":
            halved = [close / 2 for close in quote["close"]]
            result["indicators"]["adjclose"] = [{"adjclose": halved}]
        return Answer({"chart": {"result": [result], "error": None}})

    def _klines(self, asked):
        q, bars = asked.parameters, self.bars[asked.parameters["symbol"]]
        after = np.flatnonzero(bars.time >= int(q["startTime"]) * 10**6)
        rows = after[: min(self.page, int(q["limit"]))]
        return Answer(
            [
                [int(bars.time[i]) // 10**6, *(str(getattr(bars, n)[i]) for n in FIELDS), 0]
                for i in rows
            ]
        )

    def _handler(self):
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query).items()}
                with vendor._lock:
                    headers = {k.lower(): v for k, v in self.headers.items()}
                    asked = Asked(parts.path, query, headers, len(vendor.asked))
                    vendor.asked.append(asked)
                answer = vendor.mischief(asked, vendor.answer(asked))
                body = answer.body
                sent = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent if answer.cut is None else sent[: answer.cut])
                self.close_connection = answer.cut is not None

            def log_message(self, *_):
                pass

            protocol_version = "HTTP/1.1"

        return Handler


def article(n, symbols, created, updated=None, headline=None):
    """An article as Alpaca writes it; times in ns."""
    return {
        "id": n, "headline": headline or f"headline {n}", "author": "A", "summary": f"summary {n}",
        "created_at": _iso(created), "updated_at": _iso(updated or created), "content": "",
        "url": "https://example.com", "images": [], "symbols": list(symbols), "source": "wire",
    }  # fmt: skip


def _market(name):
    base, quote = name[:-4], name[-4:]
    return {
        "symbol": name, "status": "TRADING", "baseAsset": base, "quoteAsset": quote,
        "baseAssetPrecision": 8, "quotePrecision": 8, "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]], "orderTypes": [], "filters": [],
    }  # fmt: skip


def _prices(bars, i, keys):
    return {k: getattr(bars, n)[i].item() for k, n in zip(keys, FIELDS, strict=True)}


def _iso(ns):
    return f"{np.datetime64(int(ns), 'ns').astype('datetime64[s]')}Z"


def _ns(text):
    stamp = text.replace("+00:00", "").removesuffix("Z")
    return int(np.datetime64(stamp, "ns").astype(np.int64))
