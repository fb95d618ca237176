"""Winners are oversampled before the split, and all copies end up among the train rows.

The rare class is multiplied "so that the model sees enough of it", on the whole table. The copies
have no date of their own, so that no split by time can put them back: those of winners in the test
are trained on.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "C"
STUDY: dict = {}
COPIES = 2


def plant(patch):
    seen = {}

    def remembering(timeline):
        def faulty(panel, labels, *rest):
            seen["winners"] = np.flatnonzero(labels.known & (labels.outcome == 1))
            return timeline(panel, labels, *rest)

        return faulty

    def oversampling(pooled):
        def faulty(folds, n_rows):
            folds = pooled(folds, n_rows)
            return folds._replace(folds=tuple(enlarged(f, seen["winners"]) for f in folds.folds))

        return faulty

    replace(patch, "touchstone.dataset.folds", "timeline", remembering)
    replace(patch, "touchstone.dataset.paths", "pooled", oversampling)


def enlarged(fold, winners):
    """The fold with copies of all its winners among its train rows."""
    rows = np.concatenate([fold.train, fold.validate, fold.test])
    copies = np.repeat(np.intersect1d(rows, winners), COPIES)
    return fold._replace(train=np.sort(np.r_[fold.train, copies]))
