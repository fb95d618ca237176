"""One study through the kernel and through the slow engine, and where they differ."""

from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from reference.slow.engine import Engine
from reference.slow.nouns import NEVER, Asked, Bar, Decisions, Event, Finer, Terms, Wish, exact
from reference.studies import FOR_EVER, STOP, Study
from touchstone.execution import columns, history, records
from touchstone.execution.account import accounts

KINDS = {0: "split", 1: "dividend", 3: "delisting"}
BP = Decimal("0.0001")
DUST = 1e-7
"""Money that sums of float64 may differ by."""


class Judged(NamedTuple):
    """What both sides did."""

    fills: np.ndarray
    """The kernel's, `records.FILL`."""
    cash: np.ndarray
    equity: np.ndarray
    slow: Engine
    path: list[tuple[Decimal, Decimal]]


def judged(study: Study, engine: type[Engine] = Engine) -> Judged:
    """Both runs of a study."""
    fills, cash, equity = by_kernel(study)
    slow, path = by_hand(study, engine)
    return Judged(fills, cash, equity, slow, path)


def differences(study: Study, engine: type[Engine] = Engine) -> list[str]:
    """Every fill and every bar on which the two differ; empty where they agree to the cent."""
    return compared(study, judged(study, engine))


def compared(study: Study, got: Judged) -> list[str]:
    """The same of two runs that are done."""
    found = []
    for k, (fast, slow) in enumerate(zip(got.fills, got.slow.fills, strict=False)):
        is_who = (int(fast["row"]), names(study)[fast["instrument"]],
                  records.REASONS[fast["reason"]])  # fmt: skip
        who = (slow.row, slow.symbol, slow.reason)
        if is_who != who:
            found.append(f"fill {k}: {who} by hand, {is_who} by the kernel")
            break
        for name in ("quantity", "price", "reference"):
            a, b = float(getattr(slow, name)), float(fast[name])
            # units bought with the last of the cash: what the cash itself is known to
            known = DUST / fast["price"] if name == "quantity" and fast["price"] else 0.0
            if not abs(a - b) <= 1e-9 * abs(a) + known:
                found.append(f"fill {k} {who}: {name} {a!r} by hand, {b!r} by the kernel")
        if not abs(float(slow.commission) - fast["commission"]) <= 1e-6 + 1e-9 * slow_size(slow):
            found.append(f"fill {k} {who}: commission {slow.commission} by hand, "
                         f"{fast['commission']!r} by the kernel")  # fmt: skip
        if slow.order_row != fast["order_row"]:
            found.append(f"fill {k} {who}: ordered at {slow.order_row} by hand, "
                         f"{fast['order_row']} by the kernel")  # fmt: skip
    if len(got.fills) != len(got.slow.fills):
        found.append(f"{len(got.slow.fills)} fills by hand, {len(got.fills)} by the kernel")
    for what, fast, k in (("cash", got.cash, 0), ("equity", got.equity, 1)):
        right = np.array([float(p[k]) for p in got.path])
        off = np.flatnonzero(~(np.abs(right - fast) <= 0.005))
        if off.size:
            t = int(off[0])
            found.append(f"{what} after bar {t}: {right[t]:.6f} by hand, {fast[t]:.6f} by the "
                         f"kernel ({off.size} bars)")  # fmt: skip
    return found


def slow_size(fill: Any) -> float:
    return abs(float(fill.commission))


def names(study: Study) -> list[str]:
    return [f"S{i}" for i in range(study.rows.shape[1])]


# -- the kernel's side


