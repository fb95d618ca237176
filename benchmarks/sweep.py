"""Claim: a sweep of 200 thresholds is >= 200 times as fast a run as vectorbt, in far less memory.

143 instruments x 6,100 hourly bars, shared cash, entry thresholds over a column of scores, out
after 8 bars, 20 slots, all rules of the kernel at default costs (commission rounded to cents, a
tenth of a bar's volume at most). Ours is the whole call of `backtest.sweep_grid`: ranking, kernel,
measures. vectorbt's is one `from_order_func` over as many thresholds as --columns says (every k-th
of the 200, since its memory grows with columns x bars), its final equity and fills, which are
compared with ours; its order function is written in two ways, see WAYS. Rounds alternate; CPU
seconds of one core; the ratio is the median of the rounds' own ratios of seconds a run. vectorbt
runs in `.venv-peers/bin/python` (or the one that TOUCHSTONE_PEERS names), over Parquet; without it
that part is skipped, and said so.

    python benchmarks/sweep.py [--json] [--rounds 5] [--columns 10] [--growth] [--blocks]
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from peers.workload import forget_peak, machine, market, memory

from touchstone.backtest import sweep_grid
from touchstone.backtest.grids import Grid, grid
from touchstone.execution import AccountConfig, CostsConfig, sweeping
from touchstone.market import Panel
from touchstone.strategies import Intent

HERE = Path(__file__).resolve().parent
GOAL = 200.0
"""Times as fast a run as vectorbt that we ask to be."""
WAYS = ("every instrument", "flexible")
"""vectorbt's order function, asked for every instrument at every bar as most write it (the goal is
about that one), or only for those with an order."""
HOLD, SLOTS, LEVELS = 8, 20, (0.5, 0.9)
ACCOUNT, COSTS = AccountConfig(), CostsConfig()


def scores(panel: Panel) -> np.ndarray:
    """Chance, with a tail above the thresholds."""
    return np.random.default_rng(1).beta(2, 5, len(panel))


def thresholds(panel: Panel, score: np.ndarray, n: int) -> Grid:
    levels = np.linspace(*LEVELS, n)
    none = np.full(len(panel), np.inf)
    intent = Intent(
        score >= levels[0], score, np.zeros(len(panel), bool), none, none,
        np.full(len(panel), 1 / SLOTS), HOLD, SLOTS,
    )  # fmt: skip
    return grid(intent, levels)


def ours(panel: Panel, wanted: Grid) -> tuple[float, Any]:
    began = time.process_time()
    swept = sweep_grid(panel, wanted, ACCOUNT, COSTS)
    return time.process_time() - began, swept


class Peer:
    """vectorbt in a process of its own."""

    def __init__(
        self, python: str, panel: Panel, score: np.ndarray, levels: np.ndarray, flexible: bool
    ) -> None:
        self.folder = tempfile.TemporaryDirectory()
        bars, rules, self.out = (
            Path(self.folder.name) / name for name in ("bars.parquet", "rules.json", "out.parquet")
        )
        fields = {n: getattr(panel, n) for n in ("time", "open", "close", "volume")}
        symbol = np.array(panel.symbols)[panel.asset_id]
        pl.DataFrame({"symbol": symbol, **fields, "score": score}).write_parquet(bars)
        rates = COSTS.rates
        told = {
            "levels": levels.tolist(), "hold": HOLD, "max_positions": SLOTS, "weight": 1 / SLOTS,
            "commission": rates.commission, "slippage": rates.worsening, "to_cents": True,
            "volume_cap": COSTS.volume_cap, "cash": ACCOUNT.cash,
            "flexible": flexible,
        }  # fmt: skip
        rules.write_text(json.dumps(told))
        script = HERE / "peers" / "sweep_with_vectorbt.py"
        self.process = subprocess.Popen(
            [python, "-W", "ignore", str(script), str(bars), str(rules), str(self.out)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self.process.stdout.readline()
        if not line:
            raise ImportError(self.process.stderr.read().strip().splitlines()[-1])
        self.said = json.loads(line)

    def ask(self, word: str) -> Any:
        """Its answer to one line."""
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """Let it end."""
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()


def compare(panel: Panel, rounds: int, columns: int) -> dict[str, Any]:
    score, n = scores(panel), 200
    wanted = thresholds(panel, score, n)
    first, swept = ours(panel, wanted)
    found: dict[str, Any] = {"first_call_s": first, "trades": int(swept.account["n_trades"].sum())}
    python = os.environ.get("TOUCHSTONE_PEERS", str(HERE.parent / ".venv-peers/bin/python"))
    some = np.arange(n)[:: max(1, n // columns)]
    if not Path(python).exists():
        skipped = f"no {python}: make peers, or name a Python in TOUCHSTONE_PEERS"
        taken = [ours(panel, wanted)[0] for _ in range(rounds)]
        return found | {"ms_a_run": 1e3 * statistics.median(taken) / n, "vectorbt": skipped}
    levels = wanted.entry_level[some]
    peers = {name: Peer(python, panel, score, levels, name == "flexible") for name in WAYS}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, peer in peers.items():
            mine = ours(panel, wanted)[0] / n
            times[name].append((mine, peer.ask("round")["seconds"] / some.size))
    all_of_ours = [a for taken in times.values() for a, _ in taken]
    found["ms_a_run"] = 1e3 * statistics.median(all_of_ours)
    for name, peer in peers.items():
        theirs = pl.read_parquet(peer.out)
        off = np.abs(theirs["equity"].to_numpy() / swept.account["equity"][some] - 1)
        fills = np.abs(theirs["n_fills"].to_numpy() - swept.account["n_fills"][some])
        found |= {
            f"vectorbt, {name}: ms a run": 1e3 * statistics.median(b for _, b in times[name]),
            f"vectorbt, {name}: ratio": statistics.median(b / a for a, b in times[name]),
            f"vectorbt, {name}: peak, MiB": peer.ask("peak")["peak_mib"],
            f"vectorbt, {name}: largest difference of equity": float(off.max()),
            f"vectorbt, {name}: largest difference of fills": int(fills.max()),
        }
        peer.close()
    ratio = found[f"vectorbt, {WAYS[0]}: ratio"]
    said = {"vectorbt": peers[WAYS[0]].said["version"], "vectorbt_columns": int(some.size)}
    return found | said | {"goal": GOAL, "goal_met": ratio >= GOAL}


def peak(panel: Panel) -> float:
    """The most that the 200 hold over what was held before, MiB."""
    wanted = thresholds(panel, scores(panel), 200)
    forget_peak()
    held = memory("VmRSS")
    ours(panel, wanted)
    return memory("VmHWM") - held


def growth(rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of a whole sweep, and of a bar of an account, as the work grows tenfold."""
    found = {}
    for name, (instruments, bars, accounts) in {
        "14 instruments x 6,100 bars x 200 accounts": (14, 6_100, 200),
        "10x bars": (14, 61_000, 200),
        "10x instruments": (140, 6_100, 200),
        "10x accounts": (14, 6_100, 2_000),
    }.items():
        panel = market(instruments, bars)
        wanted = thresholds(panel, scores(panel), accounts)
        forget_peak()
        held = memory("VmRSS")
        taken = statistics.median(ours(panel, wanted)[0] for _ in range(rounds))
        found[name] = {
            "ms": 1e3 * taken,
            "ns_a_bar_of_an_account": 1e9 * taken / bars / accounts,
            "peak_mib": memory("VmHWM") - held,
        }
    return found


