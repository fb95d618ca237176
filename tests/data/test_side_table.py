"""A bitemporal table: what was known when, against a reference that looks at every row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.data.side_table import SideTable, join
from touchstone.errors import DataError
from touchstone.market import Bars
from walks import HOUR_NS, START_NS, panel_of, random_walk

DAY_NS = 24 * HOUR_NS
SYMBOLS = ("AAA", "BBB", "CCC")


def bars(symbol, n_bars, first=0):
    walk = random_walk(first + n_bars, 1)
    rows = slice(first, None)
    return Bars(symbol, *(getattr(walk, c)[rows] for c in
                          ("time", "open", "high", "low", "close", "volume")))  # fmt: skip


PANEL = panel_of(bars("AAA", 20), bars("BBB", 12, 5), bars("ZZZ", 9, 11))

row = st.tuples(
    st.sampled_from(SYMBOLS),
    st.integers(-5, 20),  # hours of the event after the first bar's start
    st.integers(0, 12),  # hours until it is known
    st.sampled_from([0, 0, HOUR_NS // 3]),
    st.floats(-9, 9) | st.just(float("nan")),
)
rows = st.lists(row, max_size=30)


def table_of(some, about_market=False):
    """The table, two figures of one moment left to the first."""
    unique = {(s if not about_market else "", e, k + m): (s, e, k, m, v)
              for s, e, k, m, v in reversed(some)}  # fmt: skip
    some = list(unique.values())
    event = np.array([START_NS + r[1] * HOUR_NS for r in some], np.int64)
    known = np.array([START_NS + (r[1] + r[2]) * HOUR_NS + r[3] for r in some], np.int64)
    value = np.array([r[4] for r in some], np.float64)
    symbol = None if about_market else np.array([r[0] for r in some], np.str_)
    return SideTable.of(event, known, {"value": value}, symbol)


def reference(table, panel, max_age_ns):
    """For every bar, every row: the newest event that was known, in its newest version."""
    out = np.full(len(panel), np.nan)
    for i, at in enumerate(panel.available_at.tolist()):
        best = None
        for j in range(len(table)):
            whom = table.symbols[table.subject[j]] if table.symbols is not None else None
            if whom not in (None, panel.symbols[panel.asset_id[i]]):
                continue
            if table.knowledge_time[j] > at or np.isnan(table.values["value"][j]):
                continue
            place = (int(table.event_time[j]), int(table.knowledge_time[j]))
            if best is None or place > best[0]:
                best = (place, table.values["value"][j])
        if best is not None and at - best[0][0] <= max_age_ns:
            out[i] = best[1]
    return out


@settings(max_examples=60)
@given(rows, st.booleans(), st.sampled_from([2 * HOUR_NS, 9 * HOUR_NS, 99 * HOUR_NS]))
def test_joins_as_the_reference_does(some, about_market, max_age):
    table = table_of(some, about_market)
    known = join(table.track("value"), PANEL, max_age)
    np.testing.assert_array_equal(known.value, reference(table, PANEL, max_age))
    np.testing.assert_array_equal(np.isnan(known.value), np.isnan(known.age_ns))


@settings(max_examples=60)
@given(rows, rows, st.integers(0, 20), st.booleans())
def test_what_is_known_later_changes_nothing_before(some, other, hour, about_market):
    """Rows known after T are replaced by any others: nothing at or before T moves by a bit."""
    until = START_NS + hour * HOUR_NS
    whole = table_of(some, about_market)
    past = [r for r in some if START_NS + (r[1] + r[2]) * HOUR_NS + r[3] <= until]
    future = [r for r in other if START_NS + (r[1] + r[2]) * HOUR_NS + r[3] > until]
    changed = table_of([*past, *future], about_market)
    before = PANEL.available_at <= until
    one, two, three = (
        join(t.track("value"), PANEL, 30 * HOUR_NS).value
        for t in (whole, changed, whole.as_of(until))
    )
    np.testing.assert_array_equal(one[before], two[before])
    np.testing.assert_array_equal(one[before], three[before])


@settings(max_examples=40)
@given(rows, rows)
def test_appending_moves_only_what_comes_after_what_was_held(some, more):
    held, later = table_of(some), table_of(more)
    ends = {s: max((int(k) for k, i in zip(held.knowledge_time, held.subject, strict=True)
                    if held.symbols[i] == s), default=None) for s in held.symbols}  # fmt: skip
    try:
        whole = held.append(later)
    except DataError as error:
        assert "the past is not filled in" in str(error)  # noqa: PT017
        return
    before, after = (join(t.track("value"), PANEL, 30 * HOUR_NS).value for t in (held, whole))
    for i, symbol in enumerate(PANEL.symbols):
        if ends.get(symbol) is not None:
            mine = (PANEL.asset_id == i) & (PANEL.available_at <= ends[symbol])
            np.testing.assert_array_equal(before[mine], after[mine])
    again = whole.append(later)  # what it holds already is passed over
    assert len(again) == len(whole)


def worked():
    """Unemployment of January, told in February, revised in April after March's news is out."""
    at = np.array
    event = at([0, 31, 0], np.int64) * DAY_NS + START_NS
    known = at([38, 66, 90], np.int64) * DAY_NS + START_NS
    return SideTable.of(event, known, {"rate": at([4.0, 3.8, 4.2])})


