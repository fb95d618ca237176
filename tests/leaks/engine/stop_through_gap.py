"""A stop is filled at its trigger although the bar opened far below it.

The commonest line of home-made engines: `if low <= stop: exit at stop`. Over a gap nobody trades
at the stop any more; the losses that matter most are made smaller than they were. The market here
jumps over night, as stocks do.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from leaks.by_hand import Engine, trade_with
from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.simulation import MarketConfig

LAYER = "C2"
STUDY: dict = {
    "bars": {
        "source": "stop_through_gap",
        "market": {"n_instruments": 5, "n_bars": 1500, "ic": 0.4},
    }
}
BARS_A_DAY, JUMP = 24, 0.012


class JumpsConfig(Config):
    source: Literal["stop_through_gap"] = "stop_through_gap"
    market: MarketConfig = MarketConfig()


@SOURCES.register(JumpsConfig)
def jumping(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    n_days = -(-config.market.n_bars // BARS_A_DAY)
    rng = np.random.default_rng(request.seed)
    night = JUMP * rng.standard_normal((config.market.n_instruments, n_days)).cumsum(axis=1)
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    factor = np.exp(night[panel.asset_id, age // BARS_A_DAY])
    prices = {n: getattr(panel, n) * factor for n in ("open", "high", "low", "close")}
    return loaded._replace(panel=replace(panel, **prices))


class GapBlind(Engine):
    def intrabar(self, bars):
        for symbol in sorted(set(self.positions) & set(bars)):
            bar, position = bars[symbol], self.positions[symbol]
            entered_here = position.row == bar.row
            if bar.low <= position.lower:
                self.sell(symbol, bar, position.lower, True, position.row, "stop")
            elif bar.open > position.upper and not entered_here:
                self.sell(symbol, bar, bar.open, False, position.row, "target")
            elif bar.high > position.upper:
                self.sell(symbol, bar, position.upper, False, position.row, "target")


def plant(patch):
    trade_with(patch, GapBlind)
