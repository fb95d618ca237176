"""Fills worked by hand. 10,000 of cash, half of it wished at row 0 and a price of 100: 50 units.

Unless a case says otherwise: commission 10 bp, slippage 5 bp, so that a buy at 100 pays 100.05
and a sale gets 99.95; target +5 % (105), stop -2 % (98); three bars held: filled at row 1, left
at the open of row 4. A fill is (row, units, price, commission, reason); sales are negative.
"""

import numpy as np
import pytest

from reference.intents import FREE, follow, intent_of
from touchstone.execution import REASONS, CostsConfig
from walks import flat, panel_of

COSTS = CostsConfig(commission_bp=10, slippage_bp=5)
BOUGHT = (1, 50, 100.05, 5.00, "entry")  # 50 x 100.05 = 5002.50, 10 bp of it 5.0025
BY_TIME = (4, -50, 99.95, 5.00, "time")  # 4997.50 -> 4.9975
STOPPED = (2, -50, 97.951, 4.90, "stop")  # 98 x 0.9995; 4897.55 -> 4.89755


def case(name, fills, bars=None, costs=COSTS, **wish):
    return pytest.param(bars or {}, wish, costs, fills, id=name)


CASES = [
    case("nothing happens: out by time", [BOUGHT, BY_TIME]),
    case("one bar held: out at the next open", [BOUGHT, (2, *BY_TIME[1:])], hold=1),
    case("stop inside the bar, at the trigger, worsened", [BOUGHT, STOPPED], {"low": {2: 97.0}}),
    case("stop touched exactly is a stop", [BOUGHT, STOPPED], {"low": {2: 98.0}}),
    case("stop missed by a cent", [BOUGHT, BY_TIME], {"low": {2: 98.01}}),
    case(
        "bar opens beyond the stop: its open, worsened",  # 95 x 0.9995; 4747.625 -> 4.747625
        [BOUGHT, (2, -50, 94.9525, 4.75, "stop")],
        {"open": {2: 95.0}, "low": {2: 95.0}},
    ),
    case(
        "stop on the bar of the entry",
        [BOUGHT, (1, *STOPPED[1:])],
        {"low": {1: 97.0}},
    ),
    case(
        "target traded through: at the target, not worsened",  # 5250 -> 5.25
        [BOUGHT, (2, -50, 105.0, 5.25, "target")],
        {"high": {2: 105.01}},
    ),
    case("target touched exactly is not filled", [BOUGHT, BY_TIME], {"high": {2: 105.0}}),
    case(
        "bar opens beyond the target: the better open",  # 5350 -> 5.35
        [BOUGHT, (2, -50, 107.0, 5.35, "target")],
        {"open": {2: 107.0}, "high": {2: 107.0}},
    ),
    case(
        "target on the bar of the entry",
        [BOUGHT, (1, -50, 105.0, 5.25, "target")],
        {"high": {1: 106.0}},
    ),
    case(
        "a bar that spans both is a stop",
        [BOUGHT, STOPPED],
        {"high": {2: 106.0}, "low": {2: 97.0}},
    ),
    case(
        "barriers stand on the raw open of the entry: 102 gives 107.1 and 99.96",
        [(1, 50, 102.051, 5.10, "entry"), BY_TIME],  # 5102.55 -> 5.10255; low 100 > 99.96
        {"open": {1: 102.0}, "high": {1: 102.0, 2: 107.0}},
    ),
    case(
        "a bar before the entry fills nothing",
        [BOUGHT, BY_TIME],
        {"low": {0: 90.0}, "high": {0: 110.0}},
    ),
    case(
        "an exit by time goes first at its open, though beyond the target",
        [BOUGHT, (4, -50, 106.9465, 5.35, "time")],  # 107 x 0.9995; 5347.325 -> 5.347325
        {"open": {4: 107.0}, "high": {4: 107.0}},
    ),
    case("out by wish, at the next open", [BOUGHT, (3, -50, 99.95, 5.0, "probability")], leave=[2]),
    case("due and unwished at once is called time", [BOUGHT, BY_TIME], leave=[3]),
    case("no wish to leave before the fill", [BOUGHT, BY_TIME], leave=[0]),
    case(
        "half spread and slippage add up",  # 100 x 1.0008; 5004 -> 5.004; 100 x 0.9992 = 99.92
        [(1, 50, 100.08, 5.00, "entry"), (4, -50, 99.92, 5.00, "time")],
        costs=CostsConfig(commission_bp=10, slippage_bp=5, half_spread_bp=3),
    ),
    case(
        "without costs",
        [(1, 50, 100.0, 0.0, "entry"), (4, -50, 100.0, 0.0, "time")],
        costs=FREE,
    ),
    case(
        "half a cent of commission rounds up",  # 50 x 100.1 = 5005 -> 5.005 -> 5.01
        [(1, 50, 100.1, 5.01, "entry"), (4, -50, 100.0, 5.00, "time")],
        {"open": {1: 100.1}, "high": {1: 100.1}},
        costs=CostsConfig(commission_bp=10, slippage_bp=0),
    ),
    case(
        "rounding switched off",
        [(1, 50, 100.05, 5.0025, "entry"), (4, -50, 99.95, 4.9975, "time")],
        costs=CostsConfig(commission_bp=10, slippage_bp=5, round_to_cents=False),
    ),
    case(
        "all of the cash: the fill is cut to what it pays, 10,000 / 1.001 / 100.05",
        [(1, 99.850175, 100.05, 9.99, "entry"), (4, -99.850175, 99.95, 9.98, "time")],
        weight=1.0,
    ),
    case(
        "the open gaps up: the fill is cut to the cash, 10,000 / 1.001 / 110.055",
        [(1, 90.772886, 110.055, 9.99, "entry"), (4, -90.772886, 99.95, 9.07, "time")],
        {"open": {1: 110.0}, "high": {1: 110.0}},
        weight=1.0,
        down=np.inf,
    ),
    case("ordered on the last bar: never filled", [], at=7),
    case("bought on the last bar: marked, not sold", [(7, *BOUGHT[1:])], at=6),
    case("barriers switched off", [BOUGHT, BY_TIME], {"low": {2: 90.0}}, down=np.inf),
]


