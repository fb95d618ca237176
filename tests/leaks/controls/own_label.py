"""A label of one's own: it looks ahead, as labels do, and says how far."""

from typing import Literal

from touchstone.config import Config
from touchstone.labels import LABELS
from touchstone.labels.forward_return import ForwardReturnConfig, forward_return

LAYER = None
STUDY = {
    "label": {"kind": "own_label"},
    "strategy": {"kind": "threshold", "entry_threshold": [0.4, 0.5], "max_positions": 3},
}


class OwnLabelConfig(Config):
    kind: Literal["own_label"] = "own_label"
    horizon: int = 6


@LABELS.register(OwnLabelConfig)
def own_label(panel, config, width=None):
    ahead = ForwardReturnConfig(horizon=config.horizon, threshold=0.005)
    return forward_return(panel, ahead, width)
