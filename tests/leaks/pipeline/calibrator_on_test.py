"""The calibrator is fitted on the rows that it is then judged on.

"Calibration is no training", so the isotonic regression gets the test's scores and outcomes. It
says of each score what became of it, and the strategy bets on that.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {}


def plant(patch):
    def edited(calibrate):
        def faulty(config, prepared, fold, learned):
            known = prepared.labels.known[fold.test]
            if not np.any(known):
                return calibrate(config, prepared, fold, learned)
            judged = fold._replace(validate=fold.test[known])
            return calibrate(
                config, prepared, judged, learned._replace(validate=learned.test[known])
            )

        return faulty

    replace(patch, "touchstone.pipelines.decide", "calibrate", edited)
