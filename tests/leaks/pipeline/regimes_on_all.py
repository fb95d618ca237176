"""The regime filter is fitted on the whole history.

The states are "just a description of the market", so they are estimated once, on everything. How
volatile the coming crisis will be is in the parameters by which the past is sorted.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {
    "regimes": {"kind": "hmm", "states": 2, "rows": 2000, "starts": 1, "tolerance": 1e-2,
                "inputs": {"move": "log(close / lag(close, 1))"}},
}  # fmt: skip


def plant(patch):
    def edited(sequences):
        def faulty(begins, inputs, _train):
            return sequences(begins, inputs, np.flatnonzero(np.isfinite(inputs).all(axis=1)))

        return faulty

    replace(patch, "touchstone.dataset.regimes", "sequences", edited)
