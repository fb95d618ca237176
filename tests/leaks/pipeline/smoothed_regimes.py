"""Regimes enter as smoothed probabilities, not as filtered ones.

Most libraries' `predict_proba` runs forwards and backwards over the series it is given: what state
it was at noon is said with the knowledge of the afternoon.
"""

import numpy as np

from touchstone.dataset.regimes import RegimeFilter

LAYER = "B"
STUDY: dict = {
    "regimes": {"kind": "hmm", "states": 2, "rows": 2000, "starts": 1, "tolerance": 1e-2,
                "inputs": {"move": "log(close / lag(close, 1))"}},
}  # fmt: skip


def plant(patch):
    filtered = RegimeFilter.filtered

    def smoothed(self, inputs, begins):
        forwards = filtered(self, inputs, begins)
        turned = np.r_[True, begins[:0:-1]]
        backwards = filtered(self, inputs[::-1].copy(), turned)[::-1]
        both = forwards * backwards
        return both / both.sum(axis=1, keepdims=True)

    patch.setattr(RegimeFilter, "filtered", smoothed)
