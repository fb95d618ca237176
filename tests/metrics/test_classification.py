"""Classification measures against scikit-learn, closed forms and hand values; ties and nothing."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn import metrics as judge
from sklearn.linear_model import LogisticRegression

from touchstone.errors import DataError
from touchstone.metrics import MEASURES
from touchstone.metrics import classification as c

few = hypothesis_settings(max_examples=60, deadline=None)
ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.booleans(), st.sampled_from([0.5, 1.0, 3.0])),
    min_size=2,
    max_size=60,
).map(lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True)))
"""(probability in eighths, so that ties abound; hit; weight)."""


@given(rows=ROWS)
@few
def test_ranking_agrees_with_scikit_learn(rows):
    level, hit, weight = rows
    probability = level / 8
    if hit.any():
        expected = judge.average_precision_score(hit, probability, sample_weight=weight)
        assert c.pr_auc(probability, hit, weight) == pytest.approx(expected)
    if hit.any() and not hit.all():
        expected = judge.roc_auc_score(hit, probability, sample_weight=weight)
        assert c.roc_auc(probability, hit, weight) == pytest.approx(expected)


@given(rows=ROWS)
@few
def test_roc_auc_is_the_share_of_pairs_in_order(rows):
    level, hit, _ = rows
    pairs = list(itertools.product(level[hit], level[~hit]))
    share = np.mean([(a > b) + (a == b) / 2 for a, b in pairs]) if pairs else None
    assert c.roc_auc(level / 8, hit) == (None if share is None else pytest.approx(share))


@given(rows=ROWS, threshold=st.integers(0, 9))
@few
def test_threshold_measures_agree_with_scikit_learn(rows, threshold):
    level, hit, weight = rows
    probability, taken = level / 8, level >= threshold
    assert c.confusion(probability, hit, threshold / 8, weight) == pytest.approx(
        tuple(
            judge.confusion_matrix(hit, taken, labels=[True, False], sample_weight=weight).ravel()[
                [0, 2, 1, 3]
            ]
        )
    )
    pairs = (c.precision, judge.precision_score), (c.recall, judge.recall_score)
    for ours, theirs in (*pairs, (c.f1, judge.f1_score)):
        got = ours(probability, hit, threshold / 8, weight)
        expected = theirs(hit, taken, sample_weight=weight, zero_division=np.nan)
        assert np.isnan(expected) if got is None else got == pytest.approx(expected)


@given(rows=ROWS)
@few
def test_loss_agrees_with_scikit_learn(rows):
    level, hit, weight = rows
    probability = (level + 1) / 10
    assert c.log_loss(probability, hit, weight) == pytest.approx(
        judge.log_loss(hit, probability, sample_weight=weight, labels=[False, True])
    )
    loss = judge.brier_score_loss(hit, probability, sample_weight=weight, labels=[False, True])
    assert c.brier(probability, hit, weight) == pytest.approx(loss)
    if hit.any() and not hit.all():
        base = np.full(hit.size, np.average(hit, weights=weight))
        expected = 1 - loss / judge.brier_score_loss(hit, base, sample_weight=weight)
        assert c.brier_skill(probability, hit, weight) == pytest.approx(expected)


@given(rows=ROWS)
@few
def test_pr_curve_is_precision_and_recall_at_each_threshold(rows):
    level, hit, weight = rows
    curve = c.pr_curve(level / 8, hit, weight)
    assert curve.threshold.tolist() == sorted({x / 8 for x in level.tolist()}, reverse=True)
    for threshold, precision, recall in zip(*curve, strict=True):
        assert precision == pytest.approx(c.precision(level / 8, hit, threshold, weight))
        assert recall == pytest.approx(c.recall(level / 8, hit, threshold, weight) or 0.0)


@given(rows=ROWS, seed=st.integers(0, 99), n_bins=st.integers(1, 12))
@few
def test_order_of_rows_changes_nothing(rows, seed, n_bins):
    level, hit, _ = rows
    order = np.random.default_rng(seed).permutation(hit.size)
    p, q = level / 8, (level / 8)[order]
    for measure in (c.pr_auc, c.roc_auc, c.log_loss, c.brier, c.calibration_slope):
        expected = measure(p, hit)
        assert measure(q, hit[order]) == (
            None if expected is None else pytest.approx(expected, rel=1e-6)
        )
    assert c.ece(q, hit[order], n_bins) == pytest.approx(c.ece(p, hit, n_bins))


@given(rows=ROWS)
@few
def test_a_whole_weight_counts_as_repeated_rows(rows):
    level, hit, _ = rows
    times = 1 + np.arange(hit.size) % 3
    p, many = level / 8, (np.repeat(level / 8, times), np.repeat(hit, times))
    for measure in (c.pr_auc, c.roc_auc, c.log_loss, c.brier, c.brier_skill, c.calibration_slope):
        expected = measure(*many)
        got = measure(p, hit, times.astype(float))
        assert got == (None if expected is None else pytest.approx(expected, rel=1e-5))
    assert c.ece(p, hit, weight=times.astype(float)) == pytest.approx(c.ece(*many))


def test_calibration_curve_of_a_hand_example():
    curve = c.calibration_curve(
        np.array([0.1, 0.2, 0.3, 0.4, 0.9, 0.9]), np.array([0, 0, 1, 0, 1, 1], bool), n_bins=3
    )
    np.testing.assert_allclose(curve.probability, [0.15, 0.35, 0.9])
    np.testing.assert_allclose(curve.hit_rate, [0, 0.5, 1])
    np.testing.assert_array_equal(curve.weight, [2, 2, 2])


def test_ece_of_a_hand_example():
    probability, hit = np.array([0.1, 0.3, 0.6, 0.8]), np.array([0, 0, 1, 1], bool)
    assert c.ece(probability, hit, n_bins=2) == pytest.approx((0.2 + 0.3) / 2)


@given(rows=ROWS, n_bins=st.integers(1, 15))
@few
def test_bins_hold_every_row_once_and_rise(rows, n_bins):
    level, hit, weight = rows
    curve = c.calibration_curve(level / 8, hit, n_bins, weight)
    assert curve.weight.sum() == pytest.approx(weight.sum())
    assert curve.weight.size <= n_bins
    assert (np.diff(curve.probability) > 0).all()
    assert curve.hit_rate @ curve.weight == pytest.approx(weight @ hit)


def test_bins_have_equal_mass_without_ties():
    probability = np.random.default_rng(0).random(1000)
    curve = c.calibration_curve(probability, probability > 0.5, n_bins=8)
    np.testing.assert_array_equal(curve.weight, np.full(8, 125))


def calibrated(n, seed=0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-2, 1.2, n)
    probability = 1 / (1 + np.exp(-logit))
    return logit, probability, rng.random(n) < probability


def test_calibrated_probabilities_are_called_calibrated():
    _, probability, hit = calibrated(200_000)
    assert c.calibration_slope(probability, hit) == pytest.approx(1, abs=0.03)
    assert c.ece(probability, hit) < 0.004
    assert c.brier_skill(probability, hit) > 0


@pytest.mark.parametrize("factor", [0.5, 2.0, -1.0])
def test_slope_of_stretched_logits(factor):
    logit, probability, hit = calibrated(2000)
    stretched = 1 / (1 + np.exp(-factor * logit))
    slope = c.calibration_slope(stretched, hit)
    assert slope == pytest.approx(c.calibration_slope(probability, hit) / factor, rel=1e-6)
    fit = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000)
    fit.fit(factor * logit[:, None], hit)
    assert slope == pytest.approx(fit.coef_[0, 0], rel=1e-4)


@pytest.mark.parametrize(
    ("probability", "hit"),
    [
        pytest.param([0.1, 0.2], [True, True], id="no miss"),
        pytest.param([0.1, 0.2], [False, False], id="no hit"),
        pytest.param([0.3, 0.3], [True, False], id="one probability"),
        pytest.param([0.1, 0.2, 0.3], [False, False, True], id="parted"),
        pytest.param([0.3, 0.2, 0.1], [False, False, True], id="parted the wrong way round"),
        pytest.param([0.1, 0.2, 0.2, 0.3], [False, False, True, True], id="parted but for a tie"),
        pytest.param([], [], id="no rows"),
    ],
)
def test_no_slope_where_none_is_finite(probability, hit):
    assert c.calibration_slope(np.array(probability), np.array(hit, bool)) is None


def test_measures_of_one_class_or_nothing():
    p, none, all_ = np.array([0.2, 0.7]), np.zeros(2, bool), np.ones(2, bool)
    assert [c.pr_auc(p, none), c.roc_auc(p, none), c.roc_auc(p, all_)] == [None] * 3
    assert [c.brier_skill(p, none), c.brier_skill(p, all_)] == [None] * 2
    assert c.pr_auc(p, all_) == 1
    assert c.precision(p, all_, 0.9) is None
    assert c.recall(p, none, 0.1) is None
    assert c.f1(p, none, 0.9) is None
    empty = np.empty(0), np.empty(0, bool)
    for measure in (c.pr_auc, c.roc_auc, c.log_loss, c.brier, c.brier_skill, c.ece):
        assert measure(*empty) is None


def test_certain_and_wrong_is_costly_but_finite():
    assert c.log_loss(np.array([1.0]), np.array([False])) == pytest.approx(-np.log(1e-15), rel=0.01)
    assert c.log_loss(np.array([1.0]), np.array([True])) == pytest.approx(0)


@given(rows=ROWS)
@few
def test_direction_auc_scores_up_against_down(rows):
    level, up, _ = rows
    rest = 0.2 + 0.05 * (level % 3)
    p_up = (1 - rest) * level / 8
    probability = np.column_stack([1 - rest - p_up, rest, p_up])
    outcome = np.where(level % 4 == 3, 0, np.where(up, 1, -1)).astype(np.int8)
    kept = outcome != 0
    expected = c.roc_auc((level / 8).round(9)[kept], up[kept])
    share = p_up / (1 - rest)
    got = c.direction_auc(np.c_[1 - share, 0 * rest, share].round(9), outcome)
    assert got == (None if expected is None else pytest.approx(expected))
    assert c.touch_auc(level[:, None] / 8, outcome) == got  # a foreign score, as a column
    reversed_ = c.direction_auc(probability[:, ::-1].round(9), -outcome)
    assert reversed_ == (
        None if expected is None else pytest.approx(c.direction_auc(probability.round(9), outcome))
    )


def test_direction_auc_where_the_model_says_rest_for_sure():
    probability = np.array([[0.0, 1.0, 0.0], [0.2, 0.5, 0.3], [0.3, 0.5, 0.2]])
    assert c.direction_auc(probability, np.array([1, -1, -1])) == 0.5  # 1/2 beats 0.4, not 0.6


def test_touch_auc_of_unequal_barriers_is_fooled_by_volatility_and_direction_auc_is_not():
    rng = np.random.default_rng(1)
    sd = rng.choice([0.007, 0.02], 40_000)  # what the score knows
    walk = np.cumsum(rng.normal(0, 1, (40_000, 60)) * sd[:, None] / np.sqrt(7.5), axis=1)

    def first_touch(up, down):
        above, below = (walk > up).argmax(1), (walk < -down).argmax(1)
        above = np.where((walk > up).any(1), above, 99)
        below = np.where((walk < -down).any(1), below, 99)
        return np.sign(below - above)

    assert c.touch_auc(sd, first_touch(0.05, 0.02)) > 0.6
    symmetric = c.direction_auc(sd, first_touch(0.02, 0.02))
    assert symmetric == pytest.approx(0.5, abs=0.02)


def test_break_even_precision_worked_example():
    won = np.array([True, False, False])
    p = c.break_even_precision(0.003, np.array([0.05, -0.02, -0.02]), won)
    assert p == pytest.approx(0.023 / 0.07)
    assert f"{p:.1%}" == "32.9%"
    assert f"{c.classic_break_even(0.05, 0.02, 0.003):.1%}" == "32.9%"
    assert c.break_even_precision(0.003, np.array([0.05, 0.01]), won[:2]) < 0  # the rest pay


@given(
    realised=st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=20).map(np.array),
    round_trip=st.floats(0, 0.01),
    seed=st.integers(0, 99),
)
@few
def test_at_break_even_precision_trades_earn_their_costs(realised, round_trip, seed):
    won = np.random.default_rng(seed).random(realised.size) < 0.5
    p = c.break_even_precision(round_trip, realised, won)
    if p is None:
        assert won.all() or not won.any() or realised[won].mean() <= realised[~won].mean()
    else:
        mean = p * realised[won].mean() + (1 - p) * realised[~won].mean()
        assert mean == pytest.approx(round_trip, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(([0.5], [True, False]), r"probability \(1,\), hit \(2,\)", id="lengths"),
        pytest.param(([[0.5]], [[True]]), "need one dimension", id="dimensions"),
        pytest.param(([np.nan], [True]), "1 of 1 values are not finite", id="nan"),
        pytest.param(([0.5], [-1]), "True and False", id="outcome instead of hit"),
        pytest.param(([0.5], [True], [0.0]), "weight needs to be finite and positive", id="weight"),
        pytest.param(([1.5], [True]), r"in \[0, 1\], got 1.5 to 1.5", id="no probability"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        c.brier(*(np.array(a) for a in arguments))


def test_bins_and_sides_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="n_bins needs"):
        c.ece(np.array([0.5]), np.array([True]), 0)
    with pytest.raises(DataError, match=r"probability \(1, 2\) and outcome \(1,\)"):
        c.direction_auc(np.array([[0.5, 0.5]]), np.array([1]))


def test_every_measure_declares_unit_and_direction():
    for name, measure in MEASURES.items():
        assert measure.function.__name__ == name
        assert measure.unit
        assert measure.better in ("higher", "lower", "neither")
        assert measure.function.__doc__
    assert {"sharpe", "pr_auc", "brier", "max_drawdown", "break_even_precision"} <= set(MEASURES)
    assert MEASURES["max_drawdown"].better == "lower"


def test_fast_enough_for_400_000_rows():
    _, probability, hit = calibrated(400_000)
    begin = time.process_time()
    for measure in (c.pr_auc, c.roc_auc, c.log_loss, c.brier_skill, c.ece, c.calibration_slope):
        measure(probability, hit)
    assert time.process_time() - begin < 3  # about 0.3 s
