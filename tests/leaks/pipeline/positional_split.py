"""Concatenated symbols are split by position: the first 60 % of rows train, the next validate.

`X[:int(0.6 * len(X))]` on a table that was made by `pd.concat` over symbols. The train rows are
the first symbols in all years, the test rows the last symbols in the same years.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS

LAYER = "C"
STUDY: dict = {"folds": {"kind": "positional_split"}}


class PositionalConfig(Config):
    kind: Literal["positional_split"] = "positional_split"
    sealed: str = "14d"


@SPLITS.register(PositionalConfig)
def positional(config, line):
    start, seal, last = f.history(line, config.sealed)
    before = np.flatnonzero(line.has_window & line.has_label & (line.end <= seal))
    train, validate, test = np.split(before, [int(0.6 * before.size), int(0.8 * before.size)])
    whole = f.Spans(start, seal, start, seal, start, seal)
    sealed = np.flatnonzero(line.has_window & (line.known > seal))
    final = f.Fold(train, validate, sealed, whole._replace(test_start=seal, test_end=last), 0, 0)
    return f.Folds((f.Fold(train, validate, test, whole, 0, 0),), final, seal)
