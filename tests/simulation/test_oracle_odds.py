"""Odds given the truth: they find a law that is known, and their stated errors are honest."""

import numpy as np
import pytest

from touchstone.simulation.oracles.odds import Seen, estimate, tell

N_PATHS = 6
DISCRETE = np.arange(4.0)
NUMBER = np.zeros(0)


def law(state, scale):
    """P(-), P(0), P(+) and the mean of realised / unit: smooth, and no polynomial."""
    up, down = np.exp(0.6 * np.tanh(state) - 0.5 * scale), np.exp(-0.4 * state - 0.3 * scale)
    whole = 1 + up + down
    return np.stack([down / whole, 1 / whole, up / whole], axis=1), 0.2 * np.sin(
        state
    ) + 0.1 * scale


def path(rng, n, discrete):
    state = rng.integers(0, 4, n).astype(float) if discrete.size else rng.standard_normal(n)
    scale, unit = 0.5 * rng.standard_normal(n), np.exp(0.5 * rng.standard_normal(n))
    chance, mean = law(state, scale)
    outcome = (rng.random(n)[:, None] > np.cumsum(chance, axis=1)).sum(axis=1) - 1
    return Seen(state, scale, unit, outcome, unit * (mean + rng.standard_normal(n)))


@pytest.mark.parametrize("discrete", [NUMBER, DISCRETE], ids=["number", "chain"])
def test_a_known_law_is_found_within_the_stated_error(discrete):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(4):
        odds = estimate([path(rng, 40_000, discrete) for _ in range(N_PATHS)], discrete)
        fresh = path(rng, 20_000, discrete)
        told = tell(odds, fresh.state, fresh.scale, np.ones(20_000))
        chance, mean = law(fresh.state, fresh.scale)
        inside = np.abs(fresh.scale) < 1  # beyond its cells the table stays as at its edge
        apart = np.sqrt(np.mean((told.probability - chance)[inside] ** 2))
        missed = np.sqrt(np.mean((told.expected - mean)[inside] ** 2))
        found.append([apart / odds.chance_error, missed / odds.expected_error])
        assert apart < 0.006
    ratio = np.mean(found, axis=0)
    assert (ratio > 0.4).all()
    assert (ratio < 2).all()


def test_units_scale_the_means_and_unknown_rows_stay_unknown():
    rng = np.random.default_rng(4)
    odds = estimate([path(rng, 5000, NUMBER) for _ in range(2)], NUMBER)
    state, scale = np.array([0.5, 0.5, 0.5]), np.array([0.1, 0.1, np.nan])
    told = tell(odds, state, scale, np.array([1.0, 3.0, 1.0]))
    assert told.expected[1] == pytest.approx(3 * told.expected[0])
    assert told.rest[1] == pytest.approx(3 * told.rest[0])
    np.testing.assert_array_equal(told.probability[0], told.probability[1])
    assert np.isnan([*told.probability[2], told.expected[2], told.rest[2]]).all()


def test_one_path_tells_no_error():
    with pytest.raises(ValueError, match="two paths or more"):
        estimate([path(np.random.default_rng(1), 1000, NUMBER)], NUMBER)
