"""The combination of an ensemble is fitted on the test rows.

Every member is fitted with care, and the weights between them are fitted by the library's own code;
but it is handed the rows that the ensemble is judged on, since "those are the newest".
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {
    "models": [
        {
            "kind": "ensemble",
            "members": [
                {"kind": "logistic"},
                {"kind": "lightgbm", "rounds": 20, "leaves": 7, "min_rows": 40},
            ],
        }
    ]
}


def plant(patch):
    def edited(combined):
        def faulty(config, prepared, one):
            honest, fold = combined(config, prepared, one), one.task.fold
            known = np.flatnonzero(prepared.labels.known[fold.test])
            seen = one._replace(
                task=one.task._replace(fold=fold._replace(validate=fold.test[known])),
                fits=tuple(fit._replace(validate=fit.test[known]) for fit in one.fits),
            )
            return combined(config, prepared, seen)._replace(validate=honest.validate)

        return faulty

    replace(patch, "touchstone.pipelines.learn_ensemble", "_combined", edited)
