"""Claim: the index sets of combinatorial purged CV >= 100x skfolio, purged by label end.

10 groups of which 2 test, 45 splits of 872,300 rows (one hourly series, as skfolio takes them),
labels known 9 bars on, 24 bars of embargo. Both sides give the same train rows, checked here:

- skfolio: `CombinatorialPurgedCV.split`, every split's arrays taken and let go;
- ranges: every split as half-open ranges of rows, the pass over all intervals included;
- rows: the same written out as arrays of row numbers, as skfolio gives them.

skfolio runs in an environment of its own, `.venv-peers` of the checkout (`python -m venv
.venv-peers && .venv-peers/bin/pip install skfolio`) or where --peers says; rounds alternate, CPU
time. Without it the script says so and times our side alone.

    python benchmarks/cpcv.py [--rounds 5] [--rows 872300] [--peers .venv-peers]
"""

import argparse
import itertools
import json
import platform
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np

from touchstone.dataset.blocks import Blocks, blocks, even_edges
from touchstone.dataset.folds import Timeline
from touchstone.market import Calendar

GROUPS, TESTS, PURGED, EMBARGO = 10, 2, 9, 24
HOUR_NS = 3_600_000_000_000
PEER = f"""
import json, resource, sys, time
import numpy as np
from skfolio.model_selection import CombinatorialPurgedCV
rows = np.empty((int(sys.argv[1]), 1))
cv = CombinatorialPurgedCV(n_folds={GROUPS}, n_test_folds={TESTS}, purged_size={PURGED},
                           embargo_size={EMBARGO})
held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    began, sums = time.process_time(), []
    for train, test in cv.split(rows):
        sums.append([int(train.size), int(train[0]), int(train[-1])])
    taken = time.process_time() - began
    checks = [int(train.sum()) for train, test in cv.split(rows)] if line == "check\\n" else []
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([taken, sums, checks, peak - held]), flush=True)
"""


def series(n_rows: int) -> Timeline:
    """One hourly series; a sample is its own bar, its label known PURGED bars on."""
    known = (np.arange(n_rows, dtype=np.int64) + 1) * HOUR_NS
    yes = np.ones(n_rows, bool)
    end, embargo = known + PURGED * HOUR_NS, EMBARGO * HOUR_NS
    return Timeline(known, known - HOUR_NS, end, yes, yes, Calendar("24/7"), embargo)


def cut(line: Timeline) -> Blocks:
    return blocks(line, even_edges(0, int(line.known[-1]), GROUPS))


def by_ranges(line: Timeline) -> list[list[int]]:
    whole, sums = cut(line), []
    for test in itertools.combinations(range(GROUPS), TESTS):
        train = whole.split(test).train
        sums.append([train.size, int(train.first[0]), int(train.stop[-1] - 1)])
    return sums


def by_rows(line: Timeline) -> list[list[int]]:
    whole, sums = cut(line), []
    for test in itertools.combinations(range(GROUPS), TESTS):
        parts = whole.split(test)
        train = parts.train.rows()
        parts.test.rows()
        sums.append([train.size, int(train[0]), int(train[-1])])
    return sums


class Peer:
    """skfolio in its own interpreter, asked one round at a time."""

    def __init__(self, python: Path, n_rows: int) -> None:
        words = [str(python), "-W", "ignore", "-c", PEER, str(n_rows)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True)
        self.process.stdout.readline()

    def ask(self, word: str):
        """One round: [seconds, size and ends of each train set, their sums, MiB]."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def _memory(field: str) -> float:
    """A line of this process's status, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def same(line: Timeline, told) -> None:
    """Stop unless both sides chose the same train rows in every split."""
    _, sums, checks, _ = told
    whole = cut(line)
    tests = itertools.combinations(range(GROUPS), TESTS)
    ours = [int(whole.split(test).train.rows().sum()) for test in tests]
    if by_ranges(line) != sums or ours != checks:
        raise SystemExit("the two sides chose different train rows: no comparison")
    print("both sides choose the same train rows in all 45 splits")


def compare(line: Timeline, peer: Peer | None, rounds: int) -> None:
    """Rounds in turn, then the peaks of memory."""
    sides = {"ranges": by_ranges, "rows": by_rows}
    times: dict[str, list[float]] = {"ranges": [], "rows": [], "skfolio": []}
    told = None
    for _ in range(rounds):
        for name, side in sides.items():
            began = time.process_time()
            side(line)
            times[name].append(time.process_time() - began)
        if peer:
            told = peer.ask("go")
            times["skfolio"].append(told[0])
    for name, taken in times.items():
        if taken:
            ratios = [a / b for a, b in zip(times["skfolio"], taken, strict=False)]
            told_ratio = f"skfolio / this {statistics.median(ratios):.1f}" if ratios else ""
            print(f"{name:8s} {1e3 * statistics.median(taken):9.2f} ms  {told_ratio}")
    whole = cut(line)
    began = time.process_time()
    for _ in range(100):
        for test in itertools.combinations(range(GROUPS), TESTS):
            whole.split(test)
    each = (time.process_time() - began) / 100
    print(f"of which the 45 choices, after the pass over the rows: {1e3 * each:.2f} ms")
    for name, side in sides.items():
        Path("/proc/self/clear_refs").write_text("5")
        held = _memory("VmRSS")
        side(line)
        print(f"{name}: peak {max(0, _memory('VmHWM') - held):.0f} MiB over what was held")
    if told:
        print(f"skfolio: peak {told[3]:.0f} MiB over what was held")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=872_300)
    parser.add_argument("--peers", type=Path, default=Path(__file__).parents[1] / ".venv-peers")
    wish = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    print(cpus[0].split(":")[1].strip(), platform.platform(), "Python", platform.python_version())
    print(f"numpy {np.__version__}, commit {commit or 'none'}, {wish.rows:,} rows")
    line = series(wish.rows)
    by_rows(series(1000))  # compiled, not timed
    python = wish.peers / "bin" / "python"
    if not python.exists():
        print(f"no {python}: skfolio is not timed (see the head of {Path(__file__).name})")
        return compare(line, None, wish.rounds)
    peer = Peer(python, wish.rows)
    same(line, peer.ask("check"))
    compare(line, peer, wish.rounds)
    peer.process.stdin.close()
    peer.process.wait()
    return None


if __name__ == "__main__":
    main()
