"""What a GPU makes of the training loop: samples a second and how busy it is, batch by batch.

Whole epochs of `touchstone.training.fit` as users get them (windows gathered on the device from the
flat matrix, rows weighed, the epoch's metrics taken on the CPU), beside two peers on the same card
in turn: a bare loop over windows materialised on the device beforehand, and the same bare loop fed
by a DataLoader over materialised arrays from the host. bf16 beside float32.

    python benchmarks/gpu.py [--rows 1000000] [--rounds 5] [--batches 512,2048,8192,16384]
"""

import argparse
import gc
import platform
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from touchstone import training
from touchstone.dataset.samples import Samples
from touchstone.dataset.windows import Windows
from touchstone.ledger import MemoryLedger
from touchstone.models import MODELS

LOOKBACK, N_FEATURES, N_ASSETS = 24, 23, 143
MODEL = {"gru": {"kind": "gru", "hidden": 64}, "mlp": {"kind": "mlp"}}


class Measured(NamedTuple):
    """One way of training, on medians of the rounds."""

    rate: float
    """Samples a second of whole epochs."""
    busy: float
    """Share of the time in which the card ran something; nan where it cannot be read."""
    memory: float
    """Most of the card's memory that tensors took, MiB."""


def made_up(n_rows: int) -> Samples:
    """Noise as a panel: rows of the flat matrix, some of them train rows."""
    rng = np.random.default_rng(7)
    per_asset = -(-n_rows // N_ASSETS) + LOOKBACK
    features = rng.standard_normal((per_asset * N_ASSETS, N_FEATURES), dtype=np.float32)
    windows = Windows(features, np.repeat(np.arange(N_ASSETS), per_asset), LOOKBACK)
    rows = np.flatnonzero(np.arange(len(features)) % per_asset >= LOOKBACK)[:n_rows]
    outcome = rng.integers(-1, 2, rows.size).astype(np.int8)
    return Samples(windows, rows, outcome, np.zeros(rows.size), np.ones(rows.size, np.float32))


def watched(epoch: Callable[[], Any], rounds: int, n_rows: int) -> Measured:
    """Epochs under the eye of the driver; the first one sets up and is not counted."""
    gc.collect()
    torch.cuda.empty_cache()
    epoch()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    times, busy, done = [], [], threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            with suppress(Exception):  # no driver library: the column says nan
                busy.append(torch.cuda.utilization() / 100)

    eye = threading.Thread(target=look, daemon=True)
    eye.start()
    for _ in range(rounds):
        began = time.perf_counter()
        epoch()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    done.set()
    eye.join()
    return Measured(
        n_rows / statistics.median(times),
        statistics.mean(busy) if busy else float("nan"),
        torch.cuda.max_memory_allocated() / 2**20,
    )


def ours(job: training.Job, rounds: int) -> Measured:
    """The product's loop."""
    with closing(training.fit(job, MemoryLedger())) as epochs:
        return watched(lambda: next(epochs), rounds, job.train.rows.size)


class Bare:
    """The loop that anybody would write; windows on the device, or sent by a DataLoader."""

    def __init__(self, job: training.Job, *, is_resident: bool) -> None:
        samples, self.batch = job.train, job.recipe.batch
        self.is_resident, self.bf16 = is_resident, job.recipe.precision == "bf16"
        tensors = (
            torch.from_numpy(samples.windows.gather(samples.rows)),
            torch.from_numpy(samples.windows.ids(samples.rows).astype(np.int64)),
            torch.from_numpy(samples.outcome.astype(np.int64) + 1),
        )
        self.tensors = tuple(t.cuda() for t in tensors) if is_resident else tensors
        self.network = MODELS.part_of(job.model)(job.model, job.shape).cuda()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), job.recipe.learning_rate, fused=True
        )

    def epoch(self) -> None:
        """Every row once."""
        self.network.train()
        if self.is_resident:
            windows, asset_id, truth = self.tensors
            for place in torch.randperm(len(truth), device="cuda").split(self.batch):
                self.step(windows[place], asset_id[place], truth[place])
            return
        loader = DataLoader(
            TensorDataset(*self.tensors), self.batch, shuffle=True, num_workers=4, pin_memory=True
        )
        for batch in loader:
            self.step(*(t.cuda(non_blocking=True) for t in batch))

    def step(self, windows: torch.Tensor, asset_id: torch.Tensor, truth: torch.Tensor) -> None:
        """One batch."""
        with torch.autocast("cuda", torch.bfloat16, enabled=self.bf16):
            logits = self.network(windows, asset_id).float()
        loss = torch.nn.functional.cross_entropy(logits, truth)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", default="512,2048,8192,16384")
    parser.add_argument("--kinds", default="gru,mlp")
    parser.add_argument("--loader-rows", type=int, default=100_000, help="it is slow")
    wish = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA device: this benchmark measures a GPU")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(torch.cuda.get_device_name(), platform.platform(), "Python", platform.python_version())
    print(f"torch {torch.__version__}, commit {commit or 'none'}")
    print(f"{wish.rows:,} windows of {LOOKBACK} x {N_FEATURES}, medians of {wish.rounds} epochs;")
    print("M samples/s (share of the time that the card is busy, MiB on it)")
    every, few = made_up(wish.rows), made_up(wish.loader_rows)
    print(f"{'model':<6}{'batch':>7} {'precision':<10}{'touchstone':>24}{'bare resident':>24}"
          f"{'DataLoader':>24}{'x bare':>8}{'x loader':>9}")  # fmt: skip
    for kind in wish.kinds.split(","):
        for batch in map(int, wish.batches.split(",")):
            for precision in ("float32", "bf16"):
                recipe = training.TrainingConfig(rows=None, batch=batch, precision=precision)
                model = MODELS.parse(MODEL[kind])
                job = training.Job(
                    model, recipe, every, None, N_ASSETS, 7, "made up", wish.rounds + 1
                )
                mine = ours(job, wish.rounds)
                bare = watched(Bare(job, is_resident=True).epoch, wish.rounds, wish.rows)
                sent = Bare(job._replace(train=few), is_resident=False)
                loader = watched(sent.epoch, 2, wish.loader_rows)
                cells = "".join(
                    f"{m.rate / 1e6:9.3f} ({m.busy:4.0%}, {m.memory:5.0f})".rjust(24)
                    for m in (mine, bare, loader)
                )
                print(f"{kind:<6}{batch:>7} {precision:<10}{cells}{mine.rate / bare.rate:8.2f}"
                      f"{mine.rate / loader.rate:9.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
