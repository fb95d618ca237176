"""Extremes of a Brownian bridge: their law in closed form, and against walks of many steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy import stats

from touchstone.simulation.bridge import OPEN_SHARE, Draws, bridge

N = 200_000


def draws(rng, n):
    return Draws(rng.standard_normal(n), 1 - rng.random(n), 1 - rng.random(n))


@pytest.fixture(scope="module")
def free():
    """Bars of a free Brownian motion of variance 1: their open, high, low, close from 0."""
    rng = np.random.default_rng(5)
    close = rng.standard_normal(N)
    return (*bridge(np.zeros(N), close, np.ones(N), draws(rng, N)), close)


def test_open_is_a_small_step_of_the_same_motion(free):
    open_, _, _, close = free
    assert stats.kstest(open_ / np.sqrt(OPEN_SHARE), "norm").pvalue > 0.001
    assert stats.kstest((close - open_) / np.sqrt(1 - OPEN_SHARE), "norm").pvalue > 0.001
    assert abs(np.corrcoef(open_, close - open_)[0, 1]) < 4 / np.sqrt(N)


def test_extremes_of_a_free_motion_follow_the_reflection_principle(free):
    open_, high, low, _ = free
    scale = np.sqrt(1 - OPEN_SHARE)
    assert stats.kstest((high - open_) / scale, "halfnorm").pvalue > 0.001
    assert stats.kstest((open_ - low) / scale, "halfnorm").pvalue > 0.001


def test_extremes_agree_with_walks_of_many_steps():
    """Walks pinned at 0 and 0.7; a walk's top falls short of its path's by 0.58 sqrt(step)."""
    rng = np.random.default_rng(8)
    n, n_steps, end = 10_000, 4000, 0.7
    at, top, bottom = np.zeros(n), np.zeros(n), np.zeros(n)
    for k in range(n_steps):  # towards the end, with the variance that is left
        left = n_steps - k
        at += (end - at) / left + rng.standard_normal(n) * np.sqrt((left - 1) / left / n_steps)
        np.maximum(top, at, out=top)
        np.minimum(bottom, at, out=bottom)
    whole = 1 / (1 - OPEN_SHARE)  # so that the way from the open has variance 1
    to_zero = -OPEN_SHARE * end / np.sqrt(whole * OPEN_SHARE * (1 - OPEN_SHARE))
    made = draws(rng, N)._replace(open=np.full(N, to_zero))
    open_, high, low = bridge(np.zeros(N), np.full(N, end), np.full(N, whole), made)
    np.testing.assert_allclose(open_, 0, atol=1e-15)
    short = 0.5826 / np.sqrt(n_steps)  # -zeta(1/2) / sqrt(2 pi): Broadie, Glasserman, Kou (1997)
    # compared away from both ends, where the step shows
    assert stats.ks_2samp(top[top > end + 0.02] + short, high[high > end + 0.02 + short])[1] > 1e-3
    assert stats.ks_2samp(bottom[bottom < -0.02] - short, low[low < -0.02 - short])[1] > 1e-3


@given(
    close=st.floats(-1, 1),
    variance=st.floats(0, 1e-2),
    open_=st.floats(-4, 4),
    uniforms=st.tuples(st.floats(1e-300, 1), st.floats(1e-300, 1)),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_high_and_low_enclose_open_and_close(close, variance, open_, uniforms):
    columns = (np.array([x]) for x in (open_, *uniforms))
    start, high, low = bridge(np.zeros(1), np.array([close]), np.array([variance]), Draws(*columns))
    assert high[0] >= max(start[0], close) - 1e-12
    assert low[0] <= min(start[0], close) + 1e-12


def test_a_bar_without_variance_is_a_straight_line():
    _, high, low = bridge(
        np.zeros(2), np.array([1.0, -1.0]), np.zeros(2), draws(np.random.default_rng(0), 2)
    )
    np.testing.assert_allclose(high, [1, -OPEN_SHARE])
    np.testing.assert_allclose(low, [OPEN_SHARE, -1])
