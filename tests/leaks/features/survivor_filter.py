"""Only instruments that trade to the end of the file have a value; the delisted one never had any.

Whoever keeps "symbols with a full history", which a delisting is found out by at the end.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "bars": {"source": "parquet", "path": "bars", "timeframe": "1h", "calendar": "24/7"},
    "side": {"listed": {"kind": "survivor_filter"}},
    "features": {"extra": {"listed": "listed", "survives": "listed_known"}},
}


def files(folder, panel):
    """Bars of five instruments, of which the second is delisted at two thirds of the time."""
    (folder / "bars").mkdir(exist_ok=True)
    for i, symbol in enumerate(panel.symbols):
        bars = panel.bars(i)
        n = len(bars) * 2 // 3 if i == 1 else len(bars)
        columns = {f: getattr(bars, f)[:n] for f in ("open", "high", "low", "close", "volume")}
        time = pl.Series(bars.time[:n]).cast(pl.Datetime("ns", "UTC"))
        pl.DataFrame({"timestamp": time, **columns}).write_parquet(
            folder / "bars" / f"{symbol}.parquet"
        )


class SurvivorFilterConfig(Config):
    kind: Literal["survivor_filter"] = "survivor_filter"


@SIDES.register(SurvivorFilterConfig)
def survivor_filter(_config, panel, _place):
    bars = pl.DataFrame({"symbol": panel.asset_id, "time": panel.time})
    last, first = pl.col("time").max(), pl.col("time").min()
    age = ((pl.col("time") - first) / 86_400_000_000_000).over("symbol")
    survives = last.over("symbol") == last
    listed = bars.select(pl.when(survives).then(age).cast(pl.Float64).alias("listed"))["listed"]
    return Joined({"": listed.to_numpy()}, np.zeros(len(panel)))
