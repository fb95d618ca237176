"""Claim: features as expressions are faster than TA-Lib's C on one core, on 14 and on 120 of them.

143 instruments x 6,100 hourly bars; every side fills one (n_rows, n_features) float32 matrix with
the same indicators, one call an indicator where it has calls. Rounds alternate; seconds are of one
core's time (CPU), each ratio is the median of the rounds' own ratios. TA-Lib runs in this process,
polars and pandas-ta-classic in their own, over Parquet, with `.venv-peers/bin/python` (or the one
that TOUCHSTONE_PEERS names); a peer that is not there is skipped, and said so. A goal that is
missed is printed as missed.

    python benchmarks/features.py [--json] [--rounds 7] [--instruments 143] [--bars 6100]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import talib
from peers.indicators import FOURTEEN, TABLE, fourteen_with_talib, table_with_talib
from peers.workload import forget_peak, machine, market, memory

from touchstone.features import FeaturesConfig, Plan, compile_features, evaluate
from touchstone.market import Panel

HERE = Path(__file__).resolve().parent
GOAL = 1.0
"""Times as fast as TA-Lib that we ask to be."""
SETTLED = 900
"""Bars after which no seed is left to be seen."""
Side = Callable[[Panel], np.ndarray]


def plans() -> dict[str, Plan]:
    """The 14 indicators of the baseline set and the 120 of the table."""
    whole = compile_features(FeaturesConfig())
    texts = {name: whole.expressions[name] for name in FOURTEEN}
    table = {name: text for name, (text, _) in TABLE.items()}
    return {
        "14": compile_features(FeaturesConfig(set="none", extra=texts)),
        "120": compile_features(FeaturesConfig(set="none", extra=table)),
    }


WITH_TALIB: dict[str, Side] = {"14": fourteen_with_talib, "120": table_with_talib}


def seconds(compute: Callable[[], object]) -> float:
    began = time.process_time()
    compute()
    return time.process_time() - began


def apart(ours: np.ndarray, theirs: np.ndarray, panel: Panel) -> float:
    """Largest difference on settled rows, of max(|value|, the column's median |value|)."""
    settled = np.arange(len(panel)) - panel.offsets[panel.asset_id] >= SETTLED
    ours, theirs = ours[settled], theirs[settled]
    if not len(theirs):
        return float("nan")
    scale = np.maximum(np.abs(theirs), np.nanmedian(np.abs(theirs), axis=0))
    return float(np.nanmax(np.abs(ours - theirs) / scale))


def medians(times: Sequence[tuple[float, float]]) -> dict[str, float]:
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "touchstone_ms": 1e3 * ours,
        "peer_ms": 1e3 * theirs,
        "ratio": statistics.median(b / a for a, b in times),
    }


def against_talib(panel: Panel, n: str, plan: Plan, rounds: int) -> dict[str, Any]:
    began = time.perf_counter()
    ours = evaluate(plan, panel)
    first = time.perf_counter() - began
    found = {"first_call_s": first, "largest_difference": apart(ours, WITH_TALIB[n](panel), panel)}
    del ours
    times = [
        (seconds(partial(evaluate, plan, panel)), seconds(partial(WITH_TALIB[n], panel)))
        for _ in range(rounds)
    ]
    return found | medians(times) | {"goal": GOAL, "goal_met": medians(times)["ratio"] > GOAL}


