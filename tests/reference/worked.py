"""Fills worked by hand: one line a fill, the arithmetic beside it.

Unless a case says otherwise: one instrument A that stands still at 100 with a volume of a billion,
eight hourly bars, 10,000 of cash, commission 10 bp rounded half up to cents, slippage 5 bp, so that
a buy at 100 pays 100.05 and a sale gets 99.95; a wish at bar 0 to hold half of the equity: 50
units, for three bars: filled at bar 1, left at the open of bar 4. B is a second such instrument.

A fill is (bar, instrument, units, price, commission, reason); sales are negative.
"""

from typing import Any, NamedTuple

FOR_EVER = 9223372036854775807
MARKET, LIMIT, STOP = range(3)
SPLIT, DIVIDEND, _, DELISTING = range(4)
BOUGHT = (1, "A", 50, 100.05, 5.00, "entry")  # 5002.50, 10 bp of it 5.0025
LEFT = (4, "A", -50, 99.95, 5.00, "time")  # 4997.50 -> 4.9975
SOLD = (1, "A", -50, 99.95, 5.00, "entry")  # short
COVERED = (4, "A", 50, 100.05, 5.00, "time")
ORDERED = (1, "A", 50, 100.05, 5.00, "order")


class Case(NamedTuple):
    """One situation. `a`, `b`: changed bars by column; `gone`, `halted`: bars of A."""

    name: str
    fills: list[tuple]
    cash: float | None = None
    """At the end."""
    account: dict[str, Any] = {}
    costs: dict[str, Any] = {}
    a: dict[str, dict[int, Any]] = {}
    b: dict[str, dict[int, Any]] | None = None
    gone: tuple[int, ...] = ()
    halted: tuple[int, ...] = ()
    events: list[tuple[int, int, float]] = []
    """Bar, kind, value; of A."""
    wishes: list[dict[str, Any]] | None = None
    """Keys: at, who, side, weight, up, down, hold, rank; None: the one wish of above, unless there
    are weights or orders."""
    weights: list[tuple[int, str, float]] = []
    buffer: float = 0.0
    orders: list[tuple] = []
    """Bar, instrument, kind, units, price, number, last bar at which it works."""
    leave: tuple[int, ...] = ()
    group: list[int] = []
    slots: int = 10


SHORT, WHOLE = {"short": True}, {"units": "whole"}
STOPS = {"up": 0.05, "down": 0.02}


def wish(**changes):
    return [{"at": 0, "who": "A"} | changes]


def order(*, at=0, who="A", kind=MARKET, units=50.0, price=0.0, number=0, last=FOR_EVER):
    return (at, who, kind, units, price, number, last)


def from_bar(bar, price):
    """Every price of A from this bar on."""
    return {name: dict.fromkeys(range(bar, 8), price) for name in ("open", "high", "low", "close")}


def at_bar(bar, price):
    """Open, high and low of one bar: it opens there and closes at 100."""
    return {"open": {bar: price}, ("high" if price > 100 else "low"): {bar: price}}


