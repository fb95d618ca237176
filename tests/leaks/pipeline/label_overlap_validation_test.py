"""Validation rows whose outcome is decided inside the test range are kept.

Purging was done for the train rows, as in the book; that the epoch and the calibrator are chosen
on rows that reach into the test was not thought of.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS

LAYER = "C"
DAY_NS = 86_400_000_000_000
STUDY: dict = {"folds": {"kind": "label_overlap_validation_test"}}


class OverlapConfig(Config):
    kind: Literal["label_overlap_validation_test"] = "label_overlap_validation_test"
    days: int = 9
    sealed: str = "14d"


@SPLITS.register(OverlapConfig)
def overlap(config, line):
    start, seal, last = f.history(line, config.sealed)
    part = config.days * DAY_NS
    fold = half_purged(line, (start, seal - 2 * part, seal - part, seal))
    final = half_purged(line, (start, seal - part, seal, last))
    return f.Folds((fold,), final, seal)


def half_purged(line, bounds):
    a, b, c, d = bounds
    spans = f.Spans(a, b, b, c, c, d)
    clean = f.cut(line, spans)
    ready = line.has_window & line.has_label
    validate = np.flatnonzero(ready & (line.known > b) & (line.known <= c))
    return clean._replace(validate=validate, purged_validate=0)
