"""Shares of the variance: they find what was planted, sum to one, and say nothing of few trials."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from touchstone.tuning.importance import FEWEST, importance

SPACE = {
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "dropout": FloatDistribution(0.0, 0.5),
    "pooling": CategoricalDistribution(("last", "mean")),
    "still": FloatDistribution(0.0, 1.0),
}


def study_of(n, worth, seed=0):
    """n trials drawn at random, in value what `worth` says of their settings."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study(direction="maximize")
    for _ in range(n):
        params = {
            "rate": float(10 ** rng.uniform(-4, -1)),
            "dropout": float(rng.uniform(0, 0.5)),
            "pooling": ("last", "mean")[rng.integers(2)],
            "still": 0.5,
        }
        value = float(worth(params, rng))
        study.add_trial(create_trial(params=params, distributions=SPACE, value=value))
    return study


PLANTED = {
    "rate": lambda p, _: np.log10(p["rate"]),
    "dropout": lambda p, _: -p["dropout"],
    "pooling": lambda p, _: float(p["pooling"] == "mean"),
}


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.mark.parametrize("key", PLANTED)
def test_what_was_planted_comes_first(key):
    noisy = study_of(40, lambda p, rng: PLANTED[key](p, rng) + 0.02 * rng.standard_normal())
    found = importance(noisy, list(SPACE), 7)
    assert max(found, key=found.get) == key
    assert found[key] > 0.8
    assert sum(found.values()) == pytest.approx(1)
    assert found["still"] == 0
    assert importance(noisy, list(SPACE), 7) == found


def test_few_trials_say_nothing():
    enough = study_of(FEWEST, PLANTED["rate"])
    assert importance(enough, list(SPACE), 7) is not None
    few = study_of(FEWEST - 1, PLANTED["rate"])
    # Those that were pruned or failed are no values.
    for state in (TrialState.PRUNED, TrialState.FAIL):
        few.add_trial(create_trial(state=state, params={"dropout": 0.1},
                                   distributions={"dropout": SPACE["dropout"]}))  # fmt: skip
    assert importance(few, list(SPACE), 7) is None


def test_nothing_is_said_where_all_are_worth_the_same_or_nothing_varies():
    assert importance(study_of(20, lambda *_: 0.25), list(SPACE), 7) is None
    assert importance(study_of(20, PLANTED["rate"]), ["still"], 7) is None
    assert importance(study_of(20, PLANTED["rate"]), [], 7) is None


@pytest.mark.parametrize(("n", "n_studies", "most"), [(FEWEST, 100, 12), (40, 40, 6)])
def test_of_noise_something_is_said_as_seldom_as_chance_would_have_it(n, n_studies, most):
    said = 0
    for seed in range(n_studies):
        study = study_of(n, lambda _, rng: rng.standard_normal(), seed)
        said += importance(study, list(SPACE), 7) is not None
    assert said <= most  # at 5 %: more with a chance below 1 in 250


def test_a_hill_that_no_line_sees_is_seen():
    hill = study_of(30, lambda p, _: -((np.log10(p["rate"]) + 2.5) ** 2))
    found = importance(hill, list(SPACE), 7)
    assert max(found, key=found.get) == "rate"
