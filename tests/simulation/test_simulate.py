"""A made market: what it is made of, what its truth says, and that the truth stays out of it."""

import inspect
import time

import numpy as np
import pytest

import touchstone.simulation
from touchstone.errors import ConfigError
from touchstone.market import Calendar
from touchstone.market.bars import FIELDS
from touchstone.simulation import MarketConfig, Truth, simulate
from touchstone.simulation.recursions import REGIMES

SMALL = MarketConfig(n_instruments=3, n_bars=400)
HOUR_NS = 3_600_000_000_000


def by_instrument(panel, column):
    return column.reshape(panel.n_instruments, -1)


def returns(panel):
    close = by_instrument(panel, panel.close)
    return close[:, 1:] / close[:, :-1] - 1


@pytest.fixture(scope="module")
def planted():
    return simulate(MarketConfig(), 7)


@pytest.fixture(scope="module")
def null():
    """Ten years of twenty instruments without edge."""
    return simulate(MarketConfig(n_bars=87_600, ic=0), 7)


def test_default_market(planted):
    panel, truth = planted
    assert panel.symbols == tuple(f"S{i:02d}" for i in range(20))
    assert len(panel) == 20 * 8760
    assert panel.timeframe.name == "1h"
    assert panel.calendar.name == "24/7"
    assert str(panel.time[0].astype("M8[ns]")) == "2022-01-01T00:00:00.000000000"
    assert (np.diff(panel.time[:8760]) == HOUR_NS).all()
    assert [(c.shape, c.dtype) for c in truth] == [
        ((len(panel),), np.dtype(t)) for t in ("f8", "f8", "i1", "f8")
    ]
    assert all(np.isfinite(c).all() for c in truth)


def test_truth_is_no_side_column(planted):
    panel, truth = planted
    assert not panel.side
    for column in truth:
        for name in FIELDS:
            assert not np.array_equal(getattr(panel, name), column)


def test_same_seed_same_bytes_and_another_seed_another_market():
    (panel, truth), (again, truth_again) = simulate(SMALL, 3), simulate(SMALL, 3)
    assert panel.content_hash() == again.content_hash()
    assert all(a.tobytes() == b.tobytes() for a, b in zip(truth, truth_again, strict=True))
    assert panel.content_hash() != simulate(SMALL, 4)[0].content_hash()


def test_nothing_is_drawn_but_from_the_seed():
    source = inspect.getsource(touchstone.simulation.planted)
    assert "default_rng" not in source
    assert source.count("generator(seed") == 2


def test_more_bars_and_more_instruments_leave_the_others_as_they_were():
    panel, truth = simulate(SMALL, 5)
    more, more_truth = simulate(MarketConfig(n_instruments=5, n_bars=731), 5)
    for name in ("time", *FIELDS):
        for i in range(3):
            whole = getattr(more.bars(i), name)[:400]
            np.testing.assert_array_equal(whole, getattr(panel.bars(i), name))
    for column, other in zip(truth, more_truth, strict=True):
        np.testing.assert_array_equal(other.reshape(5, -1)[:3, :400], column.reshape(3, -1))


def test_null_twin_differs_in_the_drift_alone():
    config = MarketConfig(n_instruments=4, n_bars=3000)
    (panel, truth), (twin, twin_truth) = (
        simulate(c, 9) for c in (config, config.model_copy(update={"ic": 0.0}))
    )
    np.testing.assert_array_equal(panel.volume, twin.volume)
    for name in ("hidden", "regime", "sigma"):
        np.testing.assert_array_equal(getattr(truth, name), getattr(twin_truth, name))
    assert (twin_truth.drift == 0).all()
    np.testing.assert_allclose(truth.drift, 0.30 * truth.sigma * truth.hidden, rtol=1e-12)
    apart = np.log(by_instrument(panel, panel.close) / by_instrument(twin, twin.close))
    drift = np.log1p(by_instrument(panel, truth.drift))[:, :-1]
    np.testing.assert_allclose(np.diff(apart, axis=1), drift, atol=1e-12)


def test_planted_state_is_worth_its_information_coefficient():
    """Theory: the correlation is ic / sqrt(1 + ic²), the slope ic."""
    panel, truth = simulate(MarketConfig(n_bars=20_000, ic=0.10), 2)
    hidden, sigma = (by_instrument(panel, c)[:, :-1] for c in (truth.hidden, truth.sigma))
    z = returns(panel) / sigma
    per_instrument = [np.corrcoef(x, y)[0, 1] for x, y in zip(hidden, z, strict=True)]
    se = np.std(per_instrument, ddof=1) / np.sqrt(20)
    assert abs(np.mean(per_instrument) - 0.10 / np.sqrt(1.01)) < 3 * se
    assert se < 0.005
    rest = z - 0.10 * hidden
    assert rest.std() == pytest.approx(1, abs=0.03)
    assert abs(rest.mean()) < 4 / np.sqrt(rest.size)


