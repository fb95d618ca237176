"""vectorbt as the peer of `benchmarks/sweep.py`, in a process of its own: many thresholds a call.

    python sweep_with_vectorbt.py BARS.parquet RULES.json OUT.parquet

`BARS` has time, symbol, open, close, volume and score; `RULES` the entry levels and the account.
Every level is a group of columns that shares cash; one `from_order_func` takes them all: by an
order function that is asked for every instrument at every bar, or, `flexible`, only for those that
have an order. `OUT` gets the
final equity and the fills of each level. A line "round" runs it again and is answered with the CPU
seconds; "peak" with the most memory held over what was held before, MiB.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")

import vectorbt as vbt  # noqa: E402  it warns of what it imports
from numba import njit  # noqa: E402
from vectorbt.portfolio import nb  # noqa: E402
from vectorbt.portfolio.enums import Direction, NoOrder, OrderStatus  # noqa: E402

TIE = 1.0 + 1e-12
DUST = 1e-6


@njit
def before(c, book, market, levels, terms):
    """Of this group: what was decided at the last close, and in which order it is served."""
    if c.i == 0:
        book[0][:], book[1][:], book[3][:] = 0.0, 0.0, 0
    else:
        equity, free, money = leave(c, book, market, terms)
        enter(c, book, market, (levels[c.group], equity, free, money), terms)
    return (line_up(c, book, market[0]),)


@njit
def before_each(c, book, market, levels, terms):
    """The same where every instrument is asked: the queue first, then all others."""
    n = before(c, book, market, levels, terms)[0]
    queue, taken, sequence = book[4], book[5], c.call_seq_now
    taken[:] = 0
    for q in range(n):
        sequence[q] = queue[q]
        taken[queue[q]] = 1
    for col in range(c.group_len):
        if taken[col] == 0:
            sequence[n] = col
            n += 1
    return ()


@njit
def of_each(c, book, market, levels, terms):  # noqa: ARG001
    col = c.col - c.from_col
    if book[0][col] == 0.0 or np.isnan(market[0][c.i, col]):
        return NoOrder
    return order_of(c.i, col, book, market, terms)


@njit
def after_each(c, book, market, levels, terms):
    after(c, 0, book, market, levels, terms)


@njit
def leave(c, book, market, terms):
    """Order out of what was held long enough; equity, free slots, and money for new wishes."""
    wanted, reserve, held = book[0], book[1], book[3]
    hold, free, _, fees, slippage = terms[:5]
    i, cash = c.i - 1, c.last_cash[c.group]
    equity, money = cash, cash
    for col in range(c.group_len):
        quantity = c.last_position[c.from_col + col]
        if quantity > 0.0:
            equity += quantity * market[1][i, col]
            if not np.isnan(market[0][i, col]):
                held[col] += 1
                if held[col] >= hold and wanted[col] >= 0.0:
                    wanted[col], reserve[col] = -quantity, 0.0
        if wanted[col] < 0.0:
            money += -wanted[col] * market[1][i, col] * (1.0 - fees - slippage)
        elif wanted[col] > 0.0 or quantity > 0.0:
            free -= 1.0
            money -= reserve[col]
    return equity, free, money


@njit
def enter(c, book, market, has, terms):
    """Order in by score, as far as slots and money reach."""
    wanted, reserve, rank, queue = book[0], book[1], book[2], book[4]
    level, equity, free, money = has
    i, n, n_queue, dearer = c.i - 1, c.group_len, 0, 1.0 + terms[3] + terms[4]
    close, score = market[1][i], market[3][i]
    for col in range(n):
        if score[col] >= level:
            n_queue = insert(queue, 0, n_queue, col, score)
    for q in range(n_queue):
        col = queue[q]
        if free <= 0.0:
            break
        is_taken = wanted[col] != 0.0 or c.last_position[c.from_col + col] > 0.0
        if is_taken or money <= equity * DUST:
            continue
        size = min(terms[2] * equity / close[col], money / (close[col] * dearer))
        wanted[col], rank[col] = size, score[col]
        reserve[col] = close[col] * size * dearer
        money -= reserve[col]
        free -= 1.0


@njit
def line_up(c, book, open_):
    """Instruments with an order and a bar into the queue: sales, then buys by rank."""
    wanted, rank, queue = book[0], book[2], book[4]
    n = 0
    for col in range(c.group_len):
        if wanted[col] < 0.0 and not np.isnan(open_[c.i, col]):
            queue[n] = col
            n += 1
    sales = n
    for col in range(c.group_len):
        if wanted[col] > 0.0 and not np.isnan(open_[c.i, col]):
            n = insert(queue, sales, n, col, rank)
    return n


@njit
def insert(queue, first, end, col, rank):
    """Put a column into its place in queue[first:end], the highest rank first."""
    at = end
    while at > first and rank[queue[at - 1]] < rank[col]:
        queue[at] = queue[at - 1]
        at -= 1
    queue[at] = col
    return end + 1


@njit
def by_queue(c, n, book, market, levels, terms):  # noqa: ARG001
    if c.call_idx >= n:
        return -1, NoOrder
    col = book[4][c.call_idx]
    order = order_of(c.i, col, book, market, terms)
    return (c.from_col + col if order.size != 0.0 else -1), order


@njit
def order_of(i, col, book, market, terms):
    """The instrument's working order, as much of it as the volume lets through."""
    wanted, fees, slippage, to_cents, cap = book[0][col], terms[3], terms[4], terms[5], terms[6]
    most = cap * market[2][i, col]
    if most <= 0.0:
        return NoOrder
    fixed = 0.0
    if to_cents > 0.0:  # vectorbt does not round; a fixed fee may be a rounded one
        side = 1.0 if wanted > 0.0 else -1.0
        value = min(abs(wanted), most) * market[0][i, col] * (1.0 + side * slippage)
        fixed, fees = np.floor(value * fees * 100.0 * TIE + 0.5) / 100.0, 0.0
    return nb.order_nb(
        size=wanted, price=market[0][i, col], direction=Direction.LongOnly, fees=fees,
        fixed_fees=fixed, slippage=slippage, max_size=most,
    )  # fmt: skip


