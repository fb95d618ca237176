"""Impact is paid by a volatility that holds the bar of the fill.

A rolling standard deviation is joined to the bars by its own row: a fill at the open pays for what
the price does until the close. The account may be short, which the slow one does not know.
"""

import numpy as np

from leaks import everywhere

LAYER = "C2"
STUDY: dict = {
    "strategy": {"kind": "top_k", "k": 2, "band": 1, "short": True},
    "account": {"short": True, "max_gross": 1.5},
    "costs": {"impact": 0.7},
}


def faulty(true):
    def volatility_before(panel, *args):
        return np.r_[true(panel, *args)[1:], np.nan]

    return volatility_before


def plant(patch):
    everywhere.replace(patch, "touchstone.backtest.volatility", "volatility_before", faulty)
