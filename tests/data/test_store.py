"""The store: what was written is read, a revision is told, and no kill tears anything."""

import itertools
import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from bar_files import assert_same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchstone.data.raw_bars import read_folder
from touchstone.data.sources import SOURCES, Request
from touchstone.data.sources.alpaca import AlpacaConfig
from touchstone.data.sources.parquet import ParquetConfig
from touchstone.data.store import BarStore, Origin
from touchstone.data.stored import Marks, load_stored
from touchstone.errors import DataError, SourceError, TooFewBarsError
from touchstone.files import sha256_file
from touchstone.market import Bars, Timeframe
from walks import random_walk

HOURLY, DAILY = Timeframe("1h"), Timeframe("1d")
FEED = Origin("vendor", "raw", 1_700_000_000_000_000_000, "sip")
WALK = random_walk(300, symbol="BTC/USD")
FIELDS = ("time", "open", "high", "low", "close", "volume")


def part(bars, start, end, **columns):
    """Some rows of bars, with columns replaced."""
    rows = {n: getattr(bars, n)[start:end].copy() for n in FIELDS}
    return Bars(bars.symbol, **{**rows, **columns})


def same(one, two):
    return one.symbol == two.symbol and all(
        np.array_equal(getattr(one, n), getattr(two, n)) for n in FIELDS
    )


def files_of(root):
    return sorted(p.name for p in root.rglob("*") if p.is_file() and p.name != ".lock")


def test_what_is_written_is_read_bit_for_bit(tmp_path):
    store = BarStore(tmp_path / "store")
    assert store.rows() == ()
    row = store.write(WALK, HOURLY, FEED)
    assert same(store.read("BTC/USD", HOURLY), WALK)
    assert store.rows() == (row,)
    path = store.root / row.file
    assert (row.sha256, row.size) == (sha256_file(path), path.stat().st_size)
    assert (row.n_bars, row.first, row.last) == (300, WALK.time[0], WALK.time[-1])
    assert row[-5:-1] == FEED
    assert store.verify() == ()


def test_a_new_version_replaces_the_old_file_last(tmp_path):
    store = BarStore(tmp_path)
    old = store.write(part(WALK, 0, 100), HOURLY, FEED)
    new = store.write(WALK, HOURLY, FEED)
    assert old.file != new.file
    assert files_of(tmp_path) == sorted([Path(new.file).name, "manifest.json"])


def test_timeframes_and_symbols_stand_apart(tmp_path):
    store = BarStore(tmp_path)
    for symbol in ("A", "A.B", "A.123456789012"):
        store.write(random_walk(20, symbol=symbol), HOURLY, FEED)
    store.write(random_walk(20, symbol="A"), DAILY, FEED)
    store.write(random_walk(30, symbol="A"), HOURLY, FEED)
    assert [(r.symbol, r.timeframe, r.n_bars) for r in store.rows()] == [
        ("A", "1d", 20),
        ("A", "1h", 30),
        ("A.123456789012", "1h", 20),
        ("A.B", "1h", 20),
    ]
    assert store.verify() == ()


def test_append_adds_what_comes_after(tmp_path):
    store = BarStore(tmp_path)
    store.append(part(WALK, 0, 100), HOURLY, FEED)
    row = store.append(part(WALK, 80, 200), HOURLY, FEED._replace(fetched_at=FEED.fetched_at + 1))
    assert row.fetched_at == FEED.fetched_at + 1
    store.append(part(WALK, 200, 300), HOURLY, FEED)
    store.append(part(WALK, 250, 300), HOURLY, FEED)
    assert same(store.read("BTC/USD", HOURLY), WALK)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(1, 299), min_size=1, max_size=4), overlap=st.integers(0, 10))
def test_appended_in_parts_is_written_at_once(quick_folder, cuts, overlap):
    store = BarStore(quick_folder / f"{cuts} {overlap}")
    edges = sorted({0, *cuts, 300})
    for start, end in itertools.pairwise(edges):
        store.append(part(WALK, max(0, start - overlap), end), HOURLY, FEED)
    assert same(store.read("BTC/USD", HOURLY), WALK)


