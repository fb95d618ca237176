"""Classes are weighed by how rare they are in the whole table.

`compute_class_weight` is called where the labels are made, on all of them. How often the target
is met in the years of the test is told to the fit.
"""

from leaks.everywhere import replace
from touchstone.dataset.weights import class_balance

LAYER = "B"
STUDY: dict = {"weights": {"uniqueness": False, "balance": True}}


def plant(patch):
    def edited(samples):
        def faulty(windows, labels, rows, weights=None):
            made = samples(windows, labels, rows, weights)
            if weights is None:
                return made
            everywhere = labels.outcome.astype(float)
            everywhere[labels.known] = class_balance(labels.outcome[labels.known])
            return made._replace(weight=everywhere[rows].astype("float32"))

        return faulty

    replace(patch, "touchstone.dataset.samples", "samples", edited)
