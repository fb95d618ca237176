"""300 kill -9 of fetching, comparing, writing and compacting: nothing torn, nothing missing."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from record import write

sys.path.insert(0, str(Path(__file__).parents[1]))

from kills import FIRST, STEP, SYMBOLS, kill_downloads, truth, vendor
from touchstone.data.downloads.revisions import RevisionLog
from touchstone.data.store import BarStore

N_KILLS = 300


def main() -> None:
    """Kill, check after each kill, write the record; any broken promise ends the script."""
    began = time.perf_counter()
    truth()
    # a folder on the disk, so that every flush is a real one
    with tempfile.TemporaryDirectory(dir=Path(__file__).parents[2]) as name, vendor() as url:
        folder = Path(name)
        rng = np.random.default_rng(11)
        n_steps, seen = kill_downloads(folder, url, N_KILLS, rng, longest=0.8)
        rows = BarStore(folder).rows()
        n_revisions = len(RevisionLog(folder / "revisions.sqlite").rows())
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    lines = [
        f"{N_KILLS} downloads of {len(SYMBOLS)} instruments and their news were killed with signal 9, "
        "each after a random 0.01 to 0.8 seconds, and the same command begun again: fetch first, then "
        f"update after update, {STEP} hours further each ({n_steps} came to their end in between). The vendor "
        "told some bars otherwise at first.",
        "",
        "After every kill: each file is what the manifest says; bars are the vendor's, bit for bit, "
        "without a hole; what a command had reported as done is there; each value that the vendor "
        "revised is in the log, old and new; no article stands twice.",
        "",
        f"Torn files: 0. Missing rows: 0. Lost revisions: 0, of {n_revisions:,} logged. In the store at the "
        f"end: {sum(r.n_bars for r in rows):,} bars (from {FIRST} hours on), {size / 1e6:.1f} MB with plan and log. "
        f"{time.perf_counter() - began:.0f} seconds.",
        "",
        "| what a kill left behind | times |",
        "|---|---|",
        *(f"| {what} | {n} |" for what, n in seen.most_common()),
    ]
    write("kill", "Killed 300 times: fetching, comparing, writing, compacting", lines)


if __name__ == "__main__":
    main()
