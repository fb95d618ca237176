"""Calendar: worked cases of sessions, clock changes and weekends, and laws against a slow sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.market import Calendar, Timeframe

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
XNYS, FX, ALWAYS = Calendar("XNYS"), Calendar("FX"), Calendar("24/7")


def ns(text):
    return np.array(np.datetime64(text, "ns").astype(np.int64))


def text(time):
    return str(np.datetime64(int(time), "ns").astype("datetime64[m]"))


def date(day):
    return str(np.datetime64(int(day), "D"))


def test_unknown_name_lists_all():
    with pytest.raises(ConfigError, match=r"no calendar named 'NYSE'. Known: 24/7, XNYS, FX"):
        Calendar("NYSE")


def test_days_per_year():
    assert [c.days_per_year for c in (ALWAYS, XNYS, FX)] == [365, 252, 260]


@pytest.mark.parametrize(
    ("start", "hours", "known"),
    [
        pytest.param("2013-11-27T20:00", 1, "2013-11-27T21:00", id="last bar of a whole day"),
        pytest.param("2013-11-27T14:00", 1, "2013-11-27T15:00", id="09:00 covers 09:30-10:00"),
        pytest.param("2013-11-29T17:00", 1, "2013-11-29T18:00", id="early close on the clock"),
        pytest.param("2013-11-29T17:30", 1, "2013-11-29T18:00", id="early close cuts the bar"),
        pytest.param("2013-11-27T20:30", 1, "2013-11-27T21:00", id="close cuts a bar at half past"),
        pytest.param("2021-07-01T16:00", 4, "2021-07-01T20:00", id="four hours, summer"),
        pytest.param("2021-01-04T20:00", 4, "2021-01-04T21:00", id="four hours, cut"),
        pytest.param("2013-11-30T15:00", 1, "2013-11-30T16:00", id="no session: its own end"),
        pytest.param("2013-11-27T00:00", 24, "2013-11-27T21:00", id="day: its session's close"),
        pytest.param("2013-11-29T00:00", 24, "2013-11-29T18:00", id="day: early close"),
        pytest.param("2021-07-01T00:00", 24, "2021-07-01T20:00", id="day: summer close"),
        pytest.param("2013-11-25T00:00", 168, "2013-11-29T18:00", id="week: Friday's close"),
    ],
)
def test_xnys_bars_are_known_at_their_end_or_their_sessions_close(start, hours, known):
    assert text(XNYS.available_at(ns(start), hours * HOUR)) == known


def test_bars_elsewhere_are_known_at_their_end():
    for calendar in (ALWAYS, FX):
        assert text(calendar.available_at(ns("2022-01-07T20:00"), HOUR)) == "2022-01-07T21:00"
        assert text(calendar.available_at(ns("2022-01-07"), DAY)) == "2022-01-08T00:00"


@pytest.mark.parametrize(
    ("calendar", "start", "inside"),
    [
        (XNYS, "2013-11-29T13:00", False),
        (XNYS, "2013-11-29T14:00", True),  # 09:00 New York, overlaps 09:30
        (XNYS, "2013-11-29T17:00", True),
        (XNYS, "2013-11-29T18:00", False),  # closed at 13:00
        (XNYS, "2013-11-28T16:00", False),  # Thanksgiving
        (XNYS, "2021-03-12T13:00", False),  # winter: opens 14:30 UTC
        (XNYS, "2021-03-15T13:00", True),  # summer: opens 13:30 UTC
        (XNYS, "2021-03-12T20:00", True),
        (XNYS, "2021-03-15T20:00", False),
        (XNYS, "2021-10-29T20:00", False),
        (XNYS, "2021-11-08T20:00", True),
        (XNYS, "2001-09-12T15:00", False),
        (FX, "2022-01-07T21:00", True),  # Friday, winter: until 22:00 UTC
        (FX, "2022-01-07T22:00", False),
        (FX, "2022-01-08T12:00", False),
        (FX, "2022-01-09T21:00", False),
        (FX, "2022-01-09T22:00", True),
        (FX, "2022-07-08T20:00", True),  # Friday, summer: until 21:00 UTC
        (FX, "2022-07-08T21:00", False),
        (FX, "2022-07-10T20:00", False),
        (FX, "2022-07-10T21:00", True),
        (FX, "2022-03-13T21:00", True),  # the clocks changed that morning
        (ALWAYS, "2022-01-08T12:00", True),
    ],
)
def test_overlaps_session(calendar, start, inside):
    assert bool(calendar.overlaps_session(ns(start), HOUR)) == inside


@pytest.mark.parametrize(
    ("calendar", "time", "day"),
    [
        (ALWAYS, "2022-01-08T23:59", "2022-01-08"),
        (XNYS, "2013-11-27T20:00", "2013-11-27"),
        (XNYS, "2013-11-27T21:00", "2013-11-29"),  # after the close: the next session
        (XNYS, "2013-11-29T00:00", "2013-11-29"),
        (FX, "2022-01-07T21:00", "2022-01-07"),
        (FX, "2022-01-07T22:00", "2022-01-10"),
        (FX, "2022-01-09T23:00", "2022-01-10"),
        (FX, "2022-01-10T22:00", "2022-01-11"),
    ],
)
def test_trading_day(calendar, time, day):
    assert date(calendar.day(ns(time))) == day


@pytest.mark.parametrize(
    ("calendar", "start", "end", "hours"),
    [
        (XNYS, "2013-11-29T00:00", "2013-11-30T00:00", 3.5),
        (XNYS, "2013-11-27T21:00", "2013-11-29T15:30", 1.0),
        (XNYS, "2021-03-12T21:00", "2021-03-15T14:30", 1.0),
        (XNYS, "2021-03-12T20:30", "2021-03-15T13:30", 0.5),
        (XNYS, "2013-11-27T14:00", "2013-11-27T15:00", 0.5),
        (FX, "2022-01-07T21:00", "2022-01-09T23:00", 2.0),
        (FX, "2022-01-08T00:00", "2022-01-09T00:00", 0.0),
        (FX, "2022-03-07T00:00", "2022-03-14T00:00", 121.0),  # closed 48 h less the hour skipped
        (ALWAYS, "2022-03-07T00:00", "2022-03-14T00:00", 168.0),
    ],
)
def test_trading_time(calendar, start, end, hours):
    assert int(calendar.trading_time(ns(end)) - calendar.trading_time(ns(start))) == hours * HOUR


TIMES = st.integers(
    int(ns("1998-01-01")) // 60_000_000_000, int(ns("2030-01-01")) // 60_000_000_000
)


@given(times=st.lists(TIMES, min_size=2, max_size=20), name=st.sampled_from(["24/7", "XNYS", "FX"]))
def test_trading_time_is_monotone_and_never_faster_than_the_clock(times, name):
    time = np.sort(np.array(times, np.int64)) * 60_000_000_000
    steps = np.diff(Calendar(name).trading_time(time))
    assert (steps >= 0).all()
    assert (steps <= np.diff(time)).all()


@given(start=TIMES, minutes=st.integers(1, 20_000), name=st.sampled_from(["XNYS", "FX"]))
def test_trading_time_is_the_sum_of_open_hours(start, minutes, name):
    calendar = Calendar(name)
    a, b = start * 60_000_000_000, (start + minutes) * 60_000_000_000
    s = calendar._sessions
    near = (s.close > a) & (s.open < b)
    slow = sum(min(c, b) - max(o, a) for o, c in zip(s.open[near], s.close[near], strict=True))
    assert int(calendar.trading_time(np.array(b)) - calendar.trading_time(np.array(a))) == slow


@given(
    start=TIMES,
    name=st.sampled_from(["24/7", "XNYS", "FX"]),
    frame=st.sampled_from("1m 1h 4h 1d".split()),
)
def test_a_bar_is_known_after_its_start_and_not_later_than_its_end(start, name, frame):
    step = Timeframe(frame).ns
    time = np.array([start * 60_000_000_000 // step * step])
    known = Calendar(name).available_at(time, step)
    assert (known > time).all()
    assert (known <= time + step).all()


@given(start=TIMES, minutes=st.integers(0, 20_000), name=st.sampled_from(["24/7", "XNYS", "FX"]))
def test_days_rise_with_time(start, minutes, name):
    times = np.array([start, start + minutes], np.int64) * 60_000_000_000
    days = Calendar(name).day(times)
    assert days[0] <= days[1]
    assert days[0] >= times[0] // DAY


def test_an_fx_session_is_a_day_and_a_week_has_five():
    s = FX._sessions
    assert (s.close - s.open == DAY).all()
    assert (s.open[1:] >= s.close[:-1]).all()


def test_sessions_do_not_depend_on_today():
    assert date(XNYS._sessions.day[0]) == "1950-01-03"
    assert date(XNYS._sessions.day[-1]) == "2069-12-31"


def test_any_shape_goes_in_and_comes_out():
    time = np.full((2, 3), int(ns("2013-11-29T17:00")))
    for calendar in (ALWAYS, XNYS, FX):
        assert calendar.day(time).shape == (2, 3)
        assert calendar.trading_time(time).shape == (2, 3)
        assert calendar.available_at(time, HOUR).shape == (2, 3)
        assert calendar.overlaps_session(time, HOUR).shape == (2, 3)


@pytest.mark.parametrize(
    ("frame", "calendar", "periods"),
    [
        ("1h", ALWAYS, 8760.0),
        ("1m", ALWAYS, 525_600.0),
        ("1d", ALWAYS, 365.0),
        ("1d", XNYS, 252.0),
        ("7d", ALWAYS, 365 / 7),
        ("1h", XNYS, 252 * 6.5),
        ("30m", XNYS, 252 * 13.0),
        ("1h", FX, 260 * 24.0),
    ],
)
def test_periods_per_year(frame, calendar, periods):
    assert Timeframe(frame).periods_per_year(calendar) == pytest.approx(periods)


@pytest.mark.parametrize(
    ("name", "hours", "daily"),
    [("1h", 1, False), ("90m", 1.5, False), ("24h", 24, True), ("1d", 24, True), ("2d", 48, True)],
)
def test_timeframe(name, hours, daily):
    assert Timeframe(name).ns == hours * HOUR
    assert Timeframe(name).is_daily == daily


@pytest.mark.parametrize(
    "name", ["", "h", "0h", "1H", "-1h", "1.5h", "1w", "1 h", "1h\n", "99999h"]
)
def test_timeframe_that_is_none(name):
    with pytest.raises(ConfigError, match="needs a number and m, h or d, as in 1h"):
        Timeframe(name)


CME = Calendar("CME")


@pytest.mark.parametrize(
    ("start", "hours", "known"),
    [
        pytest.param("2021-01-04T21:00", 1, "2021-01-04T22:00", id="the last hour of a day"),
        pytest.param("2021-01-04T21:30", 1, "2021-01-04T22:00", id="16:00 Chicago cuts the bar"),
        pytest.param("2021-07-01T20:30", 1, "2021-07-01T21:00", id="summer"),
        pytest.param("2021-01-04T00:00", 24, "2021-01-04T22:00", id="day: known at 16:00 Chicago"),
        pytest.param("2021-01-18T17:30", 1, "2021-01-18T18:00", id="early close of a holiday"),
    ],
)
def test_cme_bars_are_known_at_their_end_or_their_sessions_close(start, hours, known):
    assert text(CME.available_at(ns(start), hours * HOUR)) == known


def test_cme_days_begin_the_evening_before():
    assert date(CME.day(ns("2021-01-03T23:30"))) == "2021-01-04"  # Sunday evening is Monday
    assert date(CME.day(ns("2021-01-04T21:30"))) == "2021-01-04"
    assert date(CME.day(ns("2021-01-04T23:00"))) == "2021-01-05"
    assert not CME.overlaps_session(ns("2021-01-04T22:00"), HOUR), "the hour of maintenance"
    assert not CME.overlaps_session(ns("2021-01-02T12:00"), HOUR), "Saturday"
    days = ns("2021-01-01") // DAY + np.arange(5)
    assert CME.is_session(days).tolist() == [False, False, False, True, True]


def test_cme_days_a_year_are_counted():
    first, last = (np.datetime64(d).astype(np.int64) for d in ("2010-01-01", "2030-01-01"))
    n = int(CME.is_session(np.arange(first, last)).sum())
    assert round(n / 20) == CME.days_per_year
    assert Timeframe("1h").periods_per_year(CME) == 258 * 23
