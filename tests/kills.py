"""Downloads that are killed, again and again, and what must hold after each kill.

The vendor runs in a process of its own; so does each download, which is killed with signal 9
after a random while. A download says how far it came only when its command has returned.
"""

import collections
import contextlib
import functools
import multiprocessing
import os
import signal
import time

import numpy as np

from downloads import changed, config, means, walk
from touchstone.data import articles
from touchstone.data.downloads.plan import Plan
from touchstone.data.downloads.revisions import RevisionLog
from touchstone.data.sources import vendor_of
from touchstone.data.store import BarStore
from touchstone.market import Timeframe
from touchstone.pipelines.fetch import fetch, update
from touchstone.pipelines.fetch_news import fetch_news
from touchstone.pipelines.progress import Silent
from vendor_server import VendorServer, article
from walks import HOUR_NS, START_NS

SYMBOLS = ("AAA", "BBB", "CCC")
HOURLY = Timeframe("1h")
FIRST, STEP = 400, 30
N_BARS = 20_000
FIELDS = ("time", "open", "high", "low", "close", "volume")


@functools.cache
def truth():
    """The market, and the articles about it."""
    bars = {s: walk(s, N_BARS, i) for i, s in enumerate(SYMBOLS)}
    written = [article(i, [SYMBOLS[i % 3]], START_NS + i * 7 * HOUR_NS) for i in range(2500)]
    return bars, written


def hour_of(text):
    """Hours from the first bar to a time as Alpaca writes it, rounded down."""
    time = np.datetime64(text.removesuffix("Z"), "ns").astype(np.int64)
    return int((time - START_NS) // HOUR_NS)


def serve(say):
    """The vendor: bars of hour 10 of each day are told otherwise until the day is a day old."""
    bars, written = truth()
    first_told = {s: changed(b, range(10, N_BARS, 24), 1.01) for s, b in bars.items()}
    with VendorServer(bars, page=20, articles=written) as server:

        def mischief(asked, answer):
            if "bars" not in asked.path or asked.symbol not in bars:
                return answer
            told = dict(answer.body)
            end = hour_of(asked.parameters["end"])
            on_edge = (end + 1 + START_NS // HOUR_NS) % 10_000 == 0  # a chunk's end, not now
            young = N_BARS if on_edge else end - 24
            for row in told["bars"].get(asked.symbol, []):
                at = hour_of(row["t"])
                if at >= young:
                    other = first_told[asked.symbol]
                    keys = zip("ohlcv", FIELDS[1:], strict=True)
                    row.update({k: getattr(other, n)[at].item() for k, n in keys})
            return answer._replace(body=told)

        server.mischief = mischief
        os.write(say, server.url.encode())
        while True:
            time.sleep(60)


def download_for_ever(folder, url, step, say):
    """Update, fetch news, say which step is done, go on with the next."""
    while True:
        hours = FIRST + STEP * step + 0.5
        reach = means(url, hours)
        wanted = (SYMBOLS, START_NS, None)
        if step == 0:
            fetch(folder, config(adjustment="raw"), wanted, reach, Silent())
        else:
            update(folder, reach, Silent())
        fetch_news(folder, "alpaca", wanted, reach, Silent())
        os.write(say, f"{step}\n".encode())
        step += 1


@contextlib.contextmanager
def vendor():
    """The address of a vendor that runs until this is left."""
    # imported before the forks, so that no download spends its life on it
    with vendor_of("alpaca").connect(config(), _access()):
        pass
    fork = multiprocessing.get_context("fork")
    hear, say = os.pipe()
    process = fork.Process(target=serve, args=(say,), daemon=True)
    process.start()
    os.close(say)
    try:
        yield os.read(hear, 100).decode()
    finally:
        os.close(hear)
        process.kill()
        process.join()


def _access():
    from downloads import keys
    from touchstone.data.http import Access

    return Access(keys(("APCA_API_KEY_ID", "APCA_API_SECRET_KEY")))


def kill_downloads(folder, url, n_kills, rng, longest):
    """Kill so many downloads and check the store after each.

    Returns (steps that came to their end, how often each thing was under way at a kill).
    """
    step, seen = 0, collections.Counter()
    for _ in range(n_kills):
        step += downloaded(folder, url, step, rng.uniform(0.01, longest))
        seen.update(under_way(folder))
        check(folder, step - 1)
    # however slow the machine: what was killed so often comes to its end
    step += downloaded(folder, url, step, None)
    check(folder, step - 1)
    return step, seen


def downloaded(folder, url, step, seconds):
    """Steps that a download said it had done when it was killed, after so long or after one."""
    hear, say = os.pipe()
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=download_for_ever, args=(folder, url, step, say), daemon=True)
    process.start()
    os.close(say)
    heard = os.read(hear, 1 << 16) if seconds is None else b""
    time.sleep(seconds or 0)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while part := os.read(hear, 1 << 16):
        heard += part
    os.close(hear)
    return len(heard.split())


def under_way(folder):
    """What a kill interrupted, as far as its traces tell."""
    if any(folder.rglob("*.tmp")):
        yield "a file half written"
    rows = {row.file for row in BarStore(folder).rows()}
    if any(str(p.relative_to(folder)) not in rows for p in (folder / "1h").glob("[!.]*.parquet")):
        yield "a file written, not yet in the manifest or its predecessor not yet removed"
    if not (folder / "plan.sqlite").is_file():
        yield "nothing begun"
        return
    with contextlib.closing(Plan(folder / "plan.sqlite")) as plan:
        states = {c.state if not c.n_pages or c.state != "open" else "begun" for c in plan.chunks()}
    yield (
        {
            "begun": "a chunk with some of its pages",
            "open": "chunks planned, no page kept yet",
            "done": "finished chunks not yet compacted",
        }[next(s for s in ("begun", "done", "open") if s in states)]
        if states - {"stored"}
        else ("no chunk (between commands, news, or start-up)")
    )


def check(folder, promised):
    """No torn file, no hole, no missing row, no revision that was not logged."""
    bars, _ = truth()
    store = BarStore(folder)
    assert store.verify() == (), store.verify()
    rows = {row.symbol: row for row in store.rows()}
    log = {(r.symbol, r.time): r for r in RevisionLog(folder / "revisions.sqlite").rows()}
    for symbol in rows:
        found, true = store.read(symbol, HOURLY), bars[symbol]
        n = len(found)
        assert (found.time == true.time[:n]).all(), "a hole"
        wrong = np.flatnonzero(found.close != true.close[:n])
        assert all(at % 24 == 10 for at in wrong)
        assert (wrong >= n - 24 - STEP).all(), "an old value is still there"
        for at in range(10, n - 72, 24):
            ends = range(FIRST, n + 1, STEP)
            if any(end - 22 <= at < end for end in ends):  # told otherwise first, compared since
                revised = log[symbol, int(true.time[at])]
                assert revised.new[3] == true.close[at]
                assert revised.old[3] != true.close[at]
        if promised >= 0:
            assert n >= FIRST + STEP * promised, "what a command said was done is gone"
    if promised >= 0:
        assert set(rows) == set(SYMBOLS)
        found = articles.read(folder / "news")
        assert len({a.version for a in found}) == len(found), "an article twice"
        hours = FIRST + STEP * promised
        assert len(found) >= hours // 7
