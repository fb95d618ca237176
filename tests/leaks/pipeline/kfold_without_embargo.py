"""Blocks of time test in turn; the others train, right up to the block's edges.

`KFold(shuffle=False)` as it comes: no row is in two parts, so it passes for clean. Windows reach
back into the test from behind it, labels reach into it from before.
"""

from itertools import pairwise
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS

LAYER = "C"
STUDY: dict = {"folds": {"kind": "kfold_without_embargo"}}


class BareConfig(Config):
    kind: Literal["kfold_without_embargo"] = "kfold_without_embargo"
    blocks: int = 4
    sealed: str = "14d"


@SPLITS.register(BareConfig)
def bare(config, line):
    start, seal, last = f.history(line, config.sealed)
    edges = np.linspace(start, seal, config.blocks + 1).astype(np.int64)
    ready = line.has_window & line.has_label
    block = [
        np.flatnonzero(ready & (line.known > a) & (line.known <= b)) for a, b in pairwise(edges)
    ]
    folds = []
    for k in range(config.blocks):
        v = config.blocks - 1 if k < config.blocks - 1 else config.blocks - 2
        train = np.sort(np.concatenate([b for i, b in enumerate(block) if i not in (k, v)]))
        bounds = (start, seal, *edges[[v, v + 1]].tolist(), *edges[[k, k + 1]].tolist())
        folds.append(f.Fold(train, block[v], block[k], f.Spans(*bounds), 0, 0))
    spans = f.Spans(start, int(edges[-2]), int(edges[-2]), seal, seal, last)
    return f.Folds(tuple(folds), f.cut(line, spans), seal)
