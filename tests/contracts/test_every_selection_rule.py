"""Promises that every rule of selection keeps. A new file in dataset/selection/ is tested here."""

import numpy as np
import pytest

from dataset.evidences import evidence, names, without
from touchstone.dataset.selection import SELECTION, select
from touchstone.errors import ConfigError, TrainingError

READS_VALIDATION = {"permutation"}
READS_NO_OUTCOME = {"clusters"}
ONE = evidence()


@pytest.fixture(params=SELECTION.kinds())
def kind(request):
    return request.param


@pytest.fixture
def chosen(kind):
    def choose(one=ONE, seed=7, **settings):
        return select((SELECTION.parse({"kind": kind, **settings}),), one, seed)

    return choose


def scrambled(one, rows):
    """The evidence with other values and outcomes on some rows."""
    rng = np.random.default_rng(9)
    features, outcome = one.features.copy(), one.outcome.copy()
    features[rows] = rng.normal(0, 50, features[rows].shape)
    outcome[rows] = rng.integers(-1, 2, rows.size)
    return one._replace(features=features, outcome=outcome)


def test_reads_no_row_but_those_it_says(chosen, kind):
    """Scrambled after train_end (after val_end, where it says so), no name and no score moves."""
    read = [ONE.train, ONE.validate] if kind in READS_VALIDATION else [ONE.train]
    rest = np.setdiff1d(np.arange(len(ONE.features)), np.concatenate(read))
    one, other = chosen(), chosen(scrambled(ONE, rest))
    assert other.scores == one.scores
    np.testing.assert_array_equal(other.columns, one.columns)


def test_reads_the_rows_it_says(chosen, kind):
    """The law above can fail: scrambled train rows do move scores."""
    other = chosen(scrambled(ONE, ONE.train))
    assert other.scores != chosen().scores
    if kind in READS_VALIDATION:
        assert chosen(scrambled(ONE, ONE.validate)).scores != chosen().scores


def test_the_same_seed_gives_the_same(chosen):
    one, other = chosen(seed=3), chosen(seed=3)
    assert one.scores == other.scores
    np.testing.assert_array_equal(one.columns, other.columns)


def test_columns_come_in_their_order_with_a_score_each(chosen):
    one = chosen()
    assert (np.diff(one.columns) > 0).all()
    assert tuple(one.scores) == names(one, ONE)
    assert np.isfinite(list(one.scores.values())).all()


def test_what_stands_still_and_what_is_twice_is_not_kept(chosen):
    kept = names(chosen(), ONE)
    assert "still" not in kept
    assert not {"planted", "twin"} <= set(kept)


def test_the_planted_column_is_found_and_noise_is_not_preferred(chosen, kind):
    one = without(ONE, "noisy", "minus", "twin")
    kept = names(chosen(one), one)
    assert "planted" in kept
    if kind not in READS_NO_OUTCOME:
        scores = chosen(one, **{"level": 1} if kind == "mutual_information" else {}).scores
        rest = [scores.get(name, 0.0) for name in ("noise", "slow", "slower")]
        assert scores["planted"] > 3 * max(rest)


def test_keep_is_the_most_that_stay(chosen, kind):
    one = without(ONE, "noisy", "minus", "twin")
    loose = {"mutual_information": {"level": 1}, "permutation": {"threshold": 0}}
    assert len(chosen(one, keep=1, **loose.get(kind, {})).columns) == 1


def test_pure_noise_leaves_one_column_at_least(chosen):
    one = without(ONE, "planted", "noisy", "minus", "twin")
    assert len(chosen(one).columns) >= 1


def test_one_column_is_enough(chosen):
    one = without(ONE, *(n for n in ONE.names if n != "noise"))
    assert names(chosen(one), one) == ("noise",)


def test_nothing_that_moves_ends_in_a_sentence(chosen):
    one = without(ONE, *(n for n in ONE.names if n != "still"))
    with pytest.raises(TrainingError, match="each of 1 columns stands still"):
        chosen(one)


def test_a_single_outcome_is_survived(chosen):
    one = ONE._replace(outcome=np.zeros_like(ONE.outcome))
    assert len(chosen(one).columns) >= 1


def test_holes_in_validation_rows_are_survived_and_in_train_rows_drop_the_column(chosen):
    features = ONE.features.copy()
    features[ONE.validate[::3], 0] = np.nan
    features[ONE.train[5], 2] = np.nan
    assert "noise" not in names(chosen(ONE._replace(features=features)), ONE)


def test_config_survives_its_own_json_and_refuses_unknown_keys(kind):
    config = SELECTION.config(kind)()
    assert SELECTION.parse(config.model_dump(mode="json")) == config
    assert config.kind == kind
    with pytest.raises(ConfigError, match="no such key"):
        SELECTION.parse({"kind": kind, "kep": 3})
