"""Markov, Ornstein-Uhlenbeck, burst and decoy: the laws of what is planted, and nothing beside."""

import time

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.market.bars import FIELDS
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.chains import stationary
from touchstone.simulation.planted import edge_end, numbers
from touchstone.simulation.states import STATES
from touchstone.simulation.states.burst import BurstConfig
from touchstone.simulation.states.markov import MarkovConfig
from touchstone.simulation.states.ornstein_uhlenbeck import OrnsteinUhlenbeckConfig, factors

KINDS = [None, *({"kind": kind} for kind in STATES.kinds())]
IDS = ["ar1", *STATES.kinds()]


def market(planted, **changes):
    return MarketConfig.parse({"n_instruments": 4, "n_bars": 3000, "planted": planted, **changes})


def by_instrument(panel, column):
    return column.reshape(panel.n_instruments, -1)


def standardised(panel, truth):
    """The return of each bar over its sd as known before, and the drift in that unit."""
    close = by_instrument(panel, panel.close)
    sigma, drift = by_instrument(panel, truth.sigma), by_instrument(panel, truth.drift)
    return (close[:, 1:] / close[:, :-1] - 1) / sigma[:, :-1], (drift / sigma)[:, :-1]


def clustered(sample, block=250):
    """Mean and standard error of (n_instruments, n) whose columns are correlated."""
    n = sample.shape[1] // block * block
    means = sample[:, :n].mean(axis=0).reshape(-1, block).mean(axis=1)
    return sample.mean(), means.std(ddof=1) / np.sqrt(means.size)


@pytest.mark.parametrize("planted", KINDS, ids=IDS)
def test_same_seed_same_bytes_and_a_longer_market_begins_alike(planted):
    (panel, truth), (again, _) = simulate(market(planted), 3), simulate(market(planted), 3)
    assert panel.content_hash() == again.content_hash()
    assert panel.content_hash() != simulate(market(planted), 4)[0].content_hash()
    longer, more = simulate(market(planted, n_instruments=5, n_bars=3500), 3)
    for name in FIELDS:
        whole = getattr(longer.bars(2), name)
        np.testing.assert_array_equal(whole[:3000], getattr(panel.bars(2), name))
    np.testing.assert_array_equal(
        more.hidden.reshape(5, -1)[:4, :3000], by_instrument(panel, truth.hidden)
    )


@pytest.mark.parametrize("planted", KINDS, ids=IDS)
def test_without_ic_it_is_a_martingale_with_the_very_same_volume(planted):
    (panel, truth), (null, nothing) = (
        simulate(market(planted, n_bars=30_000, ic=ic), 5) for ic in (0.3, 0.0)
    )
    assert not nothing.drift.any()
    np.testing.assert_array_equal(truth.hidden, nothing.hidden)
    np.testing.assert_array_equal(panel.volume, null.volume)
    mean, error = clustered(standardised(null, nothing)[0])
    assert abs(mean) < 3 * error


@pytest.mark.parametrize("planted", KINDS, ids=IDS)
def test_the_next_bar_pays_what_the_truth_says(planted):
    panel, truth = simulate(market(planted, n_bars=40_000, correlation=0), 6)
    z, drift = standardised(panel, truth)
    mean, error = clustered(z - drift)
    assert abs(mean) < 3 * error
    slope = np.sum(z * drift) / np.sum(drift**2)
    assert slope == pytest.approx(1, abs=4 / np.sqrt(np.sum(drift**2)))
    if planted != {"kind": "burst"}:  # which pays ic in its bars and nothing in the others
        assert drift.std() == pytest.approx(0.3, rel=0.03)


@pytest.mark.parametrize("planted", KINDS, ids=IDS)
def test_truth_is_in_no_column_and_prices_know_nothing_of_it(planted):
    panel, truth = simulate(market(planted, n_bars=40_000, ic=0, correlation=0), 7)
    assert not panel.side
    open_, high, low, close = (by_instrument(panel, getattr(panel, n)) for n in FIELDS[:4])
    state = by_instrument(panel, truth.hidden)
    shown = {
        "return": close / open_ - 1,
        "range": np.log(high / low),
        "wick": np.log(high / np.maximum(open_, close)),
        "sigma": by_instrument(panel, truth.sigma),
    }
    for name, column in shown.items():
        rows = (column - column.mean(axis=1, keepdims=True)) * (state - state.mean())
        mean, error = clustered(rows, block=1000)
        assert abs(mean) < 4 * error, name
    for column in truth:
        assert not any(np.array_equal(getattr(panel, name), column) for name in FIELDS)


def test_volume_shows_the_states_of_a_chain_by_their_levels():
    for planted, chain in (
        ({"kind": "markov"}, MarkovConfig().chain),
        ({"kind": "burst"}, BurstConfig().chain),
    ):
        config = market(planted, n_bars=30_000, volume_noise=0.1, volume_intraday=0)
        panel, truth = simulate(config, 8)
        state = by_instrument(panel, truth.hidden).astype(int)
        log_volume = np.log(by_instrument(panel, panel.volume))
        log_volume -= np.median(log_volume[:, :], axis=1, keepdims=True)
        seen = np.array([log_volume[state == s].mean() for s in range(len(chain.shown))])
        slope = np.polyfit(chain.shown, seen, 1)[0]
        assert slope == pytest.approx(0.8, abs=0.08)  # volume_loading