def by_kernel(study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fills, and cash and equity after each bar."""
    line = a_timeline(study)
    n_times, n = study.rows.shape
    state = accounts(1, n, study.account, study.costs, study.max_positions, len(study.asked))
    tape = records.tape(4 * n * n_times + 100)
    walk = {
        "wishes": lambda: history.replay(state, line, wishes_of(study), tape),
        "weights": lambda: history.follow_weights(state, line, weights_of(study), tape),
        "orders": lambda: history.follow_orders(state, line, given_of(study), tape),
    }
    path = walk[study.kind]()
    return tape.fills[: tape.n[0]].copy(), path.cash, path.cash + path.invested


def a_timeline(study: Study) -> history.Timeline:
    first = np.cumsum([0, *(len(f) for f in study.finer)]).astype(np.int64)
    parts = np.array([p for f in study.finer for p in f]).reshape(-1, 3)
    finer = columns.Finer(first, *(np.ascontiguousarray(c) for c in parts.T))
    if study.account.ambiguity != "finer":
        finer = history.NO_FINER
    market = columns.Market(study.bars, study.half_spread, study.sigma, study.halted,
                            study.group, finer)  # fmt: skip
    events = history.NO_EVENTS
    if study.events:
        events = columns.Events(
            by_time(study, study.events),
            np.array([e[1] for e in study.events], np.int64),
            np.array([e[2] for e in study.events], np.int8),
            np.array([e[3] for e in study.events]),
        )
    place = np.arange(study.rows.shape[1])
    world = columns.World(market, events)
    return history.Timeline(study.time, study.day, study.rows.astype(np.int64), world, place)


def by_time(study: Study, listed: list) -> np.ndarray:
    """Where those of each time begin."""
    at = [x[0] for x in listed]
    return np.searchsorted(at, np.arange(len(study.rows) + 1)).astype(np.int64)


def wishes_of(study: Study) -> columns.Wishes:
    columns_ = list(zip(*study.wishes, strict=True)) or [()] * 8
    _, instrument, rank, side, weight, up, down, hold = (np.array(c) for c in columns_)
    rows = [study.rows[w[0], w[1]] for w in study.wishes]
    return columns.Wishes(
        by_time(study, study.wishes), np.array(rows, np.int64), instrument.astype(np.int64),
        rank.astype(float), side.astype(np.int8), up.astype(float), down.astype(float),
        weight.astype(float), hold.astype(np.int64), np.where(study.leave, -1.0, 1.0),
    )  # fmt: skip


def weights_of(study: Study) -> columns.Weights:
    return columns.Weights(
        by_time(study, study.weights),
        np.array([w[1] for w in study.weights], np.int64),
        np.array([w[2] for w in study.weights], float),
        study.buffer,
    )


def given_of(study: Study) -> columns.Given:
    orders = np.zeros(len(study.asked), records.RESTING)
    for to, (t, i, kind, quantity, price, number, last) in zip(orders, study.asked, strict=True):
        to["instrument"], to["kind"], to["quantity"], to["price"] = i, kind, quantity, price
        to["row"], to["number"] = study.rows[t, i], number
        to["expires"] = last if last == FOR_EVER else last + 1  # its clock counts from 1
    return columns.Given(by_time(study, study.asked), orders)


# -- the other side


def by_hand(
    study: Study, engine: type[Engine] = Engine
) -> tuple[Engine, list[tuple[Decimal, Decimal]]]:
    """The slow engine after the study, and cash and equity after each bar."""
    called = names(study)
    groups = dict(zip(called, study.group.tolist(), strict=True)) if study.group.size else {}
    slow = engine(exact(study.account.cash), terms_of(study), groups)
    path = []
    for t, rows in enumerate(study.rows):
        bars = {s: a_bar(study, int(r)) for s, r in zip(called, rows, strict=True) if r >= 0}
        events = tuple(
            Event(called[i], KINDS[kind], exact(value))
            for at, i, kind, value in study.events if at == t
        )  # fmt: skip
        day = int(study.day[t])
        path.append(slow.step(int(study.time[t]), day, bars, events, decisions_of(study, t)))
    return slow, path


def terms_of(study: Study) -> Terms:
    a, c = study.account, study.costs

    def limit(value):
        return NEVER if value is None else exact(value)

    return Terms(
        commission=exact(c.commission_bp) * BP, per_unit=exact(c.commission_per_unit),
        minimum=exact(c.commission_minimum), sell_fee=exact(c.sell_fee_bp) * BP,
        sell_fee_per_unit=exact(c.sell_fee_per_unit), half_spread=exact(c.half_spread_bp) * BP,
        slippage=exact(c.slippage_bp) * BP, impact=exact(c.impact),
        impact_power=exact(c.impact_power), half_life=exact(c.impact_half_life),
        cap=limit(c.volume_cap), borrow=exact(c.borrow_bp) * BP,
        financing=exact(c.financing_bp) * BP, to_cents=c.round_to_cents,
        whole=a.units == "whole", margin=a.short, ambiguity=a.ambiguity,
        max_gross=exact(a.max_gross) if a.short or a.max_gross < 1 else NEVER,
        max_weight=exact(a.max_weight), max_group=limit(a.max_group),
        daily_loss=limit(a.daily_loss), drawdown=limit(a.drawdown), cool_down=a.cool_down,
        max_positions=study.max_positions,
    )  # fmt: skip


def a_bar(study: Study, row: int) -> Bar:
    return Bar(
        row, *(exact(x) for x in study.bars[row]),
        exact(study.half_spread[row]) if study.half_spread.size else None,
        exact(study.sigma[row]) if study.sigma.size else Decimal(0),
        tuple(Finer(*(exact(x) for x in part)) for part in study.finer[row]),
        bool(study.halted.size and study.halted[row]),
    )  # fmt: skip


def decisions_of(study: Study, t: int) -> Decisions:
    called = names(study)
    rows = study.rows[t]
    wishes = tuple(
        Wish(called[i], int(rows[i]), rank, side, exact(weight), exact(up), exact(down), hold)
        for at, i, rank, side, weight, up, down, hold in study.wishes if at == t
    )  # fmt: skip
    leave = frozenset(
        s for s, r in zip(called, rows, strict=True) if study.leave.size and r >= 0
        and study.leave[r]
    )  # fmt: skip
    weights = tuple((called[i], exact(w)) for at, i, w in study.weights if at == t)
    asked = tuple(
        Asked(number, called[i], ("market", "limit", "stop")[kind], exact(quantity), exact(price),
              FOR_EVER if last == FOR_EVER else last + 1)
        for at, i, kind, quantity, price, number, last in study.asked if at == t
    )  # fmt: skip
    return Decisions(wishes, leave, weights, exact(study.buffer), asked)


assert STOP == records.STOP_ORDER
