"""Claim: a feature that was computed before costs a map; one feature more costs one, and a copy.

120 expressions over 143 instruments x 6,100 hourly bars (or the bars of a folder), float32. Cold:
an empty cache. Warm: the same plan again. One more: 121 expressions, 120 of them there. Beside
them the plain evaluation without a cache. Values are compared bit for bit.

    python benchmarks/feature_cache.py [--bars DIR] [--rounds 5]
"""

import argparse
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from touchstone.data.cache import StageCache
from touchstone.features import FeaturesConfig, Plan, compile_features, evaluate
from touchstone.market import Panel
from touchstone.pipelines.columns import Gathered, gathered
from touchstone.pipelines.tables import load_folder
from touchstone.simulation import MarketConfig, simulate

SHAPES = (
    "close / mean(close, {n}) - 1", "close / lag(close, {n}) - 1", "std(close, {n}) / close",
    "(close - min(low, {n})) / close", "(max(high, {n}) - close) / close",
    "volume / mean(volume, {n})", "ema(close, {n}) / close - 1",
    "100 * div(wilder(up(close), {n}), wilder(up(close), {n}) + wilder(down(close), {n}), 0.5)",
    "wilder(true_range(), {n}) / close", "slope(close, {n}) / close",
    "skew(close / lag(close, 1), {n})", "corr(close, volume, {n})",
)  # fmt: skip
LENGTHS = (5, 8, 10, 14, 20, 24, 30, 48, 60, 96)


def plan_of(n: int) -> Plan:
    texts = [shape.format(n=length) for length in LENGTHS for shape in SHAPES]
    texts.append("quantile(close, 24, 0.9) / close")
    return compile_features(
        FeaturesConfig(set="none", extra={f"f{i:03d}": text for i, text in enumerate(texts[:n])})
    )


def timed(plan: Plan, panel: Panel, cache: StageCache) -> tuple[float, Gathered]:
    began = time.perf_counter()
    found = gathered(plan, panel, ("data", f"data-{plan.fingerprint[:24]}"), cache)
    return time.perf_counter() - began, found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if asked.bars is None:
        panel = simulate(MarketConfig(n_instruments=143, n_bars=6100), 7)[0]
    else:
        panel = load_folder(asked.bars, {"timeframe": "1h"}).panel
    most, more = plan_of(120), plan_of(121)
    plain = evaluate(more, panel)  # compiles, too
    rounds = []
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as folder:
            cache = StageCache(Path(folder))
            began = time.perf_counter()
            evaluate(most, panel)
            alone = time.perf_counter() - began
            cold, first = timed(most, panel, cache)
            warm, again = timed(most, panel, cache)
            one, longer = timed(more, panel, cache)
            assert (first.n_computed, again.n_computed, longer.n_computed) == (120, 0, 1)
            np.testing.assert_array_equal(longer.features, plain)
            rounds.append((alone, cold, warm, one))
    alone, cold, warm, one = (statistics.median(column) for column in zip(*rounds, strict=True))
    size = len(panel) * 120 * 4 / 1e6
    print(f"{len(panel):,} rows x 120 features, {size:,.0f} MB, medians of {asked.rounds} rounds")
    print(f"no cache {alone:.2f} s, cold {cold:.2f} s, warm {warm * 1e3:.1f} ms, "
          f"one more feature {one:.2f} s")  # fmt: skip
    print(f"cold / warm: {cold / warm:,.0f}; cold / one more: {cold / one:.1f}")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    print(f"{platform.processor() or platform.machine()}, {platform.system()}, numpy "
          f"{np.__version__}, commit {commit.stdout.strip() or '?'}")  # fmt: skip


if __name__ == "__main__":
    main()
