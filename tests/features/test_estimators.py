"""Estimators of spread, impact, flow, volatility and persistence: as the papers write them, and
on markets whose truth is known."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from touchstone.features import evaluate
from touchstone.features.catalogue import catalogue, regime
from touchstone.features.graph import plan
from touchstone.market import Bars
from walks import HOUR_NS, START_NS, panel_of, random_panel, random_walk

CATALOGUE = catalogue()


def features(names, *bars, **side):
    """(n_rows, n_features) by name, over a panel of these bars."""
    panel = panel_of(*bars).map_side(side)
    found = plan({name: CATALOGUE[name].text for name in names}, side)
    return dict(zip(names, evaluate(found, panel, np.float64).T, strict=True))


# The papers, one window at a time. `b` ends with the bar in question; r are log returns.


def logs(b):
    return np.diff(np.log(b.close))


def roll(b, n=96):
    r = logs(b)
    covariance = np.cov(r[-n:], r[-n - 1 : -1], ddof=0)[0, 1]
    return 2 * math.sqrt(-covariance) if covariance < 0 else 0.0


def corwin_schultz(b, n=24):
    spreads = []
    for t in range(len(b.close) - n, len(b.close)):
        high, low, high_0, low_0, close_0 = (
            b.high[t], b.low[t], b.high[t - 1], b.low[t - 1], b.close[t - 1],
        )  # fmt: skip
        if close_0 > high:
            high, low = close_0, low + close_0 - high
        elif close_0 < low:
            high, low = high - (low - close_0), close_0
        beta = math.log(high_0 / low_0) ** 2 + math.log(high / low) ** 2
        gamma = math.log(max(high, high_0) / min(low, low_0)) ** 2
        k = 3 - 2 * math.sqrt(2)
        alpha = (math.sqrt(2 * beta) - math.sqrt(beta)) / k - math.sqrt(gamma / k)
        spreads.append(max(2 * (math.exp(alpha) - 1) / (1 + math.exp(alpha)), 0))
    return np.mean(spreads)


def abdi_ranaldo(b, n=96):
    c, middle = np.log(b.close), (np.log(b.high) + np.log(b.low)) / 2
    products = [(c[t - 1] - middle[t - 1]) * (c[t - 1] - middle[t]) for t in range(-n, 0)]
    return math.sqrt(max(4 * np.mean(products), 0))


def amihud(b, n=24):
    r, money = np.abs(np.diff(b.close) / b.close[:-1])[-n:], (b.close * b.volume)[-n:]
    return np.mean([x / m for x, m in zip(r, money, strict=True) if m > 0]) * money.mean()


def kyle(b, n=96):
    r, signed = np.diff(b.close) / b.close[:-1], np.sign(np.diff(b.close)) * b.volume[1:]
    return np.polyfit(signed[-n:], r[-n:], 1)[0] * b.volume[-n:].mean()


def hasbrouck(b, n=96):
    r, money = logs(b), b.close[1:] * b.volume[1:]
    slope = np.polyfit((np.sign(r) * np.sqrt(money))[-n:], r[-n:], 1)[0]
    return slope * math.sqrt(money[-n:].mean())


def reversal(b, n=96):
    r = np.diff(b.close) / b.close[:-1]
    flow = np.sign(r) * b.volume[1:]
    return np.polyfit(flow[-n - 1 : -1], r[-n:], 1)[0] * b.volume[-n:].mean()


def bought(b, t, n=48):
    moves = np.diff(b.close)
    return norm.cdf(moves[t - 1] / np.std(moves[t - n : t]))


def vpin(b, n=48):
    rows = range(len(b.close) - n, len(b.close))
    imbalance = sum(b.volume[t] * abs(2 * bought(b, t) - 1) for t in rows)
    return imbalance / b.volume[-n:].sum()


def bulk_flow(b, n=24):
    rows = range(len(b.close) - n, len(b.close))
    return sum(b.volume[t] * (2 * bought(b, t) - 1) for t in rows) / b.volume[-n:].sum()


def shapes(b, n=24):
    """Of the last n bars, in logs from the open: high, low, close; and the gap before."""
    o, h, low, c = (np.log(x[-n:]) for x in (b.open, b.high, b.low, b.close))
    return h - o, low - o, c - o, o - np.log(b.close[-n - 1 : -1])


def parkinson(b):
    u, d, _, _ = shapes(b)
    return math.sqrt(np.mean((u - d) ** 2) / (4 * math.log(2)))


def garman_klass(b):
    u, d, c, _ = shapes(b)
    return math.sqrt(np.mean(0.5 * (u - d) ** 2 - (2 * math.log(2) - 1) * c**2))


def rogers_satchell(b):
    u, d, c, _ = shapes(b)
    return math.sqrt(np.mean(u * (u - c) + d * (d - c)))


def yang_zhang(b, n=24):
    u, d, c, gap = shapes(b)
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    rogers = np.mean(u * (u - c) + d * (d - c))
    return math.sqrt(np.var(gap, ddof=1) + k * np.var(c, ddof=1) + (1 - k) * rogers)


def bipower(b, n=24):
    r = np.abs(logs(b))
    return math.sqrt(math.pi / 2 * sum(r[-k] * r[-k - 1] for k in range(1, n + 1)))


def jump_share(b, n=24):
    return max(1 - bipower(b) ** 2 / (logs(b)[-n:] ** 2).sum(), 0)


def variance_ratio(b, q, n):
    x = np.log(b.close[-n - 1 :])
    mu = (x[-1] - x[0]) / n
    one = sum((x[k] - x[k - 1] - mu) ** 2 for k in range(1, n + 1)) / (n - 1)
    m = q * (n - q + 1) * (1 - q / n)
    return sum((x[k] - x[k - q] - q * mu) ** 2 for k in range(q, n + 1)) / m / one


def range_against_chance(r):
    n, summed = len(r), np.cumsum(r - r.mean())
    share = math.exp(math.lgamma((n - 1) / 2) - math.lgamma(n / 2)) / math.sqrt(math.pi)
    expected = share * sum(math.sqrt((n - k) / k) for k in range(1, n))
    return np.ptp(summed) / r.std() / expected


def hurst_range(b):
    r = logs(b)[-128:]
    short = np.mean([range_against_chance(r[k : k + 8]) for k in range(121)])
    return 0.5 + math.log(range_against_chance(r) / short) / math.log(128 / 8)


def hurst_scaling(b, n=168):
    x, q = np.log(b.close), np.array([1, 2, 4, 8, 16])
    spread = [np.std((x[k:] - x[:-k])[-n:]) for k in q]
    return np.polyfit(np.log(q), np.log(spread), 1)[0]


def dickey_fuller(b, n=96):
    x = np.log(b.close)
    y, z = np.diff(x)[-n:], np.c_[np.ones(n), x[-n - 1 : -1]]
    (_, slope), (squares,), *_ = np.linalg.lstsq(z, y, rcond=None)
    error = math.sqrt(squares / (n - 2) * np.linalg.inv(z.T @ z)[1, 1])
    return slope / error


PAPERS = {
    "roll_spread_96": roll, "corwin_schultz_24": corwin_schultz, "abdi_ranaldo_96": abdi_ranaldo,
    "amihud_24": amihud, "kyle_lambda_96": kyle, "hasbrouck_lambda_96": hasbrouck,
    "return_reversal_96": reversal, "vpin_48": vpin, "bulk_flow_24": bulk_flow,
    "parkinson_24": parkinson, "garman_klass_24": garman_klass,
    "rogers_satchell_24": rogers_satchell, "yang_zhang_24": yang_zhang, "bipower_24": bipower,
    "jump_share_24": jump_share, "hurst_range_128": hurst_range, "hurst_scaling_168": hurst_scaling,
    "variance_ratio_2_96": lambda b: variance_ratio(b, 2, 96),
    "variance_ratio_8_96": lambda b: variance_ratio(b, 8, 96),
    "variance_ratio_24_168": lambda b: variance_ratio(b, 24, 168),
    "dickey_fuller_96": dickey_fuller,
}  # fmt: skip


def until(b, t):
    fields = ("time", "open", "high", "low", "close", "volume")
    return Bars(b.symbol, *(getattr(b, f)[: t + 1] for f in fields))


def traded(n_bars, seed=0, spread=0.0, volatility=0.01, gaps=0.0, n_trades=60):
    """Bars of trades half a spread either side of a log random walk; `gaps` between bars."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, volatility / math.sqrt(n_trades), (n_bars, n_trades))
    steps[:, 0] += rng.normal(0, gaps, n_bars) if gaps else 0.0
    value = np.cumsum(steps).reshape(n_bars, n_trades)
    price = 50 * np.exp(value + spread / 2 * rng.choice([-1, 1], (n_bars, n_trades)))
    time = START_NS + np.arange(n_bars) * HOUR_NS
    volume = np.exp(rng.normal(5, 1, n_bars))
    columns = (price[:, 0], price.max(axis=1), price.min(axis=1), price[:, -1], volume)
    return Bars("TRADED", time, *columns)


