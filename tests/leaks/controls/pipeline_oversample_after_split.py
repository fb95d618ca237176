"""Clean: the train rows' winners are copied, after the split, within the train rows."""

import numpy as np

from leaks.everywhere import replace

LAYER = None
STUDY: dict = {}


def plant(patch):
    def edited(samples):
        def copying(windows, labels, rows, weights=None):
            if weights is not None:
                rows = np.sort(np.r_[rows, rows[labels.outcome[rows] == 1]])
            return samples(windows, labels, rows, weights)

        return copying

    replace(patch, "touchstone.dataset.samples", "samples", edited)
