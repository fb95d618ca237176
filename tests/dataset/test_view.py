"""The view of a fold: its matrix, its JSON, and what it may be fitted on."""

import json

import numpy as np
import pytest

from dataset.chains import planted
from touchstone.dataset.regimes import REGIMES
from touchstone.dataset.selection import SELECTION
from touchstone.dataset.splits import Fold
from touchstone.dataset.view import Raw, Rows, View, fit_view
from touchstone.errors import ArtifactError

N = 2400
_, INPUTS = planted(N, seed=5, spread=(0.003, 0.02))
RNG = np.random.default_rng(2)
FEATURES = RNG.normal(size=(N, 4)).astype(np.float32)
OUTCOME = np.where(FEATURES[:, 1] + RNG.normal(size=N) > 0.5, 1, -1).astype(np.int8)
RAW = Raw(FEATURES, ("a", "b", "c", "d"), INPUTS, np.arange(N) == 0)
ROWS = Rows(OUTCOME, np.zeros(N, np.int32), np.arange(N) * 3_600_000_000_000)
FOLD = Fold(np.arange(1500), np.arange(1600, 1900), np.arange(2000, N), (0,) * 6, 0, 0)
HMM = REGIMES.parse({"kind": "hmm", "states": 2})
RULE = SELECTION.parse({"kind": "mutual_information", "rows": 1000})


def test_without_a_rule_the_regimes_come_after_the_features():
    view = fit_view(HMM, (), RAW, ROWS, FOLD, 7)
    assert view.names == ("a", "b", "c", "d", "regime_1", "regime_2")
    matrix = view.matrix(RAW)
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    np.testing.assert_array_equal(matrix[:, :4], FEATURES)
    filtered = view.regimes.filtered(INPUTS, RAW.begins)
    np.testing.assert_array_equal(matrix[:, 4:], filtered.astype(np.float32))
    assert sum(view.shares) == pytest.approx(1, abs=1e-6)


def test_a_rule_chooses_among_both_and_a_filter_that_is_not_kept_goes():
    view = fit_view(HMM, (RULE,), RAW, ROWS, FOLD, 7)
    assert view.names == ("b",)
    assert (view.regimes, dict(view.inputs), view.shares) == (None, {}, ())
    np.testing.assert_array_equal(view.matrix(RAW), FEATURES[:, [1]])
    turbulent = view.matrix(RAW._replace(inputs=None))
    np.testing.assert_array_equal(turbulent, FEATURES[:, [1]])


def test_a_regime_that_tells_of_the_outcome_is_kept():
    wild = np.abs(INPUTS[:, 0]) > 0.01
    rows = ROWS._replace(outcome=np.where(wild, 1, -1).astype(np.int8))
    view = fit_view(HMM, (RULE,), RAW, rows, FOLD, 7)
    assert set(view.names) == {"regime_1", "regime_2"}
    np.testing.assert_array_equal(
        view.matrix(RAW), view.regimes.filtered(INPUTS, RAW.begins).astype(np.float32)
    )


@pytest.mark.parametrize("rules", [(), (RULE,)], ids=["all", "chosen"])
def test_nothing_after_the_train_rows_moves_it(rules):
    late = np.arange(N) >= 1500
    rng = np.random.default_rng(8)
    raw = RAW._replace(
        features=np.where(late[:, None], rng.normal(size=FEATURES.shape), FEATURES).astype("f4"),
        inputs=np.where(late[:, None], rng.normal(size=INPUTS.shape), INPUTS),
    )
    rows = ROWS._replace(outcome=np.where(late, -OUTCOME, OUTCOME))
    one, other = (fit_view(HMM, rules, *x, FOLD, 7) for x in ((RAW, ROWS), (raw, rows)))
    assert one.to_json() == other.to_json()
    np.testing.assert_array_equal(one.matrix(RAW)[:1500], other.matrix(raw)[:1500])


def test_takes_its_columns_by_name_wherever_they_stand():
    view = fit_view(None, (RULE,), RAW, ROWS, FOLD, 7)
    turned = Raw(np.ascontiguousarray(FEATURES[:, ::-1]), RAW.names[::-1], None, RAW.begins)
    np.testing.assert_array_equal(view.matrix(turned), view.matrix(RAW))
    with pytest.raises(ArtifactError, match="needs the column 'b'"):
        view.matrix(RAW._replace(features=FEATURES[:, [0]], names=("a",)))


def test_survives_its_own_json():
    for regimes, rules in ((HMM, ()), (None, (RULE,))):
        view = fit_view(regimes, rules, RAW, ROWS, FOLD, 7)
        again = View.from_json(view.to_json())
        assert again.to_json() == view.to_json()
        np.testing.assert_array_equal(again.matrix(RAW), view.matrix(RAW))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": []}, "needs columns"),
        ({"names": ["a", "a"]}, "each once"),
        ({"inputs": {}}, "0 inputs for a regime filter of 2"),
        ({"regimes": None}, "2 inputs for a regime filter of 0"),
        ({"regimes": {"kind": "hmm"}}, "cannot be read"),
        ({"scores": 3}, "cannot be read"),
    ],
)
def test_a_spoilt_json_is_refused(change, message):
    view = fit_view(HMM, (), RAW, ROWS, FOLD, 7)
    with pytest.raises(ArtifactError, match=message):
        View.from_json(json.dumps(json.loads(view.to_json()) | change))
    with pytest.raises(ArtifactError, match="cannot be read"):
        View.from_json("{")