@pytest.mark.parametrize("bars", [random_walk(400, 5), traded(400, 3, 0.01, gaps=0.004)])
def test_is_what_the_paper_says(bars):
    found = features(list(PAPERS), bars)
    for t in (200, 287, 399):
        for name, paper in PAPERS.items():
            loose = 3e-4 if name in ("vpin_48", "bulk_flow_24") else 1e-9  # Page's normal curve
            expected = paper(until(bars, t))
            assert found[name][t] == pytest.approx(expected, rel=1e-8, abs=loose), (name, t)


def mean_of(name, bars):
    return np.nanmean(features([name], bars)[name])


@pytest.mark.parametrize(
    ("name", "spread", "least", "most"),
    [
        # the bounce must outweigh the walk's noise: 96 returns of 0.2 % against spreads of 0.5, 1 %
        ("roll_spread_96", 0.005, 0.95, 1.05),
        ("roll_spread_96", 0.01, 0.97, 1.03),
        ("abdi_ranaldo_96", 0.005, 0.9, 1.1),
        ("abdi_ranaldo_96", 0.01, 0.9, 1.1),
        ("corwin_schultz_24", 0.01, 0.85, 1.1),
    ],
)
def test_a_spread_is_found(name, spread, least, most):
    bars = traded(3000, seed=11, spread=spread, volatility=0.002)
    assert least < mean_of(name, bars) / spread < most


