"""Clean markets to plant defects in: simulated ones with a market's habits, and real ones."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from touchstone.data import grid
from touchstone.files import stem_to_symbol, symbol_to_stem
from touchstone.market import Calendar, Timeframe

FIELDS = ("open", "high", "low", "close", "volume")
DAY_NS = 86_400_000_000_000
BARS = Path(__file__).parents[4] / "shared" / "data" / "bars"


class Market(NamedTuple):
    """Files of one kind."""

    name: str
    timeframe: str
    calendar: str
    frames: dict[str, dict[str, np.ndarray]]
    """Symbol -> columns, `time` in ns UTC among them."""

    @property
    def daily(self):
        return Timeframe(self.timeframe).is_daily

    @property
    def step(self):
        return Timeframe(self.timeframe).ns

    @property
    def has_volume(self):
        return any((f["volume"] > 0).any() for f in self.frames.values())


def simulated(name, seed=0, n_symbols=8, n_bars=2000):
    """coins 1h, stocks 1h, stocks 1d, currencies 1h."""
    timeframe, calendar, sigma = {
        "coins 1h": ("1h", "24/7", 0.01),
        "stocks 1h": ("1h", "XNYS", 0.004),
        "stocks 1d": ("1d", "XNYS", 0.015),
        "currencies 1h": ("1h", "FX", 0.001),
    }[name]
    anchor = "clock" if calendar == "XNYS" and timeframe == "1h" else "utc"
    start = np.datetime64("2018-01-01", "ns").astype(np.int64)
    ends = np.array([start, start + 12 * n_bars * Timeframe(timeframe).ns])
    clock = grid.expected(Calendar(calendar), Timeframe(timeframe), anchor, ends)[:n_bars]
    rng = np.random.default_rng([seed, len(name)])
    market = returns(rng, clock.size, sigma)
    frames = {}
    for k in range(n_symbols):
        frames[f"S{k:02d}"] = walk(rng, clock, market, sigma * (0.7 + 0.1 * k), timeframe)
    return Market(name, timeframe, calendar, frames)


def returns(rng, n, sigma):
    """Volatility that clusters, tails of a Student t with 4 degrees of freedom."""
    state = np.zeros(n)
    shocks = rng.normal(0, 0.12, n)
    for t in range(1, n):
        state[t] = 0.97 * state[t - 1] + shocks[t]
    return sigma * np.exp(state) * rng.standard_t(4, n) / np.sqrt(2)


def walk(rng, clock, market, sigma, timeframe):
    """Prices that move with the market, more after a pause; volume that grows with the move."""
    n = clock.size
    move = 0.7 * market + 0.7 * returns(rng, n, sigma)
    paused = np.r_[False, np.diff(clock) > Timeframe(timeframe).ns]
    move = np.where(paused, 2.0, 1.0) * move
    part = np.where(paused, 0.6, 0.005) if timeframe != "1d" else np.full(n, 0.4)
    gap = part * move + rng.normal(0, 0.02 * sigma, n)
    close = rng.uniform(5, 300) * np.exp(np.cumsum(move))
    open_ = np.r_[close[0], close[:-1]] * np.exp(gap)
    wick = np.abs(rng.standard_t(5, (2, n))) * sigma * 0.4
    high = np.maximum(open_, close) * np.exp(wick[0])
    low = np.minimum(open_, close) * np.exp(-wick[1])
    hour = np.sin(clock % DAY_NS / DAY_NS * 2 * np.pi)
    volume = np.exp(
        10 + 0.4 * hour + rng.normal(0, 0.5, n) + np.minimum(np.abs(move) / sigma, 6) * 0.4
    )
    columns = (clock.copy(), open_, high, low, close, np.round(volume))
    return dict(zip(("time", *FIELDS), columns, strict=True))


REAL = {
    "crypto/1h": ("1h", "24/7", 12),
    "equity/1h": ("1h", "XNYS", 7),
    "equity/1d": ("1d", "XNYS", 15),
    "equity_recent/1h": ("1h", "XNYS", 10),
    "equity_recent/1d": ("1d", "XNYS", 10),
    "stocknet/1d": ("1d", "XNYS", 20),
    "fx/1h": ("1h", "FX", 10),
    "fx_mid/1d": ("1d", "FX", 5),
}


def real(name):
    """Instruments of a real folder, spread over the alphabet, their last 6,000 bars."""
    timeframe, calendar, n = REAL[name]
    files = sorted((BARS / name).glob("*.parquet"))
    picked = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, n).astype(int))]
    frames = {}
    for file in picked:
        table = pl.read_parquet(file).tail(6000)
        time = table["timestamp"].dt.cast_time_unit("ns").cast(pl.Int64).to_numpy()
        columns = {f: table[f].to_numpy().copy() for f in FIELDS}
        frames[stem_to_symbol(file.stem)] = {"time": time.copy(), **columns}
    return Market(name, timeframe, calendar, frames)


def save(folder, symbol, columns):
    """One file as vendors ship it; columns beside the six go along."""
    time = pl.Series("timestamp", columns["time"]).cast(pl.Datetime("ns", "UTC"))
    others = {k: v for k, v in columns.items() if k != "time"}
    path = folder / f"{symbol_to_stem(symbol)}.parquet"
    path.unlink(missing_ok=True)
    pl.DataFrame({"timestamp": time, **others}).write_parquet(path, compression="uncompressed")
