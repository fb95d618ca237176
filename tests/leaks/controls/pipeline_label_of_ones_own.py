"""Clean: a label of one's own, the return from the next open to the open six bars on."""

from typing import Literal

from touchstone.config import Config
from touchstone.labels import LABELS
from touchstone.labels.forward_return import ForwardReturnConfig, forward_return

LAYER = None
STUDY: dict = {
    "label": {"kind": "pipeline_label_of_ones_own"},
    "strategy": {"kind": "threshold", "entry_threshold": [0.4, 0.5], "max_positions": 3},
}


class OwnConfig(Config):
    kind: Literal["pipeline_label_of_ones_own"] = "pipeline_label_of_ones_own"
    horizon: int = 6


@LABELS.register(OwnConfig)
def own(panel, config, width=None):
    told = ForwardReturnConfig(horizon=config.horizon, threshold=0.004)
    return forward_return(panel, told, width)
