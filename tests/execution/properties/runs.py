"""A world through the kernel; the same world cut, scaled or turned round."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from execution.properties.worlds import Order, Weighting, World, is_orders
from touchstone.backtest.fills import Fills, fills_of
from touchstone.backtest.replay import wishes_of
from touchstone.execution.account import accounts
from touchstone.execution.columns import Events, Finer, Given, Weights, Wishes
from touchstone.execution.history import (
    NO_EVENTS,
    NO_FINER,
    Path,
    Timeline,
    follow_orders,
    follow_weights,
    replay,
    timeline,
)
from touchstone.execution.records import FOR_EVER, RESTING, Accounts, Tape, tape
from touchstone.strategies import Intent

DRIVERS = {Wishes: replay, Weights: follow_weights, Given: follow_orders}
CAPACITY = 3_000


class Done(NamedTuple):
    world: World
    line: Timeline
    path: Path
    fills: Fills
    symbol: list[str]
    """Of each fill."""
    state: Accounts
    tape: Tape

    @property
    def equity(self) -> np.ndarray:
        return self.path.cash + self.path.invested

    @property
    def purse(self) -> Any:
        return self.state.purse[0]


def run(world: World, finer: Finer = NO_FINER) -> Done:
    """One account through a world's history."""
    line = line_of(world, finer)
    decision = decided(world, line)
    state, filled = fresh(world), tape(CAPACITY)
    path = DRIVERS[type(decision)](state, line, decision, filled)
    return done(world, line, path, (state, filled))


def done(world: World, line: Timeline, path: Path, left: tuple[Accounts, Tape]) -> Done:
    state, filled = left
    assert filled.n[0] <= CAPACITY
    names = sorted(world.panel.symbols)
    symbol = [names[i] for i in filled.fills["instrument"][: filled.n[0]]]
    return Done(world, line, path, fills_of(filled), symbol, state, filled)


def fresh(world: World) -> Accounts:
    return accounts(
        1, world.panel.n_instruments, world.account, world.costs, world.slots, world.n_resting
    )


def line_of(world: World, finer: Finer = NO_FINER) -> Timeline:
    line = timeline(world.panel, events_of(world))
    market = line.world.market._replace(
        half_spread=world.half_spread, sigma=world.sigma, halted=world.halted, finer=finer
    )
    return line._replace(world=line.world._replace(market=market))


def events_of(world: World) -> Events:
    if not world.happenings:
        return NO_EVENTS
    time, names = world.panel.blocks().time, sorted(world.panel.symbols)
    at = np.searchsorted(time, [h.time for h in world.happenings])
    told = [h for h, t in zip(world.happenings, at, strict=True) if t < time.size]
    return Events(
        first=np.searchsorted(at, np.arange(time.size + 1)).astype(np.int64),
        instrument=np.array([names.index(h.symbol) for h in told], np.int64),
        kind=np.array([h.kind for h in told], np.int8),
        value=np.array([h.value for h in told], np.float64),
    )


def decided(world: World, line: Timeline) -> Wishes | Weights | Given:
    if isinstance(world.decision, Intent):
        return wishes_of(world.panel, line, world.decision)
    if isinstance(world.decision, Weighting):
        return _weights(world, line, world.decision)
    return _given(world, line, world.decision)


def _weights(world: World, line: Timeline, weighting: Weighting) -> Weights:
    rows = np.flatnonzero(~np.isnan(weighting.weight))
    instrument = line.place[world.panel.asset_id[rows]]
    at = np.searchsorted(line.time, world.panel.time[rows])
    order = np.lexsort((instrument, at))
    first = np.searchsorted(at[order], np.arange(line.time.size + 1)).astype(np.int64)
    return Weights(
        first,
        instrument[order].astype(np.int64),
        np.ascontiguousarray(weighting.weight[rows[order]]),
        weighting.buffer,
    )


def _given(world: World, line: Timeline, orders: tuple[Order, ...]) -> Given:
    at = np.searchsorted(line.time, world.panel.time[[o.row for o in orders]]).astype(np.int64)
    by_time = np.argsort(at, kind="stable")
    table = np.zeros(len(orders), RESTING)
    for place, o in enumerate(by_time):
        order, t = orders[o], int(at[o])
        instrument = line.place[world.panel.asset_id[order.row]]
        expires = FOR_EVER if order.life is None else t + 1 + order.life
        table[place] = (
            instrument, order.kind, order.quantity, order.price, order.row, order.number, expires,
        )  # fmt: skip
    first = np.searchsorted(at[by_time], np.arange(line.time.size + 1)).astype(np.int64)
    return Given(first, table)


# -- the same world, otherwise


def rows_kept(world: World, keep: np.ndarray) -> World:
    """A world of these rows only."""
    new_row = np.cumsum(keep) - 1
    decision = world.decision
    if isinstance(decision, Intent):
        side = None if decision.side is None else decision.side[keep]
        columns = {n: getattr(decision, n)[keep] for n in decision._fields[:6]}
        decision = decision._replace(side=side, **columns)
    elif isinstance(decision, Weighting):
        decision = decision._replace(weight=decision.weight[keep])
    else:
        decision = tuple(o._replace(row=int(new_row[o.row])) for o in decision if keep[o.row])
    extra = {
        n: getattr(world, n)[keep] if getattr(world, n).size else getattr(world, n)
        for n in ("half_spread", "sigma", "halted")
    }
    return world._replace(panel=world.panel.where(keep), decision=decision, **extra)


def rows_moved(world: World, rows: np.ndarray, panel: Any) -> World:
    """A world whose panel holds old row rows[r] at row r."""
    decision, place = world.decision, np.argsort(rows)
    if isinstance(decision, Intent):
        side = None if decision.side is None else decision.side[rows]
        columns = {n: getattr(decision, n)[rows] for n in decision._fields[:6]}
        decision = decision._replace(side=side, **columns)
    elif isinstance(decision, Weighting):
        decision = decision._replace(weight=decision.weight[rows])
    else:
        decision = tuple(o._replace(row=int(place[o.row])) for o in decision)
    extra = {
        n: getattr(world, n)[rows] if getattr(world, n).size else getattr(world, n)
        for n in ("half_spread", "sigma", "halted")
    }
    return world._replace(panel=panel, decision=decision, **extra)


def prices_scaled(world: World, k: float) -> World:
    """The same in another unit of money."""
    columns = {n: getattr(world.panel, n) * k for n in ("open", "high", "low", "close")}
    decision = world.decision
    if is_orders(decision):
        decision = tuple(o._replace(price=o.price * k) for o in decision)
    paid = tuple(h._replace(value=h.value * k) if h.kind == 1 else h for h in world.happenings)
    return world._replace(
        panel=replace(world.panel, **columns),
        decision=decision,
        account=world.account.model_copy(update={"cash": world.account.cash * k}),
        happenings=paid,
    )
