"""The bar for calibration, and its intervals on days whose truth is known."""

import numpy as np
import pytest
from scipy.special import expit, logit

from touchstone.validation.calibrated import Calibrated, calibrated, largest_error, word
from validation.bands import band


def rows(rng, n_days=60, a_day=120, slope=1.0):
    """Rows of a day share a shift of their logit, as rows of one market day do."""
    day = np.repeat(np.arange(n_days), a_day)
    p = rng.beta(2, 5, day.size)
    shift = rng.normal(0, 0.3, n_days)[day]
    hit = rng.random(day.size) < expit(slope * logit(p) + shift)
    return p, hit, day


@pytest.mark.parametrize("slope", [1.0, 0.6])
def test_the_interval_of_the_slope_holds_the_truth(slope):
    """Shifts of the days flatten the slope of all rows together, by a known factor."""
    n, held = 20, 0
    for seed in range(n):
        rng = np.random.default_rng(seed)
        low, high = calibrated(*rows(rng, slope=slope), rng).slope_interval
        marginal = slope / np.sqrt(1 + 0.346 * 0.3**2)  # Zeger, Liang & Albert (1988)
        held += low <= marginal <= high
    assert held >= band(n, 0.95)[0]


def test_the_interval_of_the_error_holds_a_plain_error_and_narrows_with_days():
    n, held, widths = 16, 0, {}
    for seed in range(n):
        rng = np.random.default_rng(seed)
        p, hit, day = rows(rng, 40)
        found = calibrated(p + 0.3 * (1 - p), hit, day, rng)
        low, high = found.ece_interval
        assert low < found.ece < high
        # Where every bin says too much the error is the mean of what was said too much.
        held += low <= 0.3 * 5 / 7 + 2 / 7 - _share() <= high
        widths[40] = high - low
    assert held >= band(n, 0.95)[0]
    rng = np.random.default_rng(3)
    p, hit, day = rows(rng, 160)
    low, high = calibrated(p + 0.3 * (1 - p), hit, day, rng).ece_interval
    assert high - low < 0.7 * widths[40]


def _share():
    """The share of hits that `rows` draws from, by many draws."""
    rng = np.random.default_rng(99)
    p = rng.beta(2, 5, 400_000)
    return expit(logit(p) + rng.normal(0, 0.3, p.size)).mean()


def test_few_days_have_no_interval_and_no_rows_no_number():
    rng = np.random.default_rng(0)
    found = calibrated(*rows(rng, n_days=5), rng)
    assert found.ece is not None
    assert found.ece_interval is found.slope_interval is None
    none = np.empty(0)
    assert calibrated(none, none.astype(bool), none.astype(int), rng) == Calibrated(
        None, None, None, None, 0, None, "not decidable"
    )


@pytest.mark.parametrize(
    ("error", "slope", "n_positives", "n_rows", "said"),
    [
        (0.02, 1.0, 200, 1000, "met"),
        (0.0201, 1.0, 200, 1000, "missed"),
        (0.02, 0.79, 200, 1000, "missed"),
        (0.02, 0.8, 200, 1000, "met"),
        (0.02, 1.25, 200, 1000, "met"),
        (0.02, 1.26, 200, 1000, "missed"),
        (0.005, 1.0, 200, 10_000, "missed"),  # a fifth of 2 % is 0.4 %
        (0.004, 1.0, 200, 10_000, "met"),
        (0.001, 1.0, 199, 1000, "not decidable"),
        (0.5, 9.0, 199, 1000, "not decidable"),
        (None, None, 0, 0, "not decidable"),
        (0.001, None, 400, 1000, "not decidable"),
    ],
)
def test_the_bar(error, slope, n_positives, n_rows, said):
    assert word(error, slope, n_positives, n_rows) == said


def test_the_allowed_error_is_a_fifth_of_a_small_base_rate():
    assert largest_error(0.5) == largest_error(0.1) == 0.02
    assert largest_error(0.05) == pytest.approx(0.01)


def test_what_is_calibrated_meets_the_bar_and_what_is_not_misses_it():
    rng = np.random.default_rng(5)
    p = rng.beta(2, 5, 20_000)
    hit, day = rng.random(p.size) < p, np.repeat(np.arange(100), 200)
    assert calibrated(p, hit, day, rng).word == "met"
    assert calibrated(np.clip(p * 1.3, 0, 1), hit, day, rng).word == "missed"
    assert calibrated(expit(1.6 * logit(p)), hit, day, rng).word == "missed"
