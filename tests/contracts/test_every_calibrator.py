"""Promises that every calibrator keeps. A new file in models/calibrators/ is tested as it is."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit

from touchstone.errors import ArtifactError, ConfigError, DataError
from touchstone.metrics.classification import brier, calibration_slope, ece
from touchstone.models.calibrators import CALIBRATORS, Constant, fit, from_json

KINDS = CALIBRATORS.kinds()
SCORES = st.integers(1, 200).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.floats(0, 1)),
        arrays(np.bool_, n),
        arrays(np.float64, n, elements=st.floats(0.1, 10)),
    )
)
GRID = np.sort(np.r_[np.linspace(0, 1, 301), np.random.default_rng(0).random(300)])


@pytest.fixture(params=KINDS)
def config(request):
    return CALIBRATORS.config(request.param)()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(SCORES)
def test_rises_stays_a_probability_and_goes_to_json_and_back(kind, rows):
    calibrator = fit(CALIBRATORS.config(kind)(), *rows)
    grid = np.sort(np.r_[GRID, rows[0], np.nextafter(rows[0], 0), np.nextafter(rows[0], 1)])
    out = calibrator.apply(grid)
    assert (np.diff(out) >= 0).all()
    assert ((out >= 0) & (out <= 1)).all()
    again = from_json(calibrator.to_json())
    np.testing.assert_array_equal(again.apply(grid), out)
    assert again.to_json() == calibrator.to_json()


def test_says_what_comes(config):
    rng = np.random.default_rng(1)
    score = rng.random(30_000) ** 2
    hit = rng.random(score.size) < expit(1.5 * logit(score) - 1)
    half = score.size // 2
    calibrator = fit(config, score[:half], hit[:half])
    fresh = calibrator.apply(score[half:])
    assert ece(fresh, hit[half:]) < 0.012 < ece(score[half:], hit[half:])
    assert brier(fresh, hit[half:]) < brier(score[half:], hit[half:])


def test_heeds_weights(config):
    rng = np.random.default_rng(2)
    score, hit = rng.random(4000), rng.random(4000) < 0.3
    heavy = np.where(hit, 7.0, 3.0)
    rate = fit(config, score, hit, heavy).apply(np.array([0.5]))[0]
    assert abs(rate - 0.5) < 0.08


def test_a_score_that_ranks_the_wrong_way_is_worth_nothing(config):
    rng = np.random.default_rng(3)
    score = rng.random(4000)
    hit = rng.random(4000) < 0.6 * (1 - score)
    out = fit(config, score, hit).apply(GRID)
    assert np.ptp(out) < 0.02
    assert abs(out[0] - hit.mean()) < 0.02


@pytest.mark.parametrize(("hits", "said"), [(0, 1 / 12), (10, 11 / 12)])
def test_one_kind_of_outcome_is_no_certainty(config, hits, said):
    calibrator = fit(config, np.linspace(0, 1, 10), np.arange(10) < hits)
    assert calibrator == Constant(said)


def test_one_score_for_all_gives_the_share_of_hits(config):
    calibrator = fit(config, np.full(8, 0.3), np.arange(8) < 2)
    np.testing.assert_allclose(calibrator.apply(np.array([0.0, 0.3, 1.0])), 0.25)


def test_a_missing_score_stays_missing(config):
    rng = np.random.default_rng(4)
    score = rng.random(500)
    for calibrator in (fit(config, score, rng.random(500) < score), Constant(0.2)):
        out = calibrator.apply(np.array([0.1, np.nan, 0.9]))
        assert np.isnan(out).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("score", "weight"),
    [([], []), ([0.1, np.nan], [1, 1]), ([0.1, 0.2], [1, 0]), ([0.1, 0.2], [1])],
)
def test_refuses_rows_that_cannot_be_fitted(config, score, weight):
    hit = np.zeros(len(score), bool)
    with pytest.raises(DataError):
        fit(config, np.array(score), hit, np.array(weight, float))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"kind": "no_such"}'])
def test_refuses_text_that_is_none(text):
    with pytest.raises(ArtifactError):
        from_json(text)


def test_refuses_its_own_text_with_a_number_missing(config):
    rng = np.random.default_rng(4)
    score = rng.random(500)
    content = json.loads(fit(config, score, rng.random(500) < score).to_json())
    for name in content:
        with pytest.raises(ArtifactError):
            from_json(json.dumps({k: v for k, v in content.items() if k != name}))


@pytest.mark.parametrize("kind", KINDS)
def test_config_survives_its_own_json_and_refuses_other_keys(kind):
    config = CALIBRATORS.config(kind)()
    assert config.kind == kind
    assert CALIBRATORS.parse(config.model_dump(mode="json")) == config
    with pytest.raises(ConfigError, match="no such key"):
        CALIBRATORS.parse({"kind": kind, "lenght": 3})


TRUTHS = {
    "as it is": lambda s: s,
    "shifted and stretched": lambda s: expit(0.5 * logit(s) - 0.8),
    "too timid": lambda s: expit(2.2 * logit(s) + 0.5),
    "bent on one side": lambda s: expit(2 * np.log(s) - 0.4 * np.log1p(-s) + 0.3),
}
"""What a score is truly worth, as simulated: the score's inverse distortion."""
BEYOND = {("platt", "bent on one side")}
"""What a kind's own curves cannot say; every other kind and truth is asked for."""


@pytest.mark.parametrize("truth", TRUTHS)
def test_is_right_against_the_truth_where_its_family_holds_it(config, truth):
    rng = np.random.default_rng(7)
    score = rng.beta(2, 3, 40_000)
    true = TRUTHS[truth](score)
    fresh, worth = score[20_000:], true[20_000:]
    hit = rng.random(score.size) < true
    said = fit(config, score[:20_000], hit[:20_000]).apply(fresh)
    if (config.kind, truth) in BEYOND:
        assert np.abs(said - worth).mean() > 0.012
        return
    # Of 20,000 rows a share has a standard error of about 0.004; steps of 50 rows one of 0.07.
    assert abs(said.mean() - worth.mean()) < 0.012
    assert np.abs(said - worth).mean() < (0.02 if config.kind == "isotonic" else 0.012)
    assert ece(said, hit[20_000:]) < 0.02
    assert 0.9 < calibration_slope(said, hit[20_000:]) < 1.1
    if truth != "as it is":
        assert np.abs(said - worth).mean() < np.abs(fresh - worth).mean() / 4


@pytest.mark.parametrize("score", [[0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.3, 0.3, 1.0]])
@pytest.mark.parametrize("rightly", [True, False])
def test_scores_of_0_and_1_and_few_rows_give_finite_probabilities(config, score, rightly):
    score = np.array(score)
    hit = (score > 0.5) == rightly
    out = fit(config, score, hit).apply(np.r_[score, 0.5])
    assert ((out >= 0) & (out <= 1)).all()
    again = from_json(fit(config, score, hit).to_json()).apply(np.r_[score, 0.5])
    np.testing.assert_array_equal(again, out)
