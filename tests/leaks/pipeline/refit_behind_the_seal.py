"""The last refit takes the newest rows, which are the sealed ones.

"The model that goes live should know the latest market": it is fitted on all rows up to today, and
then the sealed segment is scored with it, because the script does that at the end.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {}


def plant(patch):
    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            fold = task.fold
            if task.name == "final":
                known = fold.test[columns.labels.known[fold.test]]
                fold = fold._replace(train=np.union1d(fold.train, known))
            return fit_and_score(config, task._replace(fold=fold), columns, *rest)

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
