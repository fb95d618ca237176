"""The last full day's close, from a day that takes its first bar of tomorrow along.

Bars are stamped with their start, and days were made with `closed="right", label="right"`, as one
does for bars that are stamped with their end. The bar that begins at midnight then belongs to the
day before, whose stamp is midnight: whoever decides at midnight sees a close of 01:00. All other
hours are right, so the charts looked right.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"from_day": {"kind": "daily_closed_right"}},
    "features": {"extra": {"from_day": "from_day"}},
}


class DailyClosedRightConfig(Config):
    kind: Literal["daily_closed_right"] = "daily_closed_right"


@SIDES.register(DailyClosedRightConfig)
def daily_closed_right(_config, panel, _place):
    bars = pl.DataFrame(
        {
            "symbol": panel.asset_id,
            "start": panel.time.astype("datetime64[ns]"),
            "known": panel.available_at.astype("datetime64[ns]"),
            "close": panel.close,
        }
    ).with_row_index("row")
    days = bars.group_by_dynamic(
        "start", every="1d", closed="right", label="right", group_by="symbol"
    ).agg(pl.col("close").last().alias("day"))
    found = bars.sort("known", "row").join_asof(
        days.sort("start"), left_on="known", right_on="start", by="symbol", check_sortedness=False
    )
    found = found.sort("row").select(pl.col("close") / pl.col("day") - 1).to_series()
    return Joined({"": found.fill_null(np.nan).to_numpy()}, np.zeros(len(panel)))
