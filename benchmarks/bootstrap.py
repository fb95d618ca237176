"""Claim: 10,000 stationary bootstraps of a Sharpe ratio >= 20x arch, at equal distribution.

500 daily returns (GARCH-t), one thread, arch's `StationaryBootstrap(...).apply(sharpe, 10_000)`
against `resampled_sharpes`, for several mean block lengths: the fewer blocks, the less we do. The
last pair is studentised, as every verdict is: the Sharpe and its HAC standard error recomputed in
each resample, for arch by a vectorised numpy function. Rounds alternate inside one process, CPU
time; the two sides' 10,000 values are compared by Kolmogorov and Smirnov, and the memory of each
comes from a process of its own.

    python benchmarks/bootstrap.py [--rounds 5] [--days 500] [--resamples 10000]
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

import arch
import numpy as np
from arch.bootstrap import StationaryBootstrap
from scipy.stats import ks_2samp

from touchstone.validation.bootstrap import hac_lag, studentised_sharpes
from touchstone.validation.resampling import resampled_sharpes

BLOCKS = (1.0, 3.0, 8.0, 20.0)
STUDENTISED = "studentised, block 3"
SIDES = ("touchstone", "arch")


def returns(n_days: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    shocks = rng.standard_t(7, n_days) / np.sqrt(7 / 5)
    out, variance = np.empty(n_days), 1.0
    for i, shock in enumerate(shocks):
        out[i] = shock * np.sqrt(variance)
        variance = 0.02 + 0.06 * out[i] ** 2 + 0.92 * variance
    return 0.01 * (out + 0.1)


def sharpe(daily: np.ndarray) -> float:
    return daily.mean() / daily.std(ddof=1)


def studentised(daily: np.ndarray, centre: float, lag: int) -> float:
    """(Sharpe* - Sharpe) / se*, with the HAC error of the delta method, in numpy."""
    n = daily.size
    sd = daily.std(ddof=1)
    ratio = daily.mean() / sd
    z = (daily - daily.mean()) / sd
    influence = z - ratio / 2 * (z * z - (n - 1) / n)
    long_run = influence @ influence
    for k in range(1, lag + 1):
        long_run += 2 * (1 - k / (lag + 1)) * (influence[k:] @ influence[:-k])
    return (ratio - centre) / np.sqrt(long_run / n / n)


def pairs(daily: np.ndarray, n: int) -> dict[str, tuple[Callable, Callable]]:
    """Name -> (ours, arch's), each a call that gives n values of the statistic."""

    def ours(block: float) -> np.ndarray:
        return resampled_sharpes(daily, block, n, np.random.default_rng(1))

    def theirs(block: float) -> np.ndarray:
        return StationaryBootstrap(block, daily, seed=2).apply(sharpe, n)[:, 0]

    both = {f"Sharpe, block {b:g}": (partial(ours, b), partial(theirs, b)) for b in BLOCKS}
    statistic = partial(studentised, centre=sharpe(daily), lag=hac_lag(daily.size))
    both[STUDENTISED] = (
        lambda: studentised_sharpes(daily, 3.0, n, np.random.default_rng(1)),
        lambda: StationaryBootstrap(3.0, daily, seed=2).apply(statistic, n)[:, 0],
    )
    return both


def compare(daily: np.ndarray, n: int, rounds: int) -> None:
    for name, sides in pairs(daily, n).items():
        taken: list[tuple[float, float]] = []
        for _ in range(rounds):
            times = []
            for side in sides:
                began = time.process_time()
                side()
                times.append(time.process_time() - began)
            taken.append((times[0], times[1]))
        ratio = statistics.median(b / a for a, b in taken)
        ours, theirs = (1e3 * statistics.median(column) for column in zip(*taken, strict=True))
        a, b = (side() for side in sides)
        print(
            f"{name:22s} touchstone {ours:7.1f} ms, arch {theirs:7.1f} ms, arch / touchstone "
            f"{ratio:6.1f}; sd {a.std():.4f} and {b.std():.4f}, KS p {ks_2samp(a, b).pvalue:.2f}"
        )


def _memory(field: str) -> float:
    """A line of this process's status, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def peak(side: str, daily: np.ndarray, n: int) -> None:
    at = SIDES.index(side)
    pairs(daily, 10)["Sharpe, block 3"][at]()  # what is loaded once is not the work's
    Path("/proc/self/clear_refs").write_text("5")
    held = _memory("VmRSS")
    pairs(daily, n)["Sharpe, block 3"][at]()
    print(f"{side}: peak {max(0.0, _memory('VmHWM') - held):.1f} MiB over the {held:.0f} held")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--days", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--peak", choices=SIDES)
    wish = parser.parse_args()
    daily = returns(wish.days)
    if wish.peak:
        peak(wish.peak, daily, wish.resamples)
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    print(cpus[0].split(":")[1].strip(), platform.platform(), "Python", platform.python_version())
    print(f"numpy {np.__version__}, arch {arch.__version__}, commit {commit or 'none'}")
    for ours, theirs in pairs(daily, 5).values():  # compiled and loaded, not timed
        ours()
        theirs()
    compare(daily, wish.resamples, wish.rounds)
    size = ["--days", str(wish.days), "--resamples", str(wish.resamples)]
    for side in SIDES:
        subprocess.run([sys.executable, __file__, *size, "--peak", side], check=True)


if __name__ == "__main__":
    main()
