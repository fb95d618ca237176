"""Inputs from the calendar alone: counted on the fingers, and never wiser than the day itself."""

import datetime as dt
import warnings

import exchange_calendars
import numpy as np
import pytest

from touchstone.features import Bar, FeaturesConfig, Stream, compile_features, evaluate
from touchstone.features.catalogue import catalogue
from touchstone.features.clock import CLOCK, clock
from touchstone.features.graph import plan
from touchstone.features.primitives import INPUTS
from touchstone.market import Bars, Calendar, Panel, Timeframe

XNYS, ROUND_THE_CLOCK, FX = Calendar("XNYS"), Calendar("24/7"), Calendar("FX")


def ns(*stamps):
    return np.array(stamps, "datetime64[ns]").astype(np.int64)


def at(name, stamp, calendar=XNYS):
    return clock(name, ns(stamp), calendar)[0]


def test_every_input_of_the_clock_is_an_input_of_the_language():
    assert set(CLOCK) <= set(INPUTS)
    assert set(INPUTS) - set(CLOCK) == {"open", "high", "low", "close", "volume"}


@pytest.mark.parametrize(
    ("stamp", "to", "since", "left", "passed"),
    [
        ("2019-11-27T15:00", 2, 1, 1, 18),  # before Thanksgiving; a half day is left
        ("2019-11-29T15:00", 3, 2, 0, 19),  # the half day: November's last
        ("2019-12-02T15:00", 1, 3, 20, 0),
        ("2019-04-18T14:00", 4, 1, 7, 13),  # before Good Friday
        ("2001-09-10T14:00", 1, 3, 14, 4),  # nobody knew that trading would stop for a week
        ("2001-09-17T14:00", 1, 7, 9, 5),
        ("2012-10-26T14:00", 3, 1, 3, 19),  # nor of the storm on the Monday
        ("2012-10-31T14:00", 1, 5, 0, 20),
    ],
)
def test_days_before_and_after(stamp, to, since, left, passed):
    names = ("to_session", "from_session", "month_left", "month_passed")
    assert [at(name, stamp) for name in names] == [to, since, left, passed]


@pytest.mark.parametrize(
    ("stamp", "days"),
    [
        ("2019-11-01T15:00", 27),  # to Thanksgiving
        ("2019-11-27T15:00", 1),
        ("2019-11-29T15:00", 26),  # to Christmas, a Wednesday
        ("2019-12-24T15:00", 1),
        ("2001-09-10T14:00", 60),  # to Thanksgiving, 73 days off: nobody foresaw the next day
        ("2012-10-26T14:00", 27),  # to Thanksgiving, not to the storm on the Monday
    ],
)
def test_days_to_a_holiday(stamp, days):
    assert at("to_holiday", stamp) == days
    assert at("to_holiday", stamp, ROUND_THE_CLOCK) == at("to_holiday", stamp, FX) == 60


def test_round_the_clock_every_day_trades():
    assert [at(n, "2024-02-28T23:00", ROUND_THE_CLOCK) for n in ("month", "day")] == [2, 28]
    assert at("month_left", "2024-02-28T23:00", ROUND_THE_CLOCK) == 1
    assert at("month_passed", "2024-03-01T00:00", ROUND_THE_CLOCK) == 0
    assert {at(n, "2024-03-01T00:00", ROUND_THE_CLOCK) for n in ("to_session", "from_session")} == {
        1
    }
    assert at("session_share", "2024-03-01T18:00", ROUND_THE_CLOCK) == 0.75


def test_currencies_rest_at_the_weekend():
    assert at("to_session", "2018-06-01T12:00", FX) == 3  # a Friday
    assert at("from_session", "2018-06-03T22:00", FX) == 3  # Sunday evening is Monday's session
    assert at("day", "2018-06-03T22:00", FX) == 4
    assert at("session_share", "2018-06-04T09:00", FX) == 0.5  # from 21:00 to 21:00


def test_share_of_a_session_is_of_its_own_length():
    assert at("session_share", "2019-11-29T17:00") == pytest.approx(2.5 / 3.5)  # closes at 13:00
    assert at("session_share", "2019-11-27T17:00") == pytest.approx(2.5 / 6.5)
    assert at("session_share", "2019-11-27T14:00") == 0  # a bar that begins before the open


def test_agrees_with_the_exchange_on_every_day_of_forty_years():
    with warnings.catch_warnings():  # its own calls of pandas are deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        whole = exchange_calendars.get_calendar("XNYS", start="1981-01-01", end="2020-12-31")
    days = [d.date() for d in whole.sessions]
    noon = ns(*(f"{d}T16:00" for d in days))
    month, day = (clock(name, noon, XNYS) for name in ("month", "day"))
    assert [(int(m), int(d)) for m, d in zip(month, day, strict=True)] == [
        (d.month, d.day) for d in days
    ]
    gaps = np.diff(np.array(days, "datetime64[D]").astype(int))
    assert (clock("from_session", noon, XNYS)[1:] == gaps).all()
    ahead = clock("to_session", noon, XNYS)[:-1]
    unforeseen = [str(days[i]) for i in np.flatnonzero(ahead != gaps)]
    assert unforeseen == [
        "1985-09-26", "1994-04-26", "2001-09-10", "2004-06-10", "2006-12-29", "2012-10-26",
        "2018-12-04",
    ]  # fmt: skip
    passed = clock("month_passed", noon, XNYS)
    counted: dict[tuple[int, int], int] = {}
    for d, n in zip(days, passed, strict=True):
        assert n == counted.get((d.year, d.month), 0)
        counted[d.year, d.month] = counted.get((d.year, d.month), 0) + 1


def hourly(days):
    """Bars of New York's hours, the first at 09:00 for 09:30."""
    starts = [dt.datetime.fromisoformat(f"{d}T14:00") + dt.timedelta(hours=k)
              for d in days for k in range(7)]  # fmt: skip
    time = ns(*starts)
    close = 100 + np.arange(time.size) / 10
    bars = Bars("SPY", time, close, close + 0.1, close - 0.1, close, np.ones(time.size))
    return Panel.from_bars([bars], Timeframe("1h"), XNYS)


def test_calendar_features_of_a_turn_of_the_month():
    panel = hourly(["2019-12-24", "2019-12-26", "2019-12-30", "2019-12-31", "2020-01-02"])
    names = ("before_holiday", "after_holiday", "turn_of_month", "quarter_end", "january")
    found = plan({name: catalogue()[name].text for name in names}, ())
    values = evaluate(found, panel, np.float64)[::7]
    assert values.T.tolist() == [
        [1, 0, 0, 1, 0],  # before Christmas and New Year
        [0, 1, 0, 0, 1],
        [0, 0, 0, 1, 1],
        [0, 0, 1, 1, 0],  # the last three of the quarter
        [0, 0, 0, 0, 1],
    ]


def test_a_stream_reads_the_same_clock():
    panel = hourly(["2019-11-27", "2019-11-29", "2019-12-02"])
    extra = {name: f"{name} + 0" for name in ("to_session", "session_share", "month_left")}
    found = compile_features(
        FeaturesConfig(set="none", extra={f"x_{k}": v for k, v in extra.items()})
    )
    feed, batch = Stream(found, 1, XNYS), evaluate(found, panel, np.float64)
    for t, start in enumerate(panel.time.tolist()):
        prices = (panel.open, panel.high, panel.low, panel.close, panel.volume)
        bar = Bar(*(x[t : t + 1] for x in prices))
        np.testing.assert_array_equal(feed.push(np.ones(1, bool), start, bar)[0], batch[t])
