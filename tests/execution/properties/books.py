"""An account's books written again from its fills, the bars and the actions, and from no state."""

from typing import NamedTuple

import numpy as np

from execution.properties.runs import Done
from touchstone.execution import REASONS
from touchstone.market.actions import DELISTING, DIVIDEND, SPLIT

YEAR_NS = 365 * 86_400_000_000_000
OF_ACTIONS = {DELISTING: "delisted", SPLIT: "in_lieu"}


class Books(NamedTuple):
    """After each bar, (n_times,) and (n_times, n_instruments), instruments by symbol."""

    cash: np.ndarray
    invested: np.ndarray
    quantity: np.ndarray
    close: np.ndarray
    """Last known close in the shares of now; 0 before the first."""
    dividends: np.ndarray
    """Money of this bar, as the two below."""
    interest: np.ndarray
    earned: np.ndarray
    """What moves of prices earned at reference prices, no cost of any kind taken off."""
    costs: np.ndarray
    """commission + units x (fill price - reference price) x side, of this bar's fills."""
    at: np.ndarray
    """Place in time of each fill, (n_fills,)."""


def reread(done: Done) -> Books:  # noqa: PLR0915  a day of a book-keeper, in its order
    world, line, fills = done.world, done.line, done.fills
    n_times, n = line.rows.shape
    names = sorted(world.panel.symbols)
    who = [names.index(s) for s in done.symbol]
    why = [REASONS[r] for r in fills.reason]
    signed = fills.side * fills.quantity
    cash, held, last = world.account.cash, np.zeros(n), np.zeros(n)
    out = {k: np.zeros(n_times) for k in
           ("cash", "invested", "dividends", "interest", "earned", "costs")}  # fmt: skip
    quantity, close = np.zeros((n_times, n)), np.zeros((n_times, n))
    at, f, previous = np.zeros(signed.size, np.int64), 0, 0
    told = np.searchsorted(line.time, [h.time for h in world.happenings])

    def book(t: int) -> None:
        nonlocal cash
        i, paid = who[f], fills.commission[f]
        cash -= signed[f] * fills.price[f] + paid
        out["costs"][t] += paid + signed[f] * (fills.price[f] - fills.reference[f])
        out["earned"][t] += held[i] * (fills.reference[f] - mark[i])
        mark[i] = fills.reference[f]
        held[i] += signed[f]
        if abs(held[i]) < 1e-9 * max(1.0, abs(signed[f])):
            held[i] = 0.0
        at[f] = t

    for t in range(n_times):
        time = int(line.time[t])
        mark = last.copy()
        short = -np.minimum(held * last, 0.0).sum()
        bp = world.costs.borrow_bp * short + world.costs.financing_bp * max(-cash, 0.0)
        interest = bp * 1e-4 * (time - previous) / YEAR_NS
        cash -= interest
        out["interest"][t] = interest
        previous = time
        for h in (h for h, where in zip(world.happenings, told, strict=True) if where == t):
            i = names.index(h.symbol)
            if h.kind == SPLIT:
                held[i] *= h.value
                last[i] /= h.value
                mark[i] /= h.value
            elif h.kind == DIVIDEND:
                cash += held[i] * h.value
                out["dividends"][t] += held[i] * h.value
            part = held[i] - np.trunc(held[i] * (1 + 1e-12))
            is_whole = world.account.units == "whole"
            if (h.kind == DELISTING and held[i] != 0.0) or (
                h.kind == SPLIT and is_whole and abs(part) > 1e-9
            ):
                assert (who[f], why[f]) == (i, OF_ACTIONS[h.kind])
                book(t)
                f += 1
        while (
            f < signed.size
            and why[f] not in OF_ACTIONS.values()
            and world.panel.time[fills.row[f]] == time
        ):
            book(t)
            f += 1
        here = line.rows[t] >= 0
        last[here] = world.panel.close[line.rows[t][here]]
        out["earned"][t] += (held * (last - mark)).sum()
        out["cash"][t], out["invested"][t] = cash, (held * last).sum()
        quantity[t], close[t] = held, last
    assert f == signed.size, f"fill {f} belongs to no bar: {why[f]}"
    return Books(
        out["cash"], out["invested"], quantity, close, out["dividends"], out["interest"],
        out["earned"], out["costs"], at,
    )  # fmt: skip
