"""The same rules here and at a peer, on the same bars; and how far apart the answers are.

The peers live in `.venv-peers` (or the interpreter that TOUCHSTONE_PEERS names), run in a process
of their own and exchange Parquet.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from real_data import DATA
from touchstone.backtest import run
from touchstone.execution.account import AccountConfig
from touchstone.execution.costs import CostsConfig
from touchstone.ledger import MemoryLedger
from touchstone.market import Bars, Calendar, Panel, Timeframe
from touchstone.strategies import Intent

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / "benchmarks" / "peers"
FIELDS = ("open", "high", "low", "close", "volume")
CALENDARS = {"equity": "XNYS", "crypto": "24/7"}
CASH = 1_000_000.0


class Rules(NamedTuple):
    """What both sides are set to."""

    entry_level: float = 0.9
    exit_level: float = 0.05
    hold: int = 8
    max_positions: int = 3
    weight: float = 0.25
    commission_bp: float = 10.0
    slippage_bp: float = 5.0
    volume_cap: float | None = None
    to_cents: bool = False
    up: float | None = None
    down: float | None = None
    whole: bool = False

    def said(self, **more):
        """As the peers' files have it."""
        known = {
            name: getattr(self, name)
            for name in (
                "entry_level", "exit_level", "hold", "max_positions", "weight", "volume_cap",
                "to_cents", "up", "down",
            )
        }  # fmt: skip
        rates = {"commission": self.commission_bp * 1e-4, "slippage": self.slippage_bp * 1e-4}
        return {**known, **rates, "cash": CASH, **more}


def interpreter():
    return os.environ.get("TOUCHSTONE_PEERS", str(ROOT / ".venv-peers" / "bin" / "python"))


def why_not(module):
    """Why a peer cannot be asked; empty where it can."""
    python = interpreter()
    if not Path(python).exists():
        return f"no peers: {python} is absent (make peers)"
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    if subprocess.run([python, "-c", code], check=False).returncode:
        return f"{module} is not installed for {python} (make peers)"
    return ""


def panel_of(group, symbols, bars=slice(None)):
    """Some instruments of `bars/<group>/1h`; `bars` counts their common clock."""
    frames = [pl.read_parquet(DATA / "bars" / group / "1h" / f"{s}.parquet") for s in symbols]
    times = [f["timestamp"].dt.epoch("ns").to_numpy() for f in frames]
    clock = np.unique(np.concatenate(times))[bars]
    out = []
    for symbol, frame, time in zip(symbols, frames, times, strict=True):
        rows = (time >= clock[0]) & (time <= clock[-1])
        if rows.any():
            columns = (frame[name].to_numpy()[rows] for name in FIELDS)
            out.append(Bars(symbol, time[rows], *columns))
    return Panel.from_bars(out, Timeframe("1h"), Calendar(CALENDARS[group]))


def scores_of(panel, seed):
    """Scores in (0, 1) without meaning; the first bar, which backtesting.py skips, wishes none."""
    score = np.random.default_rng(seed).random(len(panel))
    score[panel.offsets[:-1]] = 0.5
    return score


def ours(panel, score, rules, without=()):
    """A run of ours; rows `without` wish nothing."""
    n = len(panel)
    enter = score >= rules.entry_level
    enter[list(without)] = False
    intent = Intent(
        enter=enter,
        leave=score <= rules.exit_level,
        rank=score,
        up=np.full(n, np.inf if rules.up is None else rules.up),
        down=np.full(n, np.inf if rules.down is None else rules.down),
        weight=np.full(n, rules.weight),
        hold_bars=rules.hold,
        max_positions=rules.max_positions,
    )
    account = AccountConfig(cash=CASH, units="whole" if rules.whole else "fractional")
    costs = CostsConfig(
        commission_bp=rules.commission_bp,
        slippage_bp=rules.slippage_bp,
        volume_cap=rules.volume_cap,
        round_to_cents=rules.to_cents,
    )
    return run(panel, intent, account, costs, MemoryLedger(), "peers")


