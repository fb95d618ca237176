"""The workload of `backtest.py`, our side of it, and a peer that answers from its own process."""

import ctypes
import gc
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from peers.workload import forget_peak, memory
from touchstone.backtest import Run, run
from touchstone.backtest.replay import wishes_of
from touchstone.execution.account import AccountConfig, accounts
from touchstone.execution.costs import CostsConfig
from touchstone.execution.history import Path as Walked
from touchstone.execution.history import Timeline, replay, timeline
from touchstone.execution.records import Tape, tape
from touchstone.ledger import MemoryLedger
from touchstone.market import Panel
from touchstone.strategies import Intent

HERE = Path(__file__).resolve().parent
ENTRY, EXIT, HOLD, SLOTS = 0.985, 0.02, 8, 20
WEIGHT = 0.9 / SLOTS
"""The purse does not bind: vectorbt cuts an order by the fee of its uncut size."""
ACCOUNT, COSTS = AccountConfig(), CostsConfig()
"""As they come: a tenth of a bar's volume at most, commission rounded to cents."""


def scores(panel: Panel) -> np.ndarray:
    return np.random.default_rng(11).random(len(panel))


def intent_of(panel: Panel, score: np.ndarray, entry: float = ENTRY) -> Intent:
    none = np.full(len(panel), np.inf)
    return Intent(
        enter=score >= entry, rank=score, leave=score <= EXIT, up=none, down=none,
        weight=np.full(len(panel), WEIGHT), hold_bars=HOLD, max_positions=SLOTS,
    )  # fmt: skip


class Ours(NamedTuple):
    """One panel, prepared as the peers' matrices are."""

    panel: Panel
    intent: Intent
    line: Timeline
    wishes: Any

    def fills(self) -> tuple[Tape, Walked]:
        """A fresh account through the history: fills, cash and equity after every bar."""
        state = accounts(1, self.panel.n_instruments, ACCOUNT, COSTS, SLOTS)
        filled = tape(4 * self.wishes.row.size)
        return filled, replay(state, self.line, self.wishes, filled)

    def ranked(self) -> tuple[Tape, Walked]:
        """The same from the intent's columns on."""
        return self._replace(wishes=wishes_of(self.panel, self.line, self.intent)).fills()

    def whole(self) -> Run:
        """What a user calls: also the panel's columns, trades, open positions, the ledger's row."""
        return run(self.panel, self.intent, ACCOUNT, COSTS, MemoryLedger(), "benchmark")


def ours(panel: Panel, score: np.ndarray, entry: float = ENTRY) -> Ours:
    intent, line = intent_of(panel, score, entry), timeline(panel)
    return Ours(panel, intent, line, wishes_of(panel, line, intent))


def seconds(call: Callable[[], object]) -> float:
    """CPU of one call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def peak(call: Callable[[], object]) -> dict[str, float]:
    """MiB held before a call, and the most held beyond them."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = memory("VmRSS")
    forget_peak()
    kept = call()
    most = memory("VmHWM")
    del kept
    return {"held_mib": before, "peak_mib": most - before}


def rules(**more: object) -> dict[str, object]:
    """The same for a peer."""
    return {
        "entry_level": ENTRY, "exit_level": EXIT, "hold": HOLD, "max_positions": SLOTS,
        "weight": WEIGHT, "commission": COSTS.rates.commission,
        "slippage": COSTS.rates.worsening, "to_cents": COSTS.round_to_cents,
        "volume_cap": COSTS.volume_cap, "cash": ACCOUNT.cash, "up": None, "down": None, **more,
    }  # fmt: skip


def write(panel: Panel, score: np.ndarray, path: Path) -> None:
    symbols = np.array(panel.symbols)[panel.asset_id]
    columns = {n: getattr(panel, n) for n in ("open", "high", "low", "close", "volume")}
    frame = pl.DataFrame({"time": panel.time, "symbol": symbols, **columns, "score": score})
    frame.write_parquet(path)


class Peer:
    """A process that answers lines."""

    def __init__(self, script: str, folder: Path, name: str, wanted: dict[str, object]) -> None:
        (folder / f"{name}.json").write_text(json.dumps(wanted))
        self.out = folder / name
        files = [folder / "bars.parquet", folder / f"{name}.json", self.out]
        self.process = subprocess.Popen(
            [python(), str(HERE / script), *map(str, files)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip
        self.said = self._answer()

    def ask(self, line: str) -> dict[str, float]:
        """Its answer to a line."""
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Let it go."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


def python() -> str:
    inside = HERE.parents[1] / ".venv-peers" / "bin" / "python"
    return os.environ.get("TOUCHSTONE_PEERS", str(inside))
