"""Each vendor's bars come as it has them, with starts in UTC; each lie is refused by name."""

import importlib.util
import json
import pickle
import sys
import time
import traceback

import numpy as np
import pytest

from downloads import CANARY, Clock, changed, config, keys, means, walk
from touchstone.data.http import Access, Secrets, TransientError, refuse_status
from touchstone.data.sources import SOURCES, Request, vendor_of
from touchstone.data.store import BarStore
from touchstone.data.vendors import Chunk
from touchstone.errors import ConfigError, DataError
from touchstone.market import Bars, Timeframe
from touchstone.pipelines.fetch import fetch
from touchstone.pipelines.progress import Silent
from vendor_server import Answer, VendorServer
from walks import HOUR_NS, START_NS

DAY_NS = 24 * HOUR_NS
FIELDS = ("time", "open", "high", "low", "close", "volume")
KINDS = [
    pytest.param("alpaca"),
    pytest.param("yahoo"),
    pytest.param(
        "ccxt",
        marks=pytest.mark.skipif(importlib.util.find_spec("ccxt") is None, reason="no ccxt here"),
    ),
]
NAMES = {
    "alpaca": {"AAA": "AAA", "BBB": "BBB"},
    "yahoo": {"AAA": "AAA", "BBB": "BBB"},
    "ccxt": {"AAA/USDT": "AAAUSDT", "BBB/USDT": "BBBUSDT"},
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def server(kind):
    bars = {name: walk(name, seed=i) for i, name in enumerate(NAMES[kind].values())}
    with VendorServer(bars, page=150) as server:
        yield server


def got(folder, kind, server, hours=650.5, **settings):
    """Outcomes by symbol of one fetch."""
    wanted = (tuple(NAMES[kind]), START_NS, None)
    made = fetch(folder, config(kind, **settings), wanted, means(server, hours), Silent())
    return {outcome.symbol: outcome for outcome in made}


def test_bars_are_the_vendors_own(kind, server, quick_folder):
    outcomes = got(quick_folder, kind, server)
    for symbol, name in NAMES[kind].items():
        assert outcomes[symbol].reasons == ()
        found, true = BarStore(quick_folder).read(symbol, Timeframe("1h")), server.bars[name]
        assert len(found) >= 649
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(found, field), getattr(true, field)[: len(found)])
        ends = found.time + HOUR_NS
        assert ends[-1] <= START_NS + 650.5 * HOUR_NS, "a bar that still forms is never stored"


def test_a_study_reads_the_store_and_not_the_network(kind, server, quick_folder):
    got(quick_folder, kind, server)
    n_asked = len(server.asked)
    settings = config(kind, path=str(quick_folder))
    loaded = SOURCES.part_of(settings)(settings, Request())
    assert loaded.panel.symbols == tuple(NAMES[kind])
    assert (loaded.rejects, loaded.namespace) == ((), "market")
    assert len(server.asked) == n_asked


def edit(kind, body, change):
    """Change a vendor's list of bars; a bar is [time, open, high, low, close, volume]."""
    body = json.loads(json.dumps(body))
    if kind == "ccxt":
        rows = [[row[0], *map(float, row[1:6])] for row in body]
        return [[row[0], *map(str, row[1:]), 0] for row in change(rows)]
    if kind == "yahoo":
        result = body["chart"]["result"][0]
        quote = result["indicators"]["quote"][0]
        rows = list(
            map(list, zip(result["timestamp"], *(quote[n] for n in FIELDS[1:]), strict=True))
        )
        columns = list(zip(*change(rows), strict=True)) or [[]] * 6
        result["timestamp"] = columns[0]
        quote.update(zip(FIELDS[1:], columns[1:], strict=True))
        return body
    rows = body["bars"]["AAA"]
    keys = list("tohlcv")
    made = change([[row[k] for k in keys] for row in rows])
    body["bars"]["AAA"] = [dict(zip(keys, row, strict=True)) for row in made]
    return body


def with_price(row, at, value):
    def change(rows):
        rows[row][at] = value
        return rows

    return change


