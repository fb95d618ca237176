"""Clean: older train rows count for less, measured back from the last train row."""

import numpy as np

from leaks.everywhere import replace

LAYER = None
STUDY: dict = {}


def plant(patch):
    def edited(samples):
        def fading(windows, labels, rows, weights=None):
            made = samples(windows, labels, rows, weights)
            if weights is None:
                return made
            order = np.argsort(np.argsort(labels.exit[rows] - rows, kind="stable"), kind="stable")
            faded = made.weight * (0.5 + 0.5 * order / max(rows.size - 1, 1))
            return made._replace(weight=(faded / faded.mean()).astype(np.float32))

        return fading

    replace(patch, "touchstone.dataset.samples", "samples", edited)
