"""A mean range that warms up anew when an instrument comes back from a suspension.

The third instrument does not trade for forty hours, and for half a day after that the feature is
missing in the middle of its history, which looks as if something had been cut out of it.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig
from touchstone.simulation import MarketConfig

LAYER = None
STUDY = {
    "bars": {"source": "clean_suspension"},
    "side": {"calm": {"kind": "clean_gap_warm_up"}},
    "features": {"extra": {"calm": "calm"}},
}
HOUR_NS = 3_600_000_000_000
AWAY = np.array(["2022-02-01T07:00", "2022-02-02T23:00"], "datetime64[ns]").astype(np.int64)
"""First and last hour without a bar, end left out."""
WARM = 12


class CleanSuspensionConfig(Config):
    source: Literal["clean_suspension"] = "clean_suspension"
    market: MarketConfig = MarketConfig(n_instruments=5, n_bars=1500, ic=0.4)


@SOURCES.register(CleanSuspensionConfig)
def clean_suspension(config, request):
    loaded = SOURCES.part("simulated")(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    away = (panel.time >= AWAY[0]) & (panel.time < AWAY[1])
    symbols = np.array(panel.symbols)
    return loaded._replace(panel=panel.where(~(away & (symbols[panel.asset_id] == "S02"))))


class CleanGapWarmUpConfig(Config):
    kind: Literal["clean_gap_warm_up"] = "clean_gap_warm_up"


@SIDES.register(CleanGapWarmUpConfig)
def clean_gap_warm_up(_config, panel, _place):
    def calm(bars):
        span = np.log(bars.high / bars.low).tolist()
        found, since = np.full(len(bars), np.nan), 0
        for i in range(len(bars)):
            if i and bars.time[i] - bars.time[i - 1] > 4 * HOUR_NS:
                since = i
            if i - since + 1 >= WARM:
                found[i] = sum(span[i - WARM + 1 : i + 1]) / WARM
        return found

    return Joined({"": panel.per_instrument(calm)}, np.zeros(len(panel)))
