"""The bar for calibration as the page says it, for every word."""

import numpy as np
import pytest

from reports.example_result import skill as example_skill
from touchstone.reports.sections.skill import _figures

SKILL = example_skill(np.random.default_rng(0), 0.1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "met: error at most 0.756"),
        ({"is_calibrated": "missed", "largest_ece": 0.02}, "missed: error at most 2.00"),
        ({"is_calibrated": "not decidable", "n_positives": 87},
         "not decidable: 87 positives, 200 needed"),
        ({"is_calibrated": "not decidable", "n_positives": 300}, "not decidable: 300 positives"),
    ],
)  # fmt: skip
def test_the_bar_in_words(changes, said):
    told = {f.key: f.value for f in _figures(SKILL.model_copy(update=changes))}
    assert told["is_calibrated"].startswith(said)


def test_error_and_slope_stand_with_their_intervals_where_they_have_one():
    told = {f.key: f.value for f in _figures(SKILL)}
    assert told["calibration_slope"] == "0.940 (0.880 to 1.01)"
    assert told["ece"].startswith("0.420")
    assert told["ece"].endswith("%)")
    bare = SKILL.model_copy(
        update={"ece_interval": None, "calibration_slope_interval": None, "is_calibrated": None}
    )
    told = {f.key: f.value for f in _figures(bare)}
    assert told["calibration_slope"] == "0.940"
    assert "is_calibrated" not in told
