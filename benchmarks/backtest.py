"""Claim: a backtest is >= 100 times as fast as vectorbt's and >= 1,000 times backtesting.py's.

143 instruments x 6,100 hourly bars, one purse, in at a score of 0.985 by rank, out after 8 bars or
at 0.02, 20 slots, about 12,000 round trips; every rule of the kernel on, costs as they come (a
tenth of a bar's volume at most, commission rounded to cents). Both sides start from arrays in
memory (our timeline; their matrices) and end with every fill; compiling is left out on both sides
and printed apart. vectorbt runs `from_order_func` with the same rules in its order functions: the
fills must be the same, and what is not is printed. The claim is against its order function, called
for every instrument and bar; beside it stands its `flexible` one, which a user may write so that it
is called for working orders alone, and which is far quicker. backtesting.py has one instrument and
whole units: a few instruments alone, its time scaled to all of them.

    kernel   the wishes ranked before, as a sweep shares them: the account through the history
    ranked   from the columns of scores on, which is what vectorbt's function does
    whole    what a user calls: also trades, open positions, the ledger

Rounds alternate; CPU seconds of one core; a ratio is the median of the rounds' own ratios. The
peers run in `.venv-peers/bin/python` (or the one that TOUCHSTONE_PEERS names); without them that
part is skipped, and said so. A goal that is missed is printed as missed.

    python benchmarks/backtest.py [--json] [--rounds 5] [--alone 5] [--no-growth]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from peers.backtests import (
    ACCOUNT,
    COSTS,
    ENTRY,
    SLOTS,
    Ours,
    Peer,
    ours,
    peak,
    python,
    rules,
    scores,
    seconds,
    write,
)
from peers.workload import machine, market

from touchstone.execution.account import accounts
from touchstone.execution.history import path, walk
from touchstone.execution.records import tape

GOALS = {"vectorbt": 100.0, "vectorbt flexible": 100.0, "backtesting.py": 1_000.0}
STAGES = ("kernel", "ranked", "whole")


def stages(side: Ours) -> dict[str, Any]:
    return {"kernel": side.fills, "ranked": side.ranked, "whole": side.whole}


def has(module: str) -> bool:
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    try:
        return subprocess.run([python(), "-c", code], check=False).returncode == 0
    except OSError:
        return False


def apart(side: Ours, peer: Peer) -> dict[str, float]:
    """How far vectorbt's fills and equity are from ours."""
    filled, walked = side.fills()
    done = filled.fills[: filled.n[0]]
    symbols = np.array(side.panel.symbols)[side.panel.asset_id[done["row"]]]
    mine = pl.DataFrame(
        {"time": side.panel.time[done["row"]], "symbol": symbols, "q": done["quantity"]}
    )
    theirs = pl.read_parquet(f"{peer.out}.fills.parquet")
    both = mine.join(theirs, on=["time", "symbol"])
    curve = pl.read_parquet(f"{peer.out}.equity.parquet")["equity"].to_numpy()
    equity = walked.cash + walked.invested
    return {
        "fills": mine.height,
        "peer_fills": theirs.height,
        "fills_in_both": both.height,
        "quantity_apart": float(((both["q"] - both["quantity"]) / both["q"]).abs().max() or 0.0),
        "equity_apart": float(np.abs(equity / curve - 1).max()),
    }


def judged(name: str, times: list[tuple[dict[str, float], float]]) -> dict[str, Any]:
    """Medians of a peer's rounds and of ours beside them."""
    ratios = {
        stage: statistics.median(theirs / mine[stage] for mine, theirs in times) for stage in STAGES
    }
    return {
        "peer_ms": 1e3 * statistics.median(theirs for _, theirs in times),
        "ours_ms": {s: 1e3 * statistics.median(mine[s] for mine, _ in times) for s in STAGES},
        "ratios": ratios,
        "goal": GOALS[name],
        "met": {stage: ratio >= GOALS[name] for stage, ratio in ratios.items()},
    }


def against_vectorbt(side: Ours, folder: Path, rounds: int, *, flexible: bool) -> dict[str, Any]:
    name = "vectorbt flexible" if flexible else "vectorbt"
    peer = Peer("with_vectorbt.py", folder, name.replace(" ", "-"), rules(flexible=flexible))
    times = []
    for _ in range(rounds):
        theirs = peer.ask("round")["seconds"]
        times.append(({s: seconds(call) for s, call in stages(side).items()}, theirs))
    out = {**judged(name, times), **apart(side, peer), **peer.said, **peer.ask("peak")}
    peer.end()
    return out


