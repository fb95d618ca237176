"""Clean: the penalty is chosen by the score on validation rows."""

import numpy as np

from leaks.everywhere import replace
from leaks.pipeline_scores import surprise_of

LAYER = None
STUDY: dict = {"models": [{"kind": "logistic"}]}
GRID = (1e-5, 1e-3, 1e-1)


def plant(patch):
    def edited(fit_and_score):
        def searched(config, task, columns, *rest):
            models = [task.model.model_copy(update={"l2": l2}) for l2 in GRID]
            fits = [fit_and_score(config, task._replace(model=m), columns, *rest) for m in models]
            lost = [surprise_of(fit.validate, columns.labels, task.fold.validate) for fit in fits]
            return fits[int(np.argmin(lost))]

        return searched

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
