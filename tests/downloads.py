"""Downloads for tests: a clock that costs nothing, and the bars of a vendor's server."""

import dataclasses
import threading

from touchstone.data.downloads.download import Pace
from touchstone.data.downloads.token_bucket import TokenBucket
from touchstone.data.http import Secrets
from touchstone.pipelines.downloading import Means
from touchstone.pipelines.fetch import vendor_config
from walks import HOUR_NS, START_NS, random_walk

CANARY = "canary-7f3a9b"


class Clock:
    """Seconds that pass only where somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 0.0, []
        self._lock = threading.Lock()

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        with self._lock:
            self.now += seconds
            self.slept.append(seconds)


def keys(names):
    """A secret for each name."""
    return Secrets({name: f"{CANARY}-{i}" for i, name in enumerate(names)})


def means(server, hours, *, threads=3, tries=3, clock=None, rate=10**6):
    """How a download reaches `server`, `hours` after the first bar."""
    clock = clock or Clock()
    pace = Pace(TokenBucket(rate, clock, clock.sleep), clock.sleep, threads, tries)
    now = START_NS + int(hours * HOUR_NS)
    return Means(keys, pace, lambda: now, server if isinstance(server, str) else server.url)


def config(source="alpaca", **settings):
    """A vendor's config, open at all hours."""
    return vendor_config({"source": source, "calendar": "24/7", **settings})


def walk(symbol, n_bars=700, seed=0):
    """Hourly bars from `START_NS` on."""
    return random_walk(n_bars, seed, symbol=symbol)


def changed(bars, rows, factor, field="close"):
    """Bars whose high, low and one price are other at some rows."""
    columns = {n: getattr(bars, n).copy() for n in ("open", "high", "low", "close", "volume")}
    for row in rows:
        columns[field][row] *= factor
        columns["high"][row] = max(c[row] for n, c in columns.items() if n != "volume")
        columns["low"][row] = min(c[row] for n, c in columns.items() if n != "volume")
    return dataclasses.replace(bars, **columns)


def adjusted(bars, until, factor):
    """Bars before row `until` as after a split: prices times `factor`, volume divided by it."""
    columns = {}
    for name in ("open", "high", "low", "close", "volume"):
        values = getattr(bars, name).copy()
        values[:until] *= 1 / factor if name == "volume" else factor
        columns[name] = values
    return dataclasses.replace(bars, **columns)
