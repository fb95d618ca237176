"""A campaign killed at random points and begun again ends in the leaderboard of one left alone."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from record import write

from touchstone.models import MODELS
from touchstone.reports.campaign import CampaignResult, without_machine

N_KILLS = 24
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
CAMPAIGN = """
name: killed
study:
  name: killed
  bars: {source: simulated, market: {n_instruments: 6, n_bars: 3000}}
  features: {set: baseline}
  lookback: 24
  label: {kind: triple_barrier, take_profit: 0.02, stop_loss: 0.02, horizon: 8}
  folds: {kind: walk_forward, train: 50d, validate: 12d, test: 12d, folds: 2, sealed: 20%}
  strategy: {kind: cost_aware, margin_bp: [0, 20], max_positions: 4}
seeds: 3
budget: {rows: 2000, epochs: 3}
"""


def main() -> None:
    """Once alone, then killed again and again; any difference ends the script."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="touchstone-") as name:
        folder = Path(name)
        (folder / "campaign.yaml").write_text(CAMPAIGN)
        alone, seconds = whole(folder, "alone")
        seen = killed(folder, "killed", seconds)
        found, _ = whole(folder, "killed")
    different = sorted(k for k in alone | found if alone.get(k) != found.get(k))
    n = len(found["architectures"])
    lines = [
        f"A campaign of {n} architectures ({', '.join(MODELS.kinds())}), 2 folds and 3 seeds on a "
        f"made market, two worker processes, {seconds:.0f} seconds when it was left alone. Killed "
        f"{sum(seen.values())} times by KILL, TERM and INT in turn, each after a random time, and "
        "begun again by the same command.",
        "",
        "| signal, and what was kept when it came | times |",
        "|---|---|",
        *(f"| {what} | {times} |" for what, times in sorted(seen.items())),
        "",
        f"The leaderboards differ, timings left out, in {', '.join(different) or 'nothing'}.",
        f"Candidates in the ledger: {found['n_candidates']} after the kills, "
        f"{alone['n_candidates']} alone.",
        f"{time.perf_counter() - began:.0f} seconds in all.",
    ]
    write("campaign-kills", "A campaign killed and begun again", lines)
    sys.exit(1 if different else 0)


def command(folder: Path, workspace: str) -> list[str]:
    """The campaign, as anybody types it."""
    place = str(folder / workspace)
    asked = [str(folder / "campaign.yaml"), "--jobs", "2", "--out", place, "--tracking", "off"]
    return [sys.executable, "-m", "touchstone", "campaign", *asked]


def whole(folder: Path, workspace: str) -> tuple[dict[str, Any], float]:
    """Run it to its end; its result without what the machine tells, and its seconds."""
    began = time.perf_counter()
    subprocess.run([*command(folder, workspace), "--quiet"], check=True, capture_output=True)
    seconds = time.perf_counter() - began
    (path,) = (folder / workspace / "campaigns").glob("*/result.json")
    return without_machine(CampaignResult.model_validate_json(path.read_bytes())), seconds


def killed(folder: Path, workspace: str, seconds: float) -> Counter[str]:
    """Begin it and kill it, N_KILLS times or until it comes to its end."""
    rng = np.random.default_rng(23)
    seen: Counter[str] = Counter()
    for number in range(N_KILLS):
        signal_ = SIGNALS[number % len(SIGNALS)]
        process = subprocess.Popen(
            command(folder, workspace), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            # Beyond the start-up, which is the same each time, so that some work is under way.
            process.wait(4 + rng.uniform(0, 0.25 * seconds))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal_)
            process.wait()
        else:
            break
        seen[f"{signal.Signals(signal_).name}, {stage(folder / workspace)}"] += 1
    return seen


def stage(workspace: Path) -> str:
    """What the workspace holds."""
    n_fits = len(list((workspace / ".touchstone" / "cache" / "models").glob("*")))
    under_way = any((workspace / ".touchstone" / "checkpoints").glob("*/epoch*"))
    kept = "no fit kept" if not n_fits else "some fits kept"
    return f"{kept}, {'with' if under_way else 'without'} checkpoints of others"


if __name__ == "__main__":
    main()
