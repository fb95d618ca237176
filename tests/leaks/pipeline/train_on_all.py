"""The model that is tested was fitted on all rows.

After the search "the final model is fitted on all data", saved, and later loaded by the script that
makes the figures for the test.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {}


def plant(patch):
    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            fold = task.fold
            known = fold.test[columns.labels.known[fold.test]]
            everything = np.union1d(np.union1d(fold.train, fold.validate), known)
            whole = task._replace(fold=fold._replace(train=everything))
            return fit_and_score(config, whole, columns, *rest)

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
