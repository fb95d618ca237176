"""Layer C2: the fills of the study's own accounts, and of bars made to be hard, by the rules."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from touchstone.arrays import Float64
from touchstone.execution import REASONS
from touchstone.market import Panel
from touchstone.seeding import generator
from touchstone.strategies import Intent, Targets
from touchstone.validation.audit.account import Expected, beyond, followed
from touchstone.validation.audit.evidence import Book, Evidence
from touchstone.validation.audit.report import Finding, Layer, broken

_CLOSE: Final = 1e-7
"""Relative difference that two orders of the same sums may make."""


def audit_fills(evidence: Evidence) -> Layer:
    """Walk every account again, slowly; the first fill that is another is the finding.

    What the slow account cannot follow is judged by its books alone, and a note says so.
    """
    n, notes = 0, dict[str, None]()
    for book in evidence.books:
        n += book.run.fills.row.size + book.run.time.size
        reason = _unjudged(book, evidence)
        if reason is not None:
            told = f"{reason}: the fills were not walked again, only the books added up"
            notes[f"{book.name.split(' ')[0]}: {told}"] = None
        finding = judged(book, evidence)
        if finding is not None:
            return Layer("C2", n, finding, tuple(notes))
    return Layer("C2", n, None, tuple(notes))


def judged(book: Book, evidence: Evidence) -> Finding | None:
    """What of a book the rules would not have done."""
    decision = book.intent
    if isinstance(decision, Targets) or _unjudged(book, evidence) is not None:
        return _added_up(book, evidence)
    slow, equity, cash = followed(book.panel, decision, evidence.account, evidence.costs)
    finding = _fills(book, slow.fills)
    return finding or _paths(book, evidence, cash, equity)


def _unjudged(book: Book, evidence: Evidence) -> str | None:
    if book.panel.happened is not None:
        return "corporate actions"
    return beyond(book.intent, evidence.account, evidence.costs)


def _paths(book: Book, evidence: Evidence, cash: Float64, equity: Float64) -> Finding | None:
    for name, own, right in (("cash", book.run.cash, cash), ("equity", book.run.equity, equity)):
        wrong = np.abs(own - right) > _CLOSE * evidence.account.cash
        if wrong.any():
            k = int(wrong.argmax())
            where = f"{book.name}: account", name, "", int(book.run.time[k])
            law = "cash and positions at their closes are the equity"
            return broken("C2", law, where, (repr(float(right[k])), repr(float(own[k]))))
    return None


def _added_up(book: Book, evidence: Evidence) -> Finding | None:
    """A fill lies in its bar, and cash and equity are the sums of the fills."""
    fills, panel, run = book.run.fills, book.panel, book.run
    row, side = fills.row, fills.side.astype(np.float64)
    beyond_bar = (fills.reference > panel.high[row]) | (fills.reference < panel.low[row])
    better = side * (fills.price - fills.reference) < -_CLOSE * fills.reference
    for law, wrong in (("a fill lies in its bar", beyond_bar), ("costs better no price", better)):
        if wrong.any():
            i = int(wrong.argmax())
            symbol = panel.symbols[int(panel.asset_id[row[i]])]
            where = f"{book.name}: fills", "price", symbol, int(panel.time[row[i]])
            told = repr(float(fills.reference[i])), repr(float(fills.price[i]))
            return broken("C2", law, where, told)
    extras = evidence.costs.borrow_bp, evidence.costs.financing_bp
    if any(extras) or panel.happened is not None:
        return None
    at = np.searchsorted(run.time, panel.time[row])
    moved, held = np.zeros(run.time.size), np.zeros((run.time.size, panel.n_instruments))
    np.add.at(moved, at, -side * fills.quantity * fills.price - fills.commission)
    np.add.at(held, (at, panel.asset_id[row]), side * fills.quantity)
    cash = evidence.account.cash + np.cumsum(moved)
    rows = np.maximum.accumulate(panel.blocks().row, axis=0)  # the newest of each instrument
    close = np.where(rows >= 0, panel.close[np.maximum(rows, 0)], 0.0)
    return _paths(book, evidence, cash, cash + (np.cumsum(held, axis=0) * close).sum(1))


def _fills(book: Book, expected: Sequence[Expected]) -> Finding | None:
    fills, panel = book.run.fills, book.panel
    own = {
        (int(r), int(s)): i
        for i, (r, s) in enumerate(zip(fills.row.tolist(), fills.side.tolist(), strict=True))
    }
    for fill in expected:
        side = 1 if fill.quantity > 0 else -1
        i = own.pop((fill.row, side), None)
        symbol = panel.symbols[int(panel.asset_id[fill.row])]
        where = f"{book.name}: fills", "fill", symbol, int(panel.time[fill.row])
        if i is None:
            told = f"{'buy' if side > 0 else 'sell'} at {fill.price!r} ({fill.reason})"
            return broken("C2", "orders fill by the rules", where, (told, "none"))
        pairs = (
            ("reference", fill.reference, float(fills.reference[i])),
            ("price", fill.price, float(fills.price[i])),
            ("quantity", abs(fill.quantity), float(fills.quantity[i])),
            ("order row", float(fill.order_row), float(fills.order_row[i])),
            ("reason", float(REASONS.index(fill.reason)), float(fills.reason[i])),
        )
        for name, right, got in pairs:
            if abs(right - got) > _CLOSE * max(abs(right), 1e-12):
                return broken("C2", "fills follow the rules", (where[0], name, *where[2:]),
                              (repr(right), repr(got)))  # fmt: skip
        if abs(fill.commission - float(fills.commission[i])) > 0.0100001:
            return broken("C2", "a fill pays its commission", (where[0], "commission", *where[2:]),
                          (repr(fill.commission), repr(float(fills.commission[i]))))  # fmt: skip
    if own:
        (row, side), _ = min(own.items())
        symbol = panel.symbols[int(panel.asset_id[row])]
        told = f"{'buy' if side > 0 else 'sell'} at {float(fills.price[own[row, side]])!r}"
        return broken("C2", "nothing fills but by the rules",
                      (f"{book.name}: fills", "fill", symbol, int(panel.time[row])),
                      ("none", told))  # fmt: skip
    return None


def hard_bars(panel: Panel, seed: int) -> tuple[Panel, Intent]:
    """Bars on which every rule of a fill is asked, and wishes on them.

    Their prices gap, span both barriers, touch a target exactly and stop exactly; some bars have
    no volume. Symbols, times and calendar are the panel's own.
    """
    rng = generator(seed, "audit", "hard bars")
    n = len(panel)
    tick = 2.0**-6  # exact in binary, so that a touch is one to the last bit
    step = rng.integers(-6, 7, n)
    gap = np.where(rng.random(n) < 0.2, rng.integers(-14, 15, n), rng.integers(-1, 2, n))
    level = np.full(n, 64.0)
    for a, b in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        ticks = 0
        for i in range(a, b):
            ticks = int(np.clip(ticks + gap[i], -900, 900))
            level[i] = 64.0 + ticks * tick
            ticks = int(np.clip(ticks + step[i], -900, 900))
    open_ = level
    close = open_ + step * tick
    high = np.maximum(open_, close) + rng.integers(0, 9, n) * tick
    low = np.minimum(open_, close) - rng.integers(0, 9, n) * tick
    volume = np.where(rng.random(n) < 0.05, 0.0, panel.volume)
    bars = replace(
        panel, open=open_, high=high, low=low, close=close, volume=volume, happened=None, finer=None
    )
    width = 8 * tick / 64.0
    slots = 3
    wishes = Intent(
        enter=rng.random(n) < 0.25,
        rank=rng.random(n).round(1),
        leave=rng.random(n) < 0.05,
        up=np.where(rng.random(n) < 0.1, np.inf, width),
        down=np.where(rng.random(n) < 0.1, np.inf, width / 2),
        weight=np.full(n, 1.0 / slots),
        hold_bars=8,
        max_positions=slots,
    )
    return bars, wishes
