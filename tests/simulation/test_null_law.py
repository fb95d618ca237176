"""Without an edge nothing pays: every label's mean is 0, but for bars that spanned both barriers.

The labels here are written from the definition of the triple barrier, apart from the package's.
"""

from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from touchstone.market import Bars
from touchstone.simulation import MarketConfig, simulate

BLOCK = 500
"""Bars of one cluster: all instruments of a stretch of time, far longer than any label."""
BIG = MarketConfig(n_instruments=20, n_bars=25_000, ic=0)


@njit
def labels(open_, high, low, take_profit, stop_loss, horizon):
    """realised where a bar that spans both is a stop, and where it is a win; and those bars."""
    n = open_.size - horizon - 1
    pessimistic, optimistic, both = np.empty(n), np.empty(n), np.zeros(n, np.bool_)
    for t in range(n):
        entry = open_[t + 1]
        upper, lower = entry * (1 + take_profit), entry * (1 - stop_loss)
        fill = worse = better = open_[t + horizon + 1]
        for s in range(t + 1, t + horizon + 1):
            gapped = s > t + 1 and (open_[s] <= lower or open_[s] > upper)
            stopped, won = low[s] <= lower, high[s] > upper
            if gapped or stopped or won:
                fill = open_[s] if gapped else (lower if stopped else upper)
                both[t] = stopped and won and not gapped
                worse, better = fill, upper if both[t] else fill
                break
        pessimistic[t], optimistic[t] = worse / entry - 1, better / entry - 1
    return pessimistic, optimistic, both


class Law(NamedTuple):
    pessimistic: float
    optimistic: float
    se: float
    ambiguous: float
    n_rows: int

    def __str__(self):
        return (
            f"{self.n_rows:.1e} rows: mean realised {self.pessimistic * 1e4:+.3f} bp (spanning "
            f"bars are stops) to {self.optimistic * 1e4:+.3f} bp (are wins), "
            f"se {self.se * 1e4:.3f} bp, {self.ambiguous:.4%} ambiguous"
        )


def law_of(panels, barriers, change=lambda bars: bars):
    """Means over all rows; the standard error from blocks of time, all instruments together."""
    blocks, n_rows = [], 0
    for panel in panels:
        columns = []
        for i in range(panel.n_instruments):
            bars = change(panel.bars(i))
            columns.append(labels(bars.open, bars.high, bars.low, *barriers))
        worse, better, both = (np.stack(c) for c in zip(*columns, strict=True))
        n = worse.shape[1] // BLOCK * BLOCK
        stretches = (c[:, :n].reshape(len(columns), -1, BLOCK) for c in (worse, better, both))
        blocks.append(np.stack([c.mean((0, 2)) for c in stretches]))
        n_rows += n * len(columns)
    worse, better, both = np.hstack(blocks)
    se = worse.std(ddof=1) / np.sqrt(worse.size)
    return Law(worse.mean(), better.mean(), se, both.mean(), n_rows)


def markets(n, **settings):
    config = MarketConfig(**(dict(BIG) | settings))
    return (simulate(config, 1000 + seed)[0] for seed in range(n))


@pytest.mark.parametrize(
    ("n_markets", "barriers", "settings", "sharp_bp"),
    [
        # 1e7 rows of independent instruments: three standard errors are half a basis point.
        pytest.param(20, (0.05, 0.02, 8), {"correlation": 0.0}, 0.2, id="default barriers"),
        pytest.param(8, (0.02, 0.02, 8), {"correlation": 0.0}, 0.3, id="symmetric"),
        pytest.param(8, (0.005, 0.01, 4), {"correlation": 0.0}, 0.2, id="narrow"),
        pytest.param(8, (np.inf, 1.0, 8), {"correlation": 0.0}, 0.5, id="horizon alone"),
        pytest.param(8, (0.05, 0.02, 8), {}, 0.8, id="default market"),
        pytest.param(4, (0.05, 0.02, 8), {"regime_strength": 2}, 1.2, id="wild regimes"),
        pytest.param(4, (0.10, 0.04, 8), {"volatility": 0.03}, 4.0, id="wild prices"),
    ],
)
def test_mean_realised_is_zero_but_for_the_pessimistic_rule(
    n_markets, barriers, settings, sharp_bp
):
    law = law_of(markets(n_markets, **settings), barriers)
    print(law)  # noqa: T201  the bias of the pessimistic rule, for whoever runs with -s
    # A fair market pays the same whichever way spanning bars went, so 0 lies between the two.
    assert law.pessimistic <= 3 * law.se
    assert law.optimistic >= -3 * law.se
    bias = law.optimistic - law.pessimistic
    assert bias == pytest.approx(law.ambiguous * min(sum(barriers[:2]), 99), rel=1e-9)
    assert law.se * 1e4 < sharp_bp  # sharp enough to see a market that pays a few basis points


