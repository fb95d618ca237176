"""The catalogue: complete, ordered, told in full, and free of units that do not transfer."""

import numpy as np
import pytest

from touchstone.features import FeaturesConfig, compile_features, evaluate
from touchstone.features.catalogue import BASELINE, catalogue
from touchstone.market import Bars
from walks import panel_of, random_walk

CATALOGUE = catalogue()
GROUPS = (
    "momentum trend volatility volume price_patterns microstructure regime calendar cross_section"
).split()
QUOTES = ("ask", "ask_size", "bid", "bid_size")


def full(*side):
    return compile_features(FeaturesConfig(set="full"), side)


def test_breadth():
    here = {g: len(__import__(f"{catalogue.__module__}.{g}", fromlist="x").ENTRIES) for g in GROUPS}
    assert sum(here.values()) >= 120
    assert min(here.values()) >= 15, here
    assert len(CATALOGUE) >= sum(here.values()), "two groups share a name"


def test_baseline_is_seventeen_in_order():
    assert BASELINE == (
        "ret_1", "ret_24", "rsi_14", "macd", "macd_signal", "macd_hist", "bollinger_position",
        "bandwidth", "atr_14", "adx_14", "stochastic_k_14", "roc_10", "volume_ratio_24",
        "vwap_gap", "day_sin", "day_cos", "sentiment",
    )  # fmt: skip
    assert compile_features(FeaturesConfig(), ("sentiment",)).names == BASELINE
    assert compile_features(FeaturesConfig()).names == BASELINE[:-1]


def test_features_of_quotes_are_left_out_without_quotes():
    with_book, with_quotes, bare = full(*QUOTES), full("bid", "ask"), full()
    assert set(with_book.names) - set(bare.names) == {
        "quoted_spread", "quoted_spread_ratio_24", "quote_return_1", "depth_imbalance",
        "microprice_gap", "order_flow_imbalance_24",
    }  # fmt: skip
    assert "depth_imbalance" not in with_quotes.names
    assert "quoted_spread" in with_quotes.names


def test_no_feature_is_written_twice():
    whole = full(*QUOTES)
    seen: dict[str, str] = {}
    for name, fingerprint in zip(whole.names, whole.fingerprints, strict=True):
        assert fingerprint not in seen, f"{name} is {seen[fingerprint]}"
        seen[fingerprint] = name


def test_a_feature_is_ready_after_at_most_200_bars():
    warmup = dict(zip(full(*QUOTES).names, full(*QUOTES).warmup.tolist(), strict=True))
    assert max(warmup.values()) <= 200, max(warmup, key=warmup.get)


def test_every_price_feature_is_scale_free():
    assert [name for name, entry in CATALOGUE.items() if not entry.scale_free] == []


@pytest.fixture(scope="module")
def values():
    """The same bars, with volumes in units a thousandth and a million times as large."""

    def of(k):
        walks = [random_walk(260, seed, symbol=f"S{seed}") for seed in range(4)]
        bars = [Bars(b.symbol, b.time, b.open, b.high, b.low, b.close, k * b.volume) for b in walks]
        return evaluate(full(), panel_of(*bars), np.float64)

    return of(1.0), of(2.0**-10), of(2.0**20)


def test_no_feature_depends_on_the_unit_of_volume(values):
    one, *others = values
    for other in others:
        scale = 1e-9 * np.nanmedian(np.abs(one), axis=0)
        bad = ~np.isclose(one, other, rtol=1e-9, atol=scale, equal_nan=True)
        assert not bad.any(), {full().names[i] for i in np.flatnonzero(bad.any(axis=0))}


def test_no_feature_is_constant_or_another_one(values):
    """On ordinary bars every column says something, and none is the double of another."""
    names, x = full().names, values[0][np.isfinite(values[0]).all(axis=1)]
    constant = {name for name, column in zip(names, x.T, strict=True) if np.ptp(column) == 0}
    assert constant == {
        "share_without_volume_24", "share_of_zero_returns_48",  # a walk always moves and trades
        "january", "days_since_session", "days_to_session",
        "days_to_holiday", "before_holiday", "after_holiday",
        "month_of_year", "quarter_end", "turn_of_month",  # days in a January
    }  # fmt: skip
    moving = [i for i, name in enumerate(names) if name not in constant]
    related = np.triu(np.corrcoef(x[:, moving].T), 1)
    doubles = {f"{names[moving[i]]} {names[moving[j]]}"
               for i, j in np.argwhere(np.abs(related) > 1 - 1e-9)}  # fmt: skip
    assert doubles == {
        "rsi_14 cmo_14", "stochastic_k_14 williams_r_14",  # the same figure in other units
        "hour_of_day part_of_session",  # round the clock the session is the day
        "day_of_month trading_days_left", "day_of_month trading_days_of_month",
        "trading_days_of_month trading_days_left",  # and every day of the month trades
    }  # fmt: skip


def test_values_keep_to_the_range_their_unit_states(values):
    checked = 0
    for name, column in zip(full().names, values[0].T, strict=True):
        low, states, high = CATALOGUE[name].unit.partition(" .. ")
        if states:
            known = column[np.isfinite(column)]
            assert float(low) - 1e-9 <= known.min() <= known.max() <= float(high) + 1e-9, name
            checked += 1
    assert checked > 80


def bars_of(close, volume, symbol="S"):
    """Bars between one close and the next."""
    opens, time = np.r_[close[0], close[:-1]], random_walk(close.size).time
    high, low = np.maximum(opens, close), np.minimum(opens, close)
    return Bars(symbol, time, opens, high, low, close, volume)


def unkind():
    walk = random_walk(1600, 5)
    pause = np.r_[walk.close[:400], np.full(800, walk.close[399]), walk.close[:400]]
    silent = np.r_[walk.volume[:400], np.zeros(800), walk.volume[:400]]
    dust = np.where(np.arange(1600) % 7 == 0, 1e-8, walk.volume)
    return {
        "long still, then moving": bars_of(pause, walk.volume),
        "long closed, then open": bars_of(pause, silent),
        "steady growth": bars_of(100 * 1.0005 ** np.arange(1600), walk.volume),
        "specks of volume": bars_of(walk.close, dust),
        "one tick, now and then": bars_of(100 + 0.01 * (np.arange(1600) % 50 == 0), walk.volume),
    }


@pytest.mark.parametrize("market", unkind())
def test_no_value_runs_away(market):
    """A mean that decayed for weeks, or a speck of volume, must not make figures of 1e31."""
    values = evaluate(full(), panel_of(unkind()[market]), np.float64)
    largest = dict(zip(full().names, np.nanmax(np.abs(values), axis=0), strict=True))
    assert {name: size for name, size in largest.items() if size > 10_000} == {}
    assert sum(size > 110 for size in largest.values()) <= 3


def test_a_price_that_stands_still_has_no_trend():
    """Whatever its digits: a sum of 168 tenths is not 168 tenths."""
    prices = (0.1, 1 / 3, 1.1, 7e-6)
    still = [bars_of(np.full(260, p), np.ones(260), f"S{i}") for i, p in enumerate(prices)]
    values = evaluate(full(), panel_of(*still), np.float64)
    alike = [name != "rank_turnover_24" for name in full().names]  # money is worth its price
    for other in values[519::260, alike]:
        np.testing.assert_allclose(other, values[259, alike], rtol=1e-9, atol=1e-9)