def daily(n_days):
    still = np.full(n_days, 1.0)
    time = START_NS + np.arange(n_days) * DAY_NS
    return panel_of(Bars("AAA", time, *[still] * 5))


def test_a_late_revision_of_an_old_month_does_not_become_the_newest_figure():
    known = join(worked().track("rate"), daily(120), 200 * DAY_NS).value
    # hourly bars of each midnight: a bar is known an hour into its day
    assert np.isnan(known[:38]).all()
    assert (known[38:66] == 4.0).all()
    assert (known[66:] == 3.8).all()


def test_a_view_as_of_a_time_holds_what_stood_then():
    table = worked()
    then = table.as_of(START_NS + 66 * DAY_NS)
    np.testing.assert_array_equal(then.values["rate"], [4.0, 3.8])
    assert len(table.as_of(START_NS)) == 0
    assert len(table.as_of(START_NS + 90 * DAY_NS)) == 3


def test_what_is_known_at_the_very_close_counts_and_a_nanosecond_later_does_not():
    panel = panel_of(bars("AAA", 3))
    close = int(panel.available_at[1])
    for late, first in ((0, 1), (1, 2)):
        event = np.array([close - 5], np.int64)
        table = SideTable.of(event, event + 5 + late, {"x": np.array([7.0])})
        known = join(table.track("x"), panel, HOUR_NS * 99).value
        np.testing.assert_array_equal(np.isnan(known), np.arange(3) < first)


def test_age_counts_from_the_event_up_to_its_limit():
    panel = panel_of(bars("AAA", 6))
    event = panel.available_at[:1].copy()
    table = SideTable.of(event, event, {"x": np.array([7.0])})
    assert np.isfinite(join(table.track("x"), panel, 3 * HOUR_NS).value).tolist() == (
        [True] * 4 + [False] * 2
    )
    again = SideTable.of(np.r_[event, event], np.r_[event, event + 4 * HOUR_NS],
                         {"x": np.array([7.0, 7.5])})  # fmt: skip
    known = join(again.track("x"), panel, 3 * HOUR_NS).value
    assert np.isnan(known[4:]).all(), "published again, it is as old as before"


@pytest.mark.parametrize(
    ("event", "known", "value", "message"),
    [
        ([5], [4], [1.0], "before it happened"),
        ([1, 1], [4, 4], [1.0, 2.0], "two figures of .* differ"),
        ([1], [4], [np.inf], "infinite"),
        ([1, 2], [4, 5], [1.0], "differ in length"),
    ],
)
def test_rows_that_cannot_be_are_refused(event, known, value, message):
    times = np.array(event, np.int64), np.array(known, np.int64)
    with pytest.raises(DataError, match=message):
        SideTable.of(*times, {"x": np.array(value)})


def test_the_past_cannot_be_filled_in_and_tables_of_another_sort_do_not_mix():
    table = worked()
    late = SideTable.of(np.array([START_NS]), np.array([START_NS + 50 * DAY_NS]),
                        {"rate": np.array([9.0])})  # fmt: skip
    with pytest.raises(DataError, match=r"the past is not filled in.*later knowledge_time"):
        table.append(late)
    with pytest.raises(DataError, match="cannot take rows"):
        table.append(table_of([("AAA", 1, 1, 0, 2.0)]))
    assert len(table.append(table)) == len(table)


def test_an_empty_table_knows_nothing():
    none = np.empty(0, np.int64)
    for symbol in (None, np.empty(0, np.str_)):
        table = SideTable.of(none, none, {"x": np.empty(0)}, symbol)
        assert np.isnan(join(table.track("x"), PANEL, DAY_NS).value).all()
        assert len(table.append(table)) == 0
