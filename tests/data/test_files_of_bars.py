"""Files of bars: good ones in any dress, bad ones refused by file, row, key and way out."""

import gzip
import re
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from bar_files import assert_same, frame, frame_of, load, save
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchstone.data.sources import SOURCES, Request
from touchstone.errors import ConfigError, SourceError
from walks import START_NS, random_walk

GOOD = random_walk(48, 9, symbol="GOOD")


def reason(tmp_path, table, name="BAD.parquet", **config):
    """Load a bad file beside a good one; the good one stays, the bad one's reason is returned."""
    save(tmp_path, name.replace("BAD", "GOOD"), frame_of(GOOD))
    save(tmp_path, name, table)
    loaded = load(tmp_path, **config)
    assert loaded.panel.symbols == ("GOOD",)
    assert_same(loaded.panel, 0, GOOD)
    (reject,) = loaded.rejects
    assert reject.symbol == "BAD"
    assert reject.file == str(tmp_path / name)
    return reject.reason


def swap(table, a, b):
    """Two rows change places."""
    order = np.arange(table.height)
    order[[a, b]] = order[[b, a]]
    return table[order]


BAD = [
    pytest.param(frame()[:1], r"1 bar, at least 2 needed: .*minimum_bars", id="one row"),
    pytest.param(frame()[:0], r"holds no rows: download it again", id="no rows"),
    pytest.param(
        frame()[[0, 1, 2, 2, 3]],
        r"row 3: time 2022-01-01 02:00 UTC stands twice: keep one bar per time",
        id="duplicate time",
    ),
    pytest.param(
        frame(close={7: float("nan")}),
        r"row 7: close is missing \(NaN\) at 2022-01-01 07:00 UTC: .*remove the row or repair",
        id="NaN price",
    ),
    pytest.param(
        frame(open={7: None, 9: None}),
        r"row 7: open is missing \(NaN\) at .* \(2 rows in all\): ",
        id="null price",
    ),
    pytest.param(frame(high={4: float("inf")}), r"row 4: high is inf", id="infinite price"),
    pytest.param(
        frame(high={4: 1.0}),
        r"row 4: high 1 lies below low \d+\.\d+ at 2022-01-01 04:00 UTC: check that columns:",
        id="high below low",
    ),
    pytest.param(
        frame(close={4: 1000.0}),
        r"row 4: open \S+ or close 1000 lies outside low .*: adjusted and raw prices",
        id="close outside",
    ),
    pytest.param(
        frame(low={5: -3.0}), r"row 5: low is -3 at .*a price is positive: ", id="negative price"
    ),
    pytest.param(
        frame(open={5: 0.0}), r"row 5: open is 0 at .*a price is positive: ", id="zero price"
    ),
    pytest.param(
        frame(volume={5: -1.0}), r"row 5: volume is -1 at .*volume is not negative", id="volume"
    ),
    pytest.param(
        frame_of(random_walk(48), zone=None),
        r"row 0: time 2022-01-01 00:00:00 names no time zone: state .*timezone: UTC",
        id="naive times",
    ),
    pytest.param(
        swap(frame(), 5, 6),
        r"row 6: time 2022-01-01 05:00 UTC comes after 2022-01-01 06:00 UTC .*sort the file",
        id="unordered times",
    ),
    pytest.param(
        frame().reverse(), r"times fall from the first row to the last: sort", id="newest first"
    ),
    pytest.param(
        frame().with_columns(pl.Series("timestamp", [True] * 48)),
        r"time column 'timestamp' is of type Boolean: needs datetimes",
        id="time of a wrong type",
    ),
    pytest.param(
        frame().with_columns(pl.Series("close", [b"x"] * 48)),
        r"column 'close' \(close\) is of type Binary, needs numbers",
        id="price of a wrong type",
    ),
    pytest.param(
        frame().with_columns(pl.Series("close", ["1.0"] * 47 + ["abc"])),
        r"row 47: close 'abc' \(column 'close'\) is no number",
        id="price that is text",
    ),
    pytest.param(
        frame().rename({"close": "clsoe"}),
        r"no column is the close. Is it 'clsoe'\? Then write columns: \{close: clsoe\}.*'open'",
        id="missing column",
    ),
    pytest.param(
        frame().drop("volume"),
        r"no column is the volume. It has .*without_volume: true",
        id="missing volume",
    ),
    pytest.param(
        frame().with_columns(Open=pl.col("open")).rename({"open": "OPEN"}),
        r"'OPEN', 'Open' could both be the open: write columns: \{open: OPEN\}",
        id="column twice",
    ),
    pytest.param(
        frame().with_columns(pl.col("timestamp").dt.offset_by("17m")),
        r"row 0: time 2022-01-01 00:17 UTC is no start of a 1h bar \(48 rows in all\): bars",
        id="off the clock",
    ),
    pytest.param(
        frame(timestamp={11: datetime(2022, 1, 1, 11, 0, 1, tzinfo=UTC)}),
        r"row 11: time 2022-01-01 11:00:01 UTC is no start of a 1h bar",
        id="one row off the clock",
    ),
    pytest.param(
        frame()[::24].head(2).vstack(frame(200)[::24][2:]),
        r"bars lie 1d apart, the study's bars are of 1h: write timeframe: 1d",
        id="daily file in an hourly study",
    ),
    pytest.param(
        frame()
        .with_columns(
            timestamp=pl.from_epoch(pl.Series(np.arange(48) * 900 + START_NS // 10**9), "s")
        )
        .with_columns(pl.col("timestamp").dt.replace_time_zone("UTC")),
        r"bars lie 15m apart, the study's bars are of 1h: write timeframe: 15m",
        id="finer file",
    ),
    pytest.param(
        frame().with_columns(timestamp=pl.Series(np.arange(48) * 3600 * 10**12)),
        r"row 0: time 0 is too small for seconds|lies outside|looks like",
        id="integers that are no times",
    ),
    pytest.param(
        frame(timestamp={3: None}), r"row 3: the time is missing: remove or repair", id="no time"
    ),
]


@pytest.mark.parametrize(("table", "says"), BAD)
def test_a_bad_file_is_named_with_row_and_way_out_and_the_rest_goes_on(tmp_path, table, says):
    assert re.search(says, reason(tmp_path, table))


LINES = "timestamp,open,high,low,close,volume\n"
ROW = "2022-01-01T{:02d}:00:00{},100,101,99,100,5\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", r"the file is empty: download it again", id="empty"),
        pytest.param(LINES, r"holds no rows", id="header only"),
        pytest.param(
            LINES + "".join(ROW.format(h, "Z" if h != 3 else "") for h in range(5)),
            r"row 3 \(line 5\): time '2022-01-01T03:00:00' names no time zone while other rows do",
            id="mixed zones",
        ),
        pytest.param(
            LINES + "".join(ROW.format(h, "") for h in range(5)),
            r"row 0 \(line 2\): time 2022-01-01 00:00:00\S* names no time zone: state .*timezone:",
            id="naive",
        ),
        pytest.param(
            LINES + ROW.format(0, "Z") + "01/02/2022 01:00,100,101,99,100,5\n",
            r"row 1 \(line 3\): time '01/02/2022 01:00' cannot be read: write ISO 8601",
            id="day or month first",
        ),
        pytest.param(
            LINES + ROW.format(0, "Z") + '2022-01-01T01:00:00Z,100,101,99,"1,000",5\n',
            r"row 1 \(line 3\): close '1,000' \(column 'close'\) is no number: .*decimal point",
            id="thousands",
        ),
        pytest.param(
            LINES + ROW.format(0, "Z") + "2022-01-01T01:00:00Z,100,101,99,,5\n",
            r"row 1 \(line 3\): close is missing \(NaN\)",
            id="empty value",
        ),
        pytest.param(
            LINES + ROW.format(0, "Z") + "2022-01-01T01:00:00Z,100,101\n",
            r"row 1 \(line 3\): low is missing|cannot be read",
            id="short line",
        ),
        pytest.param(
            ROW.format(0, "Z") + ROW.format(1, "Z"),
            r"first line holds values .*not names of columns: add a first line timestamp,open",
            id="no header",
        ),
        pytest.param(
            LINES.replace("timestamp", "date,time") + "2022-01-01,00:00,1,1,1,1,1\n",
            r"'date' and 'time' share the time between them: join them",
            id="date and time apart",
        ),
        pytest.param(
            (LINES + ROW.format(0, "Z")).replace(",", ";"),
            r"no column is the time.*timestamp;open",
            id="other separator",
        ),
        pytest.param(
            LINES + "1640995200,1,1,1,1,1\n1640998800000,1,1,1,1,1\n",
            r"row 1 \(line 3\): time 1640998800000 looks like ms, 1640995200 like s",
            id="mixed units",
        ),
    ],
)
def test_a_bad_csv_is_named_with_its_line(tmp_path, text, says):
    assert re.search(says, reason(tmp_path, text, "BAD.csv"))


