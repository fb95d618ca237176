"""Orders are filled at the last price when there is no bar.

Missing bars were filled forward "so that the matrix is whole", and the engine trades on them. The
instrument was halted, or nobody traded it; whoever wanted out could not get out.
"""

from typing import Literal

from leaks.by_hand import Engine, trade_with
from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = "C2"
STUDY: dict = {
    "bars": {
        "source": "fills_without_a_bar",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    }
}
HOUR_NS = 3_600_000_000_000


class HaltsConfig(Config):
    source: Literal["fills_without_a_bar"] = "fills_without_a_bar"
    market: MarketConfig = MarketConfig()


@SOURCES.register(HaltsConfig)
def halting(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    there = (panel.time // HOUR_NS * 7919 + panel.asset_id * 104_729) % 8 != 0
    return loaded._replace(panel=panel.where(there))


class FilledForward(Engine):
    def open(self, bars):
        last = getattr(self, "last", {})
        for symbol in sorted((set(self.sells) & set(last)) - set(bars)):
            order, bar = self.sells.pop(symbol), last[symbol]
            self.sell(symbol, bar, bar.close, True, order.row, order.reason)
        super().open(bars)
        self.last = {**last, **bars}


def plant(patch):
    trade_with(patch, FilledForward)
