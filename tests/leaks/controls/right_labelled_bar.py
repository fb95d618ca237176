"""The last four-hour bar that was over, by its end.

The honest twin of the bar labelled at its start: an unfinished one is in the table and not looked
up before its end.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"slow": {"kind": "right_labelled_bar"}},
    "features": {"extra": {"slow": "slow"}},
}
_SLOW = 4 * 3_600_000_000_000


class RightLabelledBarConfig(Config):
    kind: Literal["right_labelled_bar"] = "right_labelled_bar"


@SIDES.register(RightLabelledBarConfig)
def right_labelled_bar(_config, panel, _place):
    end = (panel.time // _SLOW + 1) * _SLOW
    hours = pl.DataFrame({
        "row": np.arange(len(panel)), "symbol": panel.asset_id, "known": panel.available_at,
        "end": end, "close": panel.close,
    })  # fmt: skip
    slow = hours.group_by("symbol", "end", maintain_order=True).agg(pl.col("close").last())
    slow = slow.with_columns(change=(pl.col("close") / pl.col("close").shift(1) - 1).over("symbol"))
    joined = hours.sort("known", "row").join_asof(
        slow.drop("close").sort("end"), left_on="known", right_on="end", by="symbol",
        check_sortedness=False,
    )  # fmt: skip
    change = joined.sort("row")["change"].cast(pl.Float64).to_numpy()
    return Joined({"": change}, np.zeros(len(panel)))