CASES = [
    # -- shorts
    Case("a short is left by time", [SOLD, COVERED], 9_985.00, SHORT,  # + 4992.50 - 5007.50
         wishes=wish(side=-1)),
    Case("a short's stop lies above: 102, worsened upwards",
         [SOLD, (2, "A", 50, 102.051, 5.10, "stop")],  # 102 x 1.0005; 5102.55 -> 5.10255
         account=SHORT, a={"high": {2: 103.0}}, wishes=wish(side=-1, **STOPS)),
    Case("a short's stop in a gap: the open, worsened",
         [SOLD, (2, "A", 50, 106.053, 5.30, "stop")],  # 106 x 1.0005; 5302.65 -> 5.30265
         account=SHORT, a=at_bar(2, 106.0), wishes=wish(side=-1, **STOPS)),
    Case("a short's target lies below: 95, traded through",
         [SOLD, (2, "A", 50, 95.0, 4.75, "target")],  # 4750 -> 4.75
         account=SHORT, a={"low": {2: 94.99}}, wishes=wish(side=-1, **STOPS)),
    Case("a short's target touched exactly is not filled", [SOLD, COVERED],
         account=SHORT, a={"low": {2: 95.0}}, wishes=wish(side=-1, **STOPS)),
    Case("a short's target in a gap: the better open",
         [SOLD, (2, "A", 50, 90.0, 4.50, "target")],  # 4500 -> 4.50
         account=SHORT, a=at_bar(2, 90.0), wishes=wish(side=-1, **STOPS)),
    Case("a long-only account is never short", [], 10_000.0, wishes=wish(side=-1)),
    # -- stop and target in one bar
    Case("both in one bar, optimistic: the target",
         [BOUGHT, (2, "A", -50, 105.0, 5.25, "target")],
         account={"ambiguity": "optimistic"}, a={"high": {2: 106.0}, "low": {2: 97.0}},
         wishes=wish(**STOPS)),
    Case("both in one bar, finer bars say target first",
         [BOUGHT, (2, "A", -50, 105.0, 5.25, "target")],
         account={"ambiguity": "finer"}, wishes=wish(**STOPS),
         a={"high": {2: 106.0}, "low": {2: 97.0},
            "finer": {2: [(100.0, 106.0, 100.0), (100.0, 100.0, 97.0)]}}),
    Case("both in one bar, finer bars say stop first",
         [BOUGHT, (2, "A", -50, 97.951, 4.90, "stop")],  # 98 x 0.9995; 4897.55
         account={"ambiguity": "finer"}, wishes=wish(**STOPS),
         a={"high": {2: 106.0}, "low": {2: 97.0},
            "finer": {2: [(100.0, 100.0, 97.0), (100.0, 106.0, 100.0)]}}),
    Case("a finer bar opens beyond the stop: its open, worsened",
         [BOUGHT, (2, "A", -50, 95.952, 4.80, "stop")],  # 96 x 0.9995; 4797.60 -> 4.7976
         account={"ambiguity": "finer"}, wishes=wish(**STOPS),
         a={"high": {2: 106.0}, "low": {2: 96.0},
            "finer": {2: [(100.0, 101.0, 99.0), (96.0, 106.0, 96.0)]}}),
    Case("no finer bars there: the stop", [BOUGHT, (2, "A", -50, 97.951, 4.90, "stop")],
         account={"ambiguity": "finer"}, wishes=wish(**STOPS),
         a={"high": {2: 106.0}, "low": {2: 97.0}}),
    # -- whole units
    Case("whole units are rounded down at the order: 5000 / 99 = 50.5", [BOUGHT, LEFT],
         account=WHOLE, a={"close": {0: 99.0}, "low": {0: 99.0}}),
    Case("whole units, all the cash: 10,000 / 100.15 = 99.85 -> 99",
         [(1, "A", 99, 100.05, 9.90, "entry"),  # 9904.95 -> 9.90495
          (4, "A", -99, 99.95, 9.90, "time")],  # 9895.05 -> 9.89505
         account=WHOLE, wishes=wish(weight=1.0)),
    Case("whole units, the open gaps up: 10,000 / (110.055 x 1.001) = 90.77 -> 90",
         [(1, "A", 90, 110.055, 9.90, "entry"),  # 9904.95 -> 9.90495
          (4, "A", -90, 99.95, 9.00, "time")],  # 8995.50 -> 8.9955
         account=WHOLE, wishes=wish(weight=1.0), a=at_bar(1, 110.0)),
    Case("whole units, money for none", [], 50.0, {"cash": 50.0, **WHOLE}, wishes=wish(weight=1.0)),
    # -- volume
    Case("a tenth of the volume: 30 now, 20 at the next bar; the same on the way out",
         [(1, "A", 30, 100.05, 3.00, "entry"),  # 3001.50 -> 3.0015
          (2, "A", 20, 100.05, 2.00, "entry"),  # 2001.00 -> 2.001
          (4, "A", -20, 99.95, 2.00, "time"),  # 1999.00 -> 1.999
          (5, "A", -30, 99.95, 3.00, "time")],  # 2998.50 -> 2.9985
         a={"volume": {1: 300.0, 4: 200.0}}),
    Case("a bar without volume fills nothing: entered a bar later, left a bar later",
         [(2, *BOUGHT[1:]), (5, *LEFT[1:])], a={"volume": {1: 0.0}}),
    Case("no cap", [BOUGHT, LEFT], costs={"volume_cap": None}, a={"volume": {1: 1.0}}),
    Case("the rest of a stop is a market order at the next open",
         [BOUGHT, (2, "A", -20, 97.951, 1.96, "stop"),  # 1959.02
          (3, "A", -30, 99.95, 3.00, "stop")],  # 2998.50
         wishes=wish(**STOPS), a={"low": {2: 97.0}, "volume": {2: 200.0}}),
    Case("the rest of a target stays a target",
         [BOUGHT, (2, "A", -20, 105.0, 2.10, "target"),  # 2100
          (3, "A", -30, 105.0, 3.15, "target")],  # 3150
         wishes=wish(**STOPS), a={"high": {2: 106.0, 3: 106.0}, "volume": {2: 200.0}}),
    # -- commissions and fees
    Case("a cent a unit is less than the least of 1.00",
         [(1, "A", 50, 100.05, 1.00, "entry"), (4, "A", -50, 99.95, 1.00, "time")],  # 0.50
         costs={"commission_bp": 0.0, "commission_per_unit": 0.01, "commission_minimum": 1.0}),
    Case("per unit beside basis points: 5.0025 + 0.50",
         [(1, "A", 50, 100.05, 5.50, "entry"), (4, "A", -50, 99.95, 5.50, "time")],
         costs={"commission_per_unit": 0.01}),
    Case("fees of sales come on top: 4.9975 + 5 bp of 4997.50 + 50 x 0.02",
         [BOUGHT, (4, "A", -50, 99.95, 8.50, "time")],  # 4.9975 + 2.49875 + 1.00 = 8.49625
         costs={"sell_fee_bp": 5.0, "sell_fee_per_unit": 0.02}),
    Case("fees come on top of the least commission, rounded once: 1 + 2.49875",
         [(1, "A", 50, 100.05, 1.00, "entry"), (4, "A", -50, 99.95, 3.50, "time")],
         costs={"commission_bp": 0.0, "commission_minimum": 1.0, "sell_fee_bp": 5.0}),
    Case("half a cent rounds up: 50 x 100.1 = 5005 -> 5.005",
         [(1, "A", 50, 100.1, 5.01, "entry"), (4, "A", -50, 100.0, 5.00, "time")],
         costs={"slippage_bp": 0.0}, a=at_bar(1, 100.1)),
    # -- spread and impact
    Case("a measured spread stands for the flat one",
         [(1, "A", 50, 100.15, 5.01, "entry"),  # 5 + 10 bp; 5007.50 -> 5.0075
          (4, "A", -50, 99.95, 5.00, "time")],  # 5 + 0 bp
         costs={"half_spread_bp": 3.0}, a={"half_spread": {1: 0.001}}),
    Case("impact: 0.02 x (50 / 5000) ^ 1/2 = 20 bp each way",
         [(1, "A", 50, 100.25, 5.01, "entry"),  # 5012.50 -> 5.0125
          (4, "A", -50, 99.75, 4.99, "time")],  # 4987.50 -> 4.9875
         costs={"impact": 1.0}, a={"volume": dict.fromkeys(range(8), 5000.0), "sigma": {0: 0.02}}),
    Case("half of an own impact is left a bar later; it hurts the next buy and helps no sale",
         [(1, "A", 50, 100.25, 5.01, "order"),
          (2, "A", 50, 100.35, 5.02, "order"),  # 5 + 20 + 10 bp; 5017.50 -> 5.0175
          (3, "A", -50, 99.75, 4.99, "order")],
         account={"cash": 20_000.0}, costs={"impact": 1.0, "impact_half_life": 1.0},
         a={"volume": dict.fromkeys(range(8), 5000.0), "sigma": {0: 0.02}},
         orders=[order(), order(at=1, number=1), order(at=2, units=-50.0, number=2)]),
    # -- orders from outside
    Case("limit buy at 98, traded through: at 98, not worsened",
         [(2, "A", 50, 98.0, 4.90, "order")],  # 4900
         orders=[order(kind=LIMIT, price=98.0)], a={"low": {2: 97.0}}),
    Case("limit buy touched exactly", [], 10_000.0, orders=[order(kind=LIMIT, price=98.0)],
         a={"low": {2: 98.0}}),
    Case("limit buy, the bar opens below: the better open",
         [(2, "A", 50, 95.0, 4.75, "order")],  # 4750
         orders=[order(kind=LIMIT, price=98.0)], a=at_bar(2, 95.0)),
    Case("limit sale at 103, traded through",
         [ORDERED, (3, "A", -50, 103.0, 5.15, "order")],  # 5150
         orders=[order(), order(at=1, kind=LIMIT, units=-50.0, price=103.0, number=1)],
         a={"high": {3: 104.0}}),
    Case("stop buy at 102, touched: worsened",
         [(2, "A", 50, 102.051, 5.10, "order")],  # 5102.55
         orders=[order(kind=STOP, price=102.0)], a={"high": {2: 102.0}}),
    Case("stop sale, the bar opens beyond: the open, worsened",
         [ORDERED, (3, "A", -50, 89.955, 4.50, "order")],  # 90 x 0.9995; 4497.75 -> 4.49775
         orders=[order(), order(at=1, kind=STOP, units=-50.0, price=98.0, number=1)],
         a=at_bar(3, 90.0)),
    Case("an order works until its last bar", [], 10_000.0, a={"low": {3: 97.0}},
         orders=[order(kind=LIMIT, price=98.0, last=2)]),
    Case("an order works in its last bar", [(3, "A", 50, 98.0, 4.90, "order")],
         a={"low": {3: 97.0}}, orders=[order(kind=LIMIT, price=98.0, last=3)]),
    Case("a cancelled order is never filled", [], 10_000.0, a={"low": {3: 97.0}},
         orders=[order(kind=LIMIT, price=98.0, number=7),
                 order(at=2, kind=LIMIT, units=0.0, number=7)]),
    Case("a sale of more than is held sells what is held",
         [ORDERED, (3, "A", -50, 99.95, 5.00, "order")],
         orders=[order(), order(at=2, units=-80.0, number=1)]),
    Case("a sale of nothing is rejected", [], 10_000.0, orders=[order(units=-50.0)]),
    Case("a sale of nothing is a short where that is allowed",
         [(1, "A", -50, 99.95, 5.00, "order")], account=SHORT, orders=[order(units=-50.0)]),
    Case("two halves of an order are one order: 5.0025 -> 5.00, not twice 2.50125",
         [ORDERED], orders=[order(units=25.0), order(units=25.0, number=1)]),
    # -- bars that are not there
    Case("no bar, no fill: entered at bar 2", [(2, *BOUGHT[1:]), (5, *LEFT[1:])], gone=(1,)),
    Case("a halted bar fills nothing", [(2, *BOUGHT[1:]), (5, *LEFT[1:])], halted=(1,)),
    Case("a halted bar touches no stop", [BOUGHT, LEFT], wishes=wish(**STOPS), halted=(2,),
         a={"low": {2: 90.0}}),
    Case("money comes from sales at the same open: A leaves, B is bought with it",
         [(1, "A", 99.850175, 100.05, 9.99, "entry"),  # 10,000 / (1.001 x 100.05)
          (4, "A", -99.850175, 99.95, 9.98, "time"),  # + 9970.0450
          (4, "B", 99.551073, 100.05, 9.96, "entry"),  # 9970.0450 / (1.001 x 100.05)
          (7, "B", -99.551073, 99.95, 9.95, "time")],
         wishes=[*wish(weight=1.0), *wish(at=3, who="B", weight=1.0)], b={}),
    # -- corporate actions
    Case("2:1 split: 100 units at 50", [BOUGHT, (4, "A", -100, 49.975, 5.00, "time")],  # 4997.50
         events=[(2, SPLIT, 2.0)], a=from_bar(2, 50.0)),
    Case("2:1 split moves the stop to 49",
         [BOUGHT, (3, "A", -100, 48.9755, 4.90, "stop")],  # 49 x 0.9995; 4897.55
         events=[(2, SPLIT, 2.0)], wishes=wish(**STOPS),
         a=from_bar(2, 50.0) | {"low": dict.fromkeys(range(2, 8), 50.0) | {3: 48.9}}),
    Case("1:20 split of 50 whole units: 2 left, half a unit for cash at 100 x 20, without costs",
         [BOUGHT, (2, "A", -0.5, 2000.0, 0.0, "in_lieu"),
          (4, "A", -2, 1999.0, 4.00, "time")],  # 3998 -> 3.998
         9_986.50, WHOLE, events=[(2, SPLIT, 0.05)], a=from_bar(2, 2000.0)),  # -5007.5+1000+3994
    Case("2:1 split of an order that waits for a bar",
         [(2, "A", 100, 50.025, 5.00, "entry"), (5, "A", -100, 49.975, 5.00, "time")],
         gone=(1,), events=[(2, SPLIT, 2.0)], a=from_bar(2, 50.0)),
    Case("2:1 split of a resting order: 100 at 49", [(3, "A", 100, 49.0, 4.90, "order")],
         orders=[order(kind=LIMIT, price=98.0)], events=[(2, SPLIT, 2.0)],
         a=from_bar(2, 50.0) | {"low": dict.fromkeys(range(2, 8), 50.0) | {3: 48.0}}),
    Case("a dividend of 1 a unit at bar 2", [BOUGHT, LEFT], 10_035.00,  # - 15 + 50
         events=[(2, DIVIDEND, 1.0)]),
    Case("a dividend at the bar of the entry's open comes too soon", [BOUGHT, LEFT], 9_985.00,
         events=[(1, DIVIDEND, 1.0)]),
    Case("a short pays the dividend", [SOLD, COVERED], 9_935.00, SHORT,  # - 15 - 50
         events=[(2, DIVIDEND, 1.0)], wishes=wish(side=-1)),
    Case("delisted with a recovery of 40 %: at 40, without costs",
         [BOUGHT, (2, "A", -50, 40.0, 0.0, "delisted")], 6_992.50,  # - 5007.50 + 2000
         events=[(3, DELISTING, 0.4)], gone=(3, 4, 5, 6, 7), b={}),
    # -- borrowing
    Case("borrow of 36.5 % a year on 5000 for three hours: 3 x 5000 x 0.365 / 8760 = 0.625",
         [SOLD, COVERED], 9_984.375, SHORT, {"borrow_bp": 3650.0}, wishes=wish(side=-1)),
    Case("cash of -5022.50 at 36.5 % a year, six hours: x (1 + 1 / 24000) ^ 6, 1.2558 more",
         [(1, "A", 75, 100.05, 7.50, "rebalance"),  # 7503.75 -> 7.50375
          (1, "B", 75, 100.05, 7.50, "rebalance")],
         -5_023.755756, {"short": True, "max_gross": 2.0}, {"financing_bp": 3650.0}, b={},
         weights=[(0, "A", 0.75), (0, "B", 0.75)]),
    # -- limits
    Case("daily loss of 1 %: out at the next open, nothing more that day",
         [BOUGHT, (3, "A", -50, 99.95, 5.00, "limit")],  # 10,000 - 7.50 - 150 < 9900
         account={"daily_loss": 0.01}, a={"close": {2: 97.0}, "low": {2: 97.0}},
         wishes=[*wish(), *wish(at=3), *wish(at=4)]),
    Case("a fall of 1.5 % from the peak: out for good",
         [BOUGHT, (3, "A", -50, 99.95, 5.00, "limit")],  # 9842.50 <= 9850
         account={"drawdown": 0.015}, a={"close": {2: 97.0}, "low": {2: 97.0}},
         wishes=[*wish(), *wish(at=3), *wish(at=4)]),
    Case("cool-down of two bars after the stop of bar 2: back at bar 5",
         [BOUGHT, (2, "A", -50, 97.951, 4.90, "stop"),  # 4897.55: cash 9885.15
          (5, "A", 49.425750, 100.05, 4.95, "entry")],  # half of 9885.15; 4945.046
         account={"cool_down": 2}, a={"low": {2: 97.0}},
         wishes=[*wish(**STOPS), *(w for t in (2, 3, 4) for w in wish(at=t, **STOPS))]),
    Case("longs at most half, at the fill too: 5000 less 5.00 for the first, the second nothing",
         [(1, "A", 49.925037, 100.05, 5.00, "entry"), (4, "A", -49.925037, 99.95, 4.99, "time")],
         account={"max_gross": 0.5}, b={}, wishes=[*wish(rank=2.0), *wish(who="B", rank=1.0)]),
    Case("one instrument at most 30 %",
         [(1, "A", 30, 100.05, 3.00, "entry"), (4, "A", -30, 99.95, 3.00, "time")],
         account={"max_weight": 0.3}),
    Case("one group at most 30 %: nothing is left for B",
         [(1, "A", 30, 100.05, 3.00, "entry"), (4, "A", -30, 99.95, 3.00, "time")],
         account={"max_group": 0.3}, b={}, group=[0, 0],
         wishes=[*wish(rank=2.0), *wish(who="B", rank=1.0)]),
    Case("one slot: the higher rank", [(1, "B", 50, 100.05, 5.00, "entry"),
                                        (4, "B", -50, 99.95, 5.00, "time")], slots=1, b={},
         wishes=[*wish(rank=1.0), *wish(who="B", rank=2.0)]),
    # -- target weights
    Case("half, then 0.55 inside the buffer, 0.7 beyond it, then nothing",
         [(1, "A", 50, 100.05, 5.00, "rebalance"),
          (4, "A", 19.9475, 100.05, 2.00, "rebalance"),  # 0.7 x 9992.50 / 100 - 50; 1995.747
          (6, "A", -69.9475, 99.95, 6.99, "rebalance")],  # 6991.2526
         weights=[(0, "A", 0.5), (2, "A", 0.55), (3, "A", 0.7), (5, "A", 0.0)], buffer=0.1),
    Case("a weight below 0 is short", [(1, "A", -30, 99.95, 3.00, "rebalance")],  # 2998.50
         account=SHORT, weights=[(0, "A", -0.3)]),
]  # fmt: skip