def ask(script, panel, score, rules, folder, *, compiled=False):
    """Let a peer run sets of rules; its files are `folder/out.<k>.*.parquet`."""
    symbols = np.array(panel.symbols)[panel.asset_id]
    columns = {name: getattr(panel, name) for name in FIELDS}
    frame = pl.DataFrame({"time": panel.time, "symbol": symbols, **columns, "score": score})
    frame.write_parquet(folder / "bars.parquet")
    (folder / "rules.json").write_text(json.dumps(rules))
    files = [str(folder / name) for name in ("bars.parquet", "rules.json", "out")]
    # Compiling vectorbt's loop takes 20 s; on few bars it is as quick as Python.
    quick = {} if compiled else {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [interpreter(), str(SERVERS / script), *files],
        env={**os.environ, **quick, "PYTHONPATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])["version"]


def left(folder, k, what):
    return pl.read_parquet(folder / f"out.{k}.{what}.parquet")


class Apart(NamedTuple):
    """How far two lists of fills and two equity curves are apart."""

    n: int
    only_ours: list
    only_theirs: list
    quantity: float
    """Largest difference, share of the larger: large where the purse paid for a crumb."""
    value: float
    """The same as money, share of the deposit."""
    price: float
    commission: float
    """Largest difference, money."""
    equity: float
    """Largest difference on any bar, share of the equity."""


def apart(panel, run, fills, equity):
    """Fills matched by instant, instrument and side."""
    symbols = np.array(panel.symbols)[panel.asset_id]
    mine = pl.DataFrame(
        {
            "time": panel.time[run.fills.row],
            "symbol": symbols[run.fills.row],
            "side": run.fills.side.astype(np.int64),
            "q": run.fills.quantity,
            "p": run.fills.price,
            "c": run.fills.commission,
        }
    )
    theirs = fills.select(
        "time",
        "symbol",
        pl.col("quantity").sign().cast(pl.Int64).alias("side"),
        pl.col("quantity").abs().alias("q2"),
        pl.col("price").alias("p2"),
        pl.col("commission").alias("c2"),
    )
    keys = ["time", "symbol", "side"]
    both = mine.join(theirs, on=keys, validate="1:1")

    def most(expression):
        value = both.select(expression.max()).item()
        return float("nan") if value is None else float(value)

    relative = (pl.col("q") - pl.col("q2")).abs() / pl.max_horizontal("q", "q2")
    curve = equity["equity"].to_numpy()
    return Apart(
        n=both.height,
        only_ours=mine.join(theirs, on=keys, how="anti").rows(),
        only_theirs=theirs.join(mine, on=keys, how="anti").rows(),
        quantity=most(relative),
        value=most((pl.col("q") - pl.col("q2")).abs() * pl.col("p") / CASH),
        price=most((pl.col("p") / pl.col("p2") - 1).abs()),
        commission=most((pl.col("c") - pl.col("c2")).abs()),
        equity=float(np.abs(run.equity / curve - 1).max()),
    )


class Alone(NamedTuple):
    """backtesting.py's trades of one instrument beside ours."""

    n: int
    equal: int
    """The same bars and prices."""
    stop_first: int
    """The bar opens beyond the target, where ours leaves, and falls to the stop, where theirs."""
    touched: int
    """A bar's high *is* the target, where theirs leaves; ours waits for a trade through it."""
    unexplained: int
    cents: float
    """Largest difference between their profit and that of our rules at their sizes, money."""


def alone(panel, run, theirs, equity, rules):
    """Every trade of theirs from our prices, our sizing rule and our commission, one by one."""
    mine, size = run.trades, theirs["Size"].to_numpy()
    if mine.pnl.size != size.size:
        return Alone(size.size, 0, 0, 0, abs(mine.pnl.size - size.size) or 1, float("nan"))
    out, leaves = theirs["ExitPrice"].to_numpy(), mine.exit_row
    left_at = theirs["ExitBar"].to_numpy()
    entered = mine.entry_row == theirs["EntryBar"].to_numpy()
    entered &= abs(mine.entry_price / theirs["EntryPrice"].to_numpy() - 1) < 1e-12
    same = entered & (leaves == left_at)
    equal = same & (abs(mine.exit_price / out - 1) < 1e-12)
    upper, lower = (mine.entry_reference * w for w in (1 + (rules.up or 9), 1 - (rules.down or 1)))
    stop_first = same & ~equal & (panel.open[leaves] > upper) & (panel.low[leaves] <= lower)
    stop_first &= abs(out - lower) < 1e-9 * lower
    touched = entered & (leaves > left_at) & (abs(out / upper - 1) < 1e-12)
    touched &= abs(panel.high[left_at] / upper - 1) < 1e-12
    at = mine.entry_row - 1
    wanted = np.floor(rules.weight * equity[at] / panel.close[at] * (1 + 1e-12))
    rate = rules.commission_bp * 1e-4

    def fee(value):
        return np.floor(value * rate * 100 * (1 + 1e-12) + 0.5) / 100

    exits = np.where(stop_first | touched, out, mine.exit_price)
    profit = size * (exits - mine.entry_price) - fee(size * mine.entry_price) - fee(size * exits)
    known = (equal | stop_first | touched) & (wanted == size)
    return Alone(
        size.size,
        int(equal.sum()),
        int(stop_first.sum()),
        int(touched.sum()),
        int((~known).sum()),
        float(abs(theirs["PnL"].to_numpy() - profit).max(initial=0.0)),
    )