def test_a_csv_that_is_not_utf8(tmp_path):
    save(tmp_path, "GOOD.csv", frame_of(GOOD))
    (tmp_path / "BAD.csv").write_bytes(
        b"timestamp,open,high,low,close,volume,na\xefve\n2022-01-01T00:00:00Z,1,1,1,1,1,\xe9\n" * 2
    )
    loaded = load(tmp_path)
    assert "UTF-8" in loaded.rejects[0].reason


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "flipped"])
def test_a_broken_parquet_file(tmp_path, damage):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    path = save(tmp_path, "BAD.parquet", frame(500))
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "garbage": b"not a parquet file at all",
            "empty": b"",
            "flipped": content[:-300] + bytes(b ^ 0x55 for b in content[-300:-50]) + content[-50:],
        }[damage]
    )
    (reject,) = load(tmp_path).rejects
    assert reject.symbol == "BAD"
    assert re.search(r"cannot be read|is empty", reject.reason)
    assert "download it again, or remove it" in reject.reason


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), value=st.integers(0, 255))
def test_one_wrong_byte_never_stops_the_load(tmp_path, at, value):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    path = save(tmp_path, "BAD.parquet", frame(20))
    content = bytearray(path.read_bytes())
    content[at % len(content)] = value
    path.write_bytes(bytes(content))
    assert "GOOD" in load(tmp_path).panel.symbols


