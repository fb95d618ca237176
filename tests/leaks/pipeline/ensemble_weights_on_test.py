"""Two models are blended with the weights that suit the test best.

The members are fitted with care; the weights between them are "just one number" and are found by
the score of the blend on the test rows.
"""

import numpy as np

from leaks.everywhere import replace
from leaks.pipeline_scores import surprise_of
from touchstone.models import MODELS

LAYER = "B"
STUDY: dict = {"models": [{"kind": "logistic"}]}
SHARES = np.linspace(0, 1, 11)


def plant(patch):
    other = MODELS.parse({"kind": "lightgbm", "rounds": 20, "leaves": 7, "min_rows": 40})

    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            one = fit_and_score(config, task, columns, *rest)
            epochs = None if task.epochs is None else 20
            two = fit_and_score(config, task._replace(model=other, epochs=epochs), columns, *rest)
            blends = [s * one.test + (1 - s) * two.test for s in SHARES]
            lost = [surprise_of(blend, columns.labels, task.fold.test) for blend in blends]
            share = float(SHARES[int(np.argmin(lost))])
            mixed = share * one.validate + (1 - share) * two.validate
            return one._replace(validate=mixed, test=blends[int(np.argmin(lost))])

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
