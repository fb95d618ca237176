"""Windows that no market has shown are scored as those that it has, and what is usual is usual."""

import numpy as np
import pytest

from explain.subjects import FLAT, KINDS, NETWORKS, TABULAR, subject
from touchstone.dataset.windows import Windows
from touchstone.errors import ConfigError, DataError
from touchstone.explain import plus
from touchstone.explain.changed import evenly, free_of, scored, usual
from touchstone.explain.gradients import has_gradients, logit_gradient
from touchstone.models.scoring import score

SOME = ("gru", "lightgbm", "logistic", "mlp")


@pytest.mark.parametrize("kind", SOME)
def test_an_unchanged_window_scores_the_bits_of_its_row(kind):
    of = subject(kind, n=70)
    again = scored(of.fitted, of.windows.gather(of.rows), of.windows.ids(of.rows))
    assert np.array_equal(again, plus(score(of.fitted, of.windows, of.rows)))


def test_what_is_usual_is_told_by_the_train_rows_alone():
    of = subject("logistic")
    found = usual(of)
    scaled = of.windows.gather(of.train)[:, -1].astype(np.float64)
    ids = of.windows.asset_id[of.train]
    for one in range(3):
        own = scaled[ids == one].astype(np.float32)
        assert np.array_equal(found.low[one], own.min(0))
        assert np.array_equal(found.high[one], own.max(0))
    few = usual(of._replace(train=of.train[(ids != 1) | (np.arange(ids.size) % 20 == 0)]))
    assert (few.low[1] <= found.low[[0, 2]].min(0)).all()  # too few to know a range of its own
    pairs = of.windows.gather(of.train)[:, -2:].astype(np.float64)
    assert found.noise == pytest.approx((pairs[:, 1] - pairs[:, 0]).std(0))
    assert found.noise[FLAT] == 0
    with pytest.raises(DataError, match="no train row"):
        usual(of._replace(train=of.train[:0]))


def test_a_window_of_one_bar_has_the_noise_of_its_feature_too():
    """Taken from the bar before, which is none of the window, and never of another instrument."""
    of = subject("logistic")
    features, ids = of.windows.features.copy(), of.windows.asset_id
    firsts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    features[firsts + 3] = np.nan  # the row behind it follows no value
    windows = Windows(features, ids, 1, of.windows.scaler)
    train = np.union1d(of.train, np.concatenate([firsts, firsts + 4]))
    found, longer = usual(of._replace(windows=windows, train=train)), usual(of)
    assert found.noise == pytest.approx(longer.noise, rel=0.05)
    assert (found.noise[:FLAT] > 0.5).all()
    with pytest.raises(DataError, match="no noise can be measured"):
        usual(of._replace(windows=windows, train=firsts))


def test_rows_are_thinned_evenly_and_something_must_be_free():
    assert evenly(np.arange(10), 20).tolist() == list(range(10))
    assert evenly(np.arange(100), 5).tolist() == [0, 24, 49, 74, 99]
    assert free_of(("a", "b"), ("b", "c")).tolist() == [True, False]
    with pytest.raises(ConfigError, match="every feature is held"):
        free_of(("a", "b"), ("b", "a"))


@pytest.mark.parametrize("kind", ["gru", "mlp"])
@pytest.mark.parametrize("head", ["barrier", "buy"])
def test_a_gradient_is_the_slope_of_the_logit(kind, head):
    of = subject(kind, head, n=4)
    windows, ids = of.windows.gather(of.rows), of.windows.ids(of.rows)
    logit, slope = logit_gradient(of.fitted, windows, ids)
    p = scored(of.fitted, windows, ids)
    assert logit == pytest.approx(np.log(p / (1 - p)), abs=2e-4)  # scores are rounded to 1e-6
    step = 1e-2
    for bar, feature in ((-1, 1), (0, 0), (-2, 3)):
        up, down = windows.copy(), windows.copy()
        up[:, bar, feature] += step
        down[:, bar, feature] -= step
        rise = logit_gradient(of.fitted, up, ids)[0] - logit_gradient(of.fitted, down, ids)[0]
        assert slope[:, bar, feature] == pytest.approx(rise / (2 * step), abs=2e-3)


def test_a_rows_gradient_depends_on_no_other_row_and_the_model_stays_as_it_was():
    of = subject("gru", n=8)
    windows, ids = of.windows.gather(of.rows), of.windows.ids(of.rows)
    before = of.fitted.files()
    _, slope = logit_gradient(of.fitted, windows, ids)
    _, alone = logit_gradient(of.fitted, windows[3:4], ids[3:4])
    assert slope[3] == pytest.approx(alone[0], abs=1e-6)
    assert of.fitted.files() == before
    assert not any(p.requires_grad or p.grad is not None for p in of.fitted.network.parameters())


def test_networks_have_gradients_and_nothing_else_has():
    assert {kind for kind in KINDS if kind in SOME and has_gradients(subject(kind).fitted)} == (
        set(SOME) & set(NETWORKS)
    )
    for kind in (TABULAR[0], "ensemble"):
        of = subject(kind, n=2)
        with pytest.raises(ConfigError, match="has no gradients"):
            logit_gradient(of.fitted, of.windows.gather(of.rows), of.windows.ids(of.rows))
