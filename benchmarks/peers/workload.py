"""The market that benchmarks of features run on, and what they say of memory and machine."""

import os
import platform
import subprocess
from pathlib import Path

import numpy as np

from touchstone.market import Bars, Calendar, Panel, Timeframe

HOUR_NS = 3_600_000_000_000
START_NS = 1_640_995_200_000_000_000


def market(n_instruments: int, n_bars: int) -> Panel:
    """Geometric walks of hourly bars, round the clock."""
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


def memory(field: str) -> float:
    """A line of this process's status, MiB: VmRSS what it holds, VmHWM the most it held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def forget_peak() -> None:
    """The most that was held counts from now on."""
    Path("/proc/self/clear_refs").write_text("5")


def machine() -> dict[str, object]:
    """Processor, system, versions and commit."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    git = ["git", "-C", str(Path(__file__).parent)]
    said = [
        subprocess.run([*git, *words], capture_output=True, text=True, check=False).stdout.strip()
        for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "-uno"))
    ]
    return {
        "processor": cpus[0].split(":")[1].strip(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "commit": (said[0] or "none") + (" and changes" if said[1] else ""),
    }
