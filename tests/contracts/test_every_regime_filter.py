"""Promises that every regime filter keeps. A new file in dataset/regimes/ is tested here."""

import numpy as np
import pytest

from dataset.chains import planted
from touchstone.dataset.regimes import REGIMES, RegimeFilter, Sequences
from touchstone.errors import ConfigError, TooFewBarsError, TrainingError

STATES, INPUTS = planted(3000, seed=3)
TRAIN = Sequences(np.arange(2500), np.array([1000, 1000, 500]))


@pytest.fixture(params=REGIMES.kinds())
def kind(request):
    return request.param


@pytest.fixture
def fit(kind):
    def fitted(inputs=INPUTS, runs=TRAIN, seed=7, **settings):
        config = REGIMES.parse({"kind": kind, **settings})
        return REGIMES.part(kind)(config, inputs, runs, seed)

    return fitted


def test_is_a_filter_of_its_kind_that_survives_json(fit, kind):
    found = fit()
    assert found.kind == kind
    assert found.n_states == REGIMES.config(kind)().states
    assert RegimeFilter.from_json(found.to_json()).to_json() == found.to_json()


def test_reads_no_other_row(fit):
    """Above all none after the train rows: scrambled, not one number moves."""
    other = INPUTS.copy()
    other[2500:] = np.random.default_rng(1).normal(0, 1e3, other[2500:].shape)
    assert fit(other).to_json() == fit().to_json()


def test_the_same_seed_gives_the_same_filter_and_rows_are_drawn_by_it(fit):
    assert fit(seed=5).to_json() == fit(seed=5).to_json()
    some = {"rows": 1000, "starts": 1}
    assert fit(seed=1, **some).to_json() != fit(seed=2, **some).to_json()


def test_states_stand_in_the_order_of_volatility_in_whatever_order_the_inputs_come(fit):
    found = fit()
    root_mean_square = np.sqrt(
        (found.centre[0] + found.scale[0] * found.mean[:, 0]) ** 2
        + found.scale[0] ** 2 * found.covariance[:, 0, 0]
    )
    assert (np.diff(root_mean_square) > 0).all()
    np.testing.assert_allclose(root_mean_square, [0.002, 0.008, 0.03], rtol=0.15)


def test_a_unit_changes_no_probability(fit):
    marks = np.arange(3000) == 0
    one = fit().filtered(INPUTS, marks)
    other = fit(INPUTS * [1e4, 1]).filtered(INPUTS * [1e4, 1], marks)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_one_impossible_bar_among_the_train_rows_changes_little(fit):
    broken, marks = INPUTS.copy(), np.arange(3000) == 0
    broken[100] = 1e12
    one, other = (fit(x).filtered(INPUTS, marks).argmax(1) for x in (INPUTS, broken))
    assert (one == other).mean() > 0.95


@pytest.mark.parametrize(
    ("inputs", "settings", "error", "says"),
    [
        (INPUTS * [1, 0], {}, TrainingError, "input 'span' is constant"),
        (INPUTS, {"iterations": 1}, TrainingError, "ended within 1 rounds"),
        (INPUTS, {"smallest_share": 0.45}, TrainingError, "45.00% are needed"),
        (INPUTS * [1, 0] + [0, 1e9], {}, TrainingError, "is constant"),
    ],
    ids=["constant", "no end", "small state", "constant and large"],
)
def test_what_cannot_be_fitted_ends_in_a_sentence(fit, inputs, settings, error, says):
    with pytest.raises(error, match=says):
        fit(inputs, **settings)


def test_too_few_rows_are_told_with_how_many_are_needed(fit):
    with pytest.raises(TooFewBarsError, match="20 train rows for 3 states of 2 inputs, 240 are"):
        fit(runs=Sequences(np.arange(20), np.array([20])))


def test_two_values_only_end_in_a_sentence_or_a_filter(fit):
    """A state may shrink onto a point: whatever happens, nothing but our own errors comes out."""
    still = np.where(np.arange(3000)[:, None] % 7 == 0, 1.0, 0.0) * [1, 1]
    try:
        noise = np.random.default_rng(0).normal(0, 1e-12, still.shape)
        found = fit(still + noise, iterations=30, starts=1)
    except TrainingError as error:
        assert "regimes:" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(found.filtered(still, np.arange(3000) == 0)).all()


def test_config_survives_its_own_json_and_refuses_unknown_keys(kind):
    config = REGIMES.config(kind)()
    assert REGIMES.parse(config.model_dump(mode="json")) == config
    assert config.kind == kind
    assert config.inputs
    with pytest.raises(ConfigError, match="no such key"):
        REGIMES.parse({"kind": kind, "stats": 3})
