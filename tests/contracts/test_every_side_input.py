"""Promises that every side input keeps. A new file in data/side/ is tested here with one sample:
how its file is written from (symbol, event, knowledge, value) rows, in days."""

import numpy as np
import polars as pl
import pytest

from leaves import leaves
from touchstone.data.side import SIDES, Joined, Place
from touchstone.data.side_inputs import with_side
from touchstone.data.sources import Loaded
from touchstone.errors import ConfigError, DataError, SourceError
from walks import HOUR_NS, START_NS, panel_of, random_walk

DAY_NS = 24 * HOUR_NS
PANEL = panel_of(*[random_walk(60 * 24, i, symbol=s) for i, s in enumerate(("AAA", "BBB"))])


def times(days):
    ns = pl.Series([int(START_NS + d * DAY_NS) for d in days], dtype=pl.Int64)
    return ns.cast(pl.Datetime("ns", "UTC"))


def table(rows):
    return {"kind": "table"}, pl.DataFrame({
        "symbol": [r[0] for r in rows], "event_time": times([r[1] for r in rows]),
        "knowledge_time": times([r[2] for r in rows]), "value": [r[3] for r in rows],
    })  # fmt: skip


def macro(rows):
    """Vintages; the market's, so that both instruments' rows are one series."""
    return {"kind": "macro", "timezone": "UTC"}, pl.DataFrame({
        "date": times([float(int(r[1])) for r in rows]).dt.date(),
        "knowledge_time": times([r[2] for r in rows]), "value": [r[3] for r in rows],
    }).unique(["date", "knowledge_time"], keep="first", maintain_order=True)  # fmt: skip


def news(rows):
    words = ["good", "bad", "great", "terrible", "fine"]
    return {"kind": "news"}, pl.DataFrame({
        "symbol": [r[0] for r in rows], "created_at": times([r[1] for r in rows]),
        "updated_at": times([r[2] for r in rows]),
        "text": [f"{words[int(abs(r[3])) % 5]} news {int(r[3])}" for r in rows],
    })  # fmt: skip


SAMPLES = {"table": table, "macro": macro, "news": news}


def some_rows(n, seed):
    rng = np.random.default_rng(seed)
    event = np.sort(rng.uniform(0, 55, n))
    symbol = rng.choice(["AAA", "BBB"], n)
    lag, value = rng.exponential(2, n), rng.normal(0, 9, n)
    known = event + lag
    return list(zip(symbol.tolist(), event.tolist(), known.tolist(), value.tolist(), strict=True))


@pytest.fixture(params=SIDES.kinds())
def kind(request):
    assert request.param in SAMPLES, f"say in SAMPLES how a file of {request.param} is written"
    return request.param


def load(kind, rows, folder, **more):
    settings, frame = SAMPLES[kind](rows)
    frame.write_parquet(folder / "side.parquet")
    config = SIDES.parse({**settings, "path": "side.parquet", **more})
    return SIDES.part_of(config)(config, PANEL, Place(folder))


def test_gives_a_column_a_name_and_an_age(kind, tmp_path):
    joined = load(kind, some_rows(60, 1), tmp_path)
    assert isinstance(joined, Joined)
    for column in (*joined.columns.values(), joined.age_ns):
        assert (column.shape, column.dtype) == ((len(PANEL),), np.dtype(np.float64))
        assert not np.isinf(column).any()
        assert np.isfinite(column).any()
        assert np.isnan(column).any(), "at first nothing is known"
    assert (joined.age_ns[np.isfinite(joined.age_ns)] >= 0).all()
    assert all(f.endswith(".") for f in joined.findings)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_known_later_changes_no_bit_before(kind, seed, tmp_path):
    rows, other = some_rows(60, seed), some_rows(60, seed + 50)
    until = 20 + 5 * seed
    past, future = [r for r in rows if r[2] <= until], [r for r in other if r[2] > until]
    changed = [*past, *future]
    mixed = [changed[i] for i in np.random.default_rng(seed).permutation(len(changed))]
    before = PANEL.available_at <= START_NS + until * DAY_NS
    one = load(kind, rows, tmp_path)
    two, alone = load(kind, mixed, tmp_path), load(kind, past, tmp_path)
    assert any((one.columns[n][~before] != two.columns[n][~before]).any() for n in one.columns)
    for other_one in (two, alone):
        for name, column in one.columns.items():
            np.testing.assert_array_equal(column[before], other_one.columns[name][before])
        np.testing.assert_array_equal(one.age_ns[before], other_one.age_ns[before])


def test_a_file_that_does_not_say_when_is_refused(kind, tmp_path):
    settings, frame = SAMPLES[kind](some_rows(9, 1))
    time = {"table": "knowledge_time", "macro": "knowledge_time", "news": "created_at"}[kind]
    frame.drop(time).write_parquet(tmp_path / "side.parquet")
    config = SIDES.parse({**settings, "path": "side.parquet"})
    with pytest.raises(SourceError, match=r"side.parquet: no column"):
        SIDES.part_of(config)(config, PANEL, Place(tmp_path))


