"""Scores of news averaged by their date, and joined to every bar of that date.

Whoever has hourly bars and a vendor's daily sentiment: the morning reads the evening's news.
"""

from typing import Literal

import numpy as np
import polars as pl

from touchstone.data.side import SIDES, Joined
from touchstone.data.side_file import SideFileConfig

LAYER = "A"
STUDY = {
    "side": {"mood": {"kind": "news_by_event_date", "path": "news.parquet"}},
    "features": {"extra": {"mood": "mood"}},
}
_DAY = 86_400_000_000_000


def files(folder, panel):
    """Two items a day and instrument, that tell of the hours before them; published at once."""
    rng = np.random.default_rng(int(panel.volume[0]))
    instrument = np.repeat(np.arange(panel.n_instruments), 120)
    row = panel.offsets[instrument] + rng.integers(12, np.diff(panel.offsets)[instrument])
    told = panel.available_at[row] + rng.integers(0, 1800, row.size) * 1_000_000_000
    move = np.log(panel.close[row] / panel.close[row - 12]) / 0.03
    pl.DataFrame({
        "symbol": np.array(panel.symbols)[instrument],
        "event_time": pl.Series(told // _DAY * _DAY).cast(pl.Datetime("ns", "UTC")),
        "knowledge_time": pl.Series(told).cast(pl.Datetime("ns", "UTC")),
        "value": np.tanh(move + rng.normal(0, 0.5, row.size)),
    }).write_parquet(folder / "news.parquet")  # fmt: skip


class NewsByEventDateConfig(SideFileConfig):
    kind: Literal["news_by_event_date"] = "news_by_event_date"


@SIDES.register(NewsByEventDateConfig)
def news_by_event_date(config, panel, place):
    news = pl.read_parquet(place.root / config.path)
    daily = news.group_by("symbol", date=pl.col("event_time").dt.date(), maintain_order=True).agg(
        mood=pl.col("value").mean()
    )
    bars = pl.DataFrame({
        "symbol": np.array(panel.symbols)[panel.asset_id],
        "date": pl.Series(panel.time).cast(pl.Datetime("ns", "UTC")).dt.date(),
    })  # fmt: skip
    joined = bars.join(daily, on=("symbol", "date"), how="left", maintain_order="left")
    return Joined({"": joined["mood"].fill_null(0.0).to_numpy()}, np.zeros(len(panel)))