def test_links_that_go_in_circles(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    (tmp_path / "BAD.parquet").symlink_to(tmp_path / "BAD.parquet")
    (tmp_path / "below").symlink_to(tmp_path)
    loaded = load(tmp_path)
    assert loaded.panel.symbols == ("GOOD",)
    assert [r.symbol for r in loaded.rejects] == ["BAD"]
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(SourceError, match=r"loop: .*check bars.path|no such folder"):
        SOURCES.part("parquet")(SOURCES.parse({"source": "parquet", "path": str(loop)}), Request())


def test_a_file_that_may_not_be_opened_or_is_a_folder(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    (tmp_path / "BAD.parquet").mkdir()
    loaded = load(tmp_path)
    assert loaded.panel.symbols == ("GOOD",)
    assert len(loaded.rejects) == 1


def at(path, source="parquet", **more):
    config = SOURCES.parse({"source": source, "path": str(path), **more})
    return SOURCES.part_of(config)(config, Request())


def test_missing_folder_names_the_nearest(tmp_path):
    (tmp_path / "bars").mkdir()
    with pytest.raises(SourceError, match=r"no such folder or file: did you mean .*/bars\?.*path"):
        at(tmp_path / "bras")


def test_empty_folder(tmp_path):
    with pytest.raises(SourceError, match=r"the folder is empty: put one .parquet file per symbol"):
        at(tmp_path)


def test_folder_of_another_format(tmp_path):
    save(tmp_path, "A.csv", frame())
    with pytest.raises(SourceError, match=r"it holds .csv files: write source: csv"):
        at(tmp_path)


def test_folder_above_the_right_one(tmp_path):
    save(tmp_path / "1h", "A.parquet", frame())
    with pytest.raises(SourceError, match=r"holds folders \(1h\): write path: .../1h"):
        at(tmp_path)


def test_all_files_bad_lists_the_first_reasons(tmp_path):
    for i in range(7):
        save(tmp_path, f"B{i}.parquet", frame(close={i: -1.0}))
    with pytest.raises(SourceError) as caught:
        load(tmp_path)
    text = str(caught.value)
    assert "no bars can be used" in text
    assert [line.split(":")[0].strip() for line in text.split("\n")[1:6]] == [
        f"B{i}.parquet" for i in range(5)
    ]
    assert "row 4: close is -1" in text
    assert "bad_rows: drop" in text
    assert text.endswith("... and 2 more")


def test_file_names_that_are_no_symbols(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    save(tmp_path, "btc usd.parquet", frame())
    (reject,) = load(tmp_path).rejects
    assert "file name 'btc usd' names no symbol" in reject.reason
    assert "rename it" in reject.reason


def test_hidden_and_other_files_are_passed_over(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    save(tmp_path, ".HIDDEN.parquet", frame())
    (tmp_path / "README.md").write_text("x")
    loaded = load(tmp_path)
    assert (loaded.panel.symbols, loaded.rejects) == (("GOOD",), ())


DRESSES = {
    "as we write it": lambda t: t,
    "short names": lambda t: t.rename(dict(zip(t.columns, "tohlcv", strict=True))),
    "capitals": lambda t: t.rename({n: n.title() for n in t.columns}),
    "numbered": lambda t: t.rename({n: f"{i}. {n}" for i, n in enumerate(t.columns)}),
    "in brackets": lambda t: t.rename({n: f"<{n.upper()}>" for n in t.columns}),
    "more columns": lambda t: t.with_columns(vwap=1.0, trades=5, close_time=pl.col("timestamp")),
    "other order": lambda t: t.select(reversed(t.columns)),
    "New York": lambda t: t.with_columns(
        pl.col("timestamp").dt.convert_time_zone("America/New_York")
    ),
    "microseconds": lambda t: t.with_columns(pl.col("timestamp").dt.cast_time_unit("us")),
    "epoch s": lambda t: t.with_columns(pl.col("timestamp").dt.epoch("s")),
    "epoch ms": lambda t: t.with_columns(pl.col("timestamp").dt.epoch("ms")),
    "epoch us": lambda t: t.with_columns(pl.col("timestamp").dt.epoch("us")),
    "epoch ns": lambda t: t.with_columns(pl.col("timestamp").dt.epoch("ns")),
    "epoch float": lambda t: t.with_columns(pl.col("timestamp").dt.epoch("s").cast(pl.Float64)),
    "text": lambda t: t.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%d %H:%M:%S%:z")),
    "text Z": lambda t: t.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "text minutes": lambda t: t.with_columns(pl.col("timestamp").dt.strftime("%Y/%m/%d %H:%MZ")),
    "text UTC": lambda t: t.with_columns(pl.col("timestamp").dt.strftime("%Y%m%d %H:%M:%S UTC")),
    "text in Kolkata": lambda t: t.with_columns(
        pl.col("timestamp").dt.convert_time_zone("Asia/Kolkata").dt.strftime("%F %T%.3f%z")
    ),
    "decimals": lambda t: t.with_columns(pl.col("volume").cast(pl.Decimal(38, 20))),
}


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_bars_in_any_dress(tmp_path, dress, suffix):
    path = save(tmp_path, f"GOOD.{suffix}", DRESSES[dress](frame_of(GOOD)))
    for where in (tmp_path, path):
        loaded = load(where)
        assert loaded.rejects == ()
        assert_same(loaded.panel, 0, GOOD)


def test_gzip_and_byte_order_mark(tmp_path):
    text = frame_of(GOOD).write_csv(datetime_format="%+")
    (tmp_path / "GOOD.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "MARK.csv").write_text("\ufeff" + text)
    loaded = load(tmp_path)
    assert loaded.panel.symbols == ("GOOD", "MARK")
    assert_same(loaded.panel, 1, GOOD)


def test_separator(tmp_path):
    (tmp_path / "GOOD.csv").write_text(
        frame_of(GOOD).write_csv(separator=";", datetime_format="%+")
    )
    assert_same(load(tmp_path, separator=";").panel, 0, GOOD)


def test_a_stated_column_wins_over_the_known_names(tmp_path):
    table = frame_of(GOOD).rename({"close": "settled"}).with_columns(close=pl.lit(5.0))
    save(tmp_path, "GOOD.parquet", table)
    assert_same(load(tmp_path, columns={"close": "settled"}).panel, 0, GOOD)


def test_a_stated_column_that_is_absent(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    with pytest.raises(SourceError, match=r"columns.close says 'clsoe', .*did you mean 'close'\?"):
        load(tmp_path, columns={"close": "clsoe"})


def test_volume_may_be_done_without(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD).drop("volume"))
    loaded = load(tmp_path, without_volume=True)
    assert (loaded.panel.volume == 0).all()
    assert any("No bar has any volume" in f for f in loaded.findings)


def test_bad_rows_may_be_dropped_and_are_counted(tmp_path):
    save(tmp_path, "GOOD.parquet", frame(close={3: None, 5: -1.0}, high={9: 0.5}))
    loaded = load(tmp_path, bad_rows="drop")
    assert len(loaded.panel) == 45
    assert "3 impossible rows were left out: GOOD (3)." in loaded.findings


def test_zero_volume_and_flat_bars_are_legal(tmp_path):
    flat = frame().with_columns(
        **{n: pl.lit(5.0) for n in ("open", "high", "low", "close")}, volume=pl.lit(0.0)
    )
    save(tmp_path, "FLAT.parquet", flat)
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    loaded = load(tmp_path)
    assert loaded.rejects == ()
    assert any("prices frozen" in f and "FLAT (47 bars)" in f for f in loaded.findings)
    assert any("have no volume (48 of 96); most in FLAT (100.0 %)" in f for f in loaded.findings)


def test_minimum_bars(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    save(tmp_path, "YOUNG.parquet", frame(20))
    (reject,) = load(tmp_path, minimum_bars=30).rejects
    assert (reject.symbol, reject.reason[:31]) == ("YOUNG", "20 bars, at least 30 needed: gi")


def test_several_instruments_in_one_file(tmp_path):
    one, two = random_walk(30, 1, symbol="A"), random_walk(40, 2, symbol="B")
    tables = [frame_of(b).with_columns(symbol=pl.lit(b.symbol)) for b in (one, two)]
    bad = frame(close={2: -1.0}).with_columns(symbol=pl.lit("C"))
    path = save(tmp_path, "all of them.parquet", pl.concat([*tables, bad]).sort("timestamp"))
    loaded = load(path)
    assert loaded.panel.symbols == ("A", "B")
    assert_same(loaded.panel, 0, one)
    assert_same(loaded.panel, 1, two)
    assert loaded.rejects[0].symbol == "C"
    row = int(re.match(r"row (\d+): close is -1", loaded.rejects[0].reason)[1])
    assert pl.read_parquet(path)["close"][row] == -1.0


def test_one_symbol_throughout_leaves_the_name_to_the_file(tmp_path):
    save(tmp_path, "BTC-USD.parquet", frame_of(GOOD).with_columns(symbol=pl.lit("btcusd")))
    assert load(tmp_path).panel.symbols == ("BTC/USD",)


def test_two_files_of_one_symbol(tmp_path):
    save(tmp_path, "GOOD.parquet", frame_of(GOOD))
    save(tmp_path, "GOOD.pq.parquet", frame())
    (tmp_path / "GOOD.pq").write_bytes((tmp_path / "GOOD.pq.parquet").read_bytes())
    (tmp_path / "GOOD.pq.parquet").unlink()
    (reject,) = load(tmp_path).rejects
    assert "GOOD was read from another file already" in reject.reason


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"timezone": "America/NewYork"}, "timezone: no time zone named .*'America/New_York'"),
        ({"timeframe": "1w"}, r"timeframe: timeframe '1w': needs a number and m, h or d"),
        ({"calendar": "NYSE"}, r"calendar: .*'XNYS'"),
        ({"columns": {"clsoe": "c"}}, r"columns.clsoe: no such key. Did you mean 'close'"),
        ({"minimum_bars": 0}, r"minimum_bars: "),
        ({"stmap": "end"}, r"stmap: no such key. Did you mean 'stamp'"),
        ({"timestamp_unit": "sec"}, r"timestamp_unit: "),
    ],
)
def test_config_refuses(settings, says):
    with pytest.raises(ConfigError, match=says):
        SOURCES.parse({"source": "parquet", **settings})
