"""Barriers whose width is cut at a quantile of all widths, those to come included.

Someone saw targets of twenty per cent after a crash and winsorised the width, inside the label, at
the hundredth largest share of the whole history. A calm sample of later years lowers the barriers
of the crash. One row in a hundred has another target, stop and perhaps outcome.
"""

from typing import Literal

import numpy as np

from touchstone.labels import LABELS
from touchstone.labels.triple_barrier import TripleBarrierConfig, triple_barrier

LAYER = "A"
STUDY = {
    "label": {
        "kind": "winsorised_width", "take_profit": 2, "stop_loss": 1, "horizon": 8,
        "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
    },
}  # fmt: skip


class WinsorisedWidthConfig(TripleBarrierConfig):
    kind: Literal["winsorised_width"] = "winsorised_width"


@LABELS.register(WinsorisedWidthConfig)
def winsorised_width(panel, config, width=None):
    if width is not None:
        width = np.minimum(width, np.nanquantile(width, 0.99))
    return triple_barrier(panel, config, width)
