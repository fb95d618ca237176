"""Random studies: small markets, and what is decided in them, as plain arrays.

Every number is one that a person writes (prices in cents, widths in per cent), so that a touch is
a touch and half a cent is half a cent for whoever reads it.
"""

from dataclasses import dataclass, field

import numpy as np

from touchstone.execution import AccountConfig, CostsConfig
from walks import HOUR_NS, START_NS

SPLIT, DIVIDEND, DELISTING = 0, 1, 3
MARKET, LIMIT, STOP = range(3)
KINDS = ("wishes", "weights", "orders")
FOR_EVER = 9223372036854775807


@dataclass
class Study:
    """One market, one account, and its decisions; lists are in the order in which they hold."""

    kind: str
    account: AccountConfig
    costs: CostsConfig
    rows: np.ndarray
    """Row of each instrument at each time, -1 without a bar, (n_times, n_instruments)."""
    bars: np.ndarray
    """Open, high, low, close, volume, (n_rows, 5)."""
    finer: list[list[tuple[float, float, float]]]
    """Open, high, low of the bars inside each row, (n_rows,)."""
    half_spread: np.ndarray
    sigma: np.ndarray
    halted: np.ndarray
    group: np.ndarray
    events: list[tuple[int, int, int, float]] = field(default_factory=list)
    """Time, instrument, kind, value."""
    max_positions: int = 10
    wishes: list[tuple] = field(default_factory=list)
    """Time, instrument, rank, side, weight, up, down, hold."""
    leave: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    """(n_rows,)"""
    weights: list[tuple[int, int, float]] = field(default_factory=list)
    """Time, instrument, weight."""
    buffer: float = 0.0
    asked: list[tuple] = field(default_factory=list)
    """Time, instrument, kind, quantity, price, number, last bar at which it works."""

    @property
    def time(self) -> np.ndarray:
        return START_NS + np.arange(len(self.rows)) * HOUR_NS

    @property
    def day(self) -> np.ndarray:
        return self.time // (24 * HOUR_NS)


def study(seed: int, kind: str | None = None) -> Study:
    """The study of this number: its rules are drawn, then a market in which they bite."""
    rng = np.random.default_rng([seed, 3])
    kind = kind or KINDS[seed % 3]
    account, costs = an_account(rng, kind), some_costs(rng)
    n, n_times = int(rng.integers(1, 5)), int(rng.integers(25, 60))
    rows = some_rows(rng, n, n_times)
    made = Study(
        kind, account, costs, rows, np.zeros((0, 5)), [], np.zeros(0), np.zeros(0),
        np.zeros(0, bool),
        np.zeros(0, np.int64) if account.max_group is None else rng.integers(0, 2, n),
    )  # fmt: skip
    made.events = some_events(rng, made) if rng.random() < 0.6 else []
    for _, i, what, _ in list(made.events):
        if what == DELISTING:
            at = next(e[0] for e in made.events if e[1] == i and e[2] == DELISTING)
            gone = rows[at:, i] >= 0
            rows[at:, i] = np.where(gone, -1, rows[at:, i])
    number_rows(made)
    some_bars(rng, made)
    n_rows = len(made.bars)
    if rng.random() < 0.3:
        made.half_spread = rng.choice([0.0, 0.0002, 0.001], n_rows)
    if rng.random() < 0.3:
        made.halted = rng.random(n_rows) < 0.1
    if costs.impact:
        made.sigma = rng.choice([0.01, 0.02, 0.04], n_rows)
    {"wishes": some_wishes, "weights": some_weights, "orders": some_orders}[kind](rng, made)
    return made


