"""A search killed at random points and begun again ends as one that was left alone."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from record import write

sys.path.insert(0, str(Path(__file__).parents[1]))
from postgres import Server, postgres
from searches import found, rows_of_trials, trials, tune_file, whole

N_TRIALS, N_ROUNDS, KILLS_A_ROUND = 8, 10, 3
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Once alone; then killed and gone on with, in a journal and in a database."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="touchstone-") as name, postgres() as server:
        folder = Path(name)
        alone = folder / "alone"
        file = tune_file(alone, trials=N_TRIALS)
        seconds = ended(alone, file)
        whole(alone, file, N_TRIALS)
        seen: Counter[str] = Counter()
        wrong = list[str]()
        for number, storage in rounds(server):
            place = folder / f"{number}"
            file = tune_file(place, trials=N_TRIALS)
            seen += killed(place, file, storage, np.random.default_rng([41, number]))
            ended(place, file, storage)
            wrong += [f"round {number}: {what}" for what in different(place, file, alone)]
    lines = [
        f"A search of {N_TRIALS} random trials on two folds of a made market, two worker "
        f"processes, {seconds:.0f} seconds when it was left alone. {N_ROUNDS} times begun, killed "
        f"up to {KILLS_A_ROUND} times by KILL, TERM or INT at a random moment after so many of its "
        "trials stood in the ledger, and begun again by the same command; every other time its "
        "trials were in PostgreSQL, where what a killed process was at is taken up after a minute.",
        "",
        "| signal, where the trials were kept, and how many stood in the ledger | times |",
        "|---|---|",
        *(f"| {what} | {times} |" for what, times in sorted(seen.items())),
        "",
        f"Kills: {sum(seen.values())}. Trials, their values, the winner and its versions differ "
        f"from those of the search that was left alone in {', '.join(wrong) or 'nothing'}; every "
        "trial stands in the ledger once.",
        f"{time.perf_counter() - began:.0f} seconds in all.",
    ]
    write("tune-kills", "A search killed and begun again", lines)
    sys.exit(1 if wrong else 0)


def rounds(server: Server) -> Iterator[tuple[int, str | None]]:
    """Its number, and the address of its trials: every other one has a database."""
    for number in range(N_ROUNDS):
        yield number, server.empty(f"round {number}") if number % 2 else None


def begun(place: Path, file: Path, storage: str | None) -> subprocess.Popen[bytes]:
    """The command, as anybody types it."""
    words = ["tune", str(file), "--out", str(place), "--jobs", "2", "--quiet", "--tracking", "off"]
    words += [] if storage is None else ["--storage", storage]
    return subprocess.Popen(
        [sys.executable, "-m", "touchstone", *words], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def ended(place: Path, file: Path, storage: str | None = None) -> float:
    """Run it to its end; its seconds."""
    began = time.perf_counter()
    process = begun(place, file, storage)
    _, said = process.communicate(timeout=1200)
    if process.returncode:
        sys.exit(f"the search failed: {said.decode()}")
    return time.perf_counter() - began


def killed(
    place: Path, file: Path, storage: str | None, rng: np.random.Generator
) -> Counter[str]:  # fmt: skip
    """Kill it, as often as it is not quicker."""
    seen: Counter[str] = Counter()
    for n in sorted(rng.choice(N_TRIALS, KILLS_A_ROUND, replace=False)):
        signal_ = SIGNALS[int(rng.integers(len(SIGNALS)))]
        process = begun(place, file, storage)
        while entered(place) < n and process.poll() is None:
            time.sleep(0.02)
        # At first long enough that it is beyond its imports; some kills come into them.
        time.sleep(rng.uniform(0, 4 if n == 0 else 1))
        os.kill(process.pid, signal_)
        if process.wait(120):
            where = "a file" if storage is None else "PostgreSQL"
            seen[f"{signal.Signals(signal_).name}, {where}, {entered(place)}"] += 1
    return seen


def entered(place: Path) -> int:
    """Trials in the ledger so far."""
    there = (place / ".touchstone" / "ledger.sqlite").is_file()
    return len(rows_of_trials(place)) if there else 0


def different(place: Path, file: Path, alone: Path) -> list[str]:
    """What is otherwise than where nobody disturbed."""
    whole(place, file, N_TRIALS)
    same = {
        "trials": trials(place) == trials(alone),
        "values, winner or versions": found(place)["searches"] == found(alone)["searches"],
    }
    return [what for what, is_same in same.items() if not is_same]


if __name__ == "__main__":
    main()
