"""Rows are shuffled before they are split.

`train_test_split(X, y)` with its default `shuffle=True`. Two neighbours share most of their window
and their outcome, and one of them trains while the other tests.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS

LAYER = "C"
STUDY: dict = {"folds": {"kind": "shuffled_split"}}


class ShuffledConfig(Config):
    kind: Literal["shuffled_split"] = "shuffled_split"
    sealed: str = "14d"
    random_state: int = 42


@SPLITS.register(ShuffledConfig)
def shuffled(config, line):
    start, seal, last = f.history(line, config.sealed)
    before = np.flatnonzero(line.has_window & line.has_label & (line.end <= seal))
    mixed = np.random.default_rng(config.random_state).permutation(before)
    cuts = [int(0.7 * mixed.size), int(0.85 * mixed.size)]
    train, validate, test = (np.sort(part) for part in np.split(mixed, cuts))
    whole = f.Spans(start, seal, start, seal, start, seal)
    sealed = np.flatnonzero(line.has_window & (line.known > seal))
    final = f.Fold(train, validate, sealed, whole._replace(test_start=seal, test_end=last), 0, 0)
    return f.Folds((f.Fold(train, validate, test, whole, 0, 0),), final, seal)
