"""Train rows whose outcome is decided inside the validation range are kept.

The split is by time and looks clean; nobody thought of the label, which reaches eight bars ahead.
The last train rows know how the first validation rows go on.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS

LAYER = "C"
DAY_NS = 86_400_000_000_000
STUDY: dict = {"folds": {"kind": "label_overlap_train_validation"}}


class OverlapConfig(Config):
    kind: Literal["label_overlap_train_validation"] = "label_overlap_train_validation"
    days: int = 9
    sealed: str = "14d"


@SPLITS.register(OverlapConfig)
def overlap(config, line):
    start, seal, last = f.history(line, config.sealed)
    part = config.days * DAY_NS
    fold = unpurged(line, (start, seal - 2 * part, seal - part, seal))
    final = unpurged(line, (start, seal - part, seal, last))
    return f.Folds((fold,), final, seal)


def unpurged(line, bounds):
    a, b, c, d = bounds
    spans = f.Spans(a, b, b, c, c, d)
    clean = f.cut(line, spans)
    ready = line.has_window & line.has_label
    train = np.flatnonzero(ready & (line.known > a) & (line.known <= b))
    return clean._replace(train=train, purged_train=0)
