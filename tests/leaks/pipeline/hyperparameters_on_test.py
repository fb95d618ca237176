"""The penalty is chosen by the score on the test rows.

A grid search in a hurry: every value is fitted, "the one that generalises best" is kept, and what
it generalised to is the test. What is reported is the best of many draws.
"""

import numpy as np

from leaks.everywhere import replace
from leaks.pipeline_scores import surprise_of

LAYER = "B"
STUDY: dict = {"models": [{"kind": "logistic"}]}
GRID = (1e-5, 1e-3, 1e-2, 1e-1, 1.0)


def plant(patch):
    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            models = [task.model.model_copy(update={"l2": l2}) for l2 in GRID]
            fits = [fit_and_score(config, task._replace(model=m), columns, *rest) for m in models]
            lost = [surprise_of(fit.test, columns.labels, task.fold.test) for fit in fits]
            return fits[int(np.argmin(lost))]

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
