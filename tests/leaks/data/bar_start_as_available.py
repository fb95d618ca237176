"""Bars of another exchange are joined by the time at which they begin.

`merge_asof(on="timestamp")`, and the vendor stamps a bar with its start. A row that closes at noon
gets the bar that begins at noon: the next hour, on a market that moves first.
"""

from typing import Literal

import numpy as np

from leaks.side_files import as_of, read, write
from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "D"
STUDY: dict = {
    "side": {"lead": {"kind": "bar_start_as_available", "path": "lead.parquet"}},
    "features": {"extra": {"lead": "lead"}},
}


class StartConfig(Config):
    kind: Literal["bar_start_as_available"] = "bar_start_as_available"
    path: str = ""


@SIDES.register(StartConfig)
def by_start(config, panel, place):
    value, age = as_of(panel, read(place.root / config.path), "event_time")
    return Joined({"": value}, age)


def files(folder, panel):
    bars = [panel.bars(i) for i in range(panel.n_instruments)]
    moves = [np.log(b.close / b.open) for b in bars]
    noise = np.random.default_rng(4).normal(0, 0.002, len(panel))
    write(
        folder / "lead.parquet",
        symbol=np.array(panel.symbols)[panel.asset_id],
        event_time=panel.time,
        knowledge_time=panel.available_at,
        value=np.concatenate(moves) + noise,
    )