def halved_wicks(bars):
    """What a bridge of few steps does: extremes fall short of the path's."""
    top, bottom = np.maximum(bars.open, bars.close), np.minimum(bars.open, bars.close)
    high, low = top + 0.5 * (bars.high - top), bottom - 0.5 * (bottom - bars.low)
    return Bars(bars.symbol, bars.time, bars.open, high, low, bars.close, bars.volume)


def without_correction(bars):
    """What a log walk without drift does: simple returns of + variance / 2."""
    lift = np.exp(np.arange(len(bars)) * 0.008**2 / 2)
    prices = (bars.open * lift, bars.high * lift, bars.low * lift, bars.close * lift)
    return Bars(bars.symbol, bars.time, *prices, bars.volume)


@pytest.mark.parametrize("fault", [halved_wicks, without_correction])
def test_the_law_sees_a_market_that_pays(fault):
    law = law_of(markets(8, correlation=0.0), (0.05, 0.02, 8), fault)
    assert law.pessimistic > 4 * law.se


@pytest.fixture(scope="module")
def long_null():
    return simulate(MarketConfig(n_instruments=40, n_bars=25_000, ic=0, correlation=0), 7)


def test_simple_returns_are_a_martingale_whatever_is_known(long_null):
    panel, truth = long_null
    n = panel.n_instruments
    close, volume = panel.close.reshape(n, -1), panel.volume.reshape(n, -1)
    z = (close[:, 1:] / close[:, :-1] - 1) / truth.sigma.reshape(n, -1)[:, :-1]
    hidden, regime = truth.hidden.reshape(n, -1)[:, :-1], truth.regime.reshape(n, -1)[:, :-1]
    past = np.hstack([np.zeros((n, 1)), z[:, :-1]])
    known = {
        "anything": np.ones_like(z, bool),
        **{f"regime {r}": regime == r for r in range(4)},
        "a high hidden state": hidden > 1,
        "high volume": volume[:, :-1] > np.quantile(volume, 0.9),
        "a fall": past < -1.5,
        "a rise": past > 1.5,
        "a calm bar": np.abs(past) < 0.2,
    }
    for name, rows in known.items():
        mean, se = z[rows].mean(), z[rows].std() / np.sqrt(rows.sum())
        assert abs(mean) < 3.5 * se, f"after {name}: {mean:.4f}, se {se:.4f}"


def test_every_part_of_a_bar_is_a_martingale(long_null):
    panel, truth = long_null
    n = panel.n_instruments
    open_, close, sigma = (c.reshape(n, -1) for c in (panel.open, panel.close, truth.sigma))
    sigma = sigma[:, :-1]
    for name, part in {
        "close to open": open_[:, 1:] / close[:, :-1] - 1,
        "open to close": close[:, 1:] / open_[:, 1:] - 1,
        "open to open": open_[:, 1:] / open_[:, :-1] - 1,
    }.items():
        z = part / sigma
        assert abs(z.mean()) < 3.5 * z.std() / np.sqrt(z.size), name
    gap, way = (open_[:, 1:] / close[:, :-1] - 1) / sigma, (close / open_ - 1)[:, 1:] / sigma
    assert abs(np.corrcoef(gap.ravel(), way.ravel())[0, 1]) < 0.01  # the open foretells nothing
