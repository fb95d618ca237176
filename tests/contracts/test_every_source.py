"""Promises that every source of bars keeps. A new file in data/sources/ is tested here as it is."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from leaves import leaves
from touchstone.data.sources import SOURCES, Loaded, Reject, Request
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Panel
from walks import HOUR_NS, random_walk

FIELDS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def bars_folder(tmp_path_factory):
    """Three instruments, in every format a source reads."""
    root = tmp_path_factory.mktemp("sources")
    (root / "data" / "bars").mkdir(parents=True)
    for i, symbol in enumerate(("AAA", "BBB", "CCC")):
        bars = random_walk(400, i)
        time = pl.Series(bars.time).cast(pl.Datetime("ns", "UTC"))
        table = pl.DataFrame({"timestamp": time, **{n: getattr(bars, n) for n in FIELDS}})
        table.write_parquet(root / "data" / "bars" / f"{symbol}.parquet")
        table.write_csv(root / "data" / "bars" / f"{symbol}.csv", datetime_format="%+")
    return root


@pytest.fixture(params=SOURCES.kinds())
def source(request, bars_folder):
    """(config, load) of a source as it comes, its files under `bars_folder`."""
    config = SOURCES.config(request.param)()
    part = SOURCES.part(request.param)
    return config, lambda **wish: part(config, Request(root=bars_folder, **wish))


def test_gives_a_panel_and_its_story(source):
    _, load = source
    loaded = load(seed=7)
    assert isinstance(loaded, Loaded)
    assert isinstance(loaded.panel, Panel)
    assert len(loaded.panel) > 0
    assert list(loaded.panel.symbols) == sorted(loaded.panel.symbols)
    assert (np.diff(loaded.panel.offsets) > 0).all(), "no instrument without bars"
    assert all(isinstance(r, Reject) for r in loaded.rejects)
    assert all(f.endswith((".", "?")) for f in loaded.findings)
    assert loaded.namespace == "market" or loaded.namespace.startswith("simulated:")


def test_the_same_request_gives_the_same_bars(source):
    _, load = source
    one, two = load(seed=7), load(seed=7)
    assert one.panel.content_hash() == two.panel.content_hash()
    assert one[1:] == two[1:]


def test_the_namespace_tells_worlds_apart(source):
    _, load = source
    one, two = load(seed=7), load(seed=8)
    same_bars = one.panel.content_hash() == two.panel.content_hash()
    assert (one.namespace == two.namespace) == same_bars


def test_symbols_filter(source):
    _, load = source
    whole = load(seed=7).panel
    second = whole.symbols[1]
    some = load(seed=7, symbols=(second, "NOSUCH")).panel
    assert some.symbols == (second,)
    np.testing.assert_array_equal(some.close, whole.bars(1).close)
    rejects = load(seed=7, symbols=(second, "NOSUCH")).rejects
    assert [r.symbol for r in rejects] == ["NOSUCH"]


def test_a_request_for_nothing_is_an_error_with_a_way_out(source):
    _, load = source
    with pytest.raises(SourceError, match="NOSUCH"):
        load(symbols=("NOSUCH",))
    with pytest.raises(SourceError, match=r"start|widen"):
        load(start=10**18 * 4)


def test_start_and_end_cut_and_change_nothing_else(source):
    _, load = source
    whole = load(seed=7).panel
    start, end = int(whole.time[50]), int(whole.time[300])
    some = load(seed=7, start=start, end=end).panel
    keep = (whole.time >= start) & (whole.available_at <= end)
    np.testing.assert_array_equal(some.time, whole.time[keep])
    np.testing.assert_array_equal(some.close, whole.close[keep])
    assert (some.time + HOUR_NS <= end).all()


def test_config_survives_its_own_json(source):
    config, _ = source
    assert SOURCES.parse(config.model_dump(mode="json", serialize_as_any=True)) == config


def test_config_refuses_unknown_keys(source):
    config, _ = source
    with pytest.raises(ConfigError, match="no such key"):
        SOURCES.parse({"source": config.source, "pahtt": 3})


def test_every_leaf_changes_the_fingerprint(source):
    config, _ = source
    prints = [config.fingerprint(), *(changed.fingerprint() for _, changed in leaves(config))]
    assert len(set(prints)) == len(prints) > 1


def test_every_field_is_documented(source):
    config, _ = source
    missing = [
        name
        for name, field in type(config).model_fields.items()
        if not field.description and name != "source"
    ]
    assert missing == []


def test_asking_for_the_kinds_reads_no_table_library():
    code = (
        "import sys; from touchstone.data.sources import SOURCES; SOURCES.kinds(); "
        "import touchstone.data.store, touchstone.data.cache; "
        "SOURCES.config('parquet'); SOURCES.config('csv'); "
        "print([m for m in ('polars', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
