"""Gârleanu & Pedersen: the closed form against the Riccati equation, the paper and paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.oracles.garleanu_pedersen import (
    Rule,
    Trading,
    best_rule,
    markowitz,
    reward,
)
from touchstone.simulation.planted import numbers
from touchstone.simulation.recursions import first_order
from touchstone.simulation.states.ornstein_uhlenbeck import OrnsteinUhlenbeckConfig, factors


def random_trading(rng, n, k, discount):
    def positive(size):
        a = rng.standard_normal((n, n))
        return size * (a @ a.T + 0.5 * np.eye(n))

    return Trading(
        loading=0.01 * rng.standard_normal((n, k)),
        fading=np.diag(rng.uniform(0.02, 0.9, k)),
        covariance=positive(1e-4),
        impact=positive(1e-3),
        aversion=float(rng.uniform(0.5, 5)),
        discount=discount,
    )


def by_iteration(trading):
    """The linear-quadratic Bellman equation, iterated from nothing until it stands still."""
    n, k = trading.loading.shape
    kept, persists = 1 - trading.discount, np.eye(k) - trading.fading
    scaled = trading.impact / kept
    curvature, cross = np.zeros((n, n)), np.zeros((n, k))
    for _ in range(20_000):
        bend = scaled + trading.aversion * trading.covariance + curvature
        gain = scaled @ np.linalg.inv(bend)
        new = kept * (scaled - gain @ scaled)
        new_cross = kept * gain @ (trading.loading + cross @ persists)
        still = np.allclose(new, curvature, rtol=1e-13, atol=0)
        curvature, cross = new, new_cross
        if still:
            break
    bend = scaled + trading.aversion * trading.covariance + curvature
    rate = np.eye(n) - np.linalg.solve(bend, scaled)
    pull = np.linalg.solve(bend, trading.loading + cross @ persists)
    return rate, pull


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 4),
    k=st.integers(1, 3),
    discount=st.sampled_from((0.0, 0.001, 0.1)),
)
@settings(max_examples=30)
def test_the_closed_form_solves_the_bellman_equation(seed, n, k, discount):
    trading = random_trading(np.random.default_rng(seed), n, k, discount)
    rule = best_rule(trading)
    rate, pull = by_iteration(trading)
    np.testing.assert_allclose(rule.rate, rate, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(rule.rate @ rule.aim, pull, rtol=1e-6, atol=1e-9)


def test_the_papers_single_security():
    """Example 1: the rate is a / l, and each factor's Markowitz share over 1 + p a / aversion."""
    aversion, cost, variance, discount = 2.0, 50.0, 4e-4, 0.0002
    fading, loading = np.array([0.25, 0.0034, 0.001]), np.array([0.002, 0.001, -0.0005])
    trading = Trading(
        loading[None, :], np.diag(fading), np.array([[variance]]), np.array([[cost * variance]]),
        aversion, discount,
    )  # fmt: skip
    kept = 1 - discount
    slope = aversion * kept + cost * discount
    a = (-slope + np.sqrt(slope**2 + 4 * aversion * cost * kept**2)) / (2 * kept)
    rule = best_rule(trading)
    assert rule.rate[0, 0] == pytest.approx(a / cost)
    aim = loading / (aversion * variance) / (1 + fading * a / aversion)
    np.testing.assert_allclose(rule.aim[0], aim)
    share = rule.aim[0] / markowitz(trading)[0]
    assert share[0] < share[1] < share[2] < 1  # aim in front: the fast factor counts for least


def test_trading_is_slower_where_it_costs_more_and_faster_where_risk_hurts():
    base = random_trading(np.random.default_rng(1), 1, 2, 0.0)
    rate = best_rule(base).rate[0, 0]
    assert best_rule(base._replace(impact=4 * base.impact)).rate[0, 0] < rate
    assert best_rule(base._replace(aversion=4 * base.aversion)).rate[0, 0] > rate
    free = base._replace(impact=1e-9 * base.impact)
    assert best_rule(free).rate[0, 0] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(best_rule(free).aim, markowitz(base), rtol=1e-3)


