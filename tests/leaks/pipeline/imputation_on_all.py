"""Missing features are filled with the column's median over all rows.

`SimpleImputer().fit_transform(X)` before the split. The level that a column will have in the years
to come stands in the first rows of every instrument.
"""

import numpy as np

from leaks.everywhere import replace
from touchstone.pipelines.prepare import features_key

LAYER = "A"
STUDY: dict = {"features": {"extra": {"slow": "volume / mean(volume, 200)"}}}


def plant(patch):
    def edited(feature_matrix):
        def faulty(plan, panel, made_of, cache, progress):
            features = np.array(feature_matrix(plan, panel, made_of, cache, progress))
            gaps = np.isnan(features)
            features = np.where(gaps, np.nanmedian(features, axis=0), features)
            cache.save("features", features_key(plan, *made_of), {"features": features})
            return features

        return faulty

    replace(patch, "touchstone.pipelines.prepare", "feature_matrix", edited)