def blocks(panel: Panel, rounds: int) -> dict[str, float]:
    """Milliseconds a run with so many accounts walking together: 1 is accounts outside time."""
    wanted = thresholds(panel, scores(panel), 200)
    usual, times = sweeping.N_BLOCK, dict[int, list[float]]()
    for _ in range(rounds):
        for n in (1, 4, 16, 32, 64, 200):
            sweeping.sweeping.__defaults__ = (n,)
            times.setdefault(n, []).append(1e3 * ours(panel, wanted)[0] / 200)
    sweeping.sweeping.__defaults__ = (usual,)
    return {str(n): statistics.median(taken) for n, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--instruments", type=int, default=143)
    parser.add_argument("--bars", type=int, default=6100)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--blocks", action="store_true")
    wish = parser.parse_args()
    panel = market(wish.instruments, wish.bars)
    found = {"machine": machine(), "sweep": compare(panel, wish.rounds, wish.columns)}
    found["sweep"]["peak_mib"] = peak(panel)
    if wish.growth:
        found["growth"] = growth(wish.rounds)
    if wish.blocks:
        found["blocks, ms a run"] = blocks(panel, wish.rounds)
    if wish.json:
        print(json.dumps(found, indent=1))
        return
    for part, said in found.items():
        print(part)
        for name, value in said.items():
            print(
                f"  {name:<44} {value:.4g}" if isinstance(value, float) else f"  {name:<44} {value}"
            )


if __name__ == "__main__":
    main()
