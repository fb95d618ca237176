"""Claim: batches of windows >= 8x a DataLoader over materialised arrays, <= 1.2x the flat matrix.

One epoch of shuffled batches of 512 windows of 24 bars x 23 features, float32, each side one
thread and no worker process:

- DataLoader: torch's own over a TensorDataset of the windows materialised in memory, sampled and
  collated one by one, as its documentation shows;
- slices: the same materialised tensor, indexed by a batch of a shuffled permutation;
- touchstone: gathered from the flat matrix and scaled in the same pass. The peers' windows are
  scaled beforehand, for nothing.

Rounds alternate inside one process, CPU time; touchstone's memory comes from a process of its
own. By default the materialised array is a third of the 872,300 rows (0.6 of 1.9 GB), whose rate
is that of the whole; `--instruments 143` takes all.

    python benchmarks/windows.py [--rounds 5] [--instruments 49] [--bars 6100]
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from touchstone.dataset.scalers.standard import StandardConfig, standard
from touchstone.dataset.windows import Windows, complete

LOOKBACK, N_FEATURES, BATCH = 24, 23, 512


def flat(n_instruments: int, n_bars: int) -> tuple[Windows, np.ndarray]:
    """Windows of noise, and the rows that have one."""
    n_rows = n_instruments * n_bars
    features = np.random.default_rng(7).standard_normal((n_rows, N_FEATURES), np.float32)
    asset_id = np.repeat(np.arange(n_instruments, dtype=np.int32), n_bars)
    offsets = np.arange(0, n_rows + 1, n_bars)
    rows = np.flatnonzero(complete(features, offsets, LOOKBACK))
    return Windows(features, asset_id, LOOKBACK, standard(StandardConfig(), features, rows)), rows


def epoch_of_touchstone(windows: Windows, rows: np.ndarray) -> int:
    n = 0
    for batch in windows.batches(rows, BATCH, np.random.default_rng(1)):
        n += torch.from_numpy(batch.windows).shape[0]
    return n


def epoch_of_loader(loader: DataLoader) -> int:
    n = 0
    for x, _, _ in loader:
        n += x.shape[0]
    return n


def epoch_of_slices(x: torch.Tensor, asset_id: torch.Tensor) -> int:
    n, order = 0, torch.randperm(x.shape[0], generator=torch.Generator().manual_seed(1))
    for start in range(0, order.shape[0], BATCH):
        at = order[start : start + BATCH]
        n += x[at].shape[0] + 0 * asset_id[at].shape[0]
    return n


def compare(windows: Windows, rows: np.ndarray, rounds: int) -> None:
    x = torch.from_numpy(windows.gather(rows))
    ids = torch.from_numpy(windows.ids(rows))
    y = torch.zeros(rows.size, dtype=torch.int8)
    loader = DataLoader(TensorDataset(x, y, ids), batch_size=BATCH, shuffle=True, num_workers=0)
    sides = {
        "touchstone": lambda: epoch_of_touchstone(windows, rows),
        "DataLoader": lambda: epoch_of_loader(loader),
        "slices": lambda: epoch_of_slices(x, ids),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for i in range(rounds + 1):  # the first warms up
        for name, epoch in sides.items():
            began = time.process_time()
            assert epoch() == rows.size
            if i:
                times[name].append(time.process_time() - began)
    matrix = windows.features.nbytes
    print(f"materialised {x.element_size() * x.nelement() / matrix:.1f}x the flat matrix")
    for name, taken in times.items():
        seconds = statistics.median(taken)
        ratio = statistics.median(a / b for a, b in zip(taken, times["touchstone"], strict=True))
        print(
            f"{name:12s} {1e3 * seconds:8.1f} ms an epoch  {rows.size / seconds / 1e6:6.2f} M "
            f"windows/s  this / touchstone {ratio:5.2f}"
        )


def _memory(field: str) -> float:
    """A line of this process's status, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(field)).split()[1])


def peak(n_instruments: int, n_bars: int) -> None:
    epoch_of_touchstone(*flat(2, 500))  # what is loaded once is not the work's
    windows, rows = flat(n_instruments, n_bars)
    Path("/proc/self/clear_refs").write_text("5")
    held = _memory("VmRSS")
    epoch_of_touchstone(windows, rows)
    extra = _memory("VmHWM") - held
    index = rows.nbytes + windows.asset_id.nbytes
    matrix = windows.features.nbytes
    print(
        f"touchstone: matrix {matrix / 2**20:.0f} MiB, rows and ids {index / 2**20:.0f}, "
        f"an epoch {extra / 2**20:.0f} more: {(matrix + index + extra) / matrix:.2f}x the matrix"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--instruments", type=int, default=49)
    parser.add_argument("--bars", type=int, default=6100)
    parser.add_argument("--peak", action="store_true")
    wish = parser.parse_args()
    torch.set_num_threads(1)
    if wish.peak:
        peak(wish.instruments, wish.bars)
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    print(cpus[0].split(":")[1].strip(), platform.platform(), "Python", platform.python_version())
    print(f"numpy {np.__version__}, torch {torch.__version__}, commit {commit or 'none'}")
    windows, rows = flat(wish.instruments, wish.bars)
    print(f"{rows.size:,} windows, medians of {wish.rounds} alternating rounds, one thread:")
    compare(windows, rows, wish.rounds)
    size = ["--instruments", "143", "--bars", str(wish.bars)]
    subprocess.run([sys.executable, __file__, *size, "--peak"], check=True)


if __name__ == "__main__":
    main()