@pytest.mark.parametrize(("bars", "wish", "costs", "fills"), CASES)
def test_worked(bars, wish, costs, fills):
    panel = panel_of(flat(8, **bars))
    settings = {"up": 0.05, "down": 0.02} | {k: v for k, v in wish.items() if k != "at"}
    run = follow(panel, intent_of(panel, [wish.get("at", 0)], **settings), costs, 10_000.0)
    got = [
        (int(r), s * q, p, c, REASONS[why])
        for r, s, q, p, c, why in zip(
            run.fills.row,
            run.fills.side,
            run.fills.quantity,
            run.fills.price,
            run.fills.commission,
            run.fills.reason,
            strict=True,
        )
    ]
    assert [(g[0], g[4]) for g in got] == [(f[0], f[4]) for f in fills]
    np.testing.assert_allclose([g[1:4] for g in got], [f[1:4] for f in fills], rtol=0, atol=5e-7)


def test_equity_of_a_worked_trade():
    panel = panel_of(flat(8, close={2: 101.0}, high={2: 101.0}))
    run = follow(panel, intent_of(panel, [0]), COSTS, 10_000.0)
    cash = 10_000 - 5002.50 - 5.00
    end = cash + 4997.50 - 5.00
    np.testing.assert_allclose(run.cash, [10_000, *[cash] * 3, *[end] * 4])
    np.testing.assert_allclose(
        run.equity, [10_000, cash + 5000, cash + 5050, cash + 5000, *[end] * 4]
    )
    np.testing.assert_allclose(run.exposure[2], 5050 / (cash + 5050))
    assert run.paid == pytest.approx((10.0, 5.0, 0.0, 0.0))


def two(missing_a=(), missing_b=(), **changes):
    """Two instruments, A (rows 0 ..) and B, that stand still at 100."""
    a, b = flat(8, **changes), flat(8)
    panel = panel_of(type(a)("A", *vars_of(a)), type(b)("B", *vars_of(b)))
    keep = np.ones(16, bool)
    keep[list(missing_a)] = False
    keep[[8 + r for r in missing_b]] = False
    return panel.where(keep)


