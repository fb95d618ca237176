"""The members of an ensemble are fitted on the validation rows too.

"More data for the members, the combination is what validation is for": what combines them, and what
calibrates the result, then sees scores of rows that every member has learned by heart.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "C"
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
    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            rows = np.union1d(task.fold.train, task.fold.validate)
            more = task._replace(fold=task.fold._replace(train=rows))
            return fit_and_score(config, more, columns, *rest)

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
