"""Train rows are augmented with jittered copies of windows from the test.

The table was augmented before it was split: every window got copies with a little noise, and the
copies were dealt out at random. The train rows hold the test's windows and what became of them.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {}
SHARE, NOISE = 0.3, 1e-3


def plant(patch):
    def edited(fit_and_score):
        def faulty(config, task, columns, *rest):
            fold, rng = task.fold, np.random.default_rng(task.fold.train.size)
            known = fold.test[columns.labels.known[fold.test]]
            if not known.size:
                return fit_and_score(config, task, columns, *rest)
            copied = rng.choice(known, int(SHARE * fold.train.size))
            at = (copied[:, None] + np.arange(1 - config.lookback, 1)).ravel()
            own = len(columns.features) - 1 + config.lookback * np.arange(1, copied.size + 1)
            whole = fold._replace(train=np.r_[fold.train, own])
            noise = 1 + NOISE * rng.standard_normal((at.size, columns.features.shape[1]))
            return fit_and_score(
                config, task._replace(fold=whole), enlarged(columns, at, noise), *rest
            )

        return faulty

    replace(patch, "touchstone.pipelines.learn", "fit_and_score", edited)


def enlarged(columns, at, noise):
    """The columns, and behind them noisy copies of some rows with their outcomes."""
    features, labels = np.asarray(columns.features), columns.labels
    copies = {n: np.r_[getattr(labels, n), getattr(labels, n)[at]] for n in labels._fields}
    n = len(features)
    copies["exit"][n:] = np.where(labels.known[at], np.arange(n, n + at.size) + 1, -1)
    rows = {c: np.r_[getattr(columns, c), getattr(columns, c)[at]] for c in ROWS}
    noisy = (features[at] * noise).astype(np.float32)
    return columns._replace(features=np.r_[features, noisy], labels=type(labels)(**copies), **rows)


ROWS = ("asset_id", "begins", "known")
