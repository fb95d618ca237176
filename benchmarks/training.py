"""Claim: an epoch of the training loop costs at most 1.05 times a bare loop over tensors in memory.

The bare loop has all windows materialised beforehand, and neither weighs rows nor measures
anything; ours gathers windows from the flat matrix, weighs rows and measures the epoch. Both train
the same network (a GRU, a Transformer) with the same optimiser, batch and clipping on one thread.
Epochs alternate in one process, each side first in every other round; the ratio is the median of
the rounds' own ratios.

    python benchmarks/training.py [--rounds 7] [--rows 20000] [--kinds gru transformer]
"""

import argparse
import platform
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from touchstone import training
from touchstone.dataset.samples import Samples
from touchstone.dataset.windows import Windows
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS
from touchstone.models.scoring import score

LOOKBACK, N_FEATURES, N_ASSETS, BATCH = 24, 16, 20, 512


def made_up(n_rows: int) -> Samples:
    rng = np.random.default_rng(7)
    per_asset = -(-n_rows // N_ASSETS) + LOOKBACK
    features = rng.standard_normal((per_asset * N_ASSETS, N_FEATURES), dtype=np.float32)
    windows = Windows(features, np.repeat(np.arange(N_ASSETS), per_asset), LOOKBACK)
    rows = np.flatnonzero(np.arange(len(features)) % per_asset >= LOOKBACK)[:n_rows]
    outcome = rng.integers(-1, 2, rows.size).astype(np.int8)
    return Samples(windows, rows, outcome, np.zeros(rows.size), np.ones(rows.size, np.float32))


class Bare:
    """The loop that anybody would write for tensors at hand."""

    def __init__(self, job: training.Job) -> None:
        samples = job.train
        self.windows = torch.from_numpy(samples.windows.gather(samples.rows))
        self.asset_id = torch.from_numpy(samples.windows.ids(samples.rows).astype(np.int64))
        self.truth = torch.from_numpy(samples.outcome.astype(np.int64) + 1)
        self.network = MODELS.part_of(job.model)(job.model, job.shape)
        recipe, weights = job.recipe, self.network.parameters()
        self.optimiser = torch.optim.AdamW(
            weights, recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def epoch(self) -> None:
        """Every row once."""
        self.network.train()
        order = torch.randperm(len(self.truth))
        for place in order.split(BATCH):
            logits = self.network(self.windows[place], self.asset_id[place])
            loss = torch.nn.functional.cross_entropy(logits, self.truth[place])
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()


MODELS_OF = {
    "gru": {"kind": "gru", "hidden": 32},
    "transformer": {"kind": "transformer", "width": 32, "heads": 4, "layers": 1},
}


def paired(bare: Bare, epochs: Iterator[training.Epoch], n_rounds: int) -> list[tuple[float, ...]]:
    """CPU seconds of an epoch of each side, round by round: bare, touchstone."""
    sides = (bare.epoch, lambda: next(epochs))
    for epoch in sides:
        epoch()  # the first ones set up
    times = []
    for i in range(n_rounds):
        taken = [0.0, 0.0]
        for side in (0, 1) if i % 2 else (1, 0):
            began = time.process_time()
            sides[side]()
            taken[side] = time.process_time() - began
        times.append(tuple(taken))
    return times


def compare(kind: str, samples: Samples, n_rounds: int) -> None:
    model = MODELS.parse(MODELS_OF[kind])
    recipe = training.TrainingConfig(rows=None, batch=BATCH, device="cpu")
    job = training.Job(model, recipe, samples, None, N_ASSETS, 7, "made up", n_rounds + 1)
    bare, epochs = Bare(job), training.fit(job, MemoryLedger())
    times = paired(bare, epochs, n_rounds)
    theirs, ours = (statistics.median(column) for column in zip(*times, strict=True))
    text = ", ".join(f"{k} {v}" for k, v in MODELS_OF[kind].items() if k != "kind")
    print(f"{kind} ({text}), medians of {n_rounds} rounds, CPU time:")
    print(f"  bare epoch {theirs:.3f} s, touchstone {ours:.3f} s")
    print(f"  touchstone / bare: {statistics.median(b / a for a, b in times):.3f}")
    held = bare.windows.numel() * 4 / 2**20
    flat = samples.windows.features.nbytes / 2**20
    print(f"  memory of the inputs: bare {held:.0f} MiB, touchstone {flat:.1f} MiB")
    try:
        while True:
            next(epochs)
    except StopIteration as end:
        fitted = end.value
    began = time.process_time()
    score(fitted, samples.windows, samples.rows)
    rate = samples.rows.size / (time.process_time() - began)
    print(f"  the one scoring path: {rate:,.0f} windows a second")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--kinds", nargs="+", default=list(MODELS_OF), choices=list(MODELS_OF))
    wish = parser.parse_args()
    torch.set_num_threads(1)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    print(cpus[0].split(":")[1].strip(), platform.platform(), "Python", platform.python_version())
    print(f"torch {torch.__version__}, commit {commit or 'none'}")
    print(f"{wish.rows} windows of {LOOKBACK} x {N_FEATURES}, batch {BATCH}, one thread")
    samples = made_up(wish.rows)
    for kind in wish.kinds:
        compare(kind, samples, wish.rounds)


if __name__ == "__main__":
    main()
