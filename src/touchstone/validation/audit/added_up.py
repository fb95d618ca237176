"""The books of a run that no slow account follows: its fills lie in their bars and add up."""

from typing import Final

import numpy as np

from touchstone.execution.records import DELISTED, IN_LIEU
from touchstone.validation.audit.evidence import Book, Evidence
from touchstone.validation.audit.report import Finding, broken

_CLOSE: Final = 1e-7
"""Relative difference that two orders of the same sums may make."""


def adds_up(book: Book, evidence: Evidence) -> bool:
    """Whether nothing but fills moves cash and units: no borrowing, no actions."""
    costs = evidence.costs
    return book.panel.happened is None and not (costs.borrow_bp or costs.financing_bp)


def added_up(book: Book, evidence: Evidence) -> Finding | None:
    """What of a book no rule of any decision would allow.

    Cash and equity are only summed where nothing but fills moves them (`adds_up`).
    """
    fills, panel, run = book.run.fills, book.panel, book.run
    row, side = fills.row, fills.side.astype(np.float64)
    traded = (fills.reason != DELISTED) & (fills.reason != IN_LIEU)
    outside = (fills.reference > panel.high[row]) | (fills.reference < panel.low[row])
    outside &= traded
    better = side * (fills.price - fills.reference) < -_CLOSE * fills.reference
    for law, wrong in (("a fill lies in its bar", outside), ("costs better no price", better)):
        if wrong.any():
            i = int(wrong.argmax())
            symbol = panel.symbols[int(panel.asset_id[row[i]])]
            where = f"{book.name}: fills", "price", symbol, int(panel.time[row[i]])
            told = repr(float(fills.reference[i])), repr(float(fills.price[i]))
            return broken("C2", law, where, told)
    if not adds_up(book, evidence):
        return None
    at = np.searchsorted(run.time, panel.time[row])
    moved, held = np.zeros(run.time.size), np.zeros((run.time.size, panel.n_instruments))
    np.add.at(moved, at, -side * fills.quantity * fills.price - fills.commission)
    np.add.at(held, (at, panel.asset_id[row]), side * fills.quantity)
    cash = evidence.account.cash + np.cumsum(moved)
    rows = np.maximum.accumulate(panel.blocks().row, axis=0)  # the newest of each instrument
    close = np.where(rows >= 0, panel.close[np.maximum(rows, 0)], 0.0)
    equity = cash + (np.cumsum(held, axis=0) * close).sum(1)
    for name, own, right in (("cash", run.cash, cash), ("equity", run.equity, equity)):
        wrong = np.abs(own - right) > _CLOSE * evidence.account.cash
        if wrong.any():
            k = int(wrong.argmax())
            where = f"{book.name}: account", name, "", int(run.time[k])
            law = "fills add up to cash and equity"
            return broken("C2", law, where, (repr(float(right[k])), repr(float(own[k]))))
    return None
