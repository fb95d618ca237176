"""Longer bars: worked days of each calendar, a slow reference, and what no order may change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import BarsError, ConfigError
from touchstone.market import Bars, Calendar, Panel, Timeframe, resample
from touchstone.market.resample import last_finished, spans
from walks import HOUR_NS, START_NS, panel_of, random_panel, random_walk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ns(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


def stamp(time):
    return datetime.fromtimestamp(int(time) // 10**9, UTC)


def whole_volumes(panel, frame="1h", calendar="24/7"):
    """The panel with volumes whose sums are exact, under another calendar and timeframe."""
    bars = [panel.bars(i) for i in range(panel.n_instruments)]
    bars = [Bars(b.symbol, *(getattr(b, f) for f in ("time", "open", "high", "low", "close")),
                 np.round(b.volume)) for b in bars]  # fmt: skip
    return Panel.from_bars(bars, Timeframe(frame), Calendar(calendar))


def new_york_day(time):
    """The trading day of a moment in New York: the next one once the session is over."""
    there = time.astimezone(ZoneInfo("America/New_York"))
    day = there.date() + (DAY if there.hour >= 17 else timedelta())
    while day.weekday() > 4:
        day += DAY
    return day


def test_a_day_of_hours_by_hand():
    bars = random_walk(30)
    daily = resample(panel_of(bars), Timeframe("1d"))
    assert daily.time.tolist() == [START_NS, START_NS + 24 * HOUR_NS]
    assert daily.timeframe == Timeframe("1d")
    first = slice(0, 24)
    assert daily.open[0] == bars.open[0]
    assert daily.high[0] == bars.high[first].max()
    assert daily.low[0] == bars.low[first].min()
    assert daily.close[0] == bars.close[23]
    assert daily.volume[0] == sum(bars.volume[first].tolist())
    assert daily.close[1] == bars.close[29]  # under way: six hours of it
    assert daily.available_at.tolist() == [START_NS + 24 * HOUR_NS, START_NS + 48 * HOUR_NS]


def test_a_longer_bar_is_over_with_its_last_shorter_one():
    panel = panel_of(random_walk(30))
    _, rows = last_finished(panel, Timeframe("1d"))
    assert rows.tolist() == [-1] * 23 + [0] * 7
    gone = np.arange(30) != 23  # the last hour of the day did not trade
    _, rows = last_finished(panel.where(gone), Timeframe("1d"))
    assert rows.tolist() == [-1] * 23 + [0] * 6


def test_sessions_of_new_york_cut_bars():
    """2023-11-24 closed at 13:00 New York, 18:00 UTC; the hours carry the clock's hour."""
    hours = [f"2023-11-{d}T{h}" for d in (22, 24) for h in range(14, 21 if d == 22 else 18)]
    time = np.array([ns(h) for h in hours])
    close = np.arange(1.0, time.size + 1)
    bars = Bars("S", time, *[close] * 4, np.ones(time.size))
    panel = Panel.from_bars([bars], Timeframe("1h"), Calendar("XNYS"))
    daily, rows = last_finished(panel, Timeframe("1d"))
    assert daily.time.tolist() == [ns("2023-11-22"), ns("2023-11-24")]
    assert daily.close.tolist() == [7.0, 11.0]
    assert daily.available_at.tolist() == [ns("2023-11-22T21"), ns("2023-11-24T18")]
    assert rows.tolist() == [-1] * 6 + [0] * 4 + [1]
    fours, rows = last_finished(panel, Timeframe("4h"))
    assert [str(stamp(t))[:16] for t in fours.time] == [
        "2023-11-22 12:00", "2023-11-22 16:00", "2023-11-22 20:00",
        "2023-11-24 12:00", "2023-11-24 16:00",
    ]  # fmt: skip
    assert rows.tolist() == [-1, 0, 0, 0, 0, 1, 2, 2, 3, 3, 4]
    assert fours.volume.tolist() == [2, 4, 1, 2, 2]


def test_bars_outside_the_session_do_not_join_it():
    time = np.array([ns("2023-11-22T20"), ns("2023-11-22T21"), ns("2023-11-22T22")])
    start, end = spans(time, Timeframe("4h"), Calendar("XNYS"))
    assert [stamp(t).hour for t in start] == [20, 21, 21]
    assert [stamp(t).hour for t in end] == [21, 0, 0]


