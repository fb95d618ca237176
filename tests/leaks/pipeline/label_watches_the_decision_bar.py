"""The label begins with the bar at whose close is decided.

An index off by one: bars t .. t + 7 are watched instead of t + 1 .. t + 8. Part of the outcome is
over when the features are known, and the model "foresees" a move that stands in them.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.labels import LABELS, UNKNOWN
from touchstone.labels.triple_barrier import TripleBarrierConfig, triple_barrier

LAYER = "C"
STUDY: dict = {
    "label": {
        "kind": "label_watches_the_decision_bar", "take_profit": 2, "stop_loss": 1, "horizon": 8,
        "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
    }
}  # fmt: skip


class EarlyConfig(Config):
    kind: Literal["label_watches_the_decision_bar"] = "label_watches_the_decision_bar"
    take_profit: float = 2
    stop_loss: float = 1
    horizon: int = 8
    width: str | None = None


@LABELS.register(EarlyConfig)
def early(panel, config, width=None):
    told = config.model_dump() | {"kind": "triple_barrier"}
    right = triple_barrier(panel, TripleBarrierConfig(**told), width)
    before = np.maximum(np.arange(len(panel)) - 1, panel.offsets[:-1][panel.asset_id])
    early = {n: getattr(right, n)[before] for n in ("outcome", "realised", "ambiguous", "exit")}
    early["exit"] = np.where(early["exit"] > np.arange(len(panel)), early["exit"], UNKNOWN)
    return right._replace(**early)
