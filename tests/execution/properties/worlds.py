"""What the properties are tried on: markets, actions, orders, wishes, weights, costs, accounts.

A world is drawn small, so that a counterexample can be read, and holds what real ones hold: gaps,
missing bars, thin and empty volume, prices on a grid that are touched to the tick, splits,
dividends and delistings, both sides, whole and fractional units.
"""

import os
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from touchstone.execution import AccountConfig, CostsConfig
from touchstone.execution.records import LIMIT_ORDER, MARKET_ORDER, STOP_ORDER
from touchstone.market import Bars, Panel
from touchstone.market.actions import DELISTING, DIVIDEND, SPLIT
from touchstone.strategies import Intent
from walks import HOUR_NS, START_NS, panel_of

examples = settings(
    max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "12")),
    deadline=None,
    phases=[p for p in Phase if p != Phase.shrink or "PROPERTY_QUICK" not in os.environ],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""Few in the suite; `tests/proofs/properties.py` asks for many."""

NONE = np.zeros(0)
NO_HALTS = np.zeros(0, bool)
EVERY_KIND = ("orders", "wishes", "weights")


class Order(NamedTuple):
    """Given at the close of `row`; quantity 0 cancels `number`."""

    row: int
    kind: int
    quantity: float
    price: float
    number: int
    life: int | None = None
    """Bars of the clock that it works for; None: until filled or cancelled."""


class Weighting(NamedTuple):
    weight: np.ndarray
    """Of equity, nan leaves the instrument be, (n_rows,)."""
    buffer: float = 0.0


class Happening(NamedTuple):
    """A corporate action at the start of the bar of this time."""

    time: int
    symbol: str
    kind: int
    value: float


class World(NamedTuple):
    panel: Panel
    decision: tuple[Order, ...] | Intent | Weighting
    account: AccountConfig = AccountConfig()
    costs: CostsConfig = CostsConfig()
    happenings: tuple[Happening, ...] = ()
    half_spread: np.ndarray = NONE
    sigma: np.ndarray = NONE
    halted: np.ndarray = NO_HALTS
    slots: int = 5
    n_resting: int = 32


# -- markets


class Shape(NamedTuple):
    """How a market looks; the prices follow from `seed`."""

    seed: int
    n_instruments: int
    n_bars: int
    missing: float
    gap: float
    volatility: float
    grid: float
    thin: bool


def shapes(max_instruments: int = 4, thin: bool | None = None) -> Any:
    return st.builds(
        Shape,
        seed=st.integers(0, 10_000),
        n_instruments=st.integers(1, max_instruments),
        n_bars=st.sampled_from([6, 14, 30, 50]),
        missing=st.sampled_from([0.0, 0.2]),
        gap=st.sampled_from([0.0, 0.004, 0.03]),
        volatility=st.sampled_from([0.004, 0.02]),
        grid=st.sampled_from([0.0, 0.25]),
        thin=st.booleans() if thin is None else st.just(thin),
    )


def market(shape: Shape) -> Panel:
    rng = np.random.default_rng([shape.seed, 11])
    n, walks = shape.n_bars, []
    for i in range(shape.n_instruments):
        step = rng.normal(0, shape.volatility, n)
        gap = rng.normal(0, 1, n) * shape.gap * (rng.random(n) < 0.3)
        close = 100.0 * np.exp(np.cumsum(step + gap))
        opened = np.r_[100.0, close[:-1]] * np.exp(gap)
        wick = np.abs(rng.normal(0, shape.volatility / 2, (2, n)))
        columns = [
            opened,
            np.maximum(opened, close) * (1 + wick[0]),
            np.minimum(opened, close) * (1 - wick[1]),
            close,
        ]
        if shape.grid:
            columns = [np.maximum(np.round(c / shape.grid), 1.0) * shape.grid for c in columns]
        volume = np.full(n, 1e9)
        if shape.thin:
            volume = np.round(np.exp(rng.normal(7, 1.5, n))) * (rng.random(n) > 0.1)
        walks.append(Bars(f"S{i}", START_NS + np.arange(n) * HOUR_NS, *columns, volume))
    panel = panel_of(*walks)
    keep = rng.random(len(panel)) >= shape.missing
    keep[0] = True
    return panel.where(keep)


def with_actions(panel: Panel, seed: int, kinds: tuple[int, ...]) -> tuple[Panel, tuple]:
    """Raw prices and volumes of a market in which these actions happen, and the actions."""
    rng = np.random.default_rng([seed, 12])
    time = panel.blocks().time
    found: list[Happening] = []
    keep = np.ones(len(panel), bool)
    columns = {n: getattr(panel, n).copy() for n in ("open", "high", "low", "close", "volume")}
    for kind in kinds:
        if time.size < 3:
            continue
        when = int(time[rng.integers(1, time.size)])
        i = int(rng.integers(panel.n_instruments))
        gone = {h.symbol for h in found if h.kind == DELISTING}
        later = [h for h in found if h.symbol == panel.symbols[i] and h.time >= when]
        if panel.symbols[i] in gone or (kind == DELISTING and later):
            continue
        after = (panel.asset_id == i) & (panel.time >= when)
        if kind == SPLIT:
            value = float(rng.choice([2.0, 3.0, 0.5, 1.5, 0.2]))
            for name in ("open", "high", "low", "close"):
                columns[name][after] /= value
            columns["volume"][after] *= value
        elif kind == DIVIDEND:
            value = float(np.round(rng.uniform(0.05, 2.0), 2))
        else:
            value = float(rng.choice([1.0, 0.4, 0.0]))
            keep &= ~after
        found.append(Happening(when, panel.symbols[i], kind, value))
    scaled = Panel(
        symbols=panel.symbols, timeframe=panel.timeframe, calendar=panel.calendar,
        offsets=panel.offsets, time=panel.time, **columns,
    )  # fmt: skip
    if not keep.any():
        return panel, ()
    order = {SPLIT: 0, DIVIDEND: 1, DELISTING: 2}
    found.sort(key=lambda h: (h.time, h.symbol, order[h.kind]))
    return scaled.where(keep), tuple(found)


# -- decisions


def orders_of(panel: Panel, seed: int, account: AccountConfig, size: float = 0.4) -> tuple:
    """Market, limit and stop orders of both sides, expiries and cancels."""
    rng = np.random.default_rng([seed, 13])
    given: list[Order] = []
    for number in range(1, 1 + int(rng.integers(1, 14))):
        row = int(rng.integers(len(panel)))
        kind = int(rng.choice([MARKET_ORDER, LIMIT_ORDER, STOP_ORDER]))
        close = panel.close[row]
        quantity = rng.uniform(0.02, size) * account.cash / close * rng.choice([1, 1, -1])
        if account.units == "whole":
            quantity = float(np.trunc(quantity))
        price = close * (1 + rng.uniform(-0.03, 0.03))
        if rng.random() < 0.3:
            price = float(np.round(price * 4) / 4)
        life = [None, 1, 4][int(rng.integers(3))]
        if quantity != 0.0:
            given.append(Order(row, kind, float(quantity), float(price), number, life))
        if rng.random() < 0.3:
            at = int(rng.integers(len(panel)))
            if panel.time[at] >= panel.time[row]:
                given.append(Order(at, MARKET_ORDER, 0.0, 0.0, number))
    return tuple(given)


def intent_drawn(panel: Panel, seed: int, account: AccountConfig, slots: int) -> Intent:
    rng = np.random.default_rng([seed, 14])
    n = len(panel)
    widths = [np.where(rng.random(n) < 0.2, np.inf, rng.uniform(0.004, 0.04, n)) for _ in "ud"]
    return Intent(
        enter=rng.random(n) < rng.choice([0.1, 0.6]),
        rank=rng.integers(0, 4, n).astype(float),
        leave=rng.random(n) < rng.choice([0.0, 0.08]),
        up=widths[0],
        down=widths[1],
        weight=rng.uniform(0.02, rng.choice([0.3, 1.0]), n),
        hold_bars=int(rng.integers(1, 9)),
        max_positions=slots,
        side=rng.choice([-1, 1], n).astype(np.int8) if account.short else None,
    )


def weights_drawn(panel: Panel, seed: int, account: AccountConfig) -> Weighting:
    rng = np.random.default_rng([seed, 15])
    n = len(panel)
    low = -0.6 if account.short else 0.0
    weight = rng.uniform(low, 0.7, n) * (rng.random(n) < 0.8)
    decides = rng.random(np.unique(panel.time).size) < 0.3
    at = np.searchsorted(np.unique(panel.time), panel.time)
    leaves_be = ~decides[at] | (rng.random(n) < 0.2)
    return Weighting(np.where(leaves_be, np.nan, weight), float(rng.choice([0.0, 0.05])))


# -- costs and accounts

few = st.sampled_from
costs_drawn = st.builds(
    CostsConfig,
    commission_bp=few([0.0, 10.0, 80.0]),
    commission_per_unit=few([0.0, 0.0, 0.005]),
    commission_minimum=few([0.0, 0.0, 1.0]),
    sell_fee_bp=few([0.0, 0.3]),
    sell_fee_per_unit=few([0.0, 0.0002]),
    slippage_bp=few([0.0, 5.0, 30.0]),
    half_spread_bp=few([0.0, 3.0]),
    impact=few([0.0, 0.0, 0.7]),
    impact_power=few([0.5, 0.6]),
    impact_half_life=few([0.0, 0.0, 3.0]),
    volume_cap=few([None, 0.1, 0.02]),
    borrow_bp=few([0.0, 300.0]),
    financing_bp=few([0.0, 500.0]),
    round_to_cents=st.booleans(),
)
LINEAR = {"commission_per_unit": 0.0, "commission_minimum": 0.0, "sell_fee_per_unit": 0.0}
"""Update that leaves only costs in basis points."""
EXACT = {**LINEAR, "round_to_cents": False}
FREE = CostsConfig(commission_bp=0.0, slippage_bp=0.0, volume_cap=None, round_to_cents=False)


@st.composite
def account_drawn(draw: Any, short: bool | None = None) -> AccountConfig:
    is_short = draw(st.booleans()) if short is None else short
    return AccountConfig(
        cash=draw(few([2_000.0, 1e6, 20.0])),
        short=is_short,
        units=draw(few(["fractional", "whole"])),
        ambiguity=draw(few(["pessimistic", "optimistic"])),
        max_gross=draw(few([0.8, 1.0, 2.0])) if is_short else draw(few([0.8, 1.0])),
        max_weight=draw(few([1.0, 0.4])),
        daily_loss=draw(few([None, None, 0.03])),
        drawdown=draw(few([None, None, 0.2])),
        cool_down=draw(few([0, 3])),
    )


# -- worlds


@st.composite
def worlds(
    draw: Any,
    kinds: tuple[str, ...] = EVERY_KIND,
    actions: tuple[int, ...] = (SPLIT, DIVIDEND, DELISTING),
    short: bool | None = None,
    thin: bool | None = None,
) -> World:
    """A world of any kind of decision; the arguments are a property's own condition."""
    panel = market(draw(shapes(thin=thin)))
    seed = draw(st.integers(0, 10_000))
    happen = draw(st.lists(few(actions), max_size=3)) if actions else []
    panel, happenings = with_actions(panel, seed, tuple(happen))
    account, costs = draw(account_drawn(short)), draw(costs_drawn)
    slots = draw(st.integers(1, 4))
    rng = np.random.default_rng([seed, 16])
    n = len(panel)
    return World(
        panel,
        decision_drawn(draw(few(kinds)), panel, seed, account, slots),
        account,
        costs,
        happenings,
        half_spread=rng.uniform(0, 0.001, n) if draw(st.booleans()) else NONE,
        sigma=rng.uniform(0.005, 0.02, n) if costs.impact else NONE,
        halted=rng.random(n) < 0.1 if draw(st.booleans()) else NO_HALTS,
        slots=slots,
    )


def decision_drawn(
    kind: str, panel: Panel, seed: int, account: AccountConfig, slots: int
) -> tuple[Order, ...] | Intent | Weighting:
    if kind == "orders":
        return orders_of(panel, seed, account)
    if kind == "wishes":
        return intent_drawn(panel, seed, account, slots)
    return weights_drawn(panel, seed, account)


def is_orders(decision: Any) -> bool:
    """Orders from outside: a plain tuple of them."""
    return type(decision) is tuple
