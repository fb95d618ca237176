"""Barriers are scaled by the volatility of the window that the label watches.

"The barriers should fit the trade": the range of the next eight bars sets target and stop. Both are
told to the strategy at the entry, which then knows how wild it will be.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.labels import LABELS
from touchstone.labels.triple_barrier import TripleBarrierConfig, triple_barrier

LAYER = "A"
STUDY: dict = {"label": {"kind": "width_from_the_window_ahead"}}


class AheadConfig(Config):
    kind: Literal["width_from_the_window_ahead"] = "width_from_the_window_ahead"
    take_profit: float = 2
    stop_loss: float = 1
    horizon: int = 8


@LABELS.register(AheadConfig)
def ahead(panel, config, width=None):  # noqa: ARG001 (every label is called alike)
    told = TripleBarrierConfig(take_profit=2, stop_loss=1, horizon=config.horizon, width="ahead")
    move = np.abs(np.log(panel.close / panel.open))
    rows = np.arange(len(panel))
    last = panel.offsets[1:][panel.asset_id] - 1
    near = [move[np.minimum(rows + k, last)] for k in range(1, config.horizon + 1)]
    return triple_barrier(panel, told, np.mean(near, axis=0) * np.sqrt(config.horizon))
