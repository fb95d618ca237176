"""What costs take from the Sharpe ratio, by kind: the kinds add up to gross less net."""

import math
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest.attribution import costs_by_day
from touchstone.backtest.result import Run, daily
from touchstone.market import Panel
from touchstone.metrics.trading import sharpe

KINDS: Final = ("commission", "spread", "slippage", "impact")


class CostsInSharpe(NamedTuple):
    """Annual Sharpe ratios of the same orders and quantities."""

    gross: float | None
    """Before costs; None without variance."""
    net: float | None
    taken: dict[str, float]
    """By kind, 0 for kinds that cost nothing; empty where either ratio is None."""


def costs_in_sharpe(panel: Panel, run: Run) -> CostsInSharpe:
    """Gross and net Sharpe, and what each kind of cost took.

    A kind is added back day by day, as money over the equity of the evening before. What it takes
    depends on which kinds are added back with it, since the ratio is not linear: the mean over
    all orders of adding back is taken, which owes nothing to an order and adds up.

    Source: Shapley (1953), A value for n-person games.
    """
    per_year = panel.calendar.days_per_year
    day, net = daily(panel, run)
    before = run.initial_cash * np.cumprod(np.r_[1.0, 1 + net])[:-1]
    added = costs_by_day(panel, run, day, KINDS)
    costs = {
        kind: np.divide(money, before, out=np.zeros_like(money), where=before > 0)
        for kind, money in zip(KINDS, added, strict=True)
        if money.any()
    }
    ratios = _ratios(net, costs, per_year)
    gross, ours = ratios[frozenset(costs)], ratios[frozenset()]
    if gross is None or ours is None or any(r is None for r in ratios.values()):
        return CostsInSharpe(gross, ours, {})
    known = {names: ratio for names, ratio in ratios.items() if ratio is not None}
    taken = {kind: _shapley(kind, known) if kind in costs else 0.0 for kind in KINDS}
    return CostsInSharpe(gross, ours, taken)


def _ratios(
    net: Float64, costs: dict[str, Float64], per_year: float
) -> dict[frozenset[str], float | None]:
    """The Sharpe with each set of kinds added back."""
    found = {}
    for size in range(len(costs) + 1):
        for names in combinations(costs, size):
            back = sum((costs[name] for name in names), np.zeros_like(net))
            found[frozenset(names)] = sharpe(net + back, per_year)
    return found


def _shapley(kind: str, ratios: dict[frozenset[str], float]) -> float:
    n = max(len(names) for names in ratios)
    total = 0.0
    for names, ratio in ratios.items():
        if kind not in names:
            share = math.factorial(len(names)) * math.factorial(n - len(names) - 1)
            total += share / math.factorial(n) * (ratios[names | {kind}] - ratio)
    return total
