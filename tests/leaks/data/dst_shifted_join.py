"""Local times become UTC by one offset for the whole year.

A closing auction's imbalance, told at 16:00 in New York. Somebody looked the offset up in July:
four hours. All winter long every figure is known an hour before it was made.
"""

from typing import Literal

import numpy as np

from leaks.side_files import HOUR_NS, as_of, later_return, read, write
from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "D"
STUDY: dict = {
    "bars": {
        "source": "simulated",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4, "start": "2022-02-01"},
    },
    "side": {"auction": {"kind": "dst_shifted_join", "path": "auction.parquet"}},
    "features": {"extra": {"auction": "auction"}},
}
SUMMER = int(np.datetime64("2022-03-13T07", "ns").astype(np.int64))


class LocalConfig(Config):
    kind: Literal["dst_shifted_join"] = "dst_shifted_join"
    path: str = ""
    hours_behind: int = 4


@SIDES.register(LocalConfig)
def by_local_time(config, panel, place):
    table = read(place.root / config.path)
    wall = (table["wall_seconds"] * 1e9).astype(np.int64)
    table["told"] = wall + config.hours_behind * HOUR_NS
    value, age = as_of(panel, table, "told")
    return Joined({"": value}, age)


def files(folder, panel):
    day = np.arange(panel.time.min(), panel.available_at.max(), 24 * HOUR_NS) // HOUR_NS * HOUR_NS
    wall = day - day % (24 * HOUR_NS) + 16 * HOUR_NS
    told = wall + np.where(wall + 5 * HOUR_NS < SUMMER, 5, 4) * HOUR_NS
    moves = [later_return(panel, s, told - HOUR_NS, 1) for s in panel.symbols]
    n = len(panel.symbols)
    write(
        folder / "auction.parquet",
        symbol=np.repeat(np.array(panel.symbols), wall.size),
        event_time=np.tile(told, n),
        knowledge_time=np.tile(told, n),
        value=np.concatenate(moves),
        wall_seconds=np.tile(wall / 1e9, n),
    )