def test_without_a_spread_little_is_found():
    bars = traded(3000, seed=12, volatility=0.01)
    assert mean_of("roll_spread_96", bars) < 0.0035  # its own noise: a third of the volatility
    assert mean_of("corwin_schultz_24", bars) < 0.0035


@pytest.mark.parametrize("name", ["kyle_lambda_96", "amihud_24"])
def test_impact_is_found(name):
    """Returns are impact x signed volume: a mean bar's volume moves the price by 0.3 %."""
    rng = np.random.default_rng(4)
    volume = rng.gamma(2.0, 500.0, 3000)
    ret = 0.003 * rng.choice([-1, 1], 3000) * volume / 1000 + rng.normal(0, 2e-4, 3000)
    close = 20 * np.cumprod(1 + ret)
    time = START_NS + np.arange(3000) * HOUR_NS
    bars = Bars("IMPACT", time, close, close, close, close, volume)
    assert mean_of(name, bars) == pytest.approx(0.003, rel=0.05)


def test_bulk_classification_of_a_walk_is_even():
    """The normal curve of a normal move is uniform: |2 u - 1| is a half on average."""
    bars = random_walk(4000, 6)
    assert mean_of("vpin_48", bars) == pytest.approx(0.5, abs=0.02)
    assert mean_of("bulk_flow_24", bars) == pytest.approx(0, abs=0.02)


VOLATILITIES = ("parkinson_24", "garman_klass_24", "rogers_satchell_24", "yang_zhang_24")


@pytest.mark.parametrize("name", VOLATILITIES)
def test_volatility_is_found(name):
    """1 % a bar, from 1,000 trades each: ranges of few trades are too narrow."""
    bars = traded(1200, seed=8, volatility=0.01, n_trades=1000)
    assert mean_of(name, bars) == pytest.approx(0.01, rel=0.04)


def test_only_yang_zhang_sees_the_gaps():
    bars = traded(1200, seed=9, volatility=0.01, gaps=0.01, n_trades=400)
    both = math.sqrt(2) * 0.01
    assert mean_of("yang_zhang_24", bars) == pytest.approx(both, rel=0.05)
    assert mean_of("garman_klass_24", bars) == pytest.approx(0.01, rel=0.06)


def noise(hurst, n, seed):
    """Fractional Gaussian noise, exactly (Cholesky)."""
    k = np.arange(n)
    rho = 0.5 * ((k + 1.0) ** (2 * hurst) - 2.0 * k ** (2 * hurst) + abs(k - 1.0) ** (2 * hurst))
    root = np.linalg.cholesky(rho[np.abs(k[:, None] - k)])
    return root @ np.random.default_rng(seed).normal(size=(n, 8))


@pytest.mark.parametrize("hurst", [0.3, 0.5, 0.7])
def test_persistence_is_found(hurst):
    returns = 0.01 * noise(hurst, 900, seed=2)
    time = START_NS + np.arange(900) * HOUR_NS
    bars = []
    for i, r in enumerate(returns.T):
        close = 100 * np.exp(np.cumsum(r))
        bars.append(Bars(f"H{i}", time, close, close, close, close, np.ones(900)))
    names = ["hurst_range_128", "hurst_scaling_168", "variance_ratio_2_96", "variance_ratio_8_96"]
    found = {name: np.nanmean(x) for name, x in features(names, *bars).items()}
    assert found["hurst_range_128"] == pytest.approx(hurst, abs=0.1)  # pulled to 0.5
    assert found["hurst_scaling_168"] == pytest.approx(hurst, abs=0.06)
    # VR(q) of such noise is q ** (2 H - 1); 96 bars around their own mean hide part of it
    for q, within in ((2, 0.06), (8, 0.2)):
        expected = q ** (2 * hurst - 1)
        assert found[f"variance_ratio_{q}_96"] == pytest.approx(expected, rel=within)


