"""vectorbt as a peer in a process of its own: the account's rules written as its order functions.

    python with_vectorbt.py BARS.parquet RULES.json OUT

`BARS` has time, symbol, open, high, low, close, volume and score; `OUT.fills.parquet` and
`OUT.equity.parquet` are what its first run left. Each line "round" runs it again and is answered
with the CPU seconds; "peak" with the most memory held, MiB. vectorbt fills, charges and keeps the
books; which orders there are, its users write themselves: below, as a user would.
"""

import sys
import warnings

import numpy as np
import pandas as pd
from serving import serve

warnings.filterwarnings("ignore")

import vectorbt as vbt  # noqa: E402  it warns of what it imports
from numba import njit  # noqa: E402
from vectorbt.portfolio import nb  # noqa: E402
from vectorbt.portfolio.enums import Direction, NoOrder, OrderStatus  # noqa: E402

TIE = 1.0 + 1e-12
DUST = 1e-6


@njit
def decide(c, book, market, terms):
    """Orders of the last close, into `book`, and the order in which they are served.

    `book` holds, by instrument, what is wanted, its reserve, its rank, bars held and room for a
    queue, and what the orders whose turn has passed keep back (1,); `market` open, close (last
    known), volume and score, (n_times, n_instruments).
    """
    wanted, reserve, rank, held, queue, _ = book
    open_, close, _, score = market
    entry, exit_, hold, slots, weight, fees, slippage = terms[:7]
    i, n, n_queue, cash = c.i - 1, c.group_len, 0, c.last_cash[0]
    if i >= 0:
        equity = cash
        for col in range(n):
            if c.last_position[col] > 0.0:
                equity += c.last_position[col] * close[i, col]
                if not np.isnan(open_[i, col]):
                    held[col] += 1
                    is_due = held[col] >= hold or score[i, col] <= exit_
                    if is_due and wanted[col] >= 0.0:
                        wanted[col] = -c.last_position[col]
                        reserve[col] = 0.0
        free, money = slots, cash
        for col in range(n):
            if wanted[col] < 0.0:
                money += -wanted[col] * close[i, col] * (1.0 - fees - slippage)
            elif wanted[col] > 0.0 or c.last_position[col] > 0.0:
                free -= 1
                money -= reserve[col]
        n_queue = candidates(score[i], entry, queue)
        for q in range(n_queue):
            col = queue[q]
            if free <= 0:
                break
            if wanted[col] != 0.0 or c.last_position[col] > 0.0 or money <= equity * DUST:
                continue
            dearer = 1.0 + fees + slippage
            size = min(weight * equity / close[i, col], money / (close[i, col] * dearer))
            wanted[col], rank[col] = size, score[i, col]
            reserve[col] = close[i, col] * size * dearer
            money -= reserve[col]
            free -= 1


@njit
def candidates(score, level, out):
    """Instruments at or above the level, the highest score first, then by their order."""
    n = 0
    for col in range(score.size):
        if score[col] >= level:
            at = n
            while at > 0 and score[out[at - 1]] < score[col]:
                out[at] = out[at - 1]
                at -= 1
            out[at] = col
            n += 1
    return n


@njit
def line_up(c, book, market, out):
    """Instruments with an order and a bar: sales, then buys by rank; how many."""
    wanted, reserve, rank, _, _, kept = book
    n = 0
    kept[0] = 0.0
    for col in range(c.group_len):  # an order without a bar keeps its reserve
        if wanted[col] > 0.0 and np.isnan(market[0][c.i, col]):
            kept[0] += reserve[col]
    for col in range(c.group_len):
        if wanted[col] < 0.0 and not np.isnan(market[0][c.i, col]):
            out[n] = col
            n += 1
    sales = n
    for col in range(c.group_len):
        if wanted[col] > 0.0 and not np.isnan(market[0][c.i, col]):
            at = n
            while at > sales and rank[out[at - 1]] < rank[col]:
                out[at] = out[at - 1]
                at -= 1
            out[at] = col
            n += 1
    return n


@njit
def cents(money):
    """Half up."""
    return np.floor(money * 100.0 * TIE + 0.5) / 100.0


@njit
def order_of(col, i, cash, book, market, terms):
    """The instrument's working order, as much of it as the volume and the money let through."""
    wanted, fees, slippage, to_cents, cap = book[0][col], terms[5], terms[6], terms[7], terms[8]
    most = cap * market[2][i, col]
    if most <= 0.0:
        return NoOrder
    fixed, side = 0.0, 1.0 if wanted > 0.0 else -1.0
    price = market[0][i, col] * (1.0 + side * slippage)
    size, payable = min(abs(wanted), most), cash - book[5][0]
    if to_cents > 0.0:  # vectorbt does not round; a fixed fee may be a rounded one
        fixed = cents(size * price * fees)
        if wanted > 0.0 and size * price + fixed > payable:
            most = payable / (price * (1.0 + fees))
            most = max(0.0, min(most, (payable - cents(most * price * fees)) / price))
            fixed = cents(most * price * fees)
        fees = 0.0
    elif wanted > 0.0 and size * price * (1.0 + fees) > payable:
        most = max(0.0, payable / (price * (1.0 + fees)))
    if most <= 0.0:
        return NoOrder
    return nb.order_nb(
        size=wanted, price=market[0][i, col], direction=Direction.LongOnly, fees=fees,
        fixed_fees=fixed, slippage=slippage, max_size=most,
    )  # fmt: skip