def test_time_in_each_state_and_stays():
    panel, truth = simulate(market({"kind": "markov"}, n_bars=50_000), 9)
    state = by_instrument(panel, truth.hidden).astype(int)
    chain = MarkovConfig().chain
    law = stationary(chain.transition)
    assert law @ chain.transition == pytest.approx(law)
    shares = [np.stack([state == s for s in range(4)]).mean(axis=(1, 2))]
    np.testing.assert_allclose(shares[0], law, atol=0.02)
    assert law @ chain.paying**2 == pytest.approx(1)
    assert law @ chain.paying == pytest.approx(0, abs=1e-12)


def test_a_burst_lasts_as_long_as_is_said_and_follows_its_pattern():
    panel, truth = simulate(market({"kind": "burst", "pattern_bars": 2, "burst_bars": 5}), 9)
    paying = by_instrument(panel, truth.drift) > 0
    state = by_instrument(panel, truth.hidden).astype(int)
    assert ((state >= 2) & (state <= 6) == paying).all()
    for row in state:
        (begun,) = np.nonzero(row[:-8] == 1)
        assert begun.size > 5
        for t in begun:
            np.testing.assert_array_equal(row[t : t + 7], np.arange(1, 8))


def test_factors_fade_by_half_in_their_half_life():
    config = OrnsteinUhlenbeckConfig(half_life=(3, 30), weight=(3, 4))
    whole = market(config.model_dump(), n_bars=60_000)
    made = factors(config, numbers(whole, 2))
    for factor, half_life in zip(made, config.half_life, strict=True):
        lag = int(half_life)
        assert np.mean(factor[:, lag:] * factor[:, :-lag]) == pytest.approx(0.5, abs=0.05)
        assert factor.var() == pytest.approx(1, abs=0.05)
    assert abs(np.mean(made[0] * made[1])) < 0.03
    _, truth = simulate(whole, 2)
    total = 0.6 * made[0] + 0.8 * made[1]
    np.testing.assert_allclose(truth.hidden.reshape(4, -1), total[:, 1:])


@pytest.mark.parametrize("planted", KINDS, ids=IDS)
def test_a_decoy_is_the_living_market_until_its_edge_dies(planted):
    config = market(planted, n_bars=2000, edge_until="2022-02-11 16:00")
    (decoy, truth), (alive, living) = (
        simulate(c, 11) for c in (config, config.model_copy(update={"edge_until": None}))
    )
    end = edge_end(config, alive.time[:2000])
    before = alive.available_at <= end
    assert before.sum() == 4 * 1000
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(decoy, name)[before], getattr(alive, name)[before])
    assert not np.array_equal(decoy.close, alive.close)
    np.testing.assert_array_equal(decoy.volume, alive.volume)  # which goes on as if nothing were
    dead = decoy.available_at >= end  # the next bar begins at the end or after it
    assert not truth.drift[dead].any()
    assert living.drift[dead].any()
    np.testing.assert_array_equal(truth.drift[~dead], living.drift[~dead])
    np.testing.assert_array_equal(truth.hidden, living.hidden)


def test_after_its_death_a_decoy_pays_nothing():
    config = market(None, n_bars=60_000, n_instruments=6, ic=0.4, edge_until="20%", correlation=0.3)
    panel, truth = simulate(config, 12)
    z, _ = standardised(panel, truth)
    x = by_instrument(panel, truth.hidden)[:, :-1]
    mean, error = clustered((z * x)[:, 12_000:])
    assert abs(mean) < 3 * error  # the state foretells nothing
    mean, error = clustered((z * x)[:, :11_990])
    assert mean > 20 * error
    mean, error = clustered(z[:, 12_000:])
    assert abs(mean) < 3 * error


def test_a_share_of_time_is_a_date():
    config = market(None, n_bars=1000, edge_until="80%")
    panel, truth = simulate(config, 1)
    drift = by_instrument(panel, truth.drift)
    assert (drift[:, 799:] == 0).all()
    assert (drift[:, :799] != 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"edge_until": "soon"}, "edge_until 'soon' is neither a date"),
        ({"edge_until": "120%"}, "edge_until '120%' is neither a date"),
        ({"planted": {"kind": "marcov"}}, "no planted state named 'marcov'. Did you mean 'markov'"),
        ({"planted": {"kind": "burst", "pattern_bars": 0}}, "pattern_bars"),
        ({"planted": {"kind": "burst", "every_bars": 1}}, "every_bars"),
        ({"planted": {"kind": "markov", "trend_share": 1}}, "trend_share"),
        ({"planted": {"kind": "ornstein_uhlenbeck", "half_life": [1]}}, "1 numbers and weight 2"),
    ],
)
def test_what_cannot_be_planted_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        MarketConfig.parse(settings)


def test_new_keys_at_their_defaults_leave_no_trace():
    assert "planted" not in MarketConfig().canonical()
    assert "edge_until" not in MarketConfig().canonical()
    assert MarketConfig().fingerprint() != MarketConfig(edge_until="80%").fingerprint()
    assert MarketConfig.parse({"planted": "burst"}).planted == BurstConfig()


@pytest.mark.parametrize("planted", KINDS, ids=IDS)
def test_four_years_of_ten_instruments_are_made_in_a_moment(planted):
    config = market(planted, n_instruments=10, n_bars=35_040)
    simulate(market(planted), 0)
    begin = time.process_time()
    simulate(config, 0)
    assert time.process_time() - begin < 1  # about 0.1 s
