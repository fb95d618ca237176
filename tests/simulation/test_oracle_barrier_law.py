"""A4: the stated odds of a triple barrier, given the pattern and not, against fresh paths."""

import numpy as np
import pytest
from scipy.stats import norm

from touchstone.labels import LABELS
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.chains import Chain, stationary
from touchstone.simulation.oracles.barrier_law import Barriers, Returns, barrier_law
from touchstone.simulation.states.burst import BurstConfig

BURST = BurstConfig()
AFTER = np.arange(BURST.chain.paying.size) == BURST.pattern_bars
"""The state at the close of the pattern's last bar."""


def market(**changes):
    steady = {"garch_alpha": 0, "garch_beta": 0, "regime_strength": 0, "correlation": 0}
    return MarketConfig.parse({"planted": BURST.model_dump(), "ic": 0.3, **steady, **changes})


def law(start, barriers, config):
    returns = Returns(config.volatility, config.tail_df, config.ic)
    return barrier_law(BURST.chain, start.astype(float), returns, barriers)


def outcomes(panel, barriers):
    label = {
        "kind": "triple_barrier", "take_profit": barriers.take_profit,
        "stop_loss": barriers.stop_loss, "horizon": barriers.horizon,
    }  # fmt: skip
    labels = LABELS.part("triple_barrier")(panel, LABELS.parse(label), None)
    return labels.outcome, labels.known


@pytest.mark.parametrize(
    "barriers",
    [Barriers(0.03, 0.02, 12), Barriers(0.05, 0.02, 8), Barriers(0.015, 0.015, 20)],
    ids=["12 bars", "classic", "20 bars, longer than the burst"],
)
@pytest.mark.parametrize("tail_df", [1e6, 5.0], ids=["normal", "t5"])
def test_outcomes_come_as_often_as_stated(barriers, tail_df):
    config = market(n_instruments=40, n_bars=20_000, tail_df=tail_df)
    panel, truth = simulate(config, 23)
    outcome, known = outcomes(panel, barriers)
    found = np.stack([outcome == v for v in (-1, 0, 1)], axis=1)
    after = known & (truth.hidden == BURST.pattern_bars)
    given, anyhow = law(AFTER, barriers, config), law(anywhere(), barriers, config)
    assert given.sum() == pytest.approx(1)
    assert given[2] > 1.3 * anyhow[2]  # the pattern is worth seeing
    for rows, stated in ((after, given), (known, anyhow)):
        # rows of one instrument overlap, instruments are independent: they are the clusters
        means = np.stack([found[rows & (panel.asset_id == i)].mean(axis=0) for i in range(40)])
        error = means.std(axis=0, ddof=1) / np.sqrt(40)
        assert (np.abs(means.mean(axis=0) - stated) < 3 * error).all()


def anywhere():
    return stationary(BURST.chain.transition)


def test_one_bar_is_the_reflection_principle():
    """One horizon bar, no drift in logs: P(stop) = 2 Phi(low / sd), near enough to far targets."""
    sigma = 0.01
    drift = np.expm1(sigma**2 / 2) / sigma
    still = Chain(np.ones((1, 1)), np.zeros(1), np.ones(1))
    found = barrier_law(still, np.ones(1), Returns(sigma, 1e9, drift), Barriers(0.2, 0.01, 1))
    expected = 2 * norm.cdf(np.log(0.99) / (sigma * np.sqrt(0.98)))
    assert found[0] == pytest.approx(expected, rel=1e-6)
    assert found[2] == pytest.approx(0, abs=1e-12)


def test_symmetric_in_logs_without_drift_but_for_bars_that_meet_both():
    sigma = 0.01
    drift = np.expm1(sigma**2 / 2) / sigma
    still = Chain(np.ones((1, 1)), np.zeros(1), np.ones(1))
    barriers = Barriers(np.expm1(0.03), -np.expm1(-0.03), 10)
    found = barrier_law(still, np.ones(1), Returns(sigma, 1e9, drift), barriers)
    assert found[0] == pytest.approx(found[2], abs=1e-4)


def test_more_drift_more_targets_and_a_longer_horizon_less_left():
    config = market()
    ups = [law(AFTER, Barriers(0.03, 0.02, 12), market(ic=ic))[2] for ic in (0, 0.1, 0.2, 0.4)]
    assert (np.diff(ups) > 0.02).all()
    rest = [law(AFTER, Barriers(0.03, 0.02, h), config)[1] for h in (1, 4, 12, 40)]
    assert (np.diff(rest) < 0).all()
