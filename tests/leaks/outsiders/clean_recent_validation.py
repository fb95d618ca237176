"""A calibration on the later two thirds of the validation rows: the newer, the truer.

An edit of the pipeline that moves the rows which decide nearer to the test. They stay validation
rows, with labels that end before the test begins.
"""

from leaks.everywhere import replace

LAYER = None
STUDY = {}


def plant(patch):
    def recent(true):
        def calibrate(config, prepared, fold, learned):
            start, end = fold.spans.validate_start, fold.spans.validate_end
            known = prepared.panel.available_at[fold.validate]
            late = known > start + (end - start) // 3
            newer = fold._replace(validate=fold.validate[late])
            return true(config, prepared, newer, learned._replace(validate=learned.validate[late]))

        return calibrate

    replace(patch, "touchstone.pipelines.decide", "calibrate", recent)
