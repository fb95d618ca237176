"""The close over the high of the last day that is over, known from midnight on.

A day is joined at the very instant at which its last bar closes, to the row of that bar. That is
an exact tie, and an honest one: at that instant all of its bars are known.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"over_high": {"kind": "clean_yesterdays_high"}},
    "features": {"extra": {"over_high": "over_high"}},
}
DAY_NS = 86_400_000_000_000


class CleanYesterdaysHighConfig(Config):
    kind: Literal["clean_yesterdays_high"] = "clean_yesterdays_high"


@SIDES.register(CleanYesterdaysHighConfig)
def clean_yesterdays_high(_config, panel, _place):
    known = panel.available_at
    bars = pl.DataFrame(
        {
            "symbol": panel.asset_id,
            "known": known,
            "ends": -(-known // DAY_NS) * DAY_NS,
            "high": panel.high,
            "close": panel.close,
        }
    ).with_row_index("row")
    days = bars.group_by("symbol", "ends").agg(pl.col("high").max().alias("day")).sort("ends")
    found = bars.sort("known", "row").join_asof(
        days, left_on="known", right_on="ends", by="symbol", check_sortedness=False
    )
    found = found.sort("row").select(pl.col("close") / pl.col("day") - 1).to_series()
    return Joined({"": found.fill_null(np.nan).to_numpy()}, np.zeros(len(panel)))
