"""Train rows give way to jittered copies of windows from the test.

The table was augmented before it was split: windows got copies with a little noise, and the copies
were dealt out at random, some of them in the place of train rows. Those hold the test's windows
and what became of them.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {}
NOISE = 1e-3


def plant(patch):
    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            fold, rng = task.fold, np.random.default_rng(task.fold.train.size)
            known = fold.test[columns.labels.known[fold.test]]
            if not known.size:
                return fit_and_score(config, task, columns, *rest)
            replaced = fold.train[:: 2 * config.lookback]
            copied = rng.choice(known, replaced.size)
            return fit_and_score(
                config, task, with_copies(columns, replaced, copied, config.lookback, rng), *rest
            )

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)


def with_copies(columns, replaced, copied, lookback, rng):
    """The columns with noisy windows and the outcomes of `copied` in the place of `replaced`."""
    features, labels = np.array(columns.features), columns.labels
    for back in range(lookback):
        noise = 1 + NOISE * rng.standard_normal((copied.size, features.shape[1]))
        features[replaced - back] = features[copied - back] * noise
    outcome, realised = labels.outcome.copy(), labels.realised.copy()
    outcome[replaced], realised[replaced] = labels.outcome[copied], labels.realised[copied]
    return columns._replace(
        features=features, labels=labels._replace(outcome=outcome, realised=realised)
    )
