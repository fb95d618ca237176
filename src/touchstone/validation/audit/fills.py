"""Layer C2: the fills of the study's own accounts, and of bars made to be hard, by the rules."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from touchstone.execution import REASONS
from touchstone.market import Panel
from touchstone.seeding import generator
from touchstone.strategies import Intent
from touchstone.validation.audit.account import followed, not_recomputed
from touchstone.validation.audit.added_up import added_up, adds_up
from touchstone.validation.audit.books import Expected
from touchstone.validation.audit.evidence import Book, Evidence
from touchstone.validation.audit.report import Finding, Layer, broken

_CLOSE: Final = 1e-7
"""Relative difference that two orders of the same sums may make."""


def audit_fills(evidence: Evidence) -> Layer:
    """Walk every account again, slowly; the first fill that is another is the finding.

    Accounts whose rules the slow one does not know are named in the notes.
    """
    n, notes = 0, list[str]()
    for book in evidence.books:
        own = evidence if book.account is None else evidence._replace(account=book.account)
        why = not_recomputed(book.intent, own.account)
        if why is not None:
            did = "its books were added up" if adds_up(book, own) else (
                "its fills were held against their bars"
            )  # fmt: skip
            notes.append(f"{book.name}: not recomputed: {why}; {did}")
            n += book.run.fills.row.size
            finding = added_up(book, own)
            if finding is not None:
                return Layer("C2", n, finding, tuple(notes))
            continue
        n += book.run.fills.row.size + book.run.time.size
        finding = judged(book, own)
        if finding is not None:
            return Layer("C2", n, finding, tuple(notes))
    return Layer("C2", n, None, tuple(notes))


def judged(book: Book, evidence: Evidence) -> Finding | None:
    """What of a book the rules would not have done."""
    assert isinstance(book.intent, Intent)
    slow, equity, cash = followed(book.panel, book.intent, evidence.account, evidence.costs)
    finding = _fills(book, slow.fills)
    if finding is not None:
        return finding
    for name, own, right in (("cash", book.run.cash, cash), ("equity", book.run.equity, equity)):
        wrong = np.abs(own - right) > _CLOSE * evidence.account.cash
        if wrong.any():
            k = int(wrong.argmax())
            where = f"{book.name}: account", name, "", int(book.run.time[k])
            law = "cash and positions at their closes are the equity"
            return broken("C2", law, where, (repr(float(right[k])), repr(float(own[k]))))
    return None


def _fills(book: Book, expected: Sequence[Expected]) -> Finding | None:
    fills, panel = book.run.fills, book.panel
    own: dict[tuple[int, int], list[int]] = {}
    for i, at in enumerate(zip(fills.row.tolist(), fills.side.tolist(), strict=True)):
        own.setdefault(at, []).append(i)  # two of one bar and side are in their order
    for fill in expected:
        side = 1 if fill.quantity > 0 else -1
        mine = own.get((fill.row, side), [])
        symbol = panel.symbols[int(panel.asset_id[fill.row])]
        where = f"{book.name}: fills", "fill", symbol, int(panel.time[fill.row])
        if not mine:
            told = f"{'buy' if side > 0 else 'sell'} at {fill.price!r} ({fill.reason})"
            return broken("C2", "orders fill by the rules", where, (told, "none"))
        i = mine.pop(0)
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
    unasked = min((i for mine in own.values() for i in mine), default=None)
    if unasked is not None:
        row, told = int(fills.row[unasked]), "buy" if fills.side[unasked] > 0 else "sell"
        symbol = panel.symbols[int(panel.asset_id[row])]
        return broken("C2", "nothing fills but by the rules",
                      (f"{book.name}: fills", "fill", symbol, int(panel.time[row])),
                      ("none", f"{told} at {float(fills.price[unasked])!r}"))  # fmt: skip
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
    bars = replace(panel, open=open_, high=high, low=low, close=close, volume=volume)
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