def an_account(rng: np.random.Generator, kind: str) -> AccountConfig:
    def maybe(share, *values):
        return values[int(rng.integers(len(values)))] if rng.random() < share else None

    short = bool(rng.random() < 0.4)
    wish = {
        "cash": float(rng.choice([3_000.0, 10_000.0, 250_000.0])),
        "short": short,
        "units": "whole" if rng.random() < 0.4 else "fractional",
        "ambiguity": str(rng.choice(["pessimistic", "optimistic", "finer"])),
        "max_gross": maybe(0.4, 0.5, 0.8, *((1.5, 2.0) if short else ())),
        "max_weight": maybe(0.3, 0.1, 0.3),
        "max_group": maybe(0.3, 0.3, 0.5),
        "daily_loss": maybe(0.15, 0.01, 0.03),
        "drawdown": maybe(0.15, 0.05, 0.1),
        "cool_down": maybe(0.4, 1, 3),
    }
    if kind == "orders":  # sizes of one's own are bound by the money and max_gross alone
        wish |= {"max_weight": None, "max_group": None}
    if kind == "weights":
        wish["max_group"] = None
    return AccountConfig(**{k: v for k, v in wish.items() if v is not None})


def some_costs(rng: np.random.Generator) -> CostsConfig:
    def one(share, *values):
        return float(values[int(rng.integers(len(values)))]) if rng.random() < share else 0.0

    return CostsConfig(
        commission_bp=one(0.8, 3, 10, 25, 80),
        commission_per_unit=one(0.3, 0.005, 0.01),
        commission_minimum=one(0.3, 1, 5),
        sell_fee_bp=one(0.3, 0.3, 5),
        sell_fee_per_unit=one(0.2, 0.000166, 0.01),
        slippage_bp=one(0.7, 2, 5, 20),
        half_spread_bp=one(0.4, 1, 7),
        impact=(impact := one(0.4, 0.5, 1)),
        impact_power=float(rng.choice([0.5, 0.6])) if impact else 0.5,
        impact_half_life=one(0.6, 1, 4) if impact else 0.0,
        volume_cap=None if rng.random() < 0.3 else float(rng.choice([0.05, 0.1, 0.5])),
        borrow_bp=one(0.5, 50, 5000),
        financing_bp=one(0.5, 500, 5000),
        round_to_cents=bool(rng.random() < 0.8),
    )


def some_rows(rng: np.random.Generator, n: int, n_times: int) -> np.ndarray:
    """Bars that are there, and halts: runs that are not."""
    here = np.ones((n_times, n), bool)
    if rng.random() < 0.5:
        here &= rng.random((n_times, n)) > 0.1
        for i in range(n):
            a = int(rng.integers(1, n_times))
            here[a : a + int(rng.integers(2, 6)), i] = False
    here[0] = True
    return np.where(here, 0, -1)


