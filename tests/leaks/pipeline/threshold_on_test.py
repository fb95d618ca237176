"""The least probability to trade at is chosen on the rows that are then traded.

The threshold is swept over the test, the best one is written down as "the" threshold, and the same
test is reported with it. Every fold gets the one that suited it.
"""

import numpy as np

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {}


def plant(patch):
    def edited(outlook):
        def faulty(config, prepared, where, pieces):
            view = outlook(config, prepared, where, pieces)
            probability = view.probability.copy()
            realised = prepared.labels.realised[where.rows]
            for rows, *_ in pieces:
                at, inside = where.place(rows)
                at = at[inside]
                at = at[np.isfinite(realised[at])]
                least = best_threshold(probability[at, -1], realised[at])
                at, inside = where.place(rows)
                refused = at[inside][probability[at[inside], -1] < least]
                probability[refused] = np.nan
            return view._replace(probability=probability)

        return faulty

    replace(patch, "touchstone.pipelines.decide", "outlook", edited)


def best_threshold(score, earned):
    """The one at which what lies above it earned most on average, of twenty, each with 20 rows."""
    tried = np.quantile(score, np.linspace(0, 0.95, 20))
    enough = [least for least in tried if (score >= least).sum() >= 20]
    return max(enough or [0.0], key=lambda least: earned[score >= least].mean())
