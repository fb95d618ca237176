import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from touchstone.errors import ArtifactError, DataError
from touchstone.models.calibrators import (
    CALIBRATORS,
    Constant,
    OutcomeCalibrator,
    calibrate_outcomes,
    expected_return,
    fit,
)
from touchstone.models.calibrators.beta import Beta, BetaConfig
from touchstone.models.calibrators.isotonic import Isotonic, IsotonicConfig
from touchstone.models.calibrators.platt import PlattConfig

ROWS = st.integers(2, 80).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.sampled_from(np.linspace(0, 1, 23).tolist())),
        arrays(np.bool_, n),
        arrays(np.float64, n, elements=st.floats(0.5, 4)),
    )
)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_isotonic_of_single_rows_is_that_of_scikit_learn(rows):
    score, hit, weight = rows
    if hit.all() or not hit.any() or np.ptp(score) == 0:
        return
    ours = fit(IsotonicConfig(min_rows=1), score, hit, weight)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(score, hit, weight)
    np.testing.assert_allclose(ours.apply(score), theirs.predict(score), atol=1e-9)


def test_a_lucky_top_row_is_no_certainty():
    rng = np.random.default_rng(0)
    score = rng.random(2000)
    hit = rng.random(2000) < 0.1
    hit[score.argmax()] = True
    assert fit(IsotonicConfig(min_rows=1), score, hit).apply(score.max(keepdims=True))[0] > 0.3
    assert fit(IsotonicConfig(), score, hit).apply(score.max(keepdims=True))[0] < 0.25


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.integers(1, 60), st.integers(0, 9))
def test_no_step_rests_on_fewer_rows_than_asked(n, min_rows, seed):
    rng = np.random.default_rng(seed)
    score, value = rng.integers(0, 100, n) / 100, rng.random(n)
    steps = Isotonic.rising(score, value, np.ones(n), min_rows)
    knots = np.asarray(steps.score)
    assert knots.size <= max(1, n // min_rows)
    inside = (knots[:-1] + knots[1:]) / 2  # between knots lies the edge of two bins
    assert (np.diff(np.r_[0, np.searchsorted(np.sort(score), inside), n]) > 0).all()


def test_isotonic_worked_example():
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    hit = np.array([0, 1, 0, 0, 1, 1], bool)
    calibrator = fit(IsotonicConfig(min_rows=1), score, hit)
    # 0.2, 0.3 and 0.4 violate the order and share a third.
    np.testing.assert_allclose(calibrator.apply(score), [0, 1 / 3, 1 / 3, 1 / 3, 1, 1])
    np.testing.assert_allclose(calibrator.apply(np.array([0.15, 0.45, 0.9])), [1 / 6, 2 / 3, 1])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 2.5), st.floats(-2, 2), st.integers(0, 10**6))
def test_platt_is_the_best_logistic_function(slope, shift, seed):
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, 300)
    hit = rng.random(300) < expit(slope * logit(score) + shift)
    weight = rng.uniform(0.5, 2, 300)
    if hit.all() or not hit.any():
        return
    ours = fit(PlattConfig(), score, hit, weight)
    soft = np.where(hit, (hit.sum() + 1) / (hit.sum() + 2), 1 / ((~hit).sum() + 2))

    def loss(theta):
        z = theta[0] * logit(score) + theta[1]
        return np.sum(weight * (np.logaddexp(0, z) - soft * z)) / weight.sum()

    best = minimize(loss, [1.0, 0.0], bounds=[(0, None), (None, None)], options={"gtol": 1e-9})
    assert loss([ours.slope, ours.shift]) <= best.fun + 1e-8


def test_platt_names_the_way_out_for_scores_that_are_no_probabilities():
    with pytest.raises(DataError, match="use isotonic"):
        fit(PlattConfig(), np.array([-3.0, 2.0, 5.0]), np.array([True, False, True]))


