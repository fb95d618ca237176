"""Promises that every source of bars keeps. A new file in data/sources/ is tested here as it is."""

import dataclasses
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from leaves import leaves
from touchstone.data.sources import SOURCES, Loaded, Reject, Request, Vendor
from touchstone.data.store import BarStore, Origin
from touchstone.errors import ConfigError, SourceError
from touchstone.market import Panel, Timeframe
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
        for config, marks in vendors(symbol):
            origin = Origin(marks.source, marks.adjustment, int(bars.time[-1]), marks.feed)
            named = dataclasses.replace(bars, symbol=symbol)
            BarStore(root / config.path).write(named, Timeframe(config.timeframe), origin)
    return root


def vendors(symbol):
    """(config, marks of the symbol's bars) of each source that is fetched, as it comes."""
    for kind in SOURCES.kinds():
        if isinstance(SOURCES.part(kind), Vendor):
            config = SOURCES.config(kind)()
            yield config, config.marks(symbol)


@pytest.fixture(params=SOURCES.kinds())
def source(request, bars_folder):
    """(config, load) of a source as it comes, its files under `bars_folder`; open at all hours."""
    config = SOURCES.config(request.param)()
    if hasattr(config, "calendar"):
        config = config.model_copy(update={"calendar": "24/7"})
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


def test_a_store_that_was_not_fetched_yet_names_the_command(tmp_path):
    for config, _ in vendors("AAA"):
        with pytest.raises(SourceError, match=f"touchstone data fetch .* --source {config.source}"):
            SOURCES.part_of(config)(config, Request(root=tmp_path))


def test_bars_of_other_marks_are_rejects(tmp_path):
    for config, marks in vendors("AAA"):
        bars = random_walk(100, symbol="AAA")
        for n, odd in enumerate(({"adjustment": "odd"}, {"feed": "odd"}, {"source": "odd"})):
            store = BarStore(tmp_path / f"{config.source}{n}")
            good = Origin(marks.source, marks.adjustment, 1, marks.feed)
            store.write(bars, Timeframe("1h"), good._replace(**odd))
            here = config.model_copy(update={"path": str(store.root), "calendar": "24/7"})
            with pytest.raises(SourceError, match="'odd', the study asks for"):
                SOURCES.part_of(here)(here, Request())
            store.write(random_walk(100, symbol="BBB"), Timeframe("1h"), good)
            loaded = SOURCES.part_of(here)(here, Request())
            assert loaded.panel.symbols == ("BBB",)
            assert [r.symbol for r in loaded.rejects] == ["AAA"]


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
        "[SOURCES.part(kind) for kind in SOURCES.kinds()]; "
        "heavy = ('polars', 'pyarrow', 'pandas', 'httpx', 'requests', 'alpaca', 'ccxt'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
