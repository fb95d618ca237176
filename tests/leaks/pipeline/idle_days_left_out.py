"""Days on which nothing was held are left out of the Sharpe.

"They are no returns." A strategy that trades once a month is annualised as if it did so daily, and
the fewer days it trades the better it looks.
"""

import numpy as np

from touchstone.backtest import daily

LAYER = "E"
STUDY: dict = {"strategy": {"kind": "cost_aware", "margin_bp": [120, 160], "max_positions": 3}}


def plant(patch):
    def faulty(panel, run):
        day, returns = daily(panel, run)
        busy = np.flatnonzero(returns != 0)
        return day[busy], returns[busy]

    patch.setattr("touchstone.pipelines.decide.daily", faulty)