CONFIG = MarketConfig.parse(
    {
        "n_instruments": 5, "n_bars": 40_000, "ic": 0.1, "correlation": 0.3, "tail_df": 1e6,
        "garch_alpha": 0, "garch_beta": 0, "regime_strength": 0, "regime_drift": 0,
        "planted": {"kind": "ornstein_uhlenbeck", "half_life": [4, 60], "weight": [1, 1]},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def market():
    """A3: the trading problem of a simulated market, its factors and its realised returns."""
    planted = CONFIG.planted
    assert isinstance(planted, OrnsteinUhlenbeckConfig)
    n = CONFIG.n_instruments
    size = CONFIG.volatility
    covariance = size**2 * (0.7 * np.eye(n) + 0.3)
    loading = np.kron(np.eye(n), CONFIG.ic * size * planted.shares)
    fading = np.diag(np.tile(1 - planted.persistence, n))
    trading = Trading(loading, fading, covariance, 30 * covariance, 2.0)
    made = factors(planted, numbers(CONFIG, 3))[:, :, 1:]
    known = made.transpose(2, 1, 0).reshape(CONFIG.n_bars, -1)
    panel, truth = simulate(CONFIG, 3)
    close = panel.close.reshape(n, -1)
    drift = truth.drift.reshape(n, -1).T
    np.testing.assert_allclose(known @ loading.T, drift, atol=1e-12)
    returns = (close[:, 1:] / close[:, :-1] - 1).T
    return trading, known, (drift, returns)


def earned(trading, positions, returns):
    """Of each bar: x' r - aversion / 2 x' S x - cost."""
    change = np.diff(positions, axis=0, prepend=0)
    risk = np.einsum("ti,ij,tj->t", positions, trading.covariance, positions)
    cost = np.einsum("ti,ij,tj->t", change, trading.impact, change)
    return np.sum(positions * returns, axis=1) - trading.aversion / 2 * risk - cost / 2


def test_on_a_path_it_earns_what_it_says_and_more_than_any_other_rule(market):
    trading, known, (drift, returns) = market
    rule, law = best_rule(trading), np.eye(known.shape[1])
    exact = reward(trading, rule, law)
    paid = earned(trading, rule.positions(known), drift)[200:]
    blocks = paid[: paid.size // 1000 * 1000].reshape(-1, 1000).mean(axis=1)
    assert paid.mean() == pytest.approx(exact, abs=3 * blocks.std(ddof=1) / np.sqrt(blocks.size))
    n = len(returns)
    noisy = earned(trading, rule.positions(known)[:n], returns)
    assert noisy.mean() == pytest.approx(exact, abs=3 * noisy.std() / np.sqrt(n))
    now = Rule(np.eye(5), markowitz(trading))  # what is best today, at once
    slow = Rule(rule.rate, markowitz(trading))  # partial, but aiming at the target itself
    rules = [now, slow, *(Rule(s * rule.rate, rule.aim) for s in (0.5, 0.8, 1.25, 2.0))]
    rules += [Rule(rule.rate, s * rule.aim) for s in (0.7, 1.3)]
    for other in rules:
        assert reward(trading, other, law) < exact
        assert earned(trading, other.positions(known), drift)[200:].mean() < paid.mean()
    for threshold in (0.0, 0.5, 1.0, 1.5):
        mean = known @ trading.loading.T / (CONFIG.ic * CONFIG.volatility)
        for scale in (1.0, 5.0, 20.0):
            held = scale * np.sign(mean) * (np.abs(mean) > threshold)
            assert earned(trading, held, drift).mean() < paid.mean()


def test_the_stated_reward_is_that_of_a_simulated_linear_rule():
    rng = np.random.default_rng(5)
    trading = random_trading(rng, 2, 2, 0.0)
    rule = Rule(0.3 * np.eye(2), 0.5 * markowitz(trading))
    persists = 1 - np.diag(trading.fading)
    path = np.column_stack(
        [first_order(rng.standard_normal((1, 200_000)), float(p))[0] for p in persists]
    )
    found = earned(trading, rule.positions(path), path @ trading.loading.T)
    blocks = found.reshape(-1, 2000).mean(axis=1)
    error = blocks.std(ddof=1) / 10
    assert found.mean() == pytest.approx(reward(trading, rule, np.eye(2)), abs=3.5 * error)
