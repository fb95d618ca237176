"""A table too large to hold comes in parts that are, bit for bit, the whole."""

import numpy as np
import pytest

from touchstone.features import (
    FeaturesConfig,
    compile_features,
    evaluate,
    evaluate_in_parts,
    evaluation,
    n_parts,
)
from walks import random_panel


@pytest.mark.parametrize("lanes", [1, 2, 3, 16])
def test_parts_are_the_whole(lanes, monkeypatch):
    extra = {"x": "cross_rank(ret) - lag(cross_mean(ret), 1)", "sar": "close / psar(high, low)"}
    extra["days"] = 'close / higher("1d", mean(close, 2)) - 1'
    plan = compile_features(FeaturesConfig(extra=extra))
    panel = random_panel(5, 120, missing=0.2)
    whole = evaluate(plan, panel)
    monkeypatch.setattr(evaluation, "LANES", lanes)
    parts = list(evaluate_in_parts(plan, panel))
    assert len(parts) == n_parts(panel) == -(-5 // lanes)
    assert [rows.start for rows, _ in parts] + [len(panel)] == [0] + [r.stop for r, _ in parts]
    np.testing.assert_array_equal(np.concatenate([values for _, values in parts]), whole)
