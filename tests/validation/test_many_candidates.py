"""SPA, Romano-Wolf, Holm and Benjamini-Hochberg: references, peers, size and power."""

import numpy as np
import pytest
from arch.bootstrap import SPA
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from returns import garch_t, normal, searches, skewed_t
from touchstone.errors import DataError
from touchstone.validation.bootstrap import mean_test
from touchstone.validation.joint_bootstrap import joint_bootstrap
from touchstone.validation.multiple import benjamini_hochberg, holm
from touchstone.validation.romano_wolf import romano_wolf
from touchstone.validation.superior_ability import superior_ability
from validation.bands import holds

SEED = 20_240_778  # chosen before the first run


def rng(*path):
    return np.random.default_rng([SEED, *path])


def spa_by_hand(returns, source, n_resamples, recompute):
    """Hansen (2005) word by word, on the same resamples."""
    joint = joint_bootstrap(returns, source, n_resamples, recompute)
    n = returns.shape[0]
    statistic = max(0.0, *joint.t)
    beaten = 0
    for row in joint.resampled:
        best = 0.0
        for k, t in enumerate(joint.t):
            recentred = t >= -np.sqrt(2 * np.log(np.log(n)))
            best = max(best, row[k] if recentred else row[k] + t)
        beaten += best >= statistic
    return (1 + beaten) / (n_resamples + 1), statistic


def step_down_by_hand(returns, source, n_resamples):
    """Romano & Wolf (2005): test the largest against all, then the next against the rest."""
    joint = joint_bootstrap(returns, source, n_resamples, recompute=True)
    left, p, floor = list(range(joint.t.size)), np.empty(joint.t.size), 0.0
    while left:
        k = max(left, key=lambda j: joint.t[j])
        beaten = sum(max(row[j] for j in left) >= joint.t[k] for row in joint.resampled)
        floor = max(floor, (1 + beaten) / (n_resamples + 1))
        p[k] = floor
        left.remove(k)
    return p


@settings(max_examples=8)
@given(st.integers(0, 1000), st.integers(1, 6), st.sampled_from([0.0, -0.3, 0.2]))
def test_are_the_slow_references(seed, n_candidates, drift):
    returns = normal(80, n_candidates, np.random.default_rng(seed))
    returns[:, 0] += drift
    for recompute in (False, True):
        found = superior_ability(returns, rng(seed), 99, recompute)
        p, statistic = spa_by_hand(returns, rng(seed), 99, recompute)
        assert (found.p, found.statistic) == (p, statistic)
        t = joint_bootstrap(returns, rng(0), 9, recompute).t
        assert found.best is None or t[found.best] == found.statistic
    np.testing.assert_array_equal(
        romano_wolf(returns, rng(seed), 99), step_down_by_hand(returns, rng(seed), 99)
    )


@settings(max_examples=10)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.2]))
def test_one_claim_is_the_test_of_its_mean(seed, drift):
    daily = garch_t(120, 1, np.random.default_rng(seed)) + drift
    single = mean_test(daily[:, 0], rng(15, seed), 199)
    assert romano_wolf(daily, rng(15, seed), 199)[0] == single.p
    found = superior_ability(daily, rng(15, seed), 199)
    assert found.p == single.p if single.t > 0 else found.p == 1.0


@pytest.mark.parametrize("n_candidates", [1, 5])
def test_spa_is_archs_where_all_have_one_variance(n_candidates):
    """There studentising changes nothing: the same p-value up to the noise of two bootstraps."""
    returns = normal(250, n_candidates, rng(1))
    returns = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    returns[:, 0] += 1.2 / np.sqrt(250)
    ours = superior_ability(returns, rng(2), 3999, recompute=False)
    theirs = SPA(np.zeros(250), -returns, block_size=ours.block, reps=4000, seed=rng(3))
    theirs.compute()
    assert ours.p == pytest.approx(theirs.pvalues["consistent"], abs=0.045)


def test_one_quiet_good_candidate_among_noisy_ones_is_found():
    """Page 05: without studentising the power was 1.7 %, with it 96.7 %."""
    found, claimed, by_arch = 0, 0, 0
    for i in range(20):
        returns = 10 * normal(250, 40, rng(4, i))
        returns[:, 17] = returns[:, 17] / 10 + 5 / np.sqrt(250)
        ours = superior_ability(returns, rng(5, i), 199)
        found += ours.p <= 0.05 and ours.best == 17
        claimed += romano_wolf(returns, rng(5, i), 199)[17] <= 0.05
        plain = SPA(np.zeros(250), -returns, block_size=2, reps=199, studentize=False, seed=i)
        plain.compute()
        by_arch += plain.pvalues["consistent"] <= 0.05
    assert found >= 16
    assert claimed >= 16
    assert by_arch <= 4


