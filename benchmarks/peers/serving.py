"""How a backtesting peer answers in its process: what it left, seconds of a round, its peak."""

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

Work = Callable[[], Any]


def serve(
    make: Callable[[pd.DataFrame, dict[str, Any]], Work],
    files: tuple[str, str, str],
    leave: Callable[[Work, str], None],
    version: str,
) -> None:
    """Read bars and rules, leave the first run's results, then answer a line with a line.

    `RULES.json` holds one set of rules, or a list of them: then only the results are left, of
    the k-th under the name `OUT.k`.
    """
    bars, rules = pd.read_parquet(files[0]), json.loads(Path(files[1]).read_text())
    if isinstance(rules, list):
        for k, one in enumerate(rules):
            leave(make(bars, one), f"{files[2]}.{k}")
        print(json.dumps({"version": version}), flush=True)
        return
    began = time.process_time()
    work = make(bars, rules)
    prepared = time.process_time() - began
    work()
    first = time.process_time() - began - prepared
    leave(work, files[2])
    del bars
    print(
        json.dumps({"version": version, "prepare_s": prepared, "first_call_s": first}), flush=True
    )
    for line in sys.stdin:
        if line.strip() == "peak":
            print(json.dumps(peak(work)), flush=True)
            continue
        began = time.process_time()
        work()
        print(json.dumps({"seconds": time.process_time() - began}), flush=True)


def peak(work: Work) -> dict[str, float]:
    """MiB held before a call of `work`, and the most that it held beyond them."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what earlier rounds freed is not this one's
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    kept = work()
    most = _memory("VmHWM")
    del kept
    return {"held_mib": before, "peak_mib": most - before}


def _memory(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith(field)).split()[1]) / 1024
