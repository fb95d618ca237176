"""Promises that every scaler keeps. A new file in dataset/scalers/ is tested here."""

import json

import numpy as np
import pytest

from touchstone.dataset.scalers import SCALERS, Scaler
from touchstone.errors import ArtifactError, ConfigError, TooFewBarsError

RNG = np.random.default_rng(1)
FEATURES = (RNG.normal(0, 1, (500, 5)) * [1, 1e-6, 1e5, 0, 3] + [0, 1, -1e5, 0.1, 7]).astype(
    np.float32
)
ROWS = np.arange(0, 400, 2)


@pytest.fixture(params=SCALERS.kinds())
def fit(request):
    config = SCALERS.config(request.param)()
    return lambda features=FEATURES, rows=ROWS: SCALERS.part(request.param)(config, features, rows)


def test_is_float32_and_names_its_kind(fit, request):
    scaler = fit()
    assert scaler.kind == request.node.callspec.params["fit"]
    assert scaler.centre.dtype == scaler.scale.dtype == np.float32
    assert scaler.centre.shape == scaler.scale.shape == (5,)


def test_centres_and_scales_the_rows_it_was_fitted_on(fit):
    scaled = fit().transform(FEATURES[ROWS]).astype(float)
    for j in (0, 2, 4):
        assert abs(np.median(scaled[:, j])) < 0.2
        assert 0.7 < np.std(scaled[:, j]) < 1.4


def test_reads_no_other_row(fit):
    other = FEATURES.copy()
    other[np.setdiff1d(np.arange(500), ROWS)] = 1e6
    assert fit(other).to_json() == fit().to_json()


def test_a_constant_feature_has_scale_1_and_centre_itself(fit):
    scaler = fit()
    assert scaler.scale[3] == 1
    assert scaler.centre[3] == np.float32(0.1)
    assert not scaler.transform(FEATURES)[:, 3].any()


def test_rows_with_a_missing_feature_are_skipped(fit):
    holed = FEATURES.copy()
    holed[ROWS[::3], RNG.integers(0, 5, ROWS[::3].size)] = np.nan
    whole = np.setdiff1d(ROWS, ROWS[::3])
    assert fit(holed).to_json() == fit(FEATURES, whole).to_json()


def test_nan_stays_nan_and_large_is_clipped(fit):
    scaler = fit()
    scaled = scaler.transform(np.array([[np.nan, 1, 1e9, 0.1, -1e9]], np.float32))
    assert np.isnan(scaled[0, 0])
    assert (scaled[0, 2], scaled[0, 4]) == (scaler.clip, -scaler.clip)


def test_survives_its_own_json_bit_for_bit(fit):
    scaler = fit()
    again = Scaler.from_json(scaler.to_json())
    assert (again.kind, again.clip) == (scaler.kind, scaler.clip)
    np.testing.assert_array_equal(again.centre, scaler.centre)
    np.testing.assert_array_equal(again.scale, scaler.scale)
    assert again.to_json() == scaler.to_json()


def test_no_whole_row_is_too_few(fit):
    with pytest.raises(
        TooFewBarsError, match="at least 1 row without missing features, got 0 of 3"
    ):
        fit(np.full((3, 2), np.nan, np.float32), np.arange(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": [1, 0]}, "positive scales"),
        ({"scale": [1]}, "two equal rows"),
        ({"centre": [float("nan"), 0]}, "finite centres"),
        ({"clip": "x"}, "cannot be read"),
    ],
)
def test_a_spoilt_json_is_refused(change, message):
    good = {"kind": "standard", "clip": 10.0, "centre": [0, 0], "scale": [1, 1]}
    with pytest.raises(ArtifactError, match=message):
        Scaler.from_json(json.dumps(good | change))
    with pytest.raises(ArtifactError, match="cannot be read"):
        Scaler.from_json("{")


@pytest.mark.parametrize("kind", SCALERS.kinds())
def test_config_survives_its_own_json_and_refuses_unknown_keys(kind):
    config = SCALERS.config(kind)()
    assert SCALERS.parse(config.model_dump(mode="json")) == config
    assert config.kind == kind
    with pytest.raises(ConfigError, match="no such key"):
        SCALERS.parse({"kind": kind, "lenght": 3})