@njit
def before(c, book, market, terms):
    """By instrument: the call sequence of this bar."""
    decide(c, book, market, terms)
    n = line_up(c, book, market, c.call_seq_now)
    taken = book[4]
    for col in range(c.group_len):
        taken[col] = 0
    for q in range(n):
        taken[c.call_seq_now[q]] = 1
    for col in range(c.group_len):
        if taken[col] == 0:
            c.call_seq_now[n] = col
            n += 1
    return (n,)


@njit
def by_instrument(c, _, book, market, terms):
    if book[0][c.col] == 0.0 or np.isnan(market[0][c.i, c.col]):
        return NoOrder
    return order_of(c.col, c.i, c.cash_now, book, market, terms)


@njit
def before_flexible(c, book, market, terms):
    """Flexible: only the instruments with an order."""
    decide(c, book, market, terms)
    return (line_up(c, book, market, book[4]),)


@njit
def by_queue(c, n, book, market, terms):
    if c.call_idx >= n:
        return -1, NoOrder
    col = book[4][c.call_idx]
    return col, order_of(col, c.i, c.last_cash[0], book, market, terms)


@njit
def after(c, _, book, market, terms):
    """What the volume did not let through goes on working; what the cash did not is dropped."""
    wanted, reserve, _, held, _, kept = book
    if wanted[c.col] == 0.0 or np.isnan(market[0][c.i, c.col]):
        return
    done, filled = c.order_result, 0.0
    if done.status == OrderStatus.Filled:
        filled = done.size if wanted[c.col] > 0.0 else -done.size
        if filled > 0.0 and c.position_before == 0.0:
            held[c.col] = 0
    let_through = min(abs(wanted[c.col]), terms[8] * market[2][c.i, c.col])
    left = wanted[c.col] - filled
    if let_through > 0.0 and (
        abs(filled) < let_through * (1 - 1e-9) or abs(left) < abs(wanted[c.col]) * DUST
    ):
        left = 0.0
    reserve[c.col] *= left / wanted[c.col]
    wanted[c.col] = left
    kept[0] += reserve[c.col] if left > 0.0 else 0.0


class Work:
    """Matrices made once, and a call of `from_order_func`."""

    def __init__(self, bars: pd.DataFrame, rules: dict) -> None:
        self.rules = rules
        open_, close, volume, score = (
            bars.pivot(index="time", columns="symbol", values=name)
            for name in ("open", "close", "volume", "score")
        )
        self.close = close.ffill().bfill()
        self.market = tuple(
            np.ascontiguousarray(x.to_numpy(np.float64)) for x in (open_, self.close, volume, score)
        )
        cap = rules["volume_cap"]
        self.terms = (
            rules["entry_level"], rules["exit_level"], float(rules["hold"]),
            float(rules["max_positions"]), rules["weight"], rules["commission"],
            rules["slippage"], float(rules["to_cents"]), np.inf if cap is None else cap,
        )  # fmt: skip

    def __call__(self) -> vbt.Portfolio:
        """One whole call, orders and books."""
        n = self.close.shape[1]
        book = (
            np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
            np.zeros(1),
        )  # fmt: skip
        args = (book, self.market, self.terms)
        is_flexible = self.rules["flexible"]
        return vbt.Portfolio.from_order_func(
            self.close,
            by_queue if is_flexible else by_instrument,
            *args,
            flexible=is_flexible,
            pre_segment_func_nb=before_flexible if is_flexible else before,
            pre_segment_args=args,
            post_order_func_nb=after,
            post_order_args=args,
            init_cash=self.rules["cash"],
            cash_sharing=True,
            group_by=True,
            freq="1h",
        )


def leave(work: Work, out: str) -> None:
    """Write the fills and the equity as vectorbt's own books have them."""
    done = work()
    records = pd.DataFrame(done.orders.values)
    symbols = work.close.columns.to_numpy()
    fills = pd.DataFrame(
        {
            "time": work.close.index.to_numpy()[records["idx"]],
            "symbol": symbols[records["col"]],
            "quantity": np.where(records["side"] == 0, 1.0, -1.0) * records["size"],
            "price": records["price"],
            "commission": records["fees"],
        }
    )
    fills.to_parquet(f"{out}.fills.parquet")
    equity = pd.DataFrame({"time": work.close.index, "equity": done.value().to_numpy()})
    equity.to_parquet(f"{out}.equity.parquet")


if __name__ == "__main__":
    bars, rules, out = sys.argv[1:]
    serve(Work, (bars, rules, out), leave, vbt.__version__)