def test_days_of_foreign_exchange_end_at_17_new_york():
    panel = random_panel(1, 24 * 14)
    fx = whole_volumes(panel, calendar="FX")
    fx = fx.where(fx.calendar.overlaps_session(fx.time, HOUR_NS))
    daily = resample(fx, Timeframe("1d"))
    expected = sorted({new_york_day(stamp(t)) for t in fx.time})
    days = daily.calendar.day(daily.time).astype("datetime64[D]").tolist()
    assert days == expected
    assert {stamp(t).astimezone(ZoneInfo("America/New_York")).hour for t in daily.time} == {17}


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 999), st.floats(0, 0.7), st.sampled_from(["2h", "4h", "12h", "1d"]),
    st.sampled_from(["24/7", "XNYS", "FX"]),
)  # fmt: skip
def test_agrees_with_a_reference_and_lies_never(seed, missing, frame, calendar):
    panel = whole_volumes(random_panel(2, 200, seed, missing), calendar=calendar)
    longer, rows = last_finished(panel, Timeframe(frame))
    assert longer.symbols == panel.symbols
    for i in range(2):
        mine = np.flatnonzero(panel.asset_id == i)
        start, end = spans(panel.time[mine], Timeframe(frame), panel.calendar)
        theirs = range(longer.offsets[i], longer.offsets[i + 1])
        assert [longer.time[k] for k in theirs] == sorted(set(start.tolist()))
        for k in theirs:
            group = mine[start == longer.time[k]]
            assert longer.open[k] == panel.open[group[0]]
            assert longer.high[k] == max(panel.high[group])
            assert longer.low[k] == min(panel.low[group])
            assert longer.close[k] == panel.close[group[-1]]
            assert longer.volume[k] == sum(panel.volume[group])
        for row in mine:
            over = start[end <= panel.available_at[row]]
            over = over[np.isin(over, start[mine <= row])]
            if over.size == 0:
                assert rows[row] == -1
                continue
            assert longer.time[rows[row]] == over.max()
            # all of its bars are behind, none is to come
            assert (mine[start == over.max()] <= row).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.floats(0, 0.7))
def test_in_two_steps_as_in_one(seed, missing):
    panel = whole_volumes(random_panel(3, 150, seed, missing))
    once = resample(panel, Timeframe("1d"))
    twice = resample(resample(panel, Timeframe("4h")), Timeframe("1d"))
    assert once.content_hash() == twice.content_hash()
    assert resample(panel, Timeframe("1h")).content_hash() == panel.content_hash()


def test_side_columns_are_what_was_known_last():
    panel = panel_of(random_walk(30)).map_side({"vix": np.r_[np.arange(29.0), np.nan]})
    assert resample(panel, Timeframe("12h")).side["vix"][:2].tolist() == [11.0, 23.0]
    assert np.isnan(resample(panel, Timeframe("12h")).side["vix"][2])


def test_an_empty_panel_and_an_empty_instrument():
    panel = panel_of(random_walk(30, symbol="A"), random_walk(30, symbol="B"))
    none, rows = last_finished(panel.where(np.zeros(60, bool)), Timeframe("1d"))
    assert (len(none), rows.size, none.offsets.tolist()) == (0, 0, [0, 0, 0])
    half, rows = last_finished(panel.where(panel.asset_id == 1), Timeframe("1d"))
    assert half.offsets.tolist() == [0, 0, 2]
    assert rows.tolist() == [-1] * 23 + [0] * 7


def test_what_cannot_be_made_is_refused():
    panel = panel_of(random_walk(30))
    for frame in ("30m", "90m", "2d"):
        with pytest.raises(ConfigError, match=rf"bars of 1h make no bars of {frame}"):
            resample(panel, Timeframe(frame))
    time = START_NS + np.array([0, HOUR_NS // 2, HOUR_NS])
    bars = Bars("S", time, *[np.ones(3)] * 5)
    with pytest.raises(BarsError, match="S: the bar at 2022-01-01T00:30:00 UTC begins before"):
        resample(panel_of(bars), Timeframe("1d"))
