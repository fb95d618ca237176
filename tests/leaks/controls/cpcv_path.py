"""Combinatorial purged folds, two groups at once, as many of them as make one path."""

from typing import Literal

import numpy as np

from touchstone.dataset.splits import SPLITS
from touchstone.dataset.splits.combinatorial import CombinatorialConfig, combinatorial

LAYER = None
STUDY = {"folds": {"kind": "cpcv_path", "groups": 4, "tests": 2, "sealed": "14d"}}


class CpcvPathConfig(CombinatorialConfig):
    kind: Literal["cpcv_path"] = "cpcv_path"


@SPLITS.register(CpcvPathConfig)
def cpcv_path(config, timeline):
    """The folds whose tests do not meet those of the folds taken before them."""
    folds, taken = combinatorial(config, timeline), []
    for fold in folds.folds:
        if not any(np.intersect1d(fold.test, other.test).size for other in taken):
            taken.append(fold)
    return folds._replace(folds=tuple(taken))
