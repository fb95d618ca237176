"""One trade entered at E, and the same with every price p at 2E - p and the sides swapped."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from execution.properties.worlds import FREE, Order, World
from touchstone.execution import AccountConfig
from touchstone.execution.columns import Finer
from touchstone.execution.history import NO_FINER
from touchstone.execution.records import LIMIT_ORDER, MARKET_ORDER, STOP_ORDER
from touchstone.market import Bars
from touchstone.strategies import Intent
from walks import HOUR_NS, START_NS, panel_of

E = 128.0
STEP = 1 / 16


def reflected(data: Any) -> tuple[tuple[World, Finer], tuple[World, Finer]]:
    """Prices on a binary grid, so that 2E - p and every barrier is exact."""
    n = data.draw(st.integers(3, 16))
    steps = st.integers(-40, 40)
    close = E + STEP * np.cumsum(data.draw(st.lists(steps, min_size=n, max_size=n)))
    opened = np.r_[E, close[:-1]] + STEP * np.array(
        data.draw(st.lists(st.sampled_from([0, 0, 0, -30, 30]), min_size=n, max_size=n))
    )
    wicks = np.array(data.draw(st.lists(st.integers(0, 30), min_size=2 * n, max_size=2 * n)))
    close, opened = close.clip(40, 216), opened.clip(40, 216)
    close[0], opened[1] = E, E
    high = np.maximum(opened, close) + STEP * wicks[:n]
    low = np.minimum(opened, close) - STEP * wicks[n:]
    bars = Bars("S0", START_NS + np.arange(n) * HOUR_NS, opened, high, low, close, np.full(n, 1e9))
    ambiguity = data.draw(st.sampled_from(["pessimistic", "optimistic", "finer"]))
    account = AccountConfig(cash=10_000, short=True, max_gross=5, ambiguity=ambiguity)
    by_orders = data.draw(st.booleans())
    up, down = (data.draw(st.integers(1, 60)) * STEP for _ in "ud")
    hold = data.draw(st.integers(1, 8))
    kind = data.draw(st.sampled_from([LIMIT_ORDER, STOP_ORDER, MARKET_ORDER]))
    finer = _finer(opened, high, low, close) if ambiguity == "finer" else NO_FINER

    def world(side: int) -> tuple[World, Finer]:
        panel, own = panel_of(bars), finer
        if side < 0:
            panel = replace(
                panel, open=2 * E - opened, high=2 * E - low, low=2 * E - high, close=2 * E - close
            )
            if own is not NO_FINER:
                own = own._replace(
                    open=2 * E - own.open, high=2 * E - own.low, low=2 * E - own.high
                )
        if by_orders:
            away = up if kind == LIMIT_ORDER else -down
            leave = Order(0, kind, -side * 8.0, E + side * away, 2)
            if kind == MARKET_ORDER:
                leave = leave._replace(row=min(hold, n - 1))
            else:
                leave = leave._replace(row=1)
            decision = (Order(0, MARKET_ORDER, side * 8.0, 0.0, 1), leave)
            return World(panel, decision, account, FREE), own
        enter = np.arange(n) == 0
        intent = Intent(
            enter, np.zeros(n), np.zeros(n, bool), np.full(n, up / E),
            np.full(n, down / E), np.full(n, 0.5), hold, 1, np.full(n, side, np.int8),
        )  # fmt: skip
        return World(panel, intent, account, FREE), own

    return world(1), world(-1)


def _finer(opened: Any, high: Any, low: Any, close: Any) -> Finer:
    """Open to high, high to low, low to close."""
    opens = np.column_stack([opened, high, low]).ravel()
    highs = np.column_stack([high, high, close]).ravel()
    lows = np.column_stack([opened, low, low]).ravel()
    return Finer(np.arange(0, opens.size + 1, 3, dtype=np.int64), opens, highs, lows)
