"""Bars and panels for tests, small and seeded."""

import numpy as np

from touchstone.market import Bars, Calendar, Panel, Timeframe

HOUR_NS = 3_600_000_000_000
START_NS = 1_640_995_200_000_000_000  # 2022-01-01 00:00 UTC


def random_walk(n_bars: int, seed: int = 0, volatility: float = 0.01, symbol: str = "WALK") -> Bars:
    """A geometric walk whose opens gap a little; `volatility` per bar, as a fraction."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, volatility, n_bars)))
    open_ = np.r_[100.0, close[:-1]] * np.exp(rng.normal(0, volatility / 4, n_bars))
    wick = np.abs(rng.normal(0, volatility / 2, (2, n_bars)))
    high, low = np.maximum(open_, close) * (1 + wick[0]), np.minimum(open_, close) * (1 - wick[1])
    volume = np.exp(rng.normal(20, 1, n_bars))
    return Bars(symbol, START_NS + np.arange(n_bars) * HOUR_NS, open_, high, low, close, volume)


def flat(n_bars: int, price: float = 100.0, **rows: dict[int, float]) -> Bars:
    """Bars that stand still at `price`, but for the given rows: flat(9, high={3: 106.0})."""
    columns = {name: np.full(n_bars, price) for name in ("open", "high", "low", "close")}
    columns["volume"] = np.full(n_bars, 1e9)
    for name, changes in rows.items():
        for row, value in changes.items():
            columns[name][row] = value
    return Bars("FLAT", START_NS + np.arange(n_bars) * HOUR_NS, **columns)


def panel_of(*bars: Bars, calendar: str = "24/7") -> Panel:
    """An hourly panel of these instruments."""
    return Panel.from_bars(bars, Timeframe("1h"), Calendar(calendar))


def random_panel(
    n_instruments: int = 3, n_bars: int = 300, seed: int = 0, missing: float = 0.0
) -> Panel:
    """Walks under one clock; a share `missing` of the bars is absent, so that it is ragged."""
    rng = np.random.default_rng([seed, 1])
    walks = [random_walk(n_bars, seed * 1000 + i, symbol=f"S{i:02d}") for i in range(n_instruments)]
    panel = panel_of(*walks)
    return panel.where(rng.random(len(panel)) >= missing) if missing else panel
