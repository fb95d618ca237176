"""Bars of futures keep the CME's clock: days that begin the evening before, an hour of rest."""

import numpy as np
from bar_files import frame_of, load, save

from touchstone.market import Bars, Calendar

HOUR = 3_600_000_000_000
CME = Calendar("CME")


def hours(first, n):
    time = int(np.datetime64(first, "ns").astype(np.int64)) + np.arange(n) * HOUR
    flat = 100 + np.arange(n) % 7
    return Bars("ES", time, flat * 1.0, flat + 1.0, flat - 1.0, flat * 1.0, np.ones(n))


def test_two_weeks_across_the_change_of_clocks(tmp_path):
    # 2021-03-14: Chicago's clocks go forward; Sunday 2021-03-07 17:00 there is 23:00 UTC
    bars = hours("2021-03-07T23:00", 24 * 12)
    save(tmp_path, "ES.parquet", frame_of(bars))
    loaded = load(tmp_path, calendar="CME")
    time = loaded.panel.time
    assert loaded.rejects == ()
    assert not np.isin(bars.time[~CME.overlaps_session(bars.time, HOUR)], time).any()
    dropped = len(bars) - time.size
    # one week's end of 49 hours (48 with the change of clocks, and one of rest), 8 hours of rest
    assert any(f"{dropped} bars outside the sessions of CME" in f for f in loaded.findings)
    assert not any("expected" in f for f in loaded.findings), "nothing is missing"
    days = CME.day(time)
    counts = np.unique(days, return_counts=True)[1]
    assert set(counts[:-1].tolist()) == {23}


def test_a_missing_hour_is_counted(tmp_path):
    bars = hours("2021-03-08T23:00", 23)
    frame = frame_of(bars)
    save(tmp_path, "ES.parquet", frame.filter(np.arange(23) != 9))
    (gap,) = load(tmp_path, calendar="CME").findings
    assert "(1 of 23)" in gap


def test_days_carry_their_sessions_date(tmp_path):
    day = 24 * HOUR
    first = int(np.datetime64("2021-03-08", "ns").astype(np.int64))
    dates = first + np.array([0, 1, 2, 3, 4, 7, 8]) * day
    flat = np.full(7, 100.0)
    save(tmp_path, "ES.parquet", frame_of(Bars("ES", dates, flat, flat, flat, flat, flat)))
    loaded = load(tmp_path, calendar="CME", timeframe="1d")
    assert loaded.rejects == ()
    assert not any("expected" in f for f in loaded.findings)
    known = loaded.panel.available_at
    assert str(known[0].astype("datetime64[ns]"))[:16] == "2021-03-08T22:00"
    assert str(known[-1].astype("datetime64[ns]"))[:16] == "2021-03-16T21:00", "summer time"
