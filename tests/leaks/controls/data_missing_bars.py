"""Clean: one bar in twelve is missing, and a vendor was away for half a day."""

from typing import Literal

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = None
STUDY: dict = {
    "bars": {
        "source": "data_missing_bars",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    }
}
HOUR_NS = 3_600_000_000_000


class HolesConfig(Config):
    source: Literal["data_missing_bars"] = "data_missing_bars"
    market: MarketConfig = MarketConfig()


@SOURCES.register(HolesConfig)
def holed(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    hour = panel.time // HOUR_NS
    there = (hour * 7919 + panel.asset_id * 104_729) % 12 != 0
    away = (hour - hour.min()) % 700 < 12
    return loaded._replace(panel=panel.where(there & ~away))
