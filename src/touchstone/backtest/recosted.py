"""The same fills at other costs: multiples, and the cost at which nothing is left."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest.fills import Fills
from touchstone.backtest.result import Run
from touchstone.backtest.trades import holdings_of, trades_of
from touchstone.execution.costs import CostsConfig, fees
from touchstone.execution.records import DELISTED, IN_LIEU
from touchstone.market import Panel


class BreakEven(NamedTuple):
    """The cost at which a run's profit is zero; None where it never traded."""

    multiple: float | None
    """Times the run's own costs; None also where those are zero."""
    per_side_bp: float | None
    """Basis points of the value of every fill, all kinds of cost together."""


def recost(panel: Panel, run: Run, costs: CostsConfig, multiple: float) -> Run:
    """The run with the same orders and quantities, its fills paid at `multiple` times `costs`.

    Decisions are not made again. So that the comparison is of the same trades, no buy is cut:
    at a high multiple the cash may fall below zero, which a real account could not do. Dividends
    and interest stay as they were.

    Args:
        panel: the bars of the run.
        run: what was done at 1x.
        costs: the costs at 1x.
        multiple: 0, 1, 2, 3, ...; at 1 the paths are equal to the run's, bit by bit.

    Raises:
        ConfigError: a negative multiple, or one at which a sell would earn nothing.
    """
    fills = _repriced(run.fills, costs.times(multiple), multiple)
    dearer = _flow(run.fills) - _flow(fills)
    at = np.searchsorted(panel.time[fills.row], run.time, side="right")
    cash = run.cash - np.r_[0.0, np.cumsum(dearer)][at]
    if run.trades.pnl.size + run.holdings.value.size > 0:  # equal weight pairs no fills
        run = run._replace(trades=trades_of(panel, fills), holdings=holdings_of(panel, fills))
    return run._replace(equity=cash + run.invested, cash=cash, fills=fills)


def break_even(run: Run) -> BreakEven:
    """Where costs eat the whole profit, by the linearity of `recost` in its multiple.

    Profit at 0x is the run's profit plus all it paid; each multiple takes what was paid once
    more (the rounding of commissions to cents aside). Below zero: it loses even without costs.
    """
    if run.fills.row.size == 0:
        return BreakEven(None, None)
    paid = run.paid.total
    without_costs = float(run.equity[-1]) - run.initial_cash + paid
    value = float((run.fills.quantity * run.fills.reference).sum())
    return BreakEven(without_costs / paid if paid > 0 else None, without_costs / value * 1e4)


def _flow(fills: Fills) -> Float64:
    """What each fill did to the cash, (n_fills,)."""
    return np.asarray(-fills.side * (fills.quantity * fills.price) - fills.commission)


def _repriced(fills: Fills, costs: CostsConfig, multiple: float) -> Fills:
    # The difference of two near numbers is exact, so 1 x it gives the price back to the bit.
    price = fills.reference + multiple * (fills.price - fills.reference)
    commission = fees(costs, fills.quantity, price, fills.side)
    is_free = (fills.reason == DELISTED) | (fills.reason == IN_LIEU)
    return fills._replace(
        price=price,
        commission=np.where(is_free, 0.0, commission),
        slippage=multiple * fills.slippage,
        spread=multiple * fills.spread,
        impact=multiple * fills.impact,
    )
