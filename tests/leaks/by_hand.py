"""A backtest by a slow engine whose rules a leak may edit: the reference engine, subclassed."""

from decimal import Decimal

import numpy as np

from leaks.everywhere import replace
from reference.engine import Bar, Engine, Wish
from touchstone.backtest.fills import fills_of
from touchstone.backtest.result import Run
from touchstone.backtest.trades import holdings_of, trades_of
from touchstone.execution import REASONS
from touchstone.execution.records import FILL, Tape

NONE = Decimal(10**9)


def trade_with(patch, engine):
    """Let every backtest of a study be walked by `engine`, a subclass of the reference."""
    replace(patch, "touchstone.backtest.replay", "follow", lambda _: follower(engine))


def follower(engine):
    """What stands in for the kernel's driver over history."""

    def follow(panel, line, intent, account, costs):
        walked = engine(
            Decimal(account.cash),
            *(Decimal(str(getattr(costs, n))) for n in ("commission_bp", "slippage_bp")),
            Decimal(str(costs.half_spread_bp)),
            costs.round_to_cents,
            intent.hold_bars,
            intent.max_positions,
            None if costs.volume_cap is None else Decimal(str(costs.volume_cap)),
        )
        path = [(*walked.bar(*at), len(walked.positions)) for at in instants(panel, line, intent)]
        cash, equity = (np.array([float(p[k]) for p in path]) for k in (0, 1))
        held = np.array([p[2] for p in path], np.int64)
        fills = fills_of(taped(walked.fills, costs))
        return Run(
            account.cash, line.time, equity, cash, equity - cash,
            held, fills,
            trades_of(panel, fills), holdings_of(panel, fills), 0, 0,
        )  # fmt: skip

    return follow


def instants(panel, line, intent):
    """(bars, wishes) by symbol at each time of a panel."""
    names = sorted(panel.symbols)
    columns = (panel.open, panel.high, panel.low, panel.close, panel.volume)
    prices = tuple(c.tolist() for c in columns)
    wide = (intent.up.tolist(), intent.down.tolist(), intent.weight.tolist())
    for rows in line.rows.tolist():
        bars, wishes = {}, {}
        for symbol, row in zip(names, rows, strict=True):
            if row < 0:
                continue
            bars[symbol] = Bar(row, *(Decimal(c[row]) for c in prices))
            up, down, weight = (c[row] for c in wide)
            wishes[symbol] = Wish(
                bool(intent.enter[row]), bool(intent.leave[row]), float(intent.rank[row]),
                exact(up), exact(down), exact(weight),
            )  # fmt: skip
        yield bars, wishes


def exact(number):
    """A float as it stands; a width that is none is beyond every price."""
    return Decimal(number) if -1e9 < number < 1e9 else NONE


def taped(filled, costs):
    """Fills of the reference as the kernel's tape has them."""
    fills = np.zeros(len(filled), FILL)
    held = {}
    for to, f in zip(fills, filled, strict=True):
        held[f.symbol] = held.get(f.symbol, Decimal(0)) + f.side * f.quantity
        to["left"], at_limit = float(held[f.symbol]), f.reason == "target"
        to["slippage"] = 0.0 if at_limit else costs.slippage_bp * 1e-4
        to["spread"] = 0.0 if at_limit else costs.half_spread_bp * 1e-4
        money = (f.side * f.quantity, f.price, f.reference, f.commission)
        to["row"], to["order_row"], to["reason"] = f.row, f.order_row, REASONS.index(f.reason)
        to["quantity"], to["price"], to["reference"], to["commission"] = map(float, money)
    return Tape(np.array([fills.size]), fills)


__all__ = ["Engine", "follower", "trade_with"]