@pytest.mark.parametrize("world", [normal, skewed_t, garch_t])
def test_size(world):
    """200 searches without an edge: rejections at 5 % lie in the 99.9 % band of a true 5 %."""
    source, n_spa, n_again, n_any = rng(6), 0, 0, 0
    for returns in searches(200, (200, 8), source, world):
        n_spa += superior_ability(returns, source, 99, recompute=False).p <= 0.05
        n_again += superior_ability(returns, source, 99).p <= 0.05
        n_any += (romano_wolf(returns, source, 99) <= 0.05).any()
    # Hansen's one error takes no account of skewness: see docs/decisions/0011.
    assert holds(n_spa, 200, 0.085 if world is skewed_t else 0.05)
    assert holds(n_again, 200, 0.05)
    assert holds(n_any, 200, 0.05)


def test_romano_wolf_finds_the_true_claims_and_beats_holm():
    """Ten claims of one factor, three of them true: dependence used finds no fewer than Holm."""
    source, ours, by_holm = rng(7), 0, 0
    for returns in searches(30, (250, 10), source, normal, rho=0.9):
        returns[:, :3] += 3 / np.sqrt(250)
        adjusted = romano_wolf(returns, source, 299)
        single = np.array([romano_wolf(returns[:, [c]], source, 299)[0] for c in range(10)])
        ours += (adjusted[:3] <= 0.05).sum()
        by_holm += (holm(single)[:3] <= 0.05).sum()
        assert (adjusted >= single - 0.1).all()
    assert ours > by_holm


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_order_and_scale_of_candidates_do_not_matter(seed):
    source = np.random.default_rng(seed)
    returns = normal(90, 5, source) + source.normal(0, 0.1, 5)
    order, scale = source.permutation(5), 2.0 ** source.integers(-3, 4, 5)
    one, other = (superior_ability(r, rng(8), 99) for r in (returns, (returns * scale)[:, order]))
    assert one.p == other.p
    np.testing.assert_array_equal(
        romano_wolf(returns, rng(8), 99)[order],
        romano_wolf((returns * scale)[:, order], rng(8), 99),
    )


@pytest.mark.parametrize("n_days", [0, 1, 2, 3, 19, 60])
def test_without_trades_nothing_is_claimed(n_days):
    flat = np.zeros((n_days, 4))
    found = superior_ability(flat, rng(9), 99)
    assert (found.p, found.statistic, found.best, found.n_candidates) == (1.0, None, None, 0)
    np.testing.assert_array_equal(romano_wolf(flat, rng(9), 99), np.ones(4))
    assert superior_ability(np.zeros((n_days, 0)), rng(9), 99).p == 1.0


def test_who_never_traded_takes_no_part():
    returns = normal(100, 3, rng(10)) + 0.2
    idle = np.insert(returns, 1, 0.0, axis=1)
    assert superior_ability(returns, rng(11), 99).p == superior_ability(idle, rng(11), 99).p
    with_idle = romano_wolf(idle, rng(11), 99)
    assert with_idle[1] == 1.0
    np.testing.assert_array_equal(with_idle[[0, 2, 3]], romano_wolf(returns, rng(11), 99))


def test_none_better_than_the_benchmark_is_p_1():
    found = superior_ability(normal(100, 5, rng(12)) - 1, rng(12), 99)
    assert (found.p, found.statistic, found.best) == (1.0, 0.0, None)


@pytest.mark.parametrize("bad", [np.zeros(5), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_refuses_what_is_no_table(bad):
    with pytest.raises(DataError, match="a table"):
        superior_ability(bad, rng(13))
    with pytest.raises(DataError, match="a table"):
        romano_wolf(bad, rng(13))


@pytest.mark.parametrize("n", [1, 7, 40])
def test_holm_and_benjamini_hochberg_are_those_of_statsmodels(n):
    p = rng(14, n).beta(0.3, 2, n)
    p[n // 2 :] = np.round(p[n // 2 :], 2)  # ties
    for ours, name in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        np.testing.assert_allclose(ours(p), multipletests(p, method=name)[1], rtol=1e-12)


def test_holms_own_example_and_none():
    """Holm (1979) by hand: 4 claims, 0.01 x 4, 0.02 x 3, 0.03 x 2, never falling."""
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.02, 0.6])), [0.06, 0.04, 0.06, 0.6])
    assert holm(np.empty(0)).size == benjamini_hochberg(np.empty(0)).size == 0
    for bad in (np.array([0.1, np.nan]), np.array([1.1]), np.zeros((2, 2))):
        for adjust in (holm, benjamini_hochberg):
            with pytest.raises(DataError, match=r"\[0, 1\]"):
                adjust(bad)