def revised():
    bars = part(WALK, 90, 120)
    bars.volume[5] += 1
    return bars


def widened():
    bars = part(WALK, 90, 120)
    time = bars.time.copy()
    time[3] += 1
    return part(bars, 0, 30, time=time)


@pytest.mark.parametrize(
    ("bars", "origin", "says"),
    [
        (revised, FEED, r"volume at 2022-01-04T23:00:00 UTC was .* never overwritten silently"),
        (widened, FEED, r"a bar at 2022-01-04T21:00:00 UTC is new where the past was known"),
        (
            lambda: WALK,
            FEED._replace(adjustment="all"),
            r"adjustment 'raw', these 'all': never mix",
        ),
        (lambda: WALK, FEED._replace(feed="iex"), r"feed 'sip', these 'iex': never mix"),
        (lambda: WALK, FEED._replace(source="x"), r"source 'vendor', these 'x': never mix"),
    ],
)
def test_append_refuses_and_leaves_the_store_alone(tmp_path, bars, origin, says):
    store = BarStore(tmp_path)
    store.write(part(WALK, 0, 100), HOURLY, FEED)
    before = store.rows()
    with pytest.raises(SourceError, match=says):
        store.append(bars(), HOURLY, origin)
    assert store.rows() == before
    assert store.verify() == ()


def test_append_does_not_begin_before_the_store_does(tmp_path):
    store = BarStore(tmp_path)
    store.write(part(WALK, 50, 100), HOURLY, FEED)
    with pytest.raises(SourceError, match="begin before the old ones"):
        store.append(WALK, HOURLY, FEED)


def test_nothing_cannot_be_written_and_the_unknown_not_read(tmp_path):
    store = BarStore(tmp_path)
    with pytest.raises(TooFewBarsError, match="no bars to write"):
        store.write(part(WALK, 0, 0), HOURLY, FEED)
    store.write(WALK, HOURLY, FEED)
    with pytest.raises(SourceError, match="no 1h bars of 'ETH': the store has BTC/USD"):
        store.read("ETH", HOURLY)
    with pytest.raises(SourceError, match="no 1d bars of 'BTC/USD': the store has none"):
        store.read("BTC/USD", DAILY)
    with pytest.raises(DataError, match="not a symbol"):
        store.write(random_walk(3, symbol="../evil"), HOURLY, FEED)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "swap"])
def test_damage_is_found(tmp_path, damage):
    store = BarStore(tmp_path)
    row = store.write(WALK, HOURLY, FEED)
    path = tmp_path / row.file
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(bytes(content))
    elif damage == "cut":
        path.write_bytes(bytes(content[:-1]))
    elif damage == "gone":
        path.unlink()
    else:
        manifest = json.loads((tmp_path / "manifest.json").read_text())
        manifest["rows"][0]["n_bars"] += 1
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert len(store.verify()) == 1
    if damage != "swap":
        with pytest.raises(SourceError, match="fetch the instrument again"):
            store.read("BTC/USD", HOURLY)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 9, "rows": []}'])
