"""The quickstart on 20 other seeds: the planted edge must be found, the null twin rejected.

Same study, same models, same sealed days; only the seed differs. Each seed has a workspace and a
ledger of its own. The seeds are fixed here: 101 to 120; a miss is published, not reseeded.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import write

SEEDS = range(101, 121)


def one(seed: int, folder: Path) -> dict[str, object]:
    """Run the quickstart with one seed, as a user would."""
    began = time.perf_counter()
    words = [
        sys.executable,
        "-m",
        "touchstone",
        "run",
        "--seed",
        str(seed),
        "--out",
        str(folder),
        "--json",
    ]
    done = subprocess.run(
        words,
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise SystemExit(f"seed {seed}: exit code {done.returncode}\n{done.stderr}")
    result = json.loads(done.stdout)
    return {"seed": seed, "seconds": time.perf_counter() - began, "result": result}


def row(found: dict[str, object]) -> str:
    """One line of the table."""
    planted, twin = found["result"]["market"], found["result"]["null_twin"]
    chosen = next(
        (f"{c['model']} {c['label']}" for c in planted["candidates"] if c["chosen"]), "none"
    )
    sealed = planted["sealed"] or {}
    lo, hi = sealed.get("sharpe_interval") or (float("nan"),) * 2
    return (
        f"| {found['seed']} | {planted['verdict']['word']} | {planted['verdict']['primary_p']:.4f} "
        f"| {sealed.get('sharpe') or float('nan'):.1f} ({lo:.1f} to {hi:.1f}) | {chosen} "
        f"| {twin['verdict']['word']} | {twin['verdict']['reason']} | {found['seconds']:.0f} |"
    )


def main() -> None:
    """Run every seed, print as they come, write the record, fail where the promise is broken."""
    rows, planted, twins, seconds = [], [], [], []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            found = one(seed, Path(folder))
        rows.append(row(found))
        print(rows[-1], flush=True)
        planted.append(found["result"]["market"]["verdict"]["word"])
        twins.append(found["result"]["null_twin"]["verdict"]["word"])
        seconds.append(found["seconds"])
    n = len(planted)
    head = [
        f"Planted edge: `evidence` in {planted.count('evidence')} of {n} (needed: 19).",
        f"Null twin: `none` in {twins.count('none')} of {n} (needed: 18), `evidence` in "
        f"{twins.count('evidence')} (needed: 0).",
        f"Seconds a run, both markets: median {sorted(seconds)[n // 2]:.0f}, most {max(seconds):.0f}.",
        "",
        "| seed | planted | p, sealed | Sharpe, sealed (95 %) | chosen | null twin | reason | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    write("quickstart", "The quickstart on 20 other seeds", [*head, *rows])
    kept = planted.count("evidence") >= 19 and twins.count("none") >= 18 and "evidence" not in twins
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