def test_too_old_is_not_known(kind, tmp_path):
    rows = some_rows(12, 3)
    short, long = (load(kind, rows, tmp_path, max_age=age) for age in ("36h", "40d"))
    assert short.age_ns[np.isfinite(short.age_ns)].max() <= 36 * HOUR_NS
    known, more = (~np.isnan(next(iter(j.columns.values()))) for j in (short, long))
    assert known.sum() < more.sum()
    assert not (known & ~more).any()


@pytest.mark.parametrize("write", ["missing", "empty", "garbage", "no rows", "a folder"])
def test_a_file_that_is_none_is_told_by_name(kind, write, tmp_path):
    settings, frame = SAMPLES[kind](some_rows(9, 1))
    path = tmp_path / "side.parquet"
    if write == "a folder":
        path.mkdir()
    elif write == "no rows":
        frame.clear().write_parquet(path)
    elif write != "missing":
        path.write_bytes(b"" if write == "empty" else b"\x00garbage" * 99)
    config = SIDES.parse({**settings, "path": "side.parquet"})
    with pytest.raises(SourceError, match=r"side\.parquet: "):
        SIDES.part_of(config)(config, PANEL, Place(tmp_path))


def test_csv_and_a_folder_of_files_say_the_same(kind, tmp_path):
    rows = some_rows(40, 4)
    whole = load(kind, rows, tmp_path)
    settings, frame = SAMPLES[kind](rows)
    assert frame.height > 20
    (tmp_path / "csv").mkdir()
    frame[:17].write_csv(tmp_path / "csv" / "a.csv", datetime_format="%+")
    frame[17:].write_csv(tmp_path / "csv" / "b.csv", datetime_format="%+")
    config = SIDES.parse({**settings, "path": "csv"})
    again = SIDES.part_of(config)(config, PANEL, Place(tmp_path))
    for name, column in whole.columns.items():
        np.testing.assert_allclose(again.columns[name], column, rtol=1e-9, atol=1e-9)


def test_a_row_of_a_folder_is_told_by_its_file(kind, tmp_path):
    settings, frame = SAMPLES[kind](some_rows(9, 4))
    (tmp_path / "csv").mkdir()
    time = "created_at" if kind == "news" else "knowledge_time"
    frame = frame.with_columns(pl.col(time).dt.strftime("%Y-%m-%dT%H:%MZ"))
    frame.write_csv(tmp_path / "csv" / "a.csv", datetime_format="%+")
    broken = frame[:3].with_columns(pl.Series(time, [*frame[time][:2], "soon"]))
    broken.write_csv(tmp_path / "csv" / "b.csv", datetime_format="%+")
    config = SIDES.parse({**settings, "path": "csv"})
    with pytest.raises(SourceError, match=r"csv/b\.csv: row 2: time 'soon' cannot be read"):
        SIDES.part_of(config)(config, PANEL, Place(tmp_path))


def test_joins_the_panel_under_its_name_with_its_findings(kind, tmp_path):
    settings, frame = SAMPLES[kind](some_rows(40, 5))
    frame.write_parquet(tmp_path / "side.parquet")
    config = SIDES.parse({**settings, "path": "side.parquet"})
    bare = Loaded(PANEL, (), ("Old news.",), "market", None)
    loaded = with_side(bare, {"mood": config}, Place(tmp_path))
    assert "mood" in loaded.panel.side
    assert all(n == "mood" or n.startswith("mood_") for n in loaded.panel.side)
    assert loaded.findings[0] == "Old news."
    assert all(f.startswith("Side input mood: ") for f in loaded.findings[1:])
    assert loaded.panel.content_hash() != PANEL.content_hash()
    taken = bare._replace(panel=PANEL.map_side({"mood": PANEL.close}))
    with pytest.raises(ConfigError, match=r"side\.mood: there is a column 'mood' already"):
        with_side(taken, {"mood": config}, Place(tmp_path))


def test_an_input_of_which_no_bar_knows_anything_is_refused(kind, tmp_path):
    settings, frame = SAMPLES[kind]([(s, e + 900, k + 900, v) for s, e, k, v in some_rows(9, 6)])
    frame.write_parquet(tmp_path / "side.parquet")
    config = SIDES.parse({**settings, "path": "side.parquet"})
    with pytest.raises(DataError, match=r"side\.mood: nothing of it was known at any bar"):
        with_side(Loaded(PANEL, (), (), "market", None), {"mood": config}, Place(tmp_path))


@pytest.fixture
def config(kind):
    return SIDES.parse({**SAMPLES[kind](some_rows(9, 1))[0], "path": "x"})


def test_config_survives_its_own_json_and_refuses_unknown_keys(config):
    assert SIDES.parse(config.model_dump(mode="json", serialize_as_any=True)) == config
    with pytest.raises(ConfigError, match="no such key"):
        SIDES.parse({"kind": config.kind, "path": "x", "maxage": 3})


def test_every_leaf_changes_the_fingerprint(config):
    prints = [config.fingerprint(), *(changed.fingerprint() for _, changed in leaves(config))]
    assert len(set(prints)) == len(prints) > 3


def test_every_field_is_documented(config):
    fields = type(config).model_fields.items()
    assert [n for n, field in fields if not field.description and n != "kind"] == []
