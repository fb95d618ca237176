"""Claim: 14 indicators as expressions are faster than TA-Lib's C on one core.

143 instruments x 6,100 hourly bars; both sides fill one (n_rows, 14) float32 matrix. Rounds
alternate inside one process; the peaks of memory come from one process a side.

    python benchmarks/features.py [--rounds 7] [--instruments 143] [--bars 6100]
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import talib

from touchstone.features import Bar, FeaturesConfig, Plan, Stream, compile_features, evaluate
from touchstone.features.catalogue import BASELINE
from touchstone.market import Bars, Calendar, Panel, Timeframe

HOUR_NS = 3_600_000_000_000
START_NS = 1_640_995_200_000_000_000
INDICATORS = BASELINE[:14]


def market(n_instruments: int, n_bars: int) -> Panel:
    rng = np.random.default_rng(7)
    bars = []
    for i in range(n_instruments):
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.008, n_bars)))
        open_ = np.r_[100.0, close[:-1]]
        wick = np.abs(rng.normal(0, 0.004, (2, n_bars)))
        high = np.maximum(open_, close) * (1 + wick[0])
        low = np.minimum(open_, close) * (1 - wick[1])
        volume = np.exp(rng.normal(10, 1, n_bars))
        start = START_NS + np.arange(n_bars) * HOUR_NS
        bars.append(Bars(f"S{i:03d}", start, open_, high, low, close, volume))
    return Panel.from_bars(bars, Timeframe("1h"), Calendar("24/7"))


def with_talib(panel: Panel) -> np.ndarray:
    """The same 14 columns, one call an indicator, written as its users write them."""
    out = np.empty((len(panel), len(INDICATORS)), np.float32)
    for first, last in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        rows = slice(first, last)
        high, low, close = panel.high[rows], panel.low[rows], panel.close[rows]
        volume, here = panel.volume[rows], out[rows]
        here[:, 0] = talib.ROCP(close, 1)
        here[:, 1] = talib.ROCP(close, 24)
        here[:, 2] = talib.RSI(close, 14)
        macd, signal, hist = talib.MACD(close, 12, 26, 9)
        here[:, 3] = macd / close
        here[:, 4] = signal / close
        here[:, 5] = hist / close
        upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
        width = upper - lower
        here[:, 6] = 4 * (close - middle) / width
        here[:, 7] = width / middle
        here[:, 8] = talib.ATR(high, low, close, 14) / close
        here[:, 9] = talib.ADX(high, low, close, 14)
        here[:, 10] = talib.STOCHF(high, low, close, 14, 1)[0]
        here[:, 11] = talib.ROC(close, 10)
        here[:, 12] = volume / talib.SMA(volume, 24)
        paid = talib.SUM(talib.TYPPRICE(high, low, close) * volume, 24)
        here[:, 13] = close / (paid / talib.SUM(volume, 24)) - 1
    return out


def indicators() -> Plan:
    whole = compile_features(FeaturesConfig())
    texts = {name: whole.expressions[name] for name in INDICATORS}
    return compile_features(FeaturesConfig(set="none", extra=texts))


def compare(panel: Panel, rounds: int) -> None:
    plan = indicators()
    began = time.perf_counter()
    ours = evaluate(plan, panel)
    print(f"first call, with what is compiled or loaded: {time.perf_counter() - began:.2f} s")
    theirs = with_talib(panel)
    settled = np.arange(len(panel)) - panel.offsets[panel.asset_id] >= 600
    apart = np.abs(ours - theirs)[settled] / np.maximum(
        np.abs(theirs[settled]), np.median(np.abs(theirs[settled]), axis=0)
    )
    print(f"largest difference, float32, settled rows: {apart.max():.1e} of the value")
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        began = time.process_time()
        evaluate(plan, panel)
        between = time.process_time()
        with_talib(panel)
        times.append((between - began, time.process_time() - between))
    ratio = statistics.median(b / a for a, b in times)
    ours_ms, theirs_ms = (1e3 * statistics.median(column) for column in zip(*times, strict=True))
    print(f"touchstone {ours_ms:.1f} ms, TA-Lib {theirs_ms:.1f} ms (medians of {rounds}, CPU time)")
    print(f"TA-Lib time / touchstone time: {ratio:.2f}")


def stream(panel: Panel) -> None:
    plan = compile_features(FeaturesConfig())
    feed = Stream(plan, panel.n_instruments)
    block, present, taken = panel.blocks(), np.ones(panel.n_instruments, bool), []
    for now, at in zip(block.time[:2000].tolist(), block.row[:2000], strict=True):
        prices = (panel.open[at], panel.high[at], panel.low[at], panel.close[at])
        bar = Bar(*prices, panel.volume[at])
        began = time.perf_counter()
        feed.push(present, now, bar)
        taken.append(1e3 * (time.perf_counter() - began))
    p50, p99 = np.percentile(taken[200:], [50, 99])
    print(f"one new bar, {panel.n_instruments} instruments x {len(plan.names)} features: "
          f"p50 {p50:.3f} ms, p99 {p99:.3f} ms")  # fmt: skip


def _memory(field: str) -> float:
    """A line of this process's status, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def peak(side: str, n_instruments: int, n_bars: int) -> None:
    small = market(2, 1000)
    panel = market(n_instruments, n_bars)
    compute = partial(evaluate, indicators()) if side == "touchstone" else with_talib
    compute(small)  # what is loaded once is not the work's
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making the panel
    held = _memory("VmRSS")
    compute(panel)
    print(f"{side}: peak {_memory('VmHWM') - held:.0f} MiB over the {held:.0f} held before")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--instruments", type=int, default=143)
    parser.add_argument("--bars", type=int, default=6100)
    parser.add_argument("--peak", choices=["touchstone", "TA-Lib"])
    wish = parser.parse_args()
    if wish.peak:
        peak(wish.peak, wish.instruments, wish.bars)
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    print(cpus[0].split(":")[1].strip(), platform.platform(), "Python", platform.python_version())
    print(f"numpy {np.__version__}, TA-Lib {talib.__version__}, commit {commit or 'none'}")
    panel = market(wish.instruments, wish.bars)
    compare(panel, wish.rounds)
    stream(panel)
    size = ["--instruments", str(wish.instruments), "--bars", str(wish.bars)]
    for side in ("touchstone", "TA-Lib"):
        subprocess.run([sys.executable, __file__, *size, "--peak", side], check=True)


if __name__ == "__main__":
    main()