def test_planted_state_is_a_first_order_autoregression(null):
    panel, truth = null
    x = by_instrument(panel, truth.hidden)
    assert x.var() == pytest.approx(1, abs=0.03)
    assert np.mean(x) == pytest.approx(0, abs=0.03)
    for lag, expected in ((1, 0.90), (2, 0.81), (10, 0.90**10)):
        assert np.mean(x[:, lag:] * x[:, :-lag]) / x.var() == pytest.approx(expected, abs=0.01)
    step = x[:, 1:] - 0.9 * x[:, :-1]
    assert abs(np.corrcoef(step[0], step[1])[0, 1]) < 0.02  # each instrument has its own


def test_volume_shows_the_planted_state(planted):
    panel, truth = planted
    log_volume, x = by_instrument(panel, np.log(panel.volume)), by_instrument(panel, truth.hidden)
    for one, hidden in zip(log_volume, x, strict=True):
        assert np.corrcoef(one, hidden)[0, 1] > 0.7
        ratio, change = np.diff(one), np.diff(hidden)
        assert np.corrcoef(ratio, change)[0, 1] > 0.4
        assert np.polyfit(hidden, one, 1)[0] == pytest.approx(0.8, abs=0.08)


def test_nothing_but_volume_shows_the_planted_state(null):
    panel, truth = null
    open_, high, low, close = (by_instrument(panel, getattr(panel, n)) for n in FIELDS[:4])
    x, limit = by_instrument(panel, truth.hidden), 5 / np.sqrt(len(panel) / 19)  # (1 + .9) / .1
    shown = {
        "return": close / open_ - 1,
        "range": np.log(high / low),
        "upper wick": np.log(high / np.maximum(open_, close)),
        "lower wick": np.log(np.minimum(open_, close) / low),
        "sigma": by_instrument(panel, truth.sigma),
        "regime": by_instrument(panel, truth.regime),
        "volume at loading 0": by_instrument(
            panel,
            np.log(simulate(MarketConfig(n_bars=87_600, ic=0, volume_loading=0), 7)[0].volume),
        ),
    }
    for name, column in shown.items():
        centred = column - column.mean(axis=1, keepdims=True)
        assert abs(np.corrcoef(centred.ravel(), x.ravel())[0, 1]) < limit, name


def test_returns_have_the_stated_size_and_fat_tails(null):
    panel, truth = null
    r = returns(panel)
    assert r.std() == pytest.approx(0.008, rel=0.05)
    assert truth.sigma.std() > 0.15 * 0.008  # volatility moves
    z = r / by_instrument(panel, truth.sigma)[:, :-1]
    assert np.mean(z**2) == pytest.approx(1, abs=0.03)
    kurtosis = np.mean(r**4) / np.mean(r**2) ** 2
    assert 5 < kurtosis < 60
    assert kurtosis > np.mean(z**4) / np.mean(z**2) ** 2 > 4


def test_volatility_clusters(null):
    r = returns(null[0])
    assert abs(autocorrelation(r, 1)) < 0.02  # returns themselves do not
    squares = [autocorrelation(np.abs(r), lag) for lag in (1, 10, 50)]
    assert squares[0] > 0.08
    assert squares[0] > squares[1] > squares[2] > 0.01
    assert autocorrelation(np.minimum(r**2, 0.05**2), 1) > 0.05


def autocorrelation(rows, lag):
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.mean(centred[:, lag:] * centred[:, :-lag]) / centred.var()


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8])
def test_mean_correlation_of_returns(correlation):
    panel, _ = simulate(MarketConfig(n_bars=40_000, ic=0, correlation=correlation), 3)
    table = np.corrcoef(returns(panel))
    mean = (table.sum() - 20) / (20 * 19)
    assert mean == pytest.approx(correlation, abs=0.03)


def test_regimes_change_volatility_and_not_the_mean(null):
    panel, truth = null
    z, regime = returns(panel), by_instrument(panel, truth.regime)[:, :-1]
    assert (regime == regime[0]).all()  # one regime for the whole market
    sd = {name: z[regime == k].std() for k, name in enumerate(REGIMES)}
    assert sd["sideways"] < sd["bull"] < sd["bear"] < sd["volatile"]
    assert 1.3 < sd["volatile"] / sd["sideways"] < 2
    stays = np.diff(np.flatnonzero(np.diff(regime[0]) != 0))
    assert 150 < stays.mean() < 600  # the regimes' mean stays are 100 to 500 bars


def test_regimes_can_be_switched_off_and_can_drift():
    flat, truth = simulate(MarketConfig(n_bars=2000, ic=0, regime_strength=0), 1)
    drifting, other = simulate(
        MarketConfig(n_bars=2000, ic=0, regime_strength=0, regime_drift=0.1), 1
    )
    np.testing.assert_array_equal(truth.sigma, other.sigma)
    np.testing.assert_array_equal(flat.volume, drifting.volume)
    sign = np.array([1, -1, 0, 0])[other.regime]
    np.testing.assert_allclose(other.drift, 0.1 * sign * other.sigma, atol=1e-15)


