"""The scaler is fitted on train and validation rows together.

"The test is what must stay clean", so only the test is held out of it. What validation chooses,
the epoch and the calibrator, is then chosen on rows that the fit has seen.
"""

from types import SimpleNamespace

import numpy as np

from leaks.everywhere import replace
from touchstone.dataset.scalers import SCALERS
from touchstone.pipelines import learn

LAYER = "B"
STUDY: dict = {}


def plant(patch):
    def edited(fit_and_score):
        def faulty(config, task, *rest):
            both = np.union1d(task.fold.train, task.fold.validate)
            fit = SCALERS.part_of(config.scaler)
            widened = SimpleNamespace(part_of=lambda _: lambda own, x, _: fit(own, x, both))
            patch.setattr(learn, "SCALERS", widened)
            return fit_and_score(config, task, *rest)

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)
