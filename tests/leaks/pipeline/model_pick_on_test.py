"""In every fold the kind of model is the one that did best on that fold's test.

A table of models by fold, the best number of each row in bold, and the bold numbers averaged. No
single model ever earned them.
"""

import numpy as np

from leaks.everywhere import replace
from leaks.pipeline_scores import surprise_of
from touchstone.models import MODELS

LAYER = "B"
STUDY: dict = {"models": [{"kind": "logistic"}]}
KINDS = (
    {"kind": "logistic"},
    {"kind": "lightgbm", "rounds": 20, "leaves": 7, "min_rows": 40},
    {"kind": "lightgbm", "rounds": 40, "leaves": 15, "min_rows": 20, "learning_rate": 0.1},
)


def plant(patch):
    models = [MODELS.parse(kind) for kind in KINDS]

    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            fits = [fit_and_score(config, task._replace(model=m), columns, *rest) for m in models]
            lost = [surprise_of(fit.test, columns.labels, task.fold.test) for fit in fits]
            return fits[int(np.argmin(lost))]

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
