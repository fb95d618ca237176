"""Claim: triple-barrier labels at >= 100 million rows a second, >= 3x a plain numba loop.

143 instruments x 6,100 hourly bars, +5 % / -2 % / 8 bars. Three ways that give the same columns:
the loop that one writes first in numba, a numpy version (one pass over the columns for each bar
ahead), and touchstone. Columns are allocated once and written again each round by all three;
the whole call of touchstone, which allocates them and looks for holes in the bars, is timed
beside. Rounds alternate inside one process, CPU time of one thread; the peaks of memory come
from one process a side.

    python benchmarks/labels.py [--rounds 15] [--instruments 143] [--bars 6100]
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numba import njit

from touchstone.labels import Labels
from touchstone.labels.triple_barrier import (
    Columns,
    Terms,
    TripleBarrierConfig,
    fill,
    triple_barrier,
)
from touchstone.market import Bars, Calendar, Panel, Timeframe

HOUR_NS = 3_600_000_000_000
START_NS = 1_640_995_200_000_000_000
CONFIG = TripleBarrierConfig()
SIDES = ("plain numba", "numpy", "touchstone", "touchstone, whole call")


def market(n_instruments: int, n_bars: int) -> Panel:
    rng = np.random.default_rng(7)
    bars = []
    for i in range(n_instruments):
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.008, n_bars)))
        open_ = np.r_[100.0, close[:-1]] * np.exp(rng.normal(0, 0.002, n_bars))
        wick = np.abs(rng.normal(0, 0.004, (2, n_bars)))
        high = np.maximum(open_, close) * (1 + wick[0])
        low = np.minimum(open_, close) * (1 - wick[1])
        start = START_NS + np.arange(n_bars) * HOUR_NS
        bars.append(Bars(f"S{i:03d}", start, open_, high, low, close, np.ones(n_bars)))
    return Panel.from_bars(bars, Timeframe("1h"), Calendar("24/7"))


@njit(cache=True, error_model="numpy")
def plain_loop(columns: Columns, out: Labels, up: float, down: float, horizon: int) -> None:
    """Two loops and a break, with the same rules and outputs."""
    open_, high, low, offsets = columns.open, columns.high, columns.low, columns.offsets
    outcome, exit_, realised, ambiguous = out.outcome, out.exit, out.realised, out.ambiguous
    for i in range(offsets.size - 1):
        end = offsets[i + 1]
        for t in range(offsets[i], end):
            outcome[t], exit_[t], realised[t], ambiguous[t] = 0, -1, np.nan, False
            if t + 1 >= end:
                continue
            entry = open_[t + 1]
            upper, lower = entry * (1 + up), entry * (1 - down)
            for s in range(t + 1, min(t + horizon + 1, end)):
                if s > t + 1 and (open_[s] <= lower or open_[s] > upper):
                    outcome[t] = -1 if open_[s] <= lower else 1
                    exit_[t], realised[t] = s, open_[s] / entry - 1
                    break
                if low[s] <= lower:
                    outcome[t], exit_[t], realised[t] = -1, s, lower / entry - 1
                    ambiguous[t] = high[s] > upper
                    break
                if high[s] > upper:
                    outcome[t], exit_[t], realised[t] = 1, s, upper / entry - 1
                    break
            else:
                if t + horizon + 1 < end:
                    exit_[t] = t + horizon + 1
                    realised[t] = open_[t + horizon + 1] / entry - 1


def columns_of(panel: Panel) -> Columns:
    return Columns(panel.open, panel.high, panel.low, panel.close, panel.offsets)


def by_numba(panel: Panel, out: Labels) -> None:
    terms = CONFIG.take_profit, CONFIG.stop_loss, CONFIG.horizon
    plain_loop(columns_of(panel), out, *terms)


def by_numpy(panel: Panel, out: Labels) -> None:
    """One instrument after the other, one pass for each bar ahead."""
    horizon = CONFIG.horizon
    out.outcome[:], out.exit[:], out.realised[:], out.ambiguous[:] = 0, -1, np.nan, False
    for begin, end in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        n = end - begin
        open_, high, low = (getattr(panel, c)[begin:end] for c in ("open", "high", "low"))
        pad = np.full(horizon + 2, np.nan)
        o, h, lo = (np.concatenate([c, pad]) for c in (open_, high, low))
        entry = o[1 : n + 1]
        upper, lower = entry * (1 + CONFIG.take_profit), entry * (1 - CONFIG.stop_loss)
        outcome, exit_ = np.zeros(n, np.int8), np.full(n, -1)
        price, ambiguous = np.full(n, np.nan), np.zeros(n, bool)
        searching = np.ones(n, bool)
        for k in range(1, horizon + 1):
            ok, hk, lk = o[k : k + n], h[k : k + n], lo[k : k + n]
            stop, target = searching & (lk <= lower), searching & (hk > upper)
            above, below = (ok > upper) & (k > 1), (ok <= lower) & (k > 1)
            met = stop | target
            outcome[met] = np.where(stop & ~above, -1, 1)[met]
            at_barrier = np.where(stop, lower, upper)
            price[met] = np.where(above | below, ok, at_barrier)[met]
            ambiguous |= stop & target & ~above & ~below
            exit_[met] = (np.arange(begin, end) + k)[met]
            searching &= ~met
        left = searching & (np.arange(n) + horizon + 1 < n)
        price[left] = o[horizon + 1 : horizon + 1 + n][left]
        exit_[left] = (np.arange(begin, end) + horizon + 1)[left]
        out.outcome[begin:end], out.exit[begin:end] = outcome, exit_
        out.realised[begin:end], out.ambiguous[begin:end] = price / entry - 1, ambiguous


def by_touchstone(panel: Panel, out: Labels) -> None:
    fill(columns_of(panel), out, Terms(CONFIG.horizon, 1, 1, scaled=False))


def blank(n: int) -> Labels:
    up, down = np.full(n, CONFIG.take_profit), np.full(n, CONFIG.stop_loss)
    columns = np.zeros(n, np.int8), np.zeros(n, np.int64), np.zeros(n), up, down, np.zeros(n, bool)
    return Labels(*columns)


def callers(panel: Panel) -> dict[str, Callable[[], object]]:
    outs = [blank(len(panel)) for _ in range(3)]
    timed = (by_numba, by_numpy, by_touchstone)
    sides = [partial(side, panel, out) for side, out in zip(timed, outs, strict=True)]
    for side in sides:
        side()
    for one, other, column in zip(outs[0], outs[2], Labels._fields, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=column)
    for one, other, column in zip(outs[0], outs[1], Labels._fields, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=column)
    return dict(zip(SIDES, (*sides, lambda: triple_barrier(panel, CONFIG)), strict=True))


def compare(panel: Panel, rounds: int) -> None:
    sides = callers(panel)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            began = time.process_time()
            side()
            times[name].append(time.process_time() - began)
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(times["plain numba"], taken, strict=True))
        seconds = statistics.median(taken)
        print(
            f"{name:24s} {1e3 * seconds:8.2f} ms  {len(panel) / seconds / 1e6:7.1f} M rows/s"
            f"  plain numba / this {ratio:5.2f}  (best round {1e3 * min(taken):.2f} ms)"
        )


def _memory(field: str) -> float:
    """A line of this process's status, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def peak(side: str, n_instruments: int, n_bars: int) -> None:
    callers(market(2, 500))  # what is loaded once is not the work's
    panel = market(n_instruments, n_bars)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making the panel
    held = _memory("VmRSS")
    if side == SIDES[3]:
        triple_barrier(panel, CONFIG)
    else:
        timed = (by_numba, by_numpy, by_touchstone)
        timed[SIDES.index(side)](panel, blank(len(panel)))
    print(f"{side}: peak {_memory('VmHWM') - held:.0f} MiB over the {held:.0f} held before")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--instruments", type=int, default=143)
    parser.add_argument("--bars", type=int, default=6100)
    parser.add_argument("--peak", choices=SIDES)
    wish = parser.parse_args()
    if wish.peak:
        peak(wish.peak, wish.instruments, wish.bars)
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    print(cpus[0].split(":")[1].strip(), platform.platform(), "Python", platform.python_version())
    print(f"numpy {np.__version__}, commit {commit or 'none'}")
    panel = market(wish.instruments, wish.bars)
    print(f"{len(panel):,} rows, medians of {wish.rounds} alternating rounds, one thread:")
    compare(panel, wish.rounds)
    size = ["--instruments", str(wish.instruments), "--bars", str(wish.bars)]
    for side in SIDES:
        subprocess.run([sys.executable, __file__, *size, "--peak", side], check=True)


if __name__ == "__main__":
    main()
