"""The mean return of horizon exits, taken over all rows before the seal: there were too few.

Nine days of validation rows hold a few dozen trades that ended at the horizon, and their mean
jumped about. All rows before the seal hold thousands, "and nobody touches the sealed ones". Those
rows are the tests on which candidates are compared. It moves one number a fold, by a basis point.
"""

from leaks.everywhere import replace

LAYER = "B"
STUDY = {}


def plant(patch):
    def careless(true):
        def calibrate(config, prepared, fold, learned):
            labels = prepared.labels
            at_horizon = prepared.open_labels & (labels.outcome == 0)
            rest = float(labels.realised[at_horizon].mean())
            return true(config, prepared, fold, learned)._replace(rest=rest)

        return calibrate

    replace(patch, "touchstone.pipelines.decide", "calibrate", careless)
