"""Differences are found as a slow comparison finds them; the log only grows."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.data.downloads.revisions import Revision, RevisionLog, differences, united
from touchstone.market import Bars


def bars(values):
    """Bars of flat prices: {time: price}."""
    time = np.array(sorted(values), np.int64)
    price = np.array([float(values[t]) for t in sorted(values)])
    return Bars("A", time, price, price, price, price, price)


VALUES = st.dictionaries(st.integers(0, 15), st.integers(1, 3), min_size=1)


@given(old=VALUES, new=VALUES, start=st.integers(0, 15), length=st.integers(1, 16))
def test_differences_are_those_of_a_slow_comparison(old, new, start, length):
    new = {t: v for t, v in new.items() if start <= t < start + length}
    found = differences(bars(old), bars(new), [(start, start + length)], ("1h", 7))
    slow = {
        t: (old.get(t), new.get(t))
        for t in range(start, start + length)
        if old.get(t) != new.get(t) and min(old) <= t <= max(old)
    }
    told = {r.time: (r.old and r.old[0], r.new and r.new[0]) for r in found}
    assert told == slow
    assert all((r.timeframe, r.symbol, r.fetched_at) == ("1h", "A", 7) for r in found)


@given(old=VALUES, new=VALUES, gone=st.sets(st.integers(0, 15)))
def test_united_is_the_new_over_the_old(old, new, gone):
    both = united(bars(old), bars(new), sorted(gone))
    wanted = {t: v for t, v in old.items() if t not in gone} | new
    assert dict(zip(both.time.tolist(), both.close.tolist(), strict=True)) == wanted


def revision(time, old, new, at):
    row = [None if v is None else (float(v),) * 5 for v in (old, new)]
    return Revision("1h", "A", time, *row, at)


def test_the_log_keeps_what_it_was_told_once(tmp_path):
    log = RevisionLog(tmp_path / "r.sqlite")
    told = [revision(5, 1, 2, 100), revision(6, None, 3, 100), revision(7, 4, None, 100)]
    assert log.append(told) == 3
    assert log.append(told) == 0  # by a command that was killed before it could go on
    later = [r._replace(fetched_at=101) for r in told]
    assert log.append(later) == 0, "with a further page, so a later time"
    assert log.rows() == told
    log.append([revision(5, 2, 1, 200), revision(5, 1, 2, 300)])
    assert [r.new[0] for r in log.rows("A") if r.time == 5] == [2, 1, 2]
    assert log.counts() == {("1h", "A"): 5}


def test_a_withdrawal_is_told_once_until_the_bar_is_back(tmp_path):
    log = RevisionLog(tmp_path / "r.sqlite")
    for at in (1, 2, 3):
        log.append([revision(7, 4, None, at)])
    assert len(log.rows()) == 1
    log.append([revision(7, None, 4, 4)])
    log.append([revision(7, 4, None, 5)])
    assert [r.fetched_at for r in log.rows()] == [1, 4, 5]


@pytest.mark.parametrize("change", ["UPDATE revisions SET new = '[]'", "DELETE FROM revisions"])
def test_nothing_in_it_can_be_changed(tmp_path, change):
    RevisionLog(tmp_path / "r.sqlite").append([revision(5, 1, 2, 100)])
    database = sqlite3.connect(tmp_path / "r.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(change)
    database.close()