@settings(max_examples=40, deadline=None)
@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(-2, 2), st.integers(0, 10**6))
def test_beta_is_the_best_rising_curve_of_its_family(above, below, shift, seed):
    """Against a bounded search, where coefficients are free and where one or both would be < 0."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, 300)
    hit = rng.random(300) < expit(above * np.log(score) - below * np.log1p(-score) + shift)
    weight = rng.uniform(0.5, 2, 300)
    if hit.all() or not hit.any():
        return
    ours = fit(BetaConfig(), score, hit, weight)
    soft = np.where(hit, (hit.sum() + 1) / (hit.sum() + 2), 1 / ((~hit).sum() + 2))

    def loss(theta):
        z = theta[0] * np.log(score) - theta[1] * np.log1p(-score) + theta[2]
        return np.sum(weight * (np.logaddexp(0, z) - soft * z)) / weight.sum()

    bounds = [(0, None), (0, None), (None, None)]
    best = minimize(loss, [1.0, 1.0, 0.0], bounds=bounds, options={"gtol": 1e-9})
    assert min(ours.above, ours.below) >= 0
    assert loss([ours.above, ours.below, ours.shift]) <= best.fun + 1e-7


def test_beta_with_ones_and_no_shift_is_the_identity():
    grid = np.linspace(1e-6, 1 - 1e-6, 501)
    np.testing.assert_allclose(Beta(1.0, 1.0, 0.0).apply(grid), grid, atol=1e-12)
    np.testing.assert_allclose(
        Beta(0.7, 0.7, 0.2).apply(grid), expit(0.7 * logit(grid) + 0.2), atol=1e-12
    )


def test_beta_names_the_way_out_for_scores_that_are_no_probabilities():
    with pytest.raises(DataError, match="use isotonic"):
        fit(BetaConfig(), np.array([-3.0, 2.0, 5.0]), np.array([True, False, True]))


def three(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet([2, 4, 1], n)
    draw = rng.random(n)[:, None] > probability.cumsum(1)
    return probability, (draw.sum(1) - 1).astype(np.int8)


@pytest.fixture(params=CALIBRATORS.kinds())
def config(request):
    return CALIBRATORS.config(request.param)()


def test_outcomes_sum_to_one_and_mean_what_they_say(config):
    probability, outcome = three()
    distorted = probability**1.7
    distorted /= distorted.sum(1, keepdims=True)
    calibrated = calibrate_outcomes(config, distorted, outcome).apply(distorted)
    np.testing.assert_allclose(calibrated.sum(1), 1)
    for column, value in enumerate((-1, 0, 1)):
        np.testing.assert_allclose(
            calibrated[:, column].mean(), (outcome == value).mean(), atol=0.01
        )
    assert np.abs(calibrated - probability).mean() < np.abs(distorted - probability).mean()


def test_outcomes_go_to_json_and_back(config):
    probability, outcome = three()
    calibrator = calibrate_outcomes(config, probability, outcome)
    again = OutcomeCalibrator.from_json(calibrator.to_json())
    assert again == calibrator
    np.testing.assert_array_equal(again.apply(probability), calibrator.apply(probability))


def test_one_column_is_calibrated_against_the_hits(config):
    probability, outcome = three()
    calibrator = calibrate_outcomes(config, probability[:, 2:], outcome)
    out = calibrator.apply(probability[:, 2:])
    assert out.shape == (3000, 1)
    np.testing.assert_array_equal(
        out[:, 0], fit(config, probability[:, 2], outcome == 1).apply(probability[:, 2])
    )
    assert OutcomeCalibrator.from_json(calibrator.to_json()) == calibrator


def test_an_outcome_that_never_came_keeps_a_small_chance(config):
    probability, outcome = three()
    calibrator = calibrate_outcomes(config, probability, np.where(outcome == 1, 0, outcome))
    out = calibrator.apply(probability)
    assert ((out[:, 2] > 0) & (out[:, 2] < 0.01)).all()
    np.testing.assert_allclose(out.sum(1), 1)


def test_rows_for_which_every_column_says_zero_get_the_base_rates():
    calibrator = OutcomeCalibrator((Constant(0.0),) * 3, (0.5, 0.3, 0.2))
    np.testing.assert_allclose(calibrator.apply(np.full((2, 3), 1 / 3)), [[0.5, 0.3, 0.2]] * 2)


def test_a_row_without_a_score_stays_without(config):
    probability, outcome = three(500)
    calibrator = calibrate_outcomes(config, probability, outcome)
    probability[3] = np.nan
    out = calibrator.apply(probability)
    assert np.isnan(out[3]).all()
    assert np.isfinite(np.delete(out, 3, axis=0)).all()


def test_scores_of_another_width_are_refused(config):
    probability, outcome = three(100)
    with pytest.raises(DataError, match="needs"):
        calibrate_outcomes(config, probability[:, :2], outcome)
    calibrator = calibrate_outcomes(config, probability, outcome)
    with pytest.raises(DataError, match="needs"):
        calibrator.apply(probability[:, :1])
    with pytest.raises(ArtifactError):
        OutcomeCalibrator.from_json('{"columns": [], "rate": []}')


def test_expected_return_rises_and_keeps_the_mean():
    rng = np.random.default_rng(0)
    score = rng.random(4000)
    realised = 0.02 * (score - 0.5) + rng.normal(0, 0.02, 4000)
    steps = expected_return(score, realised)
    grid = np.linspace(0, 1, 101)
    assert (np.diff(steps.apply(grid)) >= 0).all()
    np.testing.assert_allclose(steps.apply(grid[10:-10]), 0.02 * (grid[10:-10] - 0.5), atol=3e-3)
    np.testing.assert_allclose(steps.apply(score).mean(), realised.mean(), atol=1e-4)


def test_expected_return_of_one_score_is_the_mean():
    constant = expected_return(np.full(4, 0.3), np.array([0.01, -0.02, 0.03, 0.0]))
    np.testing.assert_allclose(constant.apply(np.array([0.0, 0.9])), 0.005)
    with pytest.raises(DataError, match="finite"):
        expected_return(np.array([0.1, 0.2]), np.array([0.01, np.nan]))
