"""Rows without an outcome are dropped, in the test too.

`df.dropna()` after the label was joined. The last bars before a delisting have no outcome, so that
nobody ever holds what is about to vanish: survivorship, by way of the label.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.sources import SOURCES
from touchstone.data.sources.simulated import SimulatedConfig, load
from touchstone.dataset.splits import SPLITS
from touchstone.dataset.splits.walk_forward import WalkForwardConfig, walk_forward
from touchstone.simulation import MarketConfig

LAYER = "B"
STUDY: dict = {
    "bars": {
        "source": "test_rows_need_a_label",
        "market": {"n_instruments": 8, "n_bars": 1500, "ic": 0.4},
    },
    "folds": {"kind": "test_rows_need_a_label"},
}
LIVES = {"S01": 0.50, "S03": 0.56, "S04": 0.64, "S06": 0.70}
"""Share of the history after which four of them are delisted."""


class DelistingConfig(Config):
    source: Literal["test_rows_need_a_label"] = "test_rows_need_a_label"
    market: MarketConfig = MarketConfig()


@SOURCES.register(DelistingConfig)
def delisting(config, request):
    loaded = load(SimulatedConfig(market=config.market), request)
    panel = loaded.panel
    life = np.array([LIVES.get(s, 1) for s in panel.symbols]) * config.market.n_bars
    age = np.arange(len(panel)) - panel.offsets[:-1][panel.asset_id]
    return loaded._replace(panel=panel.where(age < life[panel.asset_id]))


class DroppingConfig(Config):
    kind: Literal["test_rows_need_a_label"] = "test_rows_need_a_label"


@SPLITS.register(DroppingConfig)
def dropping(config, line):  # noqa: ARG001 (every split is called alike)
    honest = WalkForwardConfig(train="expanding", validate="9d", test="9d", folds=2, sealed="14d")
    folds = walk_forward(honest, line)
    kept = tuple(f._replace(test=f.test[line.has_label[f.test]]) for f in folds.folds)
    return folds._replace(folds=kept)
