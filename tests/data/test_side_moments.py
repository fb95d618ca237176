"""Times of side data at their edges: dates in the dress of times, lengths that leave int64."""

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from touchstone.data.durations import nanoseconds
from touchstone.data.side.table import TableConfig, read_table
from touchstone.data.side_file import moments, over
from touchstone.errors import ConfigError

DAY = 86_400_000_000_000
ZONE = "America/New_York"
NIGHT = int(np.datetime64("2014-01-03T05:00", "ns").astype(np.int64))  # 00:00 in New York


@pytest.mark.parametrize(
    ("known", "is_date"),
    [
        (date(2014, 1, 3), True),
        (datetime(2014, 1, 3), True),  # noqa: DTZ001  as most programs write a date
        ("2014-01-03", True),
        ("2014-01-03 00:00", True),
        ("2014-01-03T00:00:00", True),
        ("20140103", True),
        ("2014-01-03 00:00:00.000", True),
        ("2014-01-03T00:00:00-05:00", False),
        ("2014-01-03T05:00:00Z", False),
    ],
)
def test_a_date_is_over_before_it_is_known_whatever_it_is_dressed_as(known, is_date):
    column = pl.Series("knowledge_time", [known])
    frame = pl.DataFrame({"event_time": [date(2014, 1, 1)], "mood": [1.0]}).with_columns(column)
    table = read_table(TableConfig(path="x", timezone=ZONE), frame, {})
    assert table.knowledge_time.tolist() == [NIGHT + DAY * is_date]


def test_each_row_is_a_date_or_a_moment_by_itself():
    times = [datetime(2014, 1, 3), datetime(2014, 1, 3, 9, 30)]  # noqa: DTZ001
    for column in (pl.Series(times), pl.Series([str(t) for t in times])):
        told = moments(column, ZONE)
        assert over(told, told.zoneless).tolist() == [NIGHT + DAY, NIGHT + DAY * 19 // 48]


@pytest.mark.parametrize("text", ["10000d", "99999d", "1", "", "1.5d", "-1d", "1w", "١d"])
def test_no_length_leads_round_the_end_of_time(text):
    with pytest.raises(ConfigError, match="9999d at most"):
        nanoseconds(text)
    latest = int(np.datetime64("2199-12-31", "ns").astype(np.int64))
    assert latest + max(nanoseconds("9999d"), nanoseconds("99999h")) < np.iinfo(np.int64).max
