"""Bars that no market should send: jumps of e**3, prices of 1e-9 and 1e8, volumes from 0 to 1e12,
bars without range, quotes that come and go. Nothing breaks, live or in one go."""

from dataclasses import replace

import numpy as np
import pytest

from touchstone.features import Bar, FeaturesConfig, Stream, compile_features, evaluate
from touchstone.features.catalogue import catalogue
from touchstone.market import Bars
from walks import HOUR_NS, START_NS, panel_of, random_panel

QUOTES = ("bid", "ask", "bid_size", "ask_size")
PLAN = compile_features(FeaturesConfig(set="full"), QUOTES)
N_BARS = 300


def hostile(rng, symbol):
    scale = 10.0 ** rng.uniform(-9, 8)
    jumps = rng.standard_t(1.5, N_BARS) * 10.0 ** rng.uniform(-6, -1, N_BARS)
    moves = np.where(rng.random(N_BARS) < rng.random(), 0, np.clip(jumps, -3, 3))
    close = scale * np.exp(np.clip(np.cumsum(moves), -12, 12))
    if rng.random() < 0.5:  # coarse ticks
        close = np.maximum(np.round(close / scale * 100) / 100, 0.01) * scale
    opens = np.where(rng.random(N_BARS) < 0.5, np.r_[close[0], close[:-1]], close)
    above = np.where(rng.random(N_BARS) < 0.5, 1, 1 + rng.exponential(0.02, N_BARS))
    below = np.where(rng.random(N_BARS) < 0.5, 1, 1 - rng.uniform(0, 0.5, N_BARS))
    high, low = np.maximum(opens, close) * above, np.minimum(opens, close) * below
    volume = np.where(rng.random(N_BARS) < 0.4, 0, 10.0 ** rng.uniform(-9, 12, N_BARS))
    return Bars(symbol, START_NS + np.arange(N_BARS) * HOUR_NS, opens, high, low, close, volume)


@pytest.fixture(scope="module", params=[0, 11])
def market(request):
    rng = np.random.default_rng(request.param)
    panel = panel_of(*[hostile(rng, f"S{i}") for i in range(5)])
    panel = panel.where(rng.random(len(panel)) > 0.1)
    n = len(panel)
    side = {q: np.where(rng.random(n) < 0.2, np.nan, 10.0 ** rng.uniform(-5, 5, n)) for q in QUOTES}
    panel = panel.map_side(side)
    return panel, evaluate(PLAN, panel, np.float64)


def test_is_finite_after_the_warmup(market):
    panel, values = market
    age = np.arange(len(panel)) - panel.offsets[panel.asset_id]
    np.testing.assert_array_equal(np.isnan(values), age[:, None] < PLAN.warmup)
    assert np.isfinite(values[~np.isnan(values)]).all()


def test_keeps_to_the_range_it_states(market):
    for name, column in zip(PLAN.names, market[1].T, strict=True):
        low, states, high = catalogue()[name].unit.partition(" .. ")
        known = column[np.isfinite(column)]
        if states:
            assert float(low) - 1e-9 <= known.min() <= known.max() <= float(high) + 1e-9, name


def test_is_bit_equal_live(market):
    panel, values = market
    feed, (time, rows) = Stream(PLAN, panel.n_instruments), panel.blocks()
    for now, row in zip(time.tolist(), rows, strict=True):
        fields = (panel.open, panel.high, panel.low, panel.close, panel.volume)
        bar = Bar(*(x[row] for x in fields), {q: panel.side[q][row] for q in QUOTES})
        live = feed.push(row >= 0, now, bar)[row >= 0]
        np.testing.assert_array_equal(live, values[row[row >= 0]])


def test_one_impossible_low_does_not_set_the_scale_of_a_feature():
    """As GOOGL's of 0.005 on 2008-09-30, at 200: a print that real tables hold."""
    panel = random_panel(4, 700, 1)
    plan = compile_features(FeaturesConfig(set="full"))
    low = panel.low.copy()
    low[panel.offsets[:-1] + 500] *= 2.5e-5
    before, after = (evaluate(plan, p, np.float64) for p in (panel, replace(panel, low=low)))
    usual = np.maximum(np.nanstd(before, axis=0), 1e-9)
    outlying = np.nanmax(np.abs(after), axis=0) / usual
    bound = 300 * np.maximum(np.nanmax(np.abs(before), axis=0) / usual, 1)
    assert not [name for name, is_out in zip(plan.names, outlying > bound, strict=True) if is_out]
