"""Macro series: from the date that a figure is about to the moment that it could be known."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from test_news import ns, session_bars

from touchstone.data.side import SIDES, Place
from touchstone.data.side.macro import read_series
from touchstone.errors import ConfigError, SourceError


def config_of(**settings):
    return SIDES.parse({"kind": "macro", "path": "series.csv", **settings})


def known(day, **settings):
    """When the figure of a date is known, as text, UTC."""
    table = read_series(config_of(**settings), pl.DataFrame({"date": [day], "value": [1.0]}))
    return str(np.datetime64(int(table.knowledge_time[0]), "ns").astype("datetime64[m]"))


@pytest.mark.parametrize(
    ("day", "settings", "when"),
    [
        # Wednesday before Thanksgiving 2013; New York is UTC-5
        ("2013-11-27", {"release_lag": "0d", "release_time": "16:30"}, "2013-11-27T21:30"),
        ("2013-11-27", {"release_lag": "0d"}, "2013-11-28T05:00"),
        ("2013-11-27", {"release_lag": "1d", "release_time": "09:00"}, "2013-11-28T14:00"),
        ("2013-11-27", {"release_lag": "1b", "release_time": "09:00"}, "2013-11-29T14:00"),
        ("2013-11-29", {"release_lag": "1b", "release_time": "09:00"}, "2013-12-02T14:00"),
        ("2013-11-29", {"release_lag": "2b", "release_time": "09:00"}, "2013-12-03T14:00"),
        ("2013-11-30", {"release_lag": "1b", "release_time": "09:00"}, "2013-12-02T14:00"),
        ("2013-11-27", {"release_lag": "12h"}, "2013-11-28T17:00"),
        # clocks go forward on Sunday 2014-03-09: 09:00 is 14:00 UTC before, 13:00 after
        ("2014-03-07", {"release_lag": "1b", "release_time": "09:00"}, "2014-03-10T13:00"),
        ("2014-03-06", {"release_lag": "1b", "release_time": "09:00"}, "2014-03-07T14:00"),
        ("2014-03-08", {"release_lag": "24h"}, "2014-03-10T05:00"),
        # other markets' trading days, another zone
        ("2014-07-03", {"release_lag": "1b", "calendar": "FX"}, "2014-07-05T04:00"),
        ("2014-07-03", {"release_lag": "1b"}, "2014-07-08T04:00"),
        ("2014-07-03", {"release_lag": "1b", "calendar": "24/7"}, "2014-07-05T04:00"),
        ("2014-01-01", {"release_lag": "0d", "timezone": "Asia/Tokyo"}, "2014-01-01T15:00"),
    ],
)
def test_a_lag_counts_from_the_date(day, settings, when):
    assert known(day, **settings) == when


def joined(tmp_path, panel, frame, **settings):
    frame.write_csv(tmp_path / "series.csv")
    config = config_of(**settings)
    return SIDES.part_of(config)(config, panel, Place(tmp_path))


def test_weekends_and_holidays_carry_the_last_figure_until_it_is_too_old(tmp_path):
    frame = pl.DataFrame(
        {"DATE": ["2013-11-26", "2013-11-27", "2013-11-28", "2013-11-29"],
         "VIXCLS": ["12.8", "13.0", ".", "13.7"]}
    )  # fmt: skip
    days = ("2013-11-26", "2013-11-27", "2013-11-29", "2013-12-02", "2013-12-09", "2013-12-10")
    panel = session_bars("XNYS", "1d", days)
    lag = {"release_lag": "1b", "release_time": "09:00"}
    found = joined(tmp_path, panel, frame, **lag)
    np.testing.assert_array_equal(found.columns[""], [np.nan, 12.8, 13.0, 13.7, np.nan, np.nan])
    # 2013-11-29 began 10 days and 16 hours before the close of 2013-12-09
    longer = joined(tmp_path, panel, frame, max_age="11d", **lag)
    np.testing.assert_array_equal(longer.columns[""], [np.nan, 12.8, 13.0, 13.7, 13.7, np.nan])
    same_day = joined(tmp_path, panel, frame, release_lag="0d", release_time="16:15")
    np.testing.assert_array_equal(same_day.columns[""][:4], [np.nan, 12.8, 13.0, 13.7])
    at_close = joined(tmp_path, panel, frame, release_lag="0d", release_time="16:00")
    # at the very close it counts; on the 29th the market closed at 13:00 already
    np.testing.assert_array_equal(at_close.columns[""][:4], [12.8, 13.0, 13.0, 13.7])
    assert "latest vintage, not point in time" in found.findings[0]
    assert "lag of 1b" in found.findings[0]


def vintages():
    """January's rate, first told on 2014-02-07, revised on 2014-03-07, when February's is told."""
    return pl.DataFrame({
        "observation_date": ["2014-01-01", "2014-01-01", "2014-02-01"],
        "realtime_start": ["2014-02-07", "2014-03-07", "2014-03-07"],
        "realtime_end": ["2014-03-06", "9999-12-31", "9999-12-31"],
        "UNRATE": [6.6, 6.7, 6.9],
    })  # fmt: skip


def test_vintages_are_seen_as_they_were_published(tmp_path):
    days = ("2014-02-07", "2014-02-10", "2014-03-07", "2014-03-10")
    panel = session_bars("XNYS", "1d", days)
    found = joined(tmp_path, panel, vintages(), max_age="90d")
    # a vintage's date is over before it is known, unless a clock time says else
    np.testing.assert_array_equal(found.columns[""], [np.nan, 6.6, 6.6, 6.9])
    early = joined(tmp_path, panel, vintages(), max_age="90d", release_time="08:30")
    np.testing.assert_array_equal(early.columns[""], [6.6, 6.6, 6.9, 6.9])
    assert "vintages as they were published, 1 of them revisions." in found.findings


def test_revisions_of_an_old_date_do_not_return(tmp_path):
    late = pl.concat([vintages()[[2]], vintages()[[0]].with_columns(
        realtime_start=pl.lit("2014-04-04"), UNRATE=pl.lit(6.5))])  # fmt: skip
    panel = session_bars("XNYS", "1d", ("2014-04-03", "2014-04-07"))
    found = joined(tmp_path, panel, late, max_age="99d")
    np.testing.assert_array_equal(found.columns[""], [6.9, 6.9])


@pytest.mark.parametrize(
    ("columns", "settings", "message"),
    [
        ({"date": ["2014-01-02"], "value": [1.0]}, {}, r"series.csv: no column tells when .*1b"),
        ({"when": ["2014-01-02"], "value": [1.0]}, {"release_lag": "1b"}, "no column is the date"),
        (
            {"date": ["2014-01-02"], "a": [1.0], "b": [1.0]},
            {"release_lag": "1b"},
            "State columns.v",
        ),
        ({"date": ["x"], "value": [1.0]}, {"release_lag": "1b"}, "row 0: time 'x' cannot be read"),
        ({"date": ["2014-01-02"], "value": ["x"]}, {"release_lag": "1b"}, "row 0: value 'x' is no"),
        (
            {"date": ["2014-01-02"], "value": [1.0], "knowledge_time": ["2014-01-03"]},
            {"release_lag": "1b"},
            "leave release_lag out",
        ),
        (
            {"date": ["2014-01-02"], "value": [1.0], "knowledge_time": ["2013-01-03"]},
            {},
            "before it happened",
        ),
        (
            {"date": ["2014-01-02T14:00"], "value": [1.0]},
            {"release_lag": "1b"},
            "names no time zone|times of day",
        ),
        (
            {"date": ["2014-01-02"] * 2, "value": [1.0, 2.0]},
            {"release_lag": "1b"},
            "two figures of 2014-01-02",
        ),
        (
            {"date": ["2014-03-09"], "value": [1.0]},
            {"release_lag": "0d", "release_time": "02:30"},
            "skipped or shown twice",
        ),
    ],
)
def test_a_file_that_cannot_be_is_refused(columns, settings, message, tmp_path):
    panel = session_bars("XNYS", "1d", ("2014-01-03", "2014-01-06"))
    with pytest.raises(SourceError, match=message):
        joined(tmp_path, panel, pl.DataFrame(columns), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"release_lag": "-1b"}, "h, d or b"),
        ({"release_lag": "1w"}, "h, d or b"),
        ({"release_time": "25:00"}, "24:00 at the latest"),
        ({"timezone": "America/New_Yrok"}, "Did you mean"),
        ({"max_age": "0d"}, "above zero"),
    ],
)
def test_a_config_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        config_of(**settings)


def test_dates_of_any_type_are_dates(tmp_path):
    panel = session_bars("XNYS", "1d", ("2014-01-03", "2014-01-06"))
    day = pl.Series("date", [date(2014, 1, 2)])
    for column in (day, day.cast(pl.Datetime("us")), day.cast(pl.Datetime("ns", "UTC"))):
        pl.DataFrame({"date": column, "value": [5.0]}).write_parquet(tmp_path / "x.parquet")
        config = config_of(path="x.parquet", release_lag="1b", release_time="09:00")
        found = SIDES.part_of(config)(config, panel, Place(tmp_path))
        np.testing.assert_array_equal(found.columns[""], [5.0, 5.0])
    assert ns("2014-01-02T00:00-05:00") == ns("2014-01-02T05:00+00:00")