def test_a_manifest_that_is_none(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(SourceError, match="manifest"):
        BarStore(tmp_path).rows()


def test_the_parquet_source_reads_a_store_by_its_manifest(tmp_path):
    store = BarStore(tmp_path)
    store.write(WALK, HOURLY, FEED)
    eth = random_walk(200, 3, symbol="ETH/USD")
    row = store.write(eth, HOURLY, FEED)
    store.write(eth, DAILY, FEED)
    (tmp_path / "1h" / "STRAY.parquet").write_bytes(b"half")
    config = SOURCES.parse({"source": "parquet", "path": str(tmp_path)})
    loaded = SOURCES.part_of(config)(config, Request())
    assert (loaded.panel.symbols, loaded.rejects) == (("BTC/USD", "ETH/USD"), ())
    assert_same(loaded.panel, 1, eth)
    with (tmp_path / row.file).open("ab") as file:
        file.write(b"x")
    loaded = SOURCES.part_of(config)(config, Request())
    assert loaded.panel.symbols == ("BTC/USD",)
    assert "do not hash to what the manifest says" in loaded.rejects[0].reason


N_KILLS = 40


def _write_for_ever(root, said):
    """Append to three instruments, and say after each write how many bars must be there."""
    store = BarStore(Path(root))
    walks = {s: random_walk(4000, i, symbol=s) for i, s in enumerate(("A", "A.B", "C/USD"))}
    done = {r.symbol: r.n_bars for r in store.rows()}
    for _ in range(10**6):
        for symbol, walk in walks.items():
            n = done.get(symbol, 0) % 4000 + 7
            write = store.append if n > 7 else store.write
            write(part(walk, 0, n), HOURLY, FEED)
            done[symbol] = n
            os.write(said, f"{symbol} {n}\n".encode())


def test_kill_9_tears_nothing_and_loses_nothing(quick_folder):
    fork = multiprocessing.get_context("fork")
    store, rng = BarStore(quick_folder), np.random.default_rng(7)
    promised, n_writes = {}, 0
    for _ in range(N_KILLS):
        hear, say = os.pipe()
        writer = fork.Process(target=_write_for_ever, args=(str(quick_folder), say), daemon=True)
        writer.start()
        os.close(say)
        heard = os.read(hear, 1 << 16)  # it is at work
        time.sleep(rng.uniform(0, 0.03))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        while chunk := os.read(hear, 1 << 16):
            heard += chunk
        os.close(hear)
        for line in heard.decode().splitlines():
            symbol, n = line.split()
            promised[symbol] = int(n)
            n_writes += 1
        assert store.verify() == ()
        rows = {r.symbol: r.n_bars for r in store.rows()}
        for symbol, n in promised.items():
            assert rows[symbol] >= n, "a write that was promised is gone"
    assert n_writes > N_KILLS
    for symbol in promised:
        store.append(store.read(symbol, HOURLY), HOURLY, FEED)
    left = {p.name for p in (quick_folder / "1h").iterdir()}
    assert left == {Path(r.file).name for r in store.rows()}


def test_readers_beside_a_writer_never_see_a_half(quick_folder):
    fork = multiprocessing.get_context("fork")
    hear, say = os.pipe()
    writer = fork.Process(target=_write_for_ever, args=(str(quick_folder), say), daemon=True)
    writer.start()
    os.close(say)
    os.read(hear, 1)
    store, lengths = BarStore(quick_folder), set()
    walk = random_walk(4000, 0, symbol="A")
    end = time.monotonic() + 10
    while len(lengths) < 10 and time.monotonic() < end:
        bars = store.read("A", HOURLY)
        lengths.add(len(bars))
        assert same(bars, part(walk, 0, len(bars)))
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    os.close(hear)
    assert len(lengths) == 10


@pytest.mark.parametrize("source", ["parquet", "test", "raw"])
def test_a_reader_beside_a_writer_loses_no_instrument(quick_folder, source):
    """Files are replaced while they are read: whoever reads a store gets one version or another."""
    store, over = BarStore(quick_folder), threading.Event()

    def marks(_):
        return Marks(FEED.source, FEED.feed, FEED.adjustment)

    store.write(random_walk(40, symbol="AAA"), HOURLY, FEED)

    def write():
        for n in itertools.count(1):
            if over.is_set():
                return
            store.write(random_walk(40, n, symbol="AAA"), HOURLY, FEED)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(25):
            settings = {"path": str(quick_folder), "calendar": "24/7"}
            if source == "raw":
                read = read_folder(ParquetConfig(**settings))
                assert [len(b.time) for b in read.bars] == [40]
                assert read.unreadable == ()
                continue
            request = Request(None, None, None, 0, quick_folder)
            if source == "parquet":
                config = ParquetConfig(**settings)
                loaded = SOURCES.part_of(config)(config, request)
            else:
                config = AlpacaConfig(**settings)
                loaded = load_stored(config, marks, request)
            assert loaded.panel.n_instruments == 1
            assert loaded.rejects == ()
    finally:
        over.set()
        writer.join()