def some_events(rng: np.random.Generator, made: Study) -> list[tuple[int, int, int, float]]:
    n_times, n = made.rows.shape
    found = []
    for i in range(n):
        end = n_times
        if rng.random() < 0.25:
            end = int(rng.integers(n_times // 2, n_times))
            found.append((end, i, DELISTING, float(rng.choice([0.0, 0.4, 1.0]))))
        for share, kind, values in (
            (0.04, SPLIT, [2, 3, 1.5, 0.5, 0.1]), (0.06, DIVIDEND, [0.25, 1.1, 3.0]),
        ):  # fmt: skip
            at = [t for t in np.flatnonzero(rng.random(end) < share) if t]
            found += [(int(t), i, kind, float(rng.choice(values))) for t in at]
    return sorted(found, key=lambda e: (e[0], e[2], e[1]))


def number_rows(made: Study) -> None:
    """As a panel numbers them: by instrument, then by time."""
    here = made.rows.T >= 0
    made.rows.T[here] = np.arange(here.sum())


def some_bars(rng: np.random.Generator, made: Study) -> None:
    """Four small bars make one; prices in cents, splits divide what follows."""
    n_times, n = made.rows.shape
    made.bars = np.zeros((int((made.rows >= 0).sum()), 5))
    made.finer = [[] for _ in made.bars]
    noise = float(rng.choice([0.006, 0.015, 0.03]))
    thin = float(rng.choice([0.02, 0.3, 30.0])) * made.account.cash / 100
    for i in range(n):
        price = float(rng.choice([40.0, 100.0, 250.0]))
        for t in range(n_times):
            for at, who, kind, value in made.events:
                if (at, who, kind) == (t, i, SPLIT):
                    price /= value
            row = int(made.rows[t, i])
            price = max(0.5, price * float(np.exp(rng.normal(0, noise / 2))))
            if row < 0:
                continue
            price, made.bars[row, :4], parts = a_bar(rng, price, noise)
            made.bars[row, 4] = float(np.floor(thin * np.exp(rng.normal(0, 1)))) * 10
            made.finer[row] = parts if rng.random() < 0.9 else []


def a_bar(rng: np.random.Generator, price: float, noise: float):
    """The last price, open, high, low and close of four small bars, and those."""
    parts, first, closes = [], round(price, 2), price
    for k in range(4):
        open_ = round(closes * float(np.exp(rng.normal(0, noise / 3))), 2) if k else first
        closes = max(0.5, round(open_ * float(np.exp(rng.normal(0, noise / 2))), 2))
        wick = np.abs(rng.normal(0, noise / 3, 2))
        high, low = max(open_, closes) * (1 + wick[0]), min(open_, closes) * (1 - wick[1])
        parts.append((open_, round(float(high), 2), max(0.01, round(float(low), 2))))
    highs, lows = max(p[1] for p in parts), min(p[2] for p in parts)
    return closes, (first, highs, lows, closes), parts


def some_wishes(rng: np.random.Generator, made: Study) -> None:
    share = float(rng.choice([0.1, 0.4, 0.9]))
    hold = int(rng.integers(1, 12))
    sides = [1, -1] if made.account.short else [1]
    weights = [[0.05, 0.13], [0.3, 0.7], [1.0, 0.9]][int(rng.integers(3))]
    made.max_positions = int(rng.integers(1, 5))
    made.leave = rng.random(len(made.bars)) < 0.08
    for t, row in enumerate(made.rows):
        for i in np.flatnonzero(row >= 0):
            if rng.random() < share:
                widths = rng.choice([0.01, 0.01, 0.02, 0.03, 0.05, np.inf], 2)
                made.wishes.append(
                    (t, int(i), float(rng.integers(0, 4)), int(rng.choice(sides)),
                     float(rng.choice(weights)), float(widths[0]), float(widths[1]), hold)
                )  # fmt: skip
    made.wishes.sort(key=lambda w: (w[0], -w[2], w[1]))


def some_weights(rng: np.random.Generator, made: Study) -> None:
    made.buffer = float(rng.choice([0.0, 0.015, 0.055]))
    low, high = (-0.2, 0.42) if made.account.short else (0.0, 0.2)
    for t, row in enumerate(made.rows):
        if rng.random() < 0.5:
            for i in range(row.size):
                if rng.random() < 0.7:
                    weight = round(float(rng.uniform(low, high)), 2)
                    made.weights.append((t, i, 0.0 if rng.random() < 0.2 else weight))


def some_orders(rng: np.random.Generator, made: Study) -> None:
    number, given = 0, []
    whole = made.account.units == "whole"
    share = float(rng.choice([0.1, 0.3]))
    for t, row in enumerate(made.rows):
        for i in np.flatnonzero(row >= 0):
            while rng.random() < share:
                close = made.bars[row[i], 3]
                kind = int(rng.integers(3))
                size = made.account.cash * float(rng.choice([0.02, 0.1])) / close
                side = 1 if rng.random() < 0.6 else -1
                size = max(1.0, float(np.floor(size))) if whole else round(size, 3)
                # a buy limit and a sell stop lie below, and sometimes on the wrong side
                away = float(rng.choice([0.0, 0.005, 0.01, 0.02, -0.01]))
                below = side > 0 if kind == LIMIT else side < 0
                price = round(close * (1 - away if below else 1 + away), 2)
                last = FOR_EVER if rng.random() < 0.5 else t + int(rng.integers(1, 6))
                made.asked.append(
                    (t, int(i), kind, side * size, 0.0 if kind == MARKET else price, number, last)
                )
                given.append((number, int(i)))
                number += 1
        if given and rng.random() < 0.1:
            which, i = given[int(rng.integers(len(given)))]
            made.asked.append((t, i, LIMIT, 0.0, 0.0, which, FOR_EVER))
