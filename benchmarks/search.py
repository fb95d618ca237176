"""Claims about a search: two workers, shared binned rows, and how soon a pruned trial stops.

1. Trials per hour with two worker processes against one, on a journal file, beside what two
   processes that only spin reach of one: at least 1.6 where those reach 1.9, else their ratio is
   printed to be held against. One worker is this process, as with `--jobs 1`; the pool of two is
   warm. Every run searches anew, in a cache of its own.
2. Trials of LightGBM with binned rows that are kept from trial to trial, against rows that are
   binned for each fit: CPU time, one process, the same trials; at least 1.5.
3. Seconds from the decision that a trial is behind to the end of its fit, beside the seconds of an
   epoch: at most one.

Sides alternate, each first in every other round. Nothing is compared across machines.

    python benchmarks/search.py [--rounds 3] [--trials 16] [--instruments 10] [--bars 12000]
                                [--rows 5000]

Rows are the train rows of a network's fit: the fewer, the shorter a trial, and the more of it is
what a search adds. Trials per hour are those of the whole study, its end included, when one worker
waits for the other's last trial.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from joblib import delayed

sys.path.insert(0, str(Path(__file__).parent))
from peers.workload import machine

from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.models import lightgbm as kind
from touchstone.pipelines.drive import HaltError, History
from touchstone.pipelines.learn import learn
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.shelf import Resources, shelve
from touchstone.pipelines.tune_bench import at_bench, packed
from touchstone.pipelines.tune_config import DIRECTIONS, Tune, read_tune
from touchstone.pipelines.tune_trial import Bench, attempt, fold_tasks, stride
from touchstone.pipelines.workers import workers
from touchstone.pipelines.workspace import Workspace
from touchstone.tuning.search import Search, begin
from touchstone.tuning.space import spaces
from touchstone.tuning.storage import place_of

MODELS: dict[str, dict[str, Any]] = {
    "gru": {"kind": "gru", "hidden": 16},
    "lightgbm": {"kind": "lightgbm", "rounds": 20},
}
SPIN = 12_000_000


def asked_for(folder: Path, name: str, wish: argparse.Namespace) -> Tune:
    """A search of one architecture on a market that is made up."""
    market = {"n_instruments": wish.instruments, "n_bars": wish.bars, "ic": 0.1}
    days = wish.bars / 24
    told = {
        "name": "benchmark",
        "study": {
            "name": "benchmark",
            "bars": {"source": "simulated", "market": market},
            "lookback": 16,
            "label": {"kind": "triple_barrier", "take_profit": 0.03, "stop_loss": 0.02},
            "folds": {
                "kind": "walk_forward", "train": "expanding", "folds": 2, "sealed": "20%",
                "validate": f"{int(days / 8)}d", "test": f"{int(days / 8)}d",
            },
        },
        "models": [MODELS[name]],
        "method": {"kind": "trials", "trials": wish.trials, "sampler": {"kind": "random"},
                   "pruner": {"kind": "none"}},
        "budget": {"rows": wish.rows, "epochs": 3},
    }  # fmt: skip
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(told))
    return read_tune(path)


class Made(NamedTuple):
    """A search that has begun and whose trials wait."""

    bench: Bench
    n_trials: int


def made(asked: Tune, folder: Path) -> Made:
    """Its market prepared in a cache of its own, its trials in a journal of their own."""
    folder.mkdir(parents=True)
    cache, study = StageCache(folder / "cache"), asked.study
    prepared = prepare(study, *load(study, Silent(), cache), cache, Silent())
    shelve(study.config, prepared, cache)
    (space,) = spaces({"it": study.config.models[0]}, study.config.training, {}).values()
    method: Any = asked.config.method
    search = Search(
        place=place_of(None, folder / "trials.journal"),
        name="benchmark",
        n_trials=method.trials,
        directions=(DIRECTIONS["pr_auc"],),
        space=space,
        sampler=method.sampler,
        pruner=method.pruner,
        n_steps=stride(space) * len(prepared.folds.folds),
        seed=7,
    )
    begin(search, alone=True)
    book = ledger_of(Workspace(folder, None))
    return Made(Bench(asked, prepared, search, cache, book, None), method.trials)


def spin(n: int) -> int:
    """Work that knows nothing of anybody."""
    total = 0
    for i in range(n):
        total += i & 3
    return total


def wall(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spun(jobs: int) -> float:
    """Pieces of spinning a second."""
    pool = workers(jobs)
    list(pool(delayed(int)() for _ in range(2 * jobs)))
    n = 4 * jobs
    return n / wall(lambda: list(pool(delayed(spin)(SPIN) for _ in range(n))))


def searched(asked: Tune, folder: Path, jobs: int) -> float:
    """Trials an hour."""
    bench, n = made(asked, folder)
    pool = workers(jobs)
    # The first attempt of each process imports what it needs: those are no part of this.
    list(pool(delayed(warmed)() for _ in range(4 * jobs)))
    place = packed(bench)
    seconds = wall(lambda: list(pool(delayed(at_bench)(place) for _ in range(n))))
    return 3600 * n / seconds


def warmed() -> int:
    """Imports and half a second, so that every process gets one."""
    import torch  # noqa: PLC0415  in the worker

    import touchstone.training.loop  # noqa: PLC0415, F401  (imported in the worker, before the clock)

    time.sleep(0.5)
    return torch.get_num_threads()


def two_workers(wish: argparse.Namespace, root: Path) -> dict[str, float]:
    asked, found = asked_for(root, "gru", wish), dict[tuple[str, int], list[float]]()
    for i in range(wish.rounds):
        for jobs in (1, 2) if i % 2 == 0 else (2, 1):
            found.setdefault(("spin", jobs), []).append(spun(jobs))
            rate = searched(asked, root / f"workers-{i}-{jobs}", jobs)
            found.setdefault(("trials", jobs), []).append(rate)
    spinning, trials = (
        statistics.median(b / a for a, b in zip(found[n, 1], found[n, 2], strict=True))
        for n in ("spin", "trials")
    )
    rates = {n: statistics.median(found["trials", n]) for n in (1, 2)}
    print(f"trials an hour: one worker {rates[1]:,.0f}, two {rates[2]:,.0f}: {trials:.2f} times")
    bound = "asked 1.6" if spinning >= 1.9 else "below 1.9, so there is no bound"
    print(f"two processes that spin: {spinning:.2f} times one ({bound})")
    return {
        "trials_ratio": trials,
        "spin_ratio": spinning,
        **{f"n{k}": v for k, v in rates.items()},
    }


def shared_rows(wish: argparse.Namespace, root: Path) -> dict[str, float]:
    asked, taken = asked_for(root, "lightgbm", wish), dict[int, list[float]]()
    held = 0
    for i in range(wish.rounds):
        for most in (0, 2**30) if i % 2 == 0 else (2**30, 0):
            bench, _ = made(asked, root / f"binned-{i}-{most}")
            kind.BINNED = kind.Binned(most)  # type: ignore[misc]  # what a process keeps
            began = time.process_time()
            while attempt(bench) is not None:
                pass
            taken.setdefault(most, []).append(time.process_time() - began)
            held = max(held, kind.BINNED.n_bytes)
    ratio = statistics.median(a / b for a, b in zip(taken[0], taken[2**30], strict=True))
    alone, shared = (statistics.median(taken[k]) for k in (0, 2**30))
    print(
        f"LightGBM, {wish.trials} trials: binned for each fit {alone:.2f} s, kept {shared:.2f} s, "
        f"{ratio:.2f} times (asked 1.5); {held / 2**20:.0f} MiB kept"
    )
    return {"binned_ratio": ratio, "binned_bytes": held}


def stopped(wish: argparse.Namespace, root: Path) -> dict[str, float]:
    asked = asked_for(root, "gru", wish)
    bench, _ = made(asked, root / "stopped")
    resources = Resources(bench.cache, MemoryLedger, Silent(), 1)
    seconds, after = list[float](), list[float]()
    for seed in range(wish.rounds):
        config = asked.study.config.model_copy(update={"seed": 100 + seed})
        study = asked.study._replace(config=config)
        task = fold_tasks(study, bench.prepared)[0]
        times = list[float]()

        def watch(_: str, history: History, times: list[float] = times) -> None:
            times.append(time.perf_counter())
            if len(history) >= 2:
                raise HaltError("behind the others")

        try:
            learn(study, bench.prepared, [task], resources, watch)
        except HaltError:
            after.append(time.perf_counter() - times[-1])
        seconds.append(times[1] - times[0])
    epoch, rest = statistics.median(seconds), statistics.median(after)
    print(f"a pruned trial stops {1000 * rest:.1f} ms after the decision; an epoch {epoch:.2f} s")
    return {"stop_seconds": rest, "epoch_seconds": epoch}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--instruments", type=int, default=10)
    parser.add_argument("--bars", type=int, default=12_000)
    parser.add_argument("--rows", type=int, default=5_000, help="train rows of a network")
    parser.add_argument("--only", nargs="+", choices=("workers", "binned", "stopped"))
    wish = parser.parse_args()
    print(json.dumps(machine()), f"load {os.getloadavg()[0]:.1f}")
    print(
        f"{wish.trials} trials x 2 folds on {wish.instruments} x {wish.bars:,} bars, medians of "
        f"{wish.rounds} alternating rounds"
    )
    parts = {"workers": two_workers, "binned": shared_rows, "stopped": stopped}
    found = dict[str, float]()
    with tempfile.TemporaryDirectory(prefix="touchstone-") as folder:
        for name, part in parts.items():
            if wish.only is None or name in wish.only:
                found |= part(wish, Path(folder))
    own, children = (
        resource.getrusage(who).ru_maxrss / 2**10
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"peak memory: this process {own:.0f} MiB, the largest other {children:.0f} MiB")
    print(json.dumps({k: round(v, 4) for k, v in found.items()}))


if __name__ == "__main__":
    main()
