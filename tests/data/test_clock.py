"""Times of files: zones, starts and ends, sessions, days; what a request cuts off."""

import contextlib

import numpy as np
import polars as pl
import pytest
from bar_files import frame_of, load, save
from hypothesis import given
from hypothesis import strategies as st

from touchstone.data import grid, stamps
from touchstone.data.faults import BadRowError
from touchstone.data.sources import Request
from touchstone.errors import SourceError
from touchstone.market import Bars, Calendar, Timeframe
from walks import HOUR_NS, random_walk

DAY_NS = 24 * HOUR_NS
NEW_YORK = "America/New_York"


def ns(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


def bars_at(times, symbol="A"):
    """Bars at these times, int64 ns."""
    times = np.asarray(times, np.int64)
    walk = random_walk(times.size)
    columns = (getattr(walk, n) for n in ("open", "high", "low", "close", "volume"))
    return Bars(symbol, times, *columns)


def table_at(times, zone="UTC"):
    return frame_of(bars_at(times), zone)


def xnys_hours(first="2021-03-08", n_days=12, half_past=False):
    """Starts of the hourly bars of New York sessions, ns UTC, and those sessions' dates."""
    calendar = Calendar("XNYS")
    grid_ns = ns(first) + np.arange(24 * n_days) * HOUR_NS + (HOUR_NS // 2 if half_past else 0)
    return grid_ns[calendar.overlaps_session(grid_ns, HOUR_NS)]


def test_naive_times_are_read_in_the_stated_zone(tmp_path):
    times = xnys_hours()
    local = table_at(times, NEW_YORK).with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    save(tmp_path, "A.parquet", local)
    save(tmp_path, "B.csv", local.write_csv(datetime_format="%Y-%m-%d %H:%M"))
    for name in ("A.parquet", "B.csv"):
        loaded = load(tmp_path / name, timezone=NEW_YORK, calendar="XNYS")
        np.testing.assert_array_equal(loaded.panel.time, times)


def test_a_zone_in_the_file_wins_over_the_stated_one(tmp_path):
    times = ns("2022-01-01") + np.arange(30) * HOUR_NS
    save(tmp_path, "A.parquet", table_at(times))
    np.testing.assert_array_equal(load(tmp_path, timezone="Asia/Tokyo").panel.time, times)


def test_offsets_may_differ_by_season(tmp_path):
    times = xnys_hours()
    text = table_at(times, NEW_YORK).with_columns(pl.col("timestamp").dt.strftime("%F %T%:z"))
    assert text["timestamp"].str.slice(-6).n_unique() == 2
    save(tmp_path, "A.csv", text.write_csv())
    np.testing.assert_array_equal(load(tmp_path, calendar="XNYS").panel.time, times)


def test_a_time_shown_twice_by_the_clock_is_refused(tmp_path):
    times = ns("2021-11-07T03:00") + np.arange(8) * HOUR_NS
    local = table_at(times, NEW_YORK).with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    save(tmp_path, "A.parquet", local)
    with pytest.raises(SourceError, match=r"row 2: 2021-11-07 01:00:00 is skipped or shown twice"):
        load(tmp_path, timezone=NEW_YORK)


@pytest.mark.parametrize("late", [0, -1, -(10**6), -(10**9)])
def test_ends_become_starts(tmp_path, late):
    times = ns("2022-01-01") + np.arange(30) * HOUR_NS
    save(tmp_path, "A.parquet", table_at(times + HOUR_NS + late))
    np.testing.assert_array_equal(load(tmp_path, stamp="end").panel.time, times)


@pytest.mark.parametrize("half_past", [False, True])
def test_ends_with_the_session_become_starts(tmp_path, half_past):
    times = xnys_hours("2013-11-25", half_past=half_past)
    times = times[Calendar("XNYS").overlaps_session(times, HOUR_NS)]
    ends = Calendar("XNYS").available_at(times, HOUR_NS)
    assert (np.diff(ends) > 0).all()
    save(tmp_path, "A.parquet", table_at(ends))
    np.testing.assert_array_equal(load(tmp_path, calendar="XNYS", stamp="end").panel.time, times)


def test_an_end_off_the_clock_is_refused(tmp_path):
    times = ns("2022-01-01") + np.arange(30) * HOUR_NS
    times[7] += HOUR_NS // 3
    save(tmp_path, "A.parquet", table_at(times))
    with pytest.raises(
        SourceError, match=r"row 7: time 2022-01-01 07:20 UTC is no end of a 1h bar"
    ):
        load(tmp_path, stamp="end")


def test_the_bar_of_nine_and_bars_at_half_past_are_both_legal(tmp_path):
    clock, half = xnys_hours(), xnys_hours(half_past=True)
    save(tmp_path, "A.parquet", table_at(clock))
    save(tmp_path, "B.parquet", table_at(half))
    loaded = load(tmp_path, calendar="XNYS")
    assert loaded.rejects == ()
    assert any("do not start together" in f for f in loaded.findings)
    first = np.datetime64(int(loaded.panel.time[0]), "ns").astype("datetime64[m]")
    assert str(first) == "2021-03-08T14:00"  # 09:00 New York


def test_bars_at_half_past_without_a_calendar_name_the_way_out(tmp_path):
    save(tmp_path, "A.parquet", table_at(xnys_hours(half_past=True)))
    with pytest.raises(SourceError, match=r"name the exchange if it has one \(calendar: XNYS"):
        load(tmp_path)


def test_bars_outside_the_session_are_dropped_and_counted(tmp_path):
    hours = ns("2013-11-28") + np.arange(48) * HOUR_NS  # Thanksgiving and the short Friday
    save(tmp_path, "A.parquet", table_at(hours))
    loaded = load(tmp_path, calendar="XNYS")
    hour = (loaded.panel.time - ns("2013-11-29")) // HOUR_NS
    np.testing.assert_array_equal(hour, [14, 15, 16, 17])
    assert "44 bars outside the sessions of XNYS were left out: A (44)." in loaded.findings


def test_a_file_wholly_outside_the_sessions_is_refused(tmp_path):
    save(tmp_path, "A.parquet", table_at(ns("2022-01-01") + np.arange(40) * HOUR_NS))
    with pytest.raises(SourceError, match=r"0 bars inside the sessions of XNYS, at least 2"):
        load(tmp_path, calendar="XNYS")


DAYS = ns("2021-03-08") + np.array([0, 1, 2, 3, 4, 7, 8, 9, 10, 11]) * DAY_NS
DAILY = {
    "00:00 UTC": (lambda t: t, "parquet", {}),
    "dates": (lambda t: t.with_columns(pl.col("timestamp").cast(pl.Date)), "parquet", {}),
    "dates as text": (lambda t: t.with_columns(pl.col("timestamp").cast(pl.Date)), "csv", {}),
    "yyyymmdd": (
        lambda t: t.with_columns(pl.col("timestamp").dt.strftime("%Y%m%d")),
        "csv",
        {},
    ),
    "naive midnights": (
        lambda t: t.with_columns(pl.col("timestamp").dt.replace_time_zone(None)),
        "parquet",
        {},
    ),
    "New York midnights": (
        lambda t: t.with_columns(
            pl.col("timestamp").dt.replace_time_zone(None).dt.replace_time_zone(NEW_YORK)
        ),
        "parquet",
        {},
    ),
    "New York midnights as text": (
        lambda t: t.with_columns(
            pl.col("timestamp")
            .dt.replace_time_zone(None)
            .dt.replace_time_zone(NEW_YORK)
            .dt.strftime("%F %T%:z")
        ),
        "csv",
        {},
    ),
    "New York midnights in UTC": (
        lambda t: t.with_columns(
            pl.col("timestamp")
            .dt.replace_time_zone(None)
            .dt.replace_time_zone(NEW_YORK)
            .dt.convert_time_zone("UTC")
        ),
        "parquet",
        {},
    ),
    "session opens": (
        lambda t: t.with_columns(
            (
                pl.col("timestamp").dt.replace_time_zone(None) + pl.duration(hours=9, minutes=30)
            ).dt.replace_time_zone(NEW_YORK)
        ),
        "parquet",
        {},
    ),
    "session closes": (
        lambda t: t.with_columns(
            (
                pl.col("timestamp").dt.replace_time_zone(None) + pl.duration(hours=16)
            ).dt.replace_time_zone(NEW_YORK)
        ),
        "parquet",
        {"stamp": "end"},
    ),
}


@pytest.mark.parametrize("dress", DAILY)
def test_daily_bars_of_an_exchange_carry_0000_utc_of_their_date(tmp_path, dress):
    wear, suffix, settings = DAILY[dress]
    save(tmp_path, f"A.{suffix}", wear(table_at(DAYS)))
    loaded = load(tmp_path, calendar="XNYS", timeframe="1d", **settings)
    np.testing.assert_array_equal(loaded.panel.time, DAYS)
    known = (loaded.panel.available_at - loaded.panel.time) // HOUR_NS
    np.testing.assert_array_equal(known, [21] * 5 + [20] * 5)  # the clocks changed on 14 March


def test_days_round_the_clock_need_a_zone_and_start_at_0000_utc(tmp_path):
    days = ns("2022-01-01") + np.arange(9) * DAY_NS
    dates = table_at(days).with_columns(pl.col("timestamp").cast(pl.Date))
    save(tmp_path, "A.parquet", dates)
    with pytest.raises(SourceError, match=r"names no time zone: state .*timezone: UTC"):
        load(tmp_path, timeframe="1d")
    loaded = load(tmp_path, timeframe="1d", timezone="UTC")
    np.testing.assert_array_equal(loaded.panel.time, days)
    loaded = load(tmp_path, timeframe="1d", timezone="UTC", stamp="end")
    np.testing.assert_array_equal(loaded.panel.time, days - DAY_NS)
    with pytest.raises(SourceError, match=r"time 2021-12-31 15:00 UTC is not the 00:00 of a day"):
        load(tmp_path, timeframe="1d", timezone="Asia/Tokyo")


def test_an_hourly_file_in_a_daily_study(tmp_path):
    save(tmp_path, "A.parquet", table_at(ns("2022-01-01") + np.arange(40) * HOUR_NS))
    with pytest.raises(SourceError, match=r"bars lie 1h apart, the study's bars are of 1d: write"):
        load(tmp_path, timeframe="1d")


def test_daily_stamps_that_are_no_midnight(tmp_path):
    save(tmp_path, "A.parquet", table_at(DAYS + 3 * HOUR_NS))
    with pytest.raises(SourceError, match=r"row 0: time 2021-03-08 03:00 UTC is not the 00:00"):
        load(tmp_path, timeframe="1d", calendar="XNYS")


def test_dates_alone_in_an_hourly_study(tmp_path):
    save(tmp_path, "A.csv", table_at(DAYS).with_columns(pl.col("timestamp").cast(pl.Date)))
    with pytest.raises(SourceError, match=r"names no time zone|bars lie 1d apart"):
        load(tmp_path)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_stated_unit_is_taken(tmp_path, unit):
    times = 3600 * 10**9 * np.arange(1, 40)  # 1970: no magnitude tells
    count = times // {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    save(tmp_path, "A.parquet", table_at(times).with_columns(timestamp=pl.Series(count)))
    np.testing.assert_array_equal(load(tmp_path, timestamp_unit=unit).panel.time, times)


@given(
    seconds=st.integers(ns("1980-01-01") // 10**9, ns("2100-01-01") // 10**9),
    unit=st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_units_are_told_by_magnitude(seconds, unit):
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    read = stamps.parse(pl.Series([seconds * factor]), "auto", None, days_have_names=False)
    assert read.utc[0] == seconds * 10**9


@given(
    value=st.integers(-(2**63), 2**63 - 1), unit=st.sampled_from(["auto", "s", "ms", "us", "ns"])
)
def test_any_integer_is_a_time_of_our_age_or_refused(value, unit):
    try:
        read = stamps.parse(pl.Series([value], dtype=pl.Int64), unit, None, days_have_names=False)
    except BadRowError:
        return
    assert ns("1901-01-01") <= read.utc[0] < ns("2200-01-01")


@given(text=st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text):
    with contextlib.suppress(BadRowError):
        stamps.parse(pl.Series([text]), "auto", "UTC", days_have_names=False)


@given(
    minutes=st.integers(ns("1999-01-01") // (60 * 10**9), ns("2040-01-01") // (60 * 10**9)),
    zone=st.sampled_from([NEW_YORK, "Asia/Kolkata", "UTC", "Australia/Lord_Howe"]),
)
def test_wall_clocks_and_back(minutes, zone):
    utc = np.array([minutes * 60 * 10**9])
    wall = stamps.local(utc, zone)
    try:
        assert stamps.instant(wall, zone) == utc
    except BadRowError:  # the hour that is shown twice
        assert (
            stamps.local(utc + HOUR_NS, zone) == wall or stamps.local(utc - HOUR_NS, zone) == wall
        )


@pytest.mark.parametrize(
    ("calendar", "frame", "anchor", "first", "last", "n"),
    [
        ("24/7", "1h", "utc", "2022-01-01T00:00", "2022-01-02T00:00", 25),
        ("XNYS", "1h", "utc", "2013-11-27T14:00", "2013-11-29T17:00", 7 + 4),
        ("XNYS", "1h", "session", "2013-11-27T14:30", "2013-11-29T17:30", 7 + 4),
        ("XNYS", "4h", "session", "2021-03-12T14:30", "2021-03-15T17:30", 4),
        ("XNYS", "1d", "utc", "2013-11-25T00:00", "2013-11-29T00:00", 4),
        ("FX", "1h", "utc", "2022-01-07T00:00", "2022-01-10T00:00", 22 + 3),
        ("FX", "1d", "utc", "2022-01-03T00:00", "2022-01-10T00:00", 6),
    ],
)
def test_expected_bars(calendar, frame, anchor, first, last, n):
    ends = np.array([ns(first), ns(last)])
    expected = grid.expected(Calendar(calendar), Timeframe(frame), anchor, ends)
    assert expected.size == n
    assert (expected[0], expected[-1]) == (ends[0], ends[1])


WALK = random_walk(100, symbol="A")


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [
        (None, None, (0, 100)),
        (WALK.time[10], None, (10, 100)),
        (WALK.time[10] + 1, None, (11, 100)),
        (None, WALK.time[20], (0, 20)),  # the bar that starts at the end is not known then
        (None, WALK.time[20] - 1, (0, 19)),
        (WALK.time[10], WALK.time[20], (10, 20)),
    ],
)
def test_a_request_is_for_what_is_known_by_its_end(tmp_path, start, end, rows):
    save(tmp_path, "A.parquet", frame_of(WALK))
    panel = load(tmp_path, Request(start=start, end=end)).panel
    np.testing.assert_array_equal(panel.time, WALK.time[slice(*rows)])


def test_symbols_of_a_request(tmp_path):
    for name in ("A", "B", "BTC-USD"):
        save(tmp_path, f"{name}.parquet", frame_of(WALK))
    save(tmp_path, "BROKEN.parquet", frame_of(WALK).drop("close"))
    loaded = load(tmp_path, Request(symbols=("BTC/USD", "A", "ETH/USD")))
    assert loaded.panel.symbols == ("A", "BTC/USD")
    (reject,) = loaded.rejects
    assert reject.symbol == "ETH/USD"
    assert "no file for 'ETH/USD': did you mean 'BTC/USD'?" in reject.reason
    with pytest.raises(SourceError, match="no file for 'C'"):
        load(tmp_path, Request(symbols=("C",)))
    with pytest.raises(SourceError, match="no column is the close"):
        load(tmp_path, Request(symbols=("BROKEN",)))


def test_a_request_that_leaves_no_bar_says_what_there_is(tmp_path):
    save(tmp_path, "A.parquet", frame_of(WALK))
    with pytest.raises(
        SourceError, match="the file covers 2022-01-01 00:00 UTC to 2022-01-05 03:00"
    ):
        load(tmp_path, Request(start=ns("2030-01-01")))