def vars_of(bars):
    return bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume


def fills_by_symbol(panel, run):
    hour = (panel.time[run.fills.row] - panel.time.min()) // panel.timeframe.ns
    symbol = [panel.symbols[i] for i in panel.asset_id[run.fills.row]]
    return [(int(h), s, int(d)) for h, s, d in zip(hour, symbol, run.fills.side, strict=True)]


def test_an_order_waits_for_the_next_bar_of_its_own():
    panel = two(missing_a=[1, 2])
    run = follow(panel, intent_of(panel, [0]), COSTS, 10_000.0)
    # filled at hour 3, held over hours 3, 4, 5, out at hour 6
    assert fills_by_symbol(panel, run) == [(3, "A", 1), (6, "A", -1)]


def test_an_exit_waits_and_the_mark_is_stale():
    panel = two(missing_a=[4, 5], close={3: 99.0}, low={3: 99.0})
    run = follow(panel, intent_of(panel, [0]), FREE, 10_000.0)
    assert fills_by_symbol(panel, run) == [(1, "A", 1), (6, "A", -1)]
    np.testing.assert_allclose(run.equity[3:6], 5000 + 50 * 99.0)


def test_a_higher_rank_is_served_first_and_the_rest_is_cut():
    panel = two()
    run = follow(panel, intent_of(panel, {0: 1.0, 8: 2.0}, weight=0.7), FREE, 10_000.0)
    assert fills_by_symbol(panel, run)[:2] == [(1, "B", 1), (1, "A", 1)]
    np.testing.assert_allclose(run.fills.quantity[:2], [70.0, 30.0])


def test_equal_ranks_are_served_by_symbol():
    panel = two()
    run = follow(panel, intent_of(panel, [0, 8], weight=0.7, slots=1), FREE, 10_000.0)
    assert fills_by_symbol(panel, run) == [(1, "A", 1), (4, "A", -1)]


def test_a_leaving_position_frees_its_slot_and_its_money_at_the_same_open():
    panel = two()
    run = follow(panel, intent_of(panel, [0, 8 + 3], weight=1.0, slots=1), FREE, 10_000.0)
    assert fills_by_symbol(panel, run)[:3] == [(1, "A", 1), (4, "A", -1), (4, "B", 1)]
    np.testing.assert_allclose(run.fills.quantity[:3], 100.0)


def test_held_or_ordered_is_not_entered_again():
    panel = two()
    run = follow(panel, intent_of(panel, [0, 1, 2, 3]), FREE, 10_000.0)
    assert fills_by_symbol(panel, run) == [(1, "A", 1), (4, "A", -1)]


def test_a_stopped_instrument_may_be_entered_at_the_same_close():
    panel = two(low={2: 97.0})
    run = follow(panel, intent_of(panel, [0, 2], down=0.02), FREE, 10_000.0)
    assert fills_by_symbol(panel, run) == [(1, "A", 1), (2, "A", -1), (3, "A", 1), (6, "A", -1)]


def test_money_reserved_for_a_waiting_order_is_kept_from_others():
    # A waits over hours 1 and 2 with half the money; B gaps up and may not take it
    panel = two(missing_a=[1, 2])
    panel.open[panel.asset_id == 1] = 110.0
    panel.high[panel.asset_id == 1] = 110.0
    intent = intent_of(panel, [0, 6], weight=0.5)
    run = follow(panel, intent, FREE, 10_000.0)
    assert fills_by_symbol(panel, run)[:2] == [(1, "B", 1), (3, "A", 1)]
    np.testing.assert_allclose(run.fills.quantity[:2], [5000 / 110, 50.0])
    assert run.n_cut == 1


def test_a_buy_that_nothing_is_left_for_is_rejected_and_counted():
    panel = two(open={1: 250.0}, high={1: 250.0})
    run = follow(panel, intent_of(panel, {0: 2.0, 8: 1.0}, weight=0.5), FREE, 10_000.0)
    assert fills_by_symbol(panel, run)[:1] == [(1, "A", 1)]
    assert (run.n_cut, run.n_rejected) == (2, 1)
