"""Clean: both sides of a ranking, sized by volatility, with impact, loss limits and actions."""

from typing import Literal

from leaks.eventful import with_actions
from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = None
STUDY: dict = {
    "bars": {
        "source": "engine_short_with_impact_and_actions",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    },
    "strategy": {
        "kind": "top_k", "k": 2, "band": 1, "floor": [0.0], "short": True,
        "sizing": {"kind": "volatility_target", "annual": 0.3},
    },
    "account": {"short": True, "daily_loss": 0.03, "drawdown": 0.5, "cool_down": 3},
    "costs": {"impact": 0.7, "impact_half_life": 5.0, "volume_cap": 0.05, "borrow_bp": 300},
}  # fmt: skip


class EventfulConfig(Config):
    source: Literal["engine_short_with_impact_and_actions"] = "engine_short_with_impact_and_actions"
    market: MarketConfig = MarketConfig()


@SOURCES.register(EventfulConfig)
def eventful(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    return loaded._replace(panel=with_actions(loaded.panel))
