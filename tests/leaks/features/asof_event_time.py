"""A macro figure joined as of the time that it speaks of; it was published a day and a half later.

Whoever calls `join_asof` on the only date that the vendor's table is sorted by.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.data.side import SIDES, Joined
from touchstone.data.side_file import SideFileConfig

LAYER = "A"
STUDY = {
    "side": {"figure": {"kind": "asof_event_time", "path": "figure.parquet"}},
    "features": {"extra": {"figure": "figure"}},
}
_HOUR = 3_600_000_000_000


def files(folder, panel):
    """One figure of every instrument every other day, first told 36 hours after, revised once."""
    rng = np.random.default_rng(int(panel.volume[0]))
    tables = []
    for i, symbol in enumerate(panel.symbols):
        event = np.arange(panel.bars(i).time[0], panel.available_at.max(), 48 * _HOUR)
        first = rng.normal(size=event.size)
        for late, value in ((36, first), (60, first + rng.normal(0, 0.3, event.size))):
            tables.append(pl.DataFrame({
                "symbol": [symbol] * event.size,
                "event_time": pl.Series(event).cast(pl.Datetime("ns", "UTC")),
                "knowledge_time": pl.Series(event + late * _HOUR).cast(pl.Datetime("ns", "UTC")),
                "value": value,
            }))  # fmt: skip
    pl.concat(tables).write_parquet(folder / "figure.parquet")


class AsofEventTimeConfig(SideFileConfig):
    kind: Literal["asof_event_time"] = "asof_event_time"


@SIDES.register(AsofEventTimeConfig)
def asof_event_time(config, panel, place):
    table = pl.read_parquet(place.root / config.path)
    # One row an event, the last revision; the rest of the table looks like clutter.
    table = table.sort("knowledge_time").unique(("symbol", "event_time"), keep="last")
    bars = pl.DataFrame({
        "row": np.arange(len(panel)),
        "symbol": np.array(panel.symbols)[panel.asset_id],
        "time": pl.Series(panel.available_at).cast(pl.Datetime("ns", "UTC")),
    })  # fmt: skip
    joined = bars.sort("time").join_asof(
        table.sort("event_time"), left_on="time", right_on="event_time", by="symbol",
        check_sortedness=False,
    )  # fmt: skip
    return Joined({"": joined.sort("row")["value"].to_numpy()}, np.zeros(len(panel)))
