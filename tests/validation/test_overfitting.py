"""PBO: a slow reference, the paper's limits, ties, candidates without trades."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from returns import normal
from touchstone.errors import DataError
from touchstone.validation.overfitting import overfitting

SEED = 20_240_780  # chosen before the first run


def rng(*path):
    return np.random.default_rng([SEED, *path])


def by_hand(returns, n_blocks):
    """Bailey et al. (2017), section 2.2, steps 1 to 6."""
    blocks = [returns[a:b] for a, b in itertools.pairwise(
        [i * len(returns) // n_blocks for i in range(n_blocks + 1)])]  # fmt: skip
    logits, lost = [], 0
    for chosen in itertools.combinations(range(n_blocks), n_blocks // 2):
        inside = np.concatenate([blocks[i] for i in chosen])
        outside = np.concatenate([blocks[i] for i in range(n_blocks) if i not in chosen])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0, ddof=1))
        ratio = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
        w = rankdata(ratio)[best] / (returns.shape[1] + 1)
        logits.append(np.log(w / (1 - w)))
        lost += ratio[best] <= 0
    return np.mean(np.array(logits) <= 0), logits, lost / len(logits)


@settings(max_examples=12)
@given(st.integers(0, 1000), st.integers(2, 9), st.sampled_from([2, 4, 6]), st.integers(40, 61))
def test_is_the_slow_reference(seed, n_candidates, n_blocks, n_days):
    returns = normal(n_days, n_candidates, np.random.default_rng(seed))
    found = overfitting(returns, n_blocks)
    probability, logits, lost = by_hand(returns, n_blocks)
    np.testing.assert_allclose(found.logits, logits, atol=1e-12)
    assert found.probability == pytest.approx(probability)
    assert found.probability_of_loss == pytest.approx(lost)


def test_full_overfit_is_1():
    """The paper's first test case: all trials forced to one mean, so that gains are paid back."""
    returns = normal(480, 20, rng(1))
    returns = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    found = overfitting(returns, 8)
    assert found.probability == found.probability_of_loss == 1.0


def test_without_skill_it_is_one_half_and_with_skill_near_0():
    source = rng(2)
    null = [overfitting(normal(480, 20, source), 8).probability for _ in range(60)]
    assert np.mean(null) == pytest.approx(0.5, abs=4 * np.std(null) / np.sqrt(60))
    skilled = normal(480, 20, source)
    skilled[:, 7] += 0.25
    assert overfitting(skilled, 8).probability < 0.02


def test_sixteen_blocks_are_12870_halves():
    found = overfitting(normal(320, 30, rng(3)))
    assert found.logits.shape == (12_870,)
    assert (found.n_blocks, found.n_candidates) == (16, 30)


def test_ties_are_averaged_and_idle_candidates_left_out():
    returns = normal(160, 6, rng(4))
    idle = np.insert(returns, 2, 0.0, axis=1)
    assert overfitting(idle, 8).probability == overfitting(returns, 8).probability
    assert overfitting(idle, 8).n_candidates == 6
    twins = np.repeat(returns[:, :1], 2, axis=1)
    found = overfitting(twins, 8)
    np.testing.assert_array_equal(found.logits, 0.0)  # rank 1.5 of 3
    assert found.probability == 1.0  # "at most one half": a coin flip is no skill


def test_one_that_did_not_trade_on_a_half_has_sharpe_0_there():
    returns = normal(80, 3, rng(5)) - 0.5
    returns[:, 1] = 0.0
    returns[:20, 1] = normal(20, 1, rng(5))[:, 0] + 0.5
    found = overfitting(returns, 4)
    assert np.isfinite(found.logits).all()
    assert (found.logits > 0).all()  # 0 beats what loses


def test_scale_does_not_matter():
    returns = normal(160, 6, rng(6))
    scaled = overfitting(returns * 2.0 ** np.arange(6), 8)
    np.testing.assert_array_equal(scaled.logits, overfitting(returns, 8).logits)


def test_too_little():
    assert overfitting(np.zeros((160, 5)), 8) is None
    assert overfitting(normal(160, 1, rng(7)), 8) is None
    for n_days, n_blocks in ((160, 7), (160, 18), (15, 8), (160, 0)):
        with pytest.raises(DataError, match="even number"):
            overfitting(normal(n_days, 3, rng(7)), n_blocks)
    with pytest.raises(DataError, match="a table"):
        overfitting(np.zeros(160))