LIES = {
    "unsorted": (lambda rows: [rows[1], rows[0], *rows[2:]], "comes after"),
    "duplicate": (lambda rows: [rows[0], *rows], "stands twice"),
    "negative price": (with_price(5, 3, -1.0), "low must be finite and positive"),
    "not a number": (with_price(5, 4, float("nan")), "close"),
    "high below low": (with_price(5, 2, 0.001), "low and high must enclose"),
    "negative volume": (with_price(5, 5, -3.0), "volume must be finite and not negative"),
    "text for a price": (with_price(5, 1, "abc"), "open of bar 5|no number"),
    "nothing for a price": (with_price(5, 1, None), "open of bar 5|no number"),
    "infinite": (with_price(5, 2, float("inf")), "high must be finite"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused_and_others_go_on(kind, server, quick_folder, lie):
    change, says = LIES[lie]
    if kind == "ccxt" and lie == "unsorted":
        pytest.skip("ccxt sorts what it gets")
    if kind == "ccxt" and "for a price" in lie:
        says = "open of bar 5"
    name = NAMES[kind][next(iter(NAMES[kind]))]

    def mischief(asked, answer):
        wrong = asked.symbol == name and "exchangeInfo" not in asked.path
        return answer._replace(body=edit(kind, answer.body, change)) if wrong else answer

    server.mischief = mischief
    first, second = got(quick_folder, kind, server).values()
    assert first.row is None
    assert len(first.reasons) == 1
    assert any(part in first.reasons[0] for part in says.split("|")), first.reasons
    assert "\n" not in first.reasons[0]
    assert (second.reasons, second.row.n_bars >= 649) == ((), True)
    server.mischief = lambda _, answer: answer
    assert all(o.reasons == () for o in got(quick_folder, kind, server).values()), (
        "told the truth again"
    )


def test_bars_out_of_range_are_refused(kind, server, quick_folder):
    if kind == "ccxt":
        pytest.skip("ccxt cuts what begins before the time asked for")
    name = next(iter(NAMES[kind]))

    def early(rows):
        first = rows[0][0]
        rows[0][0] = "2021-12-31T23:00:00Z" if isinstance(first, str) else first - 3600
        return rows

    server.mischief = lambda asked, answer: (
        answer._replace(body=edit(kind, answer.body, early)) if asked.symbol == name else answer
    )
    first, second = got(quick_folder, kind, server).values()
    assert any(said in first.reasons[0] for said in ("was not asked for", "stands twice"))
    assert second.reasons == ()


BODIES = {
    "truncated JSON": (b'{"bars": {"AAA": [', "no whole JSON"),
    "an error with status 200": ({"code": 40010001, "message": "go away"}, "go away"),
    "a list": ([1, 2], "no JSON object"),
    "nothing": (b"", "answers no"),
    "deep nesting": (b"[" * 100_000, "JSON"),
    "a page of HTML": (b"<html>maintenance</html>", "no whole JSON"),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kind", ["alpaca", "yahoo"], indirect=True)
def test_bodies_that_are_no_answer(kind, server, quick_folder, body):
    content, says = BODIES[body]
    server.mischief = lambda asked, answer: (
        answer._replace(body=content) if asked.symbol == "AAA" else answer
    )
    first, second = got(quick_folder, kind, server).values()
    assert says in first.reasons[0]
    assert second.reasons == ()


@pytest.mark.parametrize("kind", KINDS[2:], indirect=True)
@pytest.mark.parametrize(
    "content",
    [b"[[1,2", b"[]]", {"code": -1121, "msg": "Invalid symbol."}, b"7", [[1]], {"a": [1]}],
)
def test_bodies_that_are_no_answer_of_an_exchange(kind, server, quick_folder, content):
    server.mischief = lambda asked, answer: (
        answer._replace(body=content) if asked.symbol == "AAAUSDT" else answer
    )
    first, second = got(quick_folder, kind, server).values()
    assert first.row is None
    assert first.reasons
    assert second.reasons == ()


@pytest.mark.parametrize(
    ("token", "says"),
    [("same", "a page that was there already"), ("ever new", "still there are more")],
)
def test_endless_paging_ends(quick_folder, token, says):
    with VendorServer({s: walk(s, 100) for s in ("AAA", "BBB")}, page=5000) as server:

        def mischief(asked, answer):
            if asked.symbol != "AAA":
                return answer
            rows = {} if "page_token" in asked.parameters else answer.body["bars"]
            following = "7" if token == "same" else str(asked.n)
            return Answer({"bars": rows, "next_page_token": following})

        server.mischief = mischief
        first, second = got(quick_folder, "alpaca", server).values()
    assert says in first.reasons[0]
    assert second.reasons == ()
    assert len(server.asked) < 60


def test_pages_in_the_wrong_order(quick_folder):
    with VendorServer({"AAA": walk("AAA"), "BBB": walk("BBB")}, page=100) as server:
        turned = {"100": "300", "300": "100"}

        def mischief(asked, answer):
            token = turned.get(asked.parameters.get("page_token", ""))
            if asked.symbol != "AAA" or token is None:
                return answer
            swapped = server.answer(
                asked._replace(parameters={**asked.parameters, "page_token": token})
            )
            return Answer({**swapped.body, "next_page_token": answer.body["next_page_token"]})

        server.mischief = mischief
        first, second = got(quick_folder, "alpaca", server).values()
    assert "comes after" in first.reasons[0]
    assert second.reasons == ()


@pytest.mark.parametrize("kind", ["alpaca", "yahoo"], indirect=True)
def test_another_symbols_bars_are_refused(kind, server, quick_folder):
    def mischief(asked, answer):
        if asked.symbol != "AAA":
            return answer
        return answer._replace(body=json.loads(json.dumps(answer.body).replace('"AAA"', '"ZZZ"')))

    server.mischief = mischief
    first, second = got(quick_folder, kind, server).values()
    assert "asked for AAA, the vendor answers with 'ZZZ'" in first.reasons[0]
    assert second.reasons == ()


def test_throttling_and_broken_lines_cost_time_and_nothing_else(kind, server, quick_folder):
    seen = set()

    def mischief(asked, answer):
        again = (asked.path, tuple(sorted(asked.parameters.items())))
        if again in seen:
            return answer
        seen.add(again)
        ways = (
            Answer({"message": "too many requests"}, 429, (("Retry-After", "7"),)),
            answer._replace(cut=40),
            Answer({"message": "oops"}, 503),
        )
        return ways[len(seen) % 3]

    server.mischief = mischief
    for symbol, outcome in got(quick_folder, kind, server).items():
        assert outcome.reasons == ()
        true = server.bars[NAMES[kind][symbol]]
        found = BarStore(quick_folder).read(symbol, Timeframe("1h"))
        np.testing.assert_array_equal(found.close, true.close[: len(found)])


def test_the_server_says_how_long_to_wait(kind, server, quick_folder):
    server.mischief = lambda asked, answer: (
        Answer({}, 429, (("Retry-After", "17"),)) if asked.n == 0 else answer
    )
    clock = Clock()
    made = means(server, 650.5, threads=1, clock=clock)
    wanted = (tuple(NAMES[kind]), START_NS, None)
    outcomes = fetch(quick_folder, config(kind), wanted, made, Silent())
    assert all(o.reasons == () for o in outcomes)
    assert 17 <= clock.now < 18


def test_a_server_that_wants_to_be_left_alone_for_a_day_is(kind, server, quick_folder):
    server.mischief = lambda *_: Answer({}, 429, (("Retry-After", "86400"),))
    clock = Clock()
    made = means(server, 650.5, threads=1, clock=clock)
    wanted = (tuple(NAMES[kind]), START_NS, None)
    outcomes = fetch(quick_folder, config(kind), wanted, made, Silent())
    assert all("for 86,400 seconds" in o.reasons[0] for o in outcomes)
    assert clock.now < 1


def test_without_network_the_first_word_is_the_last(kind, quick_folder):
    clock = Clock()
    made = means("http://127.0.0.1:9", 650.5, clock=clock)
    with pytest.raises(DataError, match="cannot be reached") as caught:
        fetch(quick_folder, config(kind), (tuple(NAMES[kind]), START_NS, None), made, Silent())
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert clock.now < 10


def test_a_silent_server_is_not_waited_for_for_ever(kind, server):
    def silent(_, answer):
        time.sleep(0.5)
        return answer

    server.mischief = silent
    symbol = next(iter(NAMES[kind]))
    access = Access(keys(vendor_of(kind).secrets), server.url, timeout_seconds=0.1)
    with (
        vendor_of(kind).connect(config(kind), access) as ask,
        pytest.raises(TransientError),
    ):
        ask(Chunk(symbol, START_NS, START_NS + DAY_NS), None)


def test_keys_that_are_refused_stop_all(quick_folder):
    with VendorServer({"AAA": walk("AAA")}) as server:
        server.mischief = lambda *_: Answer({"message": f"bad key {CANARY}-0 and {CANARY}-1"}, 401)
        with pytest.raises(DataError, match="check the keys") as caught:
            got(quick_folder, "alpaca", server)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_no_secret_shows_anywhere(quick_folder):
    with VendorServer({"AAA": walk("AAA"), "BBB": walk("BBB")}, page=150) as server:

        def echo(asked, answer):
            """Send back what was sent, keys included."""
            ways = (answer, Answer({"was": asked.headers}, 422), Answer({"was": asked.headers}))
            return ways[asked.n % 3]

        server.mischief = echo
        outcomes = got(quick_folder, "alpaca", server)
        assert any(o.reasons for o in outcomes.values())
        assert any(CANARY in str(a.headers) for a in server.asked), "they were sent to the vendor"
    assert CANARY not in repr(outcomes)
    for path in quick_folder.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes(), path


def test_secrets_hide():
    secrets = keys(("A", "B"))
    assert CANARY not in f"{secrets} {secrets!r} {[secrets]} {Access(secrets)}"
    assert secrets.scrub(f"a {CANARY}-0 b") == "a *** b"
    assert Secrets().scrub("text") == "text"
    with pytest.raises(TypeError):
        pickle.dumps(secrets)


@pytest.mark.parametrize(
    ("code", "kind_of"),
    [
        (429, "TransientError"), (500, "TransientError"), (599, "TransientError"),
        (401, "DeniedError"), (403, "DeniedError"),
        (404, "SourceError"), (302, "SourceError"), (422, "SourceError"),
    ],
)  # fmt: skip
def test_what_a_status_means(code, kind_of):
    with pytest.raises(DataError) as caught:
        refuse_status(code, "x" * 10_000, {}, "it")
    assert type(caught.value).__name__ == kind_of
    assert len(str(caught.value)) < 400
    refuse_status(204, "", {}, "it")


def daily(symbol, clock_hours):
    """Two months of days, each stamped `clock_hours` after 00:00 UTC of its date."""
    bars = walk(symbol, 60)
    first = START_NS // DAY_NS * DAY_NS
    time = first + np.arange(60) * DAY_NS + np.array([int(h * HOUR_NS) for h in clock_hours(60)])
    return Bars(symbol, time, *(getattr(bars, f) for f in FIELDS[1:]))


def at_midnight_in_new_york(n):
    return [5.0] * n


def at_the_open(n):
    return [14.5] * n


@pytest.mark.parametrize(
    ("source", "hours"), [("alpaca", at_midnight_in_new_york), ("yahoo", at_the_open)]
)
def test_daily_bars_carry_midnight_utc_of_their_date(quick_folder, source, hours):
    true = daily("AAA", hours)
    with VendorServer({"AAA": true}, page=20, timeframe="1d") as server:
        wanted = (("AAA",), START_NS, None)
        settings = config(source, timeframe="1d", calendar="XNYS")
        (outcome,) = fetch(quick_folder, settings, wanted, means(server, 24 * 48 - 2), Silent())
    assert outcome.reasons == ()
    found = BarStore(quick_folder).read("AAA", Timeframe("1d"))
    np.testing.assert_array_equal(found.time, true.time[: len(found)] // DAY_NS * DAY_NS)
    np.testing.assert_array_equal(found.close, true.close[: len(found)])
    # 22:00 UTC of a Thursday: its session is over, though the day is not
    assert found.time[-1] == START_NS + 47 * DAY_NS


def test_a_day_that_begins_elsewhere_keeps_its_date(quick_folder):
    """Midnight in Tokyo is 15:00 UTC of the day before."""
    true = daily("AAA", lambda n: [-9.0] * n)
    with VendorServer({"AAA": true}, timeframe="1d", zone="Asia/Tokyo") as server:
        settings = config("yahoo", timeframe="1d")
        wanted = (("AAA",), START_NS + 10 * DAY_NS, None)
        fetch(quick_folder, settings, wanted, means(server, 24 * 48 + 1), Silent())
    found = BarStore(quick_folder).read("AAA", Timeframe("1d"))
    assert (found.time[0], found.time[-1]) == (START_NS + 10 * DAY_NS, START_NS + 47 * DAY_NS)
    np.testing.assert_array_equal(found.close, true.close[10:48])


def test_yahoos_day_of_this_moment_is_no_second_bar(quick_folder):
    with VendorServer({"AAA": daily("AAA", at_the_open)}, timeframe="1d") as server:

        def mischief(_, answer):
            result = answer.body["chart"]["result"][0]
            quote = result["indicators"]["quote"][0]
            result["meta"]["regularMarketTime"] = result["timestamp"][-1] + 3 * 3600
            for values in (*(quote[n] for n in FIELDS[1:]), result["timestamp"]):
                values.append(values[-1])
            result["timestamp"][-1] += 3 * 3600
            return answer

        server.mischief = mischief
        settings, wanted = config("yahoo", timeframe="1d"), (("AAA",), START_NS, None)
        (outcome,) = fetch(quick_folder, settings, wanted, means(server, 24 * 70), Silent())
    assert (outcome.reasons, outcome.n_new) == ((), 60)


def test_yahoo_multiplies_its_adjustment_out(quick_folder):
    true = daily("AAA", at_the_open)
    with VendorServer({"AAA": true}, timeframe="1d") as server:
        settings = config("yahoo", timeframe="1d", calendar="XNYS", adjustment="all")
        fetch(quick_folder, settings, (("AAA",), START_NS, None), means(server, 24 * 50), Silent())
    found = BarStore(quick_folder).read("AAA", Timeframe("1d"))
    np.testing.assert_allclose(found.high, true.high[: len(found)] / 2, rtol=1e-12)
    np.testing.assert_array_equal(found.volume, true.volume[: len(found)])


@pytest.mark.parametrize("seconds", [1234, 1800])
def test_yahoos_empty_bars_are_absent_and_its_moment_is_no_bar(quick_folder, seconds):
    with VendorServer({"AAA": walk("AAA")}) as server:

        def mischief(_, answer):
            result = answer.body["chart"]["result"][0]
            quote = result["indicators"]["quote"][0]
            for name in FIELDS[1:]:
                quote[name][7] = None
                quote[name].append(quote[name][-1])
            result["meta"]["regularMarketTime"] = result["timestamp"][-1] + seconds
            result["timestamp"].append(result["timestamp"][-1] + seconds)
            return answer

        server.mischief = mischief
        wanted = (("AAA",), START_NS, None)
        (outcome,) = fetch(quick_folder, config("yahoo"), wanted, means(server, 100.1), Silent())
    assert outcome.reasons == ()
    found = BarStore(quick_folder).read("AAA", Timeframe("1h"))
    assert found.time[6:8].tolist() == [START_NS + 6 * HOUR_NS, START_NS + 8 * HOUR_NS]


@pytest.mark.parametrize(
    ("settings", "symbol", "calendar", "name"),
    [
        ({}, "BRK.B", "XNYS", "BRK-B"),
        ({}, "BTC/USD", "24/7", "BTC-USD"),
        ({}, "EUR/USD", "FX", "EURUSD=X"),
        ({"names": {"GSPC": "^GSPC"}}, "GSPC", "XNYS", "^GSPC"),
    ],
)
def test_yahoos_names(settings, symbol, calendar, name):
    with VendorServer({name: walk(name)}) as server:
        made = config("yahoo", **settings).model_copy(update={"calendar": calendar})
        with vendor_of("yahoo").connect(made, Access(url=server.url)) as ask:
            page = ask(Chunk(symbol, START_NS, START_NS + DAY_NS), None)
    assert (page.symbol, len(page.time)) == (symbol, 24)


def test_alpaca_is_asked_for_feed_and_adjustment(quick_folder):
    bars = {"AAA": walk("AAA"), "BTC/USD": walk("BTC/USD")}
    with VendorServer(bars, page=1000) as server:
        wanted = (tuple(bars), START_NS, None)
        settings = config("alpaca", feed="iex", adjustment="split")
        fetch(quick_folder, settings, wanted, means(server, 300.5), Silent())
        asked = {a.symbol: a for a in server.asked}
    assert asked["AAA"].parameters["feed"] == "iex"
    assert asked["AAA"].parameters["adjustment"] == "split"
    assert asked["BTC/USD"].path == "/v1beta3/crypto/us/bars"
    rows = {r.symbol: (r.source, r.feed, r.adjustment) for r in BarStore(quick_folder).rows()}
    assert rows == {"AAA": ("alpaca", "iex", "split"), "BTC/USD": ("alpaca", "us", "raw")}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"source": "yahoo", "timeframe": "4h"}, "Yahoo has no bars of 4h"),
        ({"source": "yahoo", "adjustment": "all"}, "needs --timeframe 1d"),
        ({"source": "alpaca", "timeframe": "90m"}, "Alpaca has no bars of 90m"),
        ({"source": "ccxt", "exchange": "nosuch"}, "ccxt knows no exchange 'nosuch'"),
        ({"source": "ccxt", "timeframe": "7m"}, "binance has no bars of 7m"),
    ],
)
def test_what_a_vendor_does_not_have(settings, says, quick_folder):
    if settings["source"] == "ccxt":
        pytest.importorskip("ccxt")
    made = means("http://127.0.0.1:9", 100)
    with pytest.raises(ConfigError, match=says):
        fetch(quick_folder, config(**settings), (("AAA",), START_NS, None), made, Silent())
    assert list(quick_folder.iterdir()) == [], "nothing is planned that cannot be"


