"""Walk-forward folds, purged by `rows[:-horizon]`: of the last instrument alone.

In the course there was one instrument, and the last rows of a part were the last in time. In a
panel the rows of an instrument lie together: all but one keep train labels that end behind the
first validation bar, and validation labels that end in the test. Some dozen rows a fold.
"""

from typing import Literal

import numpy as np

from touchstone.dataset.folds import Fold
from touchstone.dataset.splits import SPLITS
from touchstone.dataset.splits.walk_forward import WalkForwardConfig, walk_forward

LAYER = "C"
STUDY = {
    "folds": {
        "kind": "purge_last_instrument", "train": "expanding", "validate": "9d", "test": "9d",
        "folds": 2, "sealed": "14d",
    },
}  # fmt: skip
HORIZON = 9
"""Bars from a decision to its last possible exit, and rows that are dropped."""


class PurgeLastInstrumentConfig(WalkForwardConfig):
    kind: Literal["purge_last_instrument"] = "purge_last_instrument"


@SPLITS.register(PurgeLastInstrumentConfig)
def purge_last_instrument(config, timeline):
    def cut(fold):
        usable = timeline.has_window & timeline.has_label
        train, validate = (
            np.flatnonzero(usable & (timeline.known > start) & (timeline.known <= end))
            for start, end in (fold.spans[0:2], fold.spans[2:4])
        )
        kept = (train[:-HORIZON], validate[:-HORIZON])
        return Fold(*kept, fold.test, fold.spans, HORIZON, HORIZON)

    found = walk_forward(config, timeline)
    return found._replace(folds=tuple(map(cut, found.folds)), final=cut(found.final))