@pytest.mark.parametrize("n", [8, 128])
def test_the_expected_range_of_independent_values(n):
    values = np.random.default_rng(1).normal(size=(20_000, n))
    summed = np.cumsum(values - values.mean(axis=1, keepdims=True), axis=1)
    ratio = np.ptp(summed, axis=1) / values.std(axis=1)
    assert ratio.mean() == pytest.approx(regime.EXPECTED_RANGE[n], rel=0.005)


def test_betas_and_residuals_of_a_market_with_one_factor():
    rng = np.random.default_rng(3)
    market, betas = rng.normal(0, 0.01, 2000), np.array([0.5, 1.0, 1.5, 0.8, 1.2])
    time = START_NS + np.arange(2000) * HOUR_NS
    bars = []
    for i, beta in enumerate(betas):
        close = 100 * np.cumprod(1 + beta * market + rng.normal(0, 0.003, 2000))
        bars.append(Bars(f"S{i}", time, close, close, close, close, np.ones(2000)))
    names = ["beta_96", "downside_beta_96", "residual_volatility_96", "market_volatility_24",
             "average_correlation_48"]  # fmt: skip
    found = {k: np.nanmean(v.reshape(5, -1), axis=1) for k, v in features(names, *bars).items()}
    np.testing.assert_allclose(found["beta_96"], betas, atol=0.05)
    np.testing.assert_allclose(found["downside_beta_96"], betas, atol=0.07)
    np.testing.assert_allclose(found["residual_volatility_96"], 0.003, rtol=0.2)
    np.testing.assert_allclose(found["market_volatility_24"], 0.01, rtol=0.05)
    assert (found["average_correlation_48"] > 0.8).all()


def test_downside_beta_is_that_of_the_falling_bars():
    panel = random_panel(4, 200, seed=8)
    bars = [panel.bars(i) for i in range(4)]
    found = features(["downside_beta_96"], *bars)["downside_beta_96"].reshape(4, -1)
    ret = np.array([np.diff(b.close) / b.close[:-1] for b in bars])
    market = ret.mean(axis=0)
    for t in (120, 199):
        r, m = ret[:, t - 96 : t], market[t - 96 : t]
        falls = m < 0
        for i in range(4):
            expected = np.cov(r[i, falls], m[falls])[0, 1] / np.var(m[falls], ddof=1)
            assert found[i, t] == pytest.approx(expected, rel=1e-9)


def test_quotes_as_cont_kukanov_and_stoikov_count_them():
    rng = np.random.default_rng(5)
    n, bars = 60, random_walk(60, 5)
    bid = 100 + rng.integers(-2, 3, n) / 100
    ask = bid + rng.integers(1, 3, n) / 100
    sizes = rng.integers(1, 9, (2, n)).astype(float)
    bid[20], sizes[1, 40] = np.nan, np.nan
    side = {"bid": bid, "ask": ask, "bid_size": sizes[0], "ask_size": sizes[1]}
    names = ["order_flow_imbalance_24", "depth_imbalance", "microprice_gap", "quoted_spread",
             "quote_return_1"]  # fmt: skip
    found = features(names, bars, **side)
    known = np.isfinite(bid) & np.isfinite(sizes[1])
    events = np.zeros(n)
    for t in range(1, n):
        if not known[t] or not known[t - 1]:
            continue
        events[t] += sizes[0, t] if bid[t] >= bid[t - 1] else 0
        events[t] -= sizes[0, t - 1] if bid[t] <= bid[t - 1] else 0
        events[t] -= sizes[1, t] if ask[t] <= ask[t - 1] else 0
        events[t] += sizes[1, t - 1] if ask[t] >= ask[t - 1] else 0
    depth = np.where(known, sizes.sum(axis=0) / 2, 0)
    for t in (30, 50, 59):
        expected = events[t - 23 : t + 1].sum() / depth[t - 23 : t + 1].sum()
        assert found["order_flow_imbalance_24"][t] == pytest.approx(expected, rel=1e-12)
    t = 10
    middle = (bid[t] + ask[t]) / 2
    micro = (bid[t] * sizes[1, t] + ask[t] * sizes[0, t]) / sizes[:, t].sum()
    assert found["microprice_gap"][t] == pytest.approx(micro / middle - 1, abs=1e-12)
    assert found["quoted_spread"][t] == pytest.approx((ask[t] - bid[t]) / middle)
    assert found["depth_imbalance"][40] == 0
    assert found["quoted_spread"][20] == 0
    assert (found["quote_return_1"][[20, 21]] == 0).all()