@njit
def after(c, n, book, market, levels, terms):  # noqa: ARG001
    """What the volume did not let through goes on working; what the cash did not is dropped."""
    wanted, reserve, held = book[0], book[1], book[3]
    col = c.col - c.from_col
    if wanted[col] == 0.0:
        return
    done, filled = c.order_result, 0.0
    if done.status == OrderStatus.Filled:
        filled = done.size if wanted[col] > 0.0 else -done.size
        if filled > 0.0 and c.position_before == 0.0:
            held[col] = 0
    let_through = min(abs(wanted[col]), terms[6] * market[2][c.i, col])
    left = wanted[col] - filled
    if let_through > 0.0 and (
        abs(filled) < let_through * (1 - 1e-9) or abs(left) < abs(wanted[col]) * DUST
    ):
        left = 0.0
    reserve[col] *= left / wanted[col]
    wanted[col] = left


class Work:
    """Matrices made once, and a call of `from_order_func` for all levels."""

    def __init__(self, bars: pd.DataFrame, rules: dict) -> None:
        self.rules = rules
        open_, close, volume, score = (
            bars.pivot(index="time", columns="symbol", values=name)
            for name in ("open", "close", "volume", "score")
        )
        close = close.ffill().bfill()
        self.levels = np.array(rules["levels"])
        self.market = tuple(
            np.ascontiguousarray(x.to_numpy(np.float64)) for x in (open_, close, volume, score)
        )
        self.n = close.shape[1]
        self.close = pd.DataFrame(np.tile(close.to_numpy(), (1, self.levels.size)))
        self.group = np.repeat(np.arange(self.levels.size), self.n)
        cap = rules["volume_cap"]
        self.terms = (
            float(rules["hold"]), float(rules["max_positions"]), rules["weight"],
            rules["commission"], rules["slippage"], float(rules["to_cents"]),
            np.inf if cap is None else cap,
        )  # fmt: skip

    def __call__(self) -> vbt.Portfolio:
        """All levels."""
        n = self.n
        book = (
            np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
            np.zeros(n, np.int64),
        )  # fmt: skip
        args = (book, self.market, self.levels, self.terms)
        is_flexible = self.rules["flexible"]
        return vbt.Portfolio.from_order_func(
            self.close, by_queue if is_flexible else of_each, *args, flexible=is_flexible,
            pre_segment_func_nb=before if is_flexible else before_each, pre_segment_args=args,
            post_order_func_nb=after if is_flexible else after_each, post_order_args=args,
            init_cash=self.rules["cash"], cash_sharing=True, group_by=self.group, freq="1h",
        )  # fmt: skip


def measured(done: vbt.Portfolio) -> pd.DataFrame:
    """Final equity and fills of each level: the least that a sweep is made for."""
    return pd.DataFrame({"equity": done.final_value(), "n_fills": done.orders.count()})


def memory(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith(field)).split()[1]) / 1024


def main() -> None:
    bars, rules, out = sys.argv[1:]
    work = Work(pd.read_parquet(bars), json.loads(Path(rules).read_text()))
    began = time.process_time()
    measured(work()).reset_index(drop=True).to_parquet(out)
    said = {"version": vbt.__version__, "first_call_s": time.process_time() - began}
    print(json.dumps(said), flush=True)
    for line in sys.stdin:
        if line.strip() == "peak":
            Path("/proc/self/clear_refs").write_text("5")
            held = memory("VmRSS")
            measured(work())
            print(json.dumps({"peak_mib": memory("VmHWM") - held}), flush=True)
            continue
        began = time.process_time()
        measured(work())
        print(json.dumps({"seconds": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    main()