def against_backtesting(side: Ours, folder: Path, rounds: int, alone: int) -> dict[str, Any]:
    """`alone` instruments one after the other, scaled to all; and one against one."""
    panel = side.panel
    chosen = panel.symbols[:: max(1, panel.n_instruments // alone)][:alone]
    wanted = [rules(symbol=s, weight=0.5, slippage=0.0) for s in chosen]
    peers = [Peer("with_backtesting.py", folder, f"b{k}", w) for k, w in enumerate(wanted)]
    scale = panel.n_instruments / len(peers)
    times = []
    for _ in range(rounds):
        theirs = sum(peer.ask("round")["seconds"] for peer in peers)
        times.append(({s: seconds(call) for s, call in stages(side).items()}, theirs * scale))
    out = {**judged("backtesting.py", times), **peers[0].said, **peers[0].ask("peak")}
    out["instruments_measured"], out["scaled_by"] = len(peers), scale
    lone = market(1, panel.offsets[1] - panel.offsets[0])
    single = ours(lone, scores(lone))
    single.whole()
    pairs = [(peers[0].ask("round")["seconds"], seconds(single.whole)) for _ in range(rounds)]
    out["one_against_one_whole"] = statistics.median(a / b for a, b in pairs)
    for peer in peers:
        peer.end()
    return out


def growth(rounds: int) -> dict[str, float]:
    """Times as long for ten times as much, by our kernel; a tenth of the workload is the base."""

    def best(call: Any) -> float:
        call()
        return min(seconds(call) for _ in range(3 * rounds))

    sides = {}
    for name, size in (("base", (143, 610)), ("bars", (143, 6_100)), ("instruments", (1_430, 610))):
        panel = market(*size)
        entry = 1 - (1 - ENTRY) * 143 / size[0]  # as many wishes a bar
        sides[name] = ours(panel, scores(panel), entry)
    base = sides["base"]

    def many(n: int) -> None:
        state = accounts(n, base.panel.n_instruments, ACCOUNT, COSTS, SLOTS)
        for k in range(n):
            out = tape(4 * base.wishes.row.size), path(base.line.time.size)
            walk((state, k), base.line, base.wishes, out)

    one = best(base.fills)
    return {
        "base_ms": 1e3 * one,
        "10x_bars": best(sides["bars"].fills) / one,
        "10x_instruments": best(sides["instruments"].fills) / one,
        "10x_accounts": best(lambda: many(10)) / best(lambda: many(1)),
    }


def printed(name: str, told: dict[str, Any]) -> None:
    print(f"\n{name} {told['version']}: {told['peer_ms']:.1f} ms, goal {told['goal']:.0f}x")
    for stage in STAGES:
        verdict = "met" if told["met"][stage] else "MISSED"
        ms, ratio = told["ours_ms"][stage], told["ratios"][stage]
        print(f"  {stage:7s} {ms:8.2f} ms  {ratio:8.1f}x  {verdict}")
    rest = {
        k: v for k, v in told.items() if k not in {"peer_ms", "ours_ms", "ratios", "met", "goal"}
    }
    print(
        "  "
        + ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in rest.items())
    )


def measured(wish: argparse.Namespace) -> dict[str, Any]:
    panel = market(wish.instruments, wish.bars)
    score = scores(panel)
    side = ours(panel, score)
    first = seconds(side.fills)
    side.whole()
    filled, _ = side.fills()
    told: dict[str, Any] = {
        "machine": machine(),
        "rows": len(panel),
        "fills": int(filled.n[0]),
        "trades": int(side.whole().trades.pnl.size),
        "first_call_s": first,
        "peaks": {stage: peak(call) for stage, call in stages(side).items()},
        "peers": {},
        "skipped": [],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(panel, score, folder / "bars.parquet")
        if has("vectorbt"):
            for flexible in (False, True):
                out = against_vectorbt(side, folder, wish.rounds, flexible=flexible)
                told["peers"]["vectorbt flexible" if flexible else "vectorbt"] = out
        else:
            told["skipped"].append("vectorbt: not in .venv-peers (make peers)")
        if has("backtesting"):
            out = against_backtesting(side, folder, wish.rounds, wish.alone)
            told["peers"]["backtesting.py"] = out
        else:
            told["skipped"].append("backtesting.py: not in .venv-peers (make peers)")
    told["growth"] = {} if wish.no_growth else growth(wish.rounds)
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--instruments", type=int, default=143)
    parser.add_argument("--bars", type=int, default=6_100)
    parser.add_argument("--alone", type=int, default=5, help="instruments for backtesting.py")
    parser.add_argument("--no-growth", action="store_true")
    told = measured(parser.parse_args())
    if "--json" in sys.argv:
        print(json.dumps(told, indent=2))
        return
    print(", ".join(f"{k} {v}" for k, v in told["machine"].items()))
    print(f"{told['rows']:,} rows, {told['fills']:,} fills, {told['trades']:,} trades")
    print(f"first call {told['first_call_s']:.1f} s (compiled, or read from numba's cache)")
    for stage, held in told["peaks"].items():
        print(f"  {stage:7s} peak {held['peak_mib']:.1f} MiB over {held['held_mib']:.0f} held")
    for name, one in told["peers"].items():
        printed(name, one)
    for line in told["skipped"]:
        print(f"skipped: {line}")
    print("\ngrowth: " + ", ".join(f"{k} {v:.2f}" for k, v in told["growth"].items()))


if __name__ == "__main__":
    main()
