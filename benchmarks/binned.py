"""Claim: LightGBM candidates of one fold that share their binned rows take less time than alone.

Some candidates (learning rate, leaves, seeds) are fitted one after the other to the same train and
validation rows, once with rows binned for each and once with rows that are binned for the first.
Both sides fit through `Lightgbm.grow`, on one thread; rounds alternate in one process, CPU time,
and every fit's trees are compared byte for byte. How much sharing gives depends on how long a fit
is, so short and long fits are told apart. The memory is that of the binned rows that are kept.

    python benchmarks/binned.py [--rounds 5] [--rows 200000] [--columns 51] [--candidates 4]
"""

import argparse
import platform
import resource
import statistics
import subprocess
import time
from pathlib import Path

import lightgbm
import numpy as np

from touchstone.models import Shape, Table
from touchstone.models import lightgbm as kind

LENGTHS = (5, 20, 60)
"""Boosting rounds of a fit."""


def made_up(n_rows: int, n_columns: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((n_rows, n_columns), dtype=np.float32)
    moved = 0.3 * inputs[:, 0] + rng.standard_normal(n_rows)
    outcome = (moved > 0.6).astype(np.int8) - (moved < -0.6).astype(np.int8)
    return Table(inputs, outcome, np.ones(n_rows))


def fits(train: Table, validate: Table, n: int, length: int) -> list[str]:
    shape, texts = Shape(1, train.inputs.shape[1], 1, 3), []
    for place in range(n):
        config = kind.LightgbmConfig(
            rounds=length, look_every=length, leaves=7 + 4 * place, learning_rate=0.1 / (1 + place)
        )
        *_, last = kind.Lightgbm.grow(config, shape, train, validate, place, None)
        texts.append(last.fitted().text)
    return texts


def compare(train: Table, validate: Table, wish: argparse.Namespace, length: int) -> None:
    taken: dict[int, list[float]] = {0: [], 2**30: []}
    told: dict[int, list[str]] = {}
    for i in range(wish.rounds + 1):  # the first warms up
        for most, times in taken.items():
            kind.BINNED = kind.Binned(most)
            began = time.process_time()
            told[most] = fits(train, validate, wish.candidates, length)
            if i:
                times.append(time.process_time() - began)
    assert told[0] == told[2**30], "shared rows changed a fit"
    alone, shared = taken[0], taken[2**30]
    ratio = statistics.median(a / b for a, b in zip(alone, shared, strict=True))
    print(
        f"{length:4d} rounds a fit: alone {statistics.median(alone):6.2f} s, shared "
        f"{statistics.median(shared):6.2f} s, alone / shared {ratio:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=51)
    parser.add_argument("--candidates", type=int, default=4)
    wish = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    print(cpus[0].split(":")[1].strip(), platform.platform(), "Python", platform.python_version())
    print(f"LightGBM {lightgbm.__version__}, commit {commit or 'none'}")
    train = made_up(wish.rows, wish.columns, 1)
    validate = made_up(wish.rows // 5, wish.columns, 2)
    print(
        f"{wish.candidates} candidates on {wish.rows:,} x {wish.columns} rows and a fifth as many "
        f"that validate, medians of {wish.rounds} alternating rounds, CPU time, one thread:"
    )
    for length in LENGTHS:
        compare(train, validate, wish, length)
    rows = train.inputs.nbytes + validate.inputs.nbytes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    held = kind.BINNED.n_bytes / 2**20
    print(
        f"kept beside {rows / 2**20:.0f} MiB of rows: {held:.0f} MiB binned; "
        f"peak of the process {peak / 2**10:.0f} MiB"
    )


if __name__ == "__main__":
    main()