def test_bars_hold_together(null):
    panel, truth = null
    open_, high, low, close = (getattr(panel, n) for n in FIELDS[:4])
    assert (low <= np.minimum(open_, close)).all()
    assert (high >= np.maximum(open_, close)).all()
    assert np.mean((high > np.maximum(open_, close)) & (low < np.minimum(open_, close))) > 0.999
    gap = by_instrument(panel, open_)[:, 1:] / by_instrument(panel, close)[:, :-1] - 1
    step = gap / by_instrument(panel, truth.sigma)[:, :-1]
    assert step.std() == pytest.approx(np.sqrt(0.02), rel=0.05)  # a small step, of the same bar
    upper, lower = np.log(high / open_), np.log(open_ / low)
    assert upper.mean() == pytest.approx(lower.mean(), rel=0.02)


def test_volume_moves_with_volatility_and_the_hour():
    panel, truth = simulate(MarketConfig(n_bars=8760, volume_loading=0, volume_noise=0.1), 4)
    log_volume = by_instrument(panel, np.log(panel.volume))
    log_volume = log_volume - log_volume.mean(axis=1, keepdims=True)
    width = by_instrument(panel, np.log(panel.high / panel.low))
    assert np.corrcoef(log_volume.ravel(), width.ravel())[0, 1] > 0.3
    assert np.corrcoef(log_volume.ravel(), np.log(truth.sigma))[0, 1] > 0.2
    hour = panel.time[:8760] // HOUR_NS % 24
    wave = np.array([log_volume[:, hour == h].mean() for h in range(24)])
    assert wave.argmax() in (14, 15, 16)
    assert wave.max() - wave.min() == pytest.approx(0.8, abs=0.1)


def test_volume_is_enough_for_an_account_of_a_million(planted):
    panel, _ = planted
    money = panel.volume * panel.close
    assert np.quantile(money, 0.001) > 1e6  # a tenth of it is a position of a tenth


@pytest.mark.parametrize(
    ("calendar", "timeframe", "bars_a_day"), [("XNYS", "1h", 7), ("FX", "4h", 6), ("XNYS", "1d", 1)]
)
def test_bars_keep_to_sessions(calendar, timeframe, bars_a_day):
    config = MarketConfig(n_instruments=2, n_bars=300, calendar=calendar, timeframe=timeframe)
    panel, _ = simulate(config, 1)
    assert Calendar(calendar).overlaps_session(panel.time, panel.timeframe.ns).all()
    per_day = np.unique(Calendar(calendar).day(panel.time[:300]), return_counts=True)[1]
    assert np.median(per_day) == bars_a_day
    assert (np.diff(panel.time[:300]) % panel.timeframe.ns == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timeframe": "1w"}, r"timeframe: timeframe '1w'"),
        ({"calendar": "LSE"}, r"calendar: no calendar named 'LSE'"),
        ({"start": "soon"}, r"start: start 'soon' is not a date"),
        (
            {"garch_alpha": 0.2},
            r"alpha 0.2 \+ garch_beta 0.93 \+ half of garch_leverage 0 must lie below 1",
        ),
        ({"volatility": 0.5}, "prices fall below"),
        ({"n_bars": 0}, "n_bars"),
        ({"tail_df": 2}, "tail_df"),
        ({"persistence": 1}, "persistence"),
        ({"signal_ic": 1}, "no such key"),
    ],
)
def test_markets_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        MarketConfig.parse(settings)


def test_a_calendar_that_ends_is_said():
    config = MarketConfig(n_instruments=1, n_bars=9000, calendar="XNYS", start="2069-06-01")
    with pytest.raises(ConfigError, match="calendar XNYS has no 9000 bars of 1h after 2069-06-01"):
        simulate(config, 0)


def test_many_symbols_sort_by_number():
    panel, truth = simulate(MarketConfig(n_instruments=101, n_bars=3), 0)
    assert panel.symbols[0] == "S000"
    assert panel.symbols[100] == "S100"
    assert list(panel.symbols) == sorted(panel.symbols)
    assert isinstance(truth, Truth)


def test_extreme_settings_still_make_bars():
    wild = MarketConfig(
        n_bars=500, volatility=0.1, tail_df=2.1, ic=1, correlation=1, garch_alpha=0, garch_beta=0
    )
    panel, truth = simulate(wild, 0)
    assert np.isfinite(panel.close).all()
    assert (truth.drift >= -0.5).all()


def test_a_year_of_twenty_instruments_is_made_in_a_moment():
    simulate(SMALL, 0)
    begin = time.process_time()
    simulate(MarketConfig(), 0)
    assert time.process_time() - begin < 0.5  # about 0.04 s
