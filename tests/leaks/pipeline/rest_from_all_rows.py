"""What a trade earns that meets no barrier is averaged over the whole history.

"A constant of the market", computed once in the notebook and passed to the strategy. It is large,
it differs from year to year, and here it knows the years to come.
"""

from leaks.everywhere import replace

LAYER = "B"
STUDY: dict = {}


def plant(patch):
    def edited(calibrate):
        def faulty(config, prepared, *rest):
            labels = prepared.labels
            at_horizon = labels.known & (labels.outcome == 0)
            mean = float(labels.realised[at_horizon].mean())
            return calibrate(config, prepared, *rest)._replace(rest=mean)

        return faulty

    replace(patch, "touchstone.pipelines.decide", "calibrate", edited)
