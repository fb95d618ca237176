"""Surrogates: the same bars drawn anew, from which nothing can be foreseen."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaks.eventful import with_actions
from touchstone.market import Bars, Calendar, Panel, Timeframe
from touchstone.market.reinvested import grown, paid_share, steps
from touchstone.market.resample import resample
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.recursions import garch
from touchstone.simulation.surrogate import hours, surrogate
from touchstone.simulation.volatility import fit_garch, volatility_path
from walks import HOUR_NS, flat, panel_of, random_panel

FIELDS = ("open", "high", "low", "close", "volume")
EDGE = MarketConfig(n_instruments=8, n_bars=6000, ic=0.3)


def returns(panel):
    change = np.diff(np.log(panel.close), prepend=np.nan)
    change[panel.offsets[:-1]] = np.nan
    return change


def same(a, b):
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in FIELDS)


def test_the_same_seed_and_number_give_the_same_bytes():
    panel = random_panel(3, 400)
    assert same(surrogate(panel, 7).panel, surrogate(panel, 7).panel)
    assert not same(surrogate(panel, 7).panel, surrogate(panel, 7, 1).panel)
    assert not same(surrogate(panel, 7).panel, surrogate(panel, 8).panel)


@given(seed=st.integers(0, 999), n=st.integers(1, 4), missing=st.sampled_from((0.0, 0.3, 0.9)))
@settings(max_examples=15)
def test_ragged_markets_give_bars_that_a_market_could_print(seed, n, missing):
    panel = random_panel(n, 150, seed, missing)
    panel = dataclasses.replace(panel, side={"mood": np.arange(len(panel), dtype=float)})
    made = surrogate(panel, seed).panel
    assert np.array_equal(made.time, panel.time)
    assert np.array_equal(made.offsets, panel.offsets)
    assert np.array_equal(made.side["mood"], panel.side["mood"])
    for i in range(n):
        made.bars(i)  # checks every law of bars
        first = slice(panel.offsets[i], panel.offsets[i] + 1)
        assert made.close[first].tolist() == panel.close[first].tolist()


def test_an_hour_keeps_its_own_bars():
    """One hour of the day has wicks ten times as long: it still has, and no other."""
    rng = np.random.default_rng(3)
    n = 24 * 60
    time = np.arange(n) * HOUR_NS
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.002, n)))
    wick = np.where(time // HOUR_NS % 24 == 14, 0.02, 0.002)
    bars = Bars("A", time, close, close * (1 + wick), close * (1 - wick), close, np.ones(n))
    made = surrogate(panel_of(bars), 1).panel
    wicks = np.log(made.high / np.maximum(made.open, made.close))
    at = hours(made) == 14
    assert wicks[at][1:].min() > 5 * wicks[~at].max()


def test_all_instruments_move_together_as_before():
    """By one draw for all: two instruments that are one stay one."""
    one = random_panel(1, 600).bars(0)
    two = dataclasses.replace(one, symbol="TWIN", volume=one.volume * 3)
    made = surrogate(panel_of(one, two), 5).panel
    a, b = made.bars(0), made.bars(1)
    assert np.allclose(a.close, b.close, rtol=1e-12)
    assert np.allclose(a.volume * 3, b.volume, rtol=1e-12)


def test_what_was_planted_is_gone():
    panel, _ = simulate(EDGE, 11)

    def foresight(market):
        change = returns(market)
        found = []
        for i in range(market.n_instruments):
            rows = slice(market.offsets[i] + 1, market.offsets[i + 1])
            volume = np.log(market.volume[rows])[:-1]
            found.append(np.corrcoef(volume, change[rows][1:])[0, 1])
        return np.mean(found)

    assert foresight(panel) > 0.15  # the planted state speaks by volume
    made = [foresight(surrogate(panel, 3, k).panel) for k in range(6)]
    assert abs(np.mean(made)) < 4 / np.sqrt(6 * len(panel) / 3)  # instruments share a factor


def test_splits_and_dividends_stay_and_nobody_earns_by_them():
    panel = with_actions(simulate(EDGE, 5)[0])
    happened = panel.happened
    made = surrogate(panel, 2).panel
    assert np.array_equal(made.happened.ratio, happened.ratio)
    assert np.array_equal(made.happened.halted, happened.halted)
    np.testing.assert_allclose(paid_share(made), paid_share(panel), rtol=1e-9)
    # the same market whose dividends are reinvested, made anew
    units = grown(panel, steps(panel, happened.ratio, paid_share(panel)))
    whole = dataclasses.replace(
        panel, happened=None, volume=panel.volume / grown(panel, np.log(happened.ratio)),
        **{n: getattr(panel, n) * units for n in ("open", "high", "low", "close")},
    )  # fmt: skip
    np.testing.assert_allclose(made.close * units, surrogate(whole, 2).panel.close, rtol=1e-9)


def test_bars_inside_bars_go_with_their_shape():
    fine, _ = simulate(EDGE.model_copy(update={"timeframe": "15m", "n_bars": 8000}), 6)
    hourly = resample(fine, Timeframe("1h"))
    made = surrogate(dataclasses.replace(hourly, finer=fine), 3).panel
    inside = made.finer
    for i in range(made.n_instruments):
        bars, within = made.bars(i), inside.bars(i)
        at = np.searchsorted(bars.time, within.time, side="right") - 1
        assert (within.time - bars.time[at] < HOUR_NS).all()
        assert (within.high <= bars.high[at]).all()
        assert (within.low >= bars.low[at]).all()
        begins = np.flatnonzero(np.diff(at, prepend=-1))
        np.testing.assert_allclose(within.open[begins], bars.open[at[begins]], rtol=1e-12)


@pytest.mark.parametrize("first", ["open", "before"])
def test_simple_returns_of_every_bar_have_mean_zero(first):
    """Even of a market that trended: +3 bp a bar, fat tails, clustered volatility."""
    panel, _ = simulate(EDGE.model_copy(update={"regime_drift": 0.05}), 5)
    drift = np.exp(3e-4 * (np.arange(len(panel)) - panel.offsets[panel.asset_id]))
    panel = dataclasses.replace(
        panel, **{n: getattr(panel, n) * drift for n in ("open", "high", "low", "close")}
    )
    sums = []
    for k in range(30):
        made = surrogate(panel, 2, k).panel
        begun = made.open if first == "open" else np.roll(made.close, 1)
        simple = made.close / begun - 1
        simple[made.offsets[:-1]] = 0
        sums.append(simple.mean())
    error = np.std(sums, ddof=1) / np.sqrt(len(sums))
    assert abs(np.mean(sums)) < 4 * error, (np.mean(sums), error)


def test_a_stretch_is_as_uncertain_as_in_a_market_without_an_edge():
    """A permutation pins it down: what one half earned the other half must lose."""
    close = 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(3).standard_normal(800)))
    time = np.arange(800) * HOUR_NS
    panel = panel_of(Bars("A", time, close, close, close, close, np.ones(800)))
    half = slice(400, None)
    means = [np.nanmean(returns(surrogate(panel, 1, k).panel)[half]) for k in range(300)]
    expected = np.nanstd(returns(panel)) / np.sqrt(400)
    assert 0.85 < np.std(means) / expected < 1.15, np.std(means) / expected


def test_volatility_stays_where_it_was():
    panel, _ = simulate(
        MarketConfig(n_instruments=2, n_bars=6000, ic=0, garch_alpha=0.1, garch_beta=0.88), 4
    )
    sigma, fitted = volatility_path(panel, hours(panel))
    calm = sigma < np.quantile(sigma, 0.2)
    wild = sigma > np.quantile(sigma, 0.8)
    made = returns(surrogate(panel, 1).panel)
    assert set(fitted) == {"garch"}
    assert np.nanstd(made[wild]) > 1.5 * np.nanstd(made[calm])


def test_a_garch_is_found_again():
    rng = np.random.default_rng(1)
    normal = rng.standard_normal((1, 40_000))
    variance = garch(normal, np.ones((1, 40_000)), 0.08, 0.90)[0, :-1]
    found = fit_garch(variance * normal[0] ** 2)
    assert found is not None
    assert found.alpha == pytest.approx(0.08, abs=0.012)
    assert found.beta == pytest.approx(0.90, abs=0.02)


def test_what_cannot_be_fitted_is_said_to_be_exponential():
    panel = panel_of(flat(700), *(random_panel(1, 100).bars(i) for i in range(1)))
    made = surrogate(panel, 1)
    assert made.volatility == ("ewma", "ewma")
    assert np.all(made.panel.bars(0).close == 100)  # what never moved does not move


def test_a_day_begins_with_hour_zero_in_winter_and_summer():
    """Bars of New York on the UTC clock: 14:00 in winter and 13:00 in summer hold the open."""
    calendar, frame = Calendar("XNYS"), Timeframe("1h")
    start = int(np.datetime64("2019-01-02", "ns").astype(np.int64))
    time = start + HOUR_NS * np.arange(24 * 300)
    time = time[calendar.overlaps_session(time, HOUR_NS)]
    ones = np.ones(time.size)
    panel = Panel.from_bars([Bars("A", time, ones, ones, ones, ones, ones)], frame, calendar)
    hour, day = hours(panel), calendar.day(time)
    firsts = np.flatnonzero(np.r_[True, np.diff(day) > 0])
    assert set(hour[firsts]) == {0}
    assert set(np.diff(hour)[np.diff(day) == 0]) == {1}