class Peer:
    """A library in a process of its own, asked for a round at a time."""

    def __init__(self, library: str, python: str, bars: Path) -> None:
        self.out = bars.with_name(f"{library}.parquet")
        command = [python, "-W", "ignore", str(HERE / "peers" / "serve.py")]
        self.process = subprocess.Popen(
            [*command, library, str(bars), str(self.out)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self.process.stdout.readline()
        if not line:
            raise ImportError(self.process.stderr.read().strip().splitlines()[-1])
        self.version = json.loads(line)["version"]

    def ask(self, word: str) -> Any:
        """Its answer to one line: the seconds of a round, or its peak of memory."""
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """Let it end."""
        self.process.stdin.close()
        self.process.wait()


def against_library(library: str, panel: Panel, plan: Plan, rounds: int) -> dict[str, Any]:
    python = os.environ.get("TOUCHSTONE_PEERS", str(HERE.parent / ".venv-peers/bin/python"))
    if not Path(python).exists():
        return {"skipped": f"no {python}: make peers, or name a Python in TOUCHSTONE_PEERS"}
    with tempfile.TemporaryDirectory() as folder:
        bars = Path(folder) / "bars.parquet"
        fields = {name: getattr(panel, name) for name in ("open", "high", "low", "close", "volume")}
        symbol = np.array(panel.symbols)[panel.asset_id]
        pl.DataFrame({"symbol": symbol, **fields}).write_parquet(bars)
        try:
            peer = Peer(library, python, bars)
        except ImportError as error:
            return {"skipped": str(error)}
        theirs = pl.read_parquet(peer.out).to_numpy()
        found = {
            "version": peer.version,
            "largest_difference": apart(evaluate(plan, panel), theirs, panel),
        }
        times = [
            (seconds(partial(evaluate, plan, panel)), peer.ask("round")["seconds"])
            for _ in range(rounds)
        ]
        found |= medians(times) | {"peer_peak_mib": peer.ask("peak")["peak_mib"]}
        peer.close()
    return found


def whole_catalogue(panel: Panel, rounds: int) -> dict[str, Any]:
    """Everything that needs no side column; no peer has it, so the figure stands alone."""
    plan = compile_features(FeaturesConfig(set="full"))
    n_values = len(evaluate(plan, panel)) * len(plan.names)
    taken = statistics.median(seconds(partial(evaluate, plan, panel)) for _ in range(rounds))
    return {"features": len(plan.names), "ms": 1e3 * taken, "ns_per_value": 1e9 * taken / n_values}


def growth(n_instruments: int, n_bars: int, rounds: int) -> dict[str, Any]:
    """Seconds of one core for a tenth of the bars and of the instruments, and for all."""
    few = max(n_instruments // 10, 1)
    shapes = {
        "few bars": (n_instruments, max(n_bars // 10, SETTLED // 3)),
        "few instruments": (few, n_bars),
        "all": (few * 10, n_bars),
    }
    plan, found = plans()["120"], {}
    for name, shape in shapes.items():
        panel = market(*shape)
        evaluate(plan, panel)
        taken = statistics.median(seconds(partial(evaluate, plan, panel)) for _ in range(rounds))
        found[name] = {"instruments": shape[0], "bars": shape[1], "ms": 1e3 * taken,
                       "ns_per_row": 1e9 * taken / len(panel)}  # fmt: skip
    return found


def print_peak(side: str, n: str, n_instruments: int, n_bars: int) -> None:
    small, panel = market(2, 1000), market(n_instruments, n_bars)
    compute = partial(evaluate, plans()[n]) if side == "touchstone" else WITH_TALIB[n]
    compute(small)  # what is loaded once is not the work's
    forget_peak()
    held = memory("VmRSS")
    out = compute(panel)
    print(json.dumps({"over_held_mib": memory("VmHWM") - held, "output_mib": out.nbytes / 2**20}))


def peaks(n: str, n_instruments: int, n_bars: int) -> dict[str, Any]:
    found = {}
    for side in ("touchstone", "TA-Lib"):
        words = ["--peak", side, n, "--instruments", str(n_instruments), "--bars", str(n_bars)]
        said = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True,
                              check=True)  # fmt: skip
        found[side] = json.loads(said.stdout)
    return found


def show(found: dict[str, Any], indent: str = "") -> None:
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            show(value, indent + "  ")
        else:
            print(f"{indent}{name}: {f'{value:.4g}' if isinstance(value, float) else value}")
            if name == "goal_met" and not value:
                print(f"{indent}GOAL MISSED")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--instruments", type=int, default=143)
    parser.add_argument("--bars", type=int, default=6100)
    parser.add_argument(
        "--peak", nargs=2, metavar=("SIDE", "N"), help="print one side's peak alone"
    )
    wish = parser.parse_args()
    if wish.peak:
        print_peak(*wish.peak, wish.instruments, wish.bars)
        return
    panel = market(wish.instruments, wish.bars)
    found: dict[str, Any] = {"machine": machine() | {"talib": talib.__version__}}
    found["workload"] = {"instruments": wish.instruments, "bars": wish.bars, "rounds": wish.rounds}
    for n, plan in plans().items():
        found[f"TA-Lib, {n} indicators"] = against_talib(panel, n, plan, wish.rounds)
    for library in ("polars", "pandas-ta-classic"):
        few = plans()["14"]
        found[f"{library}, 14 indicators"] = against_library(library, panel, few, wish.rounds)
    found["the whole catalogue"] = whole_catalogue(panel, min(wish.rounds, 3))
    found["growth, 120 features"] = growth(wish.instruments, wish.bars, min(wish.rounds, 5))
    found |= {f"peak of memory, {n}": peaks(n, wish.instruments, wish.bars) for n in plans()}
    if wish.json:
        print(json.dumps(found, indent=1))
    else:
        show(found)


if __name__ == "__main__":
    main()
