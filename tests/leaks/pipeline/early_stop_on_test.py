"""Training stops where the score on the test is best.

`eval_set=[(X_test, y_test)]` with early stopping: the number of trees is chosen on the rows that
are reported.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {
    "models": [{"kind": "lightgbm", "rounds": 60, "look_every": 1, "leaves": 7, "min_rows": 40,
                "learning_rate": 0.2}],
}  # fmt: skip


def plant(patch):
    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            fold = task.fold
            known = fold.test[columns.labels.known[fold.test]]
            swapped = fold._replace(validate=known, test=np.r_[fold.validate, fold.test])
            fit = fit_and_score(config, task._replace(fold=swapped), columns, *rest)
            n = fold.validate.size
            return fit._replace(validate=fit.test[:n], test=fit.test[n:])

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
