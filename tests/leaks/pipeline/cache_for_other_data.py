"""The cache answers for whatever data were asked before.

The key of a stage names its settings and forgets the bars: after an update of the data, or on
another market, the old features come back, and every comparison of the two shows no difference.
"""

from leaks.everywhere import replace

LAYER = "D"
STUDY: dict = {}


def plant(patch):
    replace(
        patch, "touchstone.pipelines.prepare", "features_prefix",
        lambda prefix: lambda _data, source: prefix("the data", source),
    )  # fmt: skip