@pytest.mark.parametrize("text", ["\x1b[31m\n\nred", "\ud800", "x" * 10_000])
def test_what_a_server_says_cannot_break_a_line(kind, server, quick_folder, text):
    error = {"code": text, "description": text}
    body = {"chart": {"result": None, "error": error}, "code": -1, "msg": text, "message": text}
    server.mischief = lambda *_: Answer(body, 404)
    for outcome in got(quick_folder, kind, server).values():
        (reason,) = outcome.reasons
        assert reason.isprintable()
        assert len(reason) < 400


@pytest.mark.parametrize(
    ("source", "module", "says"),
    [("alpaca", "alpaca.data.historical", "alpaca-py"), ("ccxt", "ccxt", "ccxt")],
)
def test_a_library_that_is_missing_is_named(quick_folder, monkeypatch, source, module, says):
    monkeypatch.setitem(sys.modules, module, None)
    made = means("http://127.0.0.1:9", 100)
    with pytest.raises(ConfigError, match=f"needs {says}: `make setup`"):
        fetch(quick_folder, config(source), (("AAA",), START_NS, None), made, Silent())


def test_a_corrected_bar_is_not_a_lie(kind, server, quick_folder):
    """What changes between two fetches is told as a revision: see test_download."""
    got(quick_folder, kind, server, 300.5)
    name = next(iter(NAMES[kind].values()))
    server.bars[name] = changed(server.bars[name], [290], 1.01)
    outcome = got(quick_folder, kind, server, 400.5)[next(iter(NAMES[kind]))]
    assert (outcome.n_revisions, outcome.reasons) == (1, ())
