"""Null markets of four sorts: each with the texture it is named after, none with an edge."""

import numpy as np
import pytest

from touchstone.errors import DataError
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.nulls import NULLS, NullConfig, null_market
from touchstone.simulation.recursions import garch

SIZE = NullConfig(n_instruments=6, n_bars=8000)


@pytest.fixture(scope="module")
def real():
    """What stands for a real market: it has an edge, which the null made of it must not have."""
    return simulate(MarketConfig(n_instruments=9, n_bars=9000, ic=0.3), 2)[0]


@pytest.fixture(scope="module")
def markets(real):
    return {kind: null_market(SIZE, kind, 5, real) for kind in NULLS}


def simple_returns(panel):
    change = panel.close / np.roll(panel.close, 1) - 1
    return np.stack([c[1:] for c in np.split(change, panel.offsets[1:-1])])


@pytest.mark.parametrize("kind", NULLS)
def test_nothing_known_says_where_the_next_bar_goes(markets, kind):
    panel = markets[kind]
    change = simple_returns(panel)
    shape = (panel.n_instruments, -1)
    known = {
        "return": change[:, :-1],
        "size": np.abs(change[:, :-1]),
        "volume": np.log(panel.volume.reshape(shape)[:, 1:-1]),
        "sentiment": panel.side["sentiment"].reshape(shape)[:, 1:-1],
    }
    for name, column in known.items():
        found = [np.corrcoef(c, r)[0, 1] for c, r in zip(column, change[:, 1:], strict=True)]
        # instruments share a factor: as if there were two of them
        assert abs(np.mean(found)) < 4 / np.sqrt(2 * SIZE.n_bars), (name, np.mean(found))


@pytest.mark.parametrize("kind", NULLS)
def test_the_same_seed_gives_the_same_bytes(markets, kind, real):
    again = null_market(SIZE, kind, 5, real)
    other = null_market(SIZE, kind, 6, real)
    assert again.content_hash() == markets[kind].content_hash() != other.content_hash()
    assert again.n_instruments == SIZE.n_instruments
    assert len(again) == SIZE.n_instruments * SIZE.n_bars


def memory(change, sign=False):
    """Correlation of a bar's return (or its size) with the size of the next 5 bars."""
    size = np.minimum(np.abs(change), np.quantile(np.abs(change), 0.99))
    after = np.stack([size[:, k : size.shape[1] - 5 + k] for k in range(1, 6)]).mean(0)
    before = np.sign(change) * size if sign else size
    pairs = zip(before[:, : after.shape[1]], after, strict=True)
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs])


def test_each_has_the_texture_it_is_named_after(markets):
    change = {kind: simple_returns(panel) for kind, panel in markets.items()}
    assert abs(memory(change["iid"])) < 0.02
    for kind in ("garch", "regimes", "residual"):
        assert memory(change[kind]) > 0.05, kind
    assert memory(change["garch"], sign=True) < -0.03  # falls are followed by more volatility
    assert abs(memory(change["regimes"], sign=True)) < 0.03
    for kind, found in change.items():
        kurtosis = np.mean((found / found.std(axis=1, keepdims=True)) ** 4)
        assert kurtosis > 3.5 or kind == "regimes", kind
        assert np.corrcoef(found)[0, 1:].mean() > 0.2, kind


def test_leverage_leaves_the_mean_of_the_variance_at_one():
    normal = np.random.default_rng(3).standard_normal((4, 100_000))
    variance = garch(normal, np.ones_like(normal), 0.03, 0.92, 0.06)
    assert variance.mean() == pytest.approx(1, abs=0.03)
    fell = normal < 0
    assert variance[:, 1:][fell].mean() > 1.03 * variance[:, 1:][~fell].mean()


def test_a_real_market_is_asked_for():
    with pytest.raises(DataError, match="needs a real market"):
        null_market(SIZE, "residual", 1)
