"""8, 9: what costs more leaves less, where the same is traded."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from execution.properties.runs import run
from execution.properties.worlds import Order, World, examples, worlds
from touchstone.execution import AccountConfig
from touchstone.execution.records import LIMIT_ORDER, STOP_ORDER

RICH = AccountConfig(cash=1e9)
AMONG = st.sampled_from


def roomy(world: World, orders: tuple[Order, ...]) -> World:
    """The same orders in an account whose cash never binds."""
    account = RICH.model_copy(update={"short": world.account.short, "units": world.account.units})
    return world._replace(decision=orders, account=account)


@examples
@given(worlds(kinds=("orders",)), AMONG([0.5, 3.0, 100.0]), AMONG([0.0, 0.005]))
def test_08_equity_does_not_rise_with_the_commission(world, more, per_unit):
    world = roomy(world, world.decision)
    costs = world.costs
    dearer = costs.model_copy(
        update={
            "commission_bp": costs.commission_bp + more,
            "commission_per_unit": costs.commission_per_unit + per_unit,
        }
    )
    cheap, dear = run(world), run(world._replace(costs=dearer))
    assert cheap.purse["n_cut"] == dear.purse["n_cut"] == 0
    np.testing.assert_array_equal(cheap.fills.quantity, dear.fills.quantity)
    np.testing.assert_array_equal(cheap.fills.row, dear.fills.row)
    assert (dear.equity <= cheap.equity + 1e-5).all()  # 1e-5: rounding of sums near 1e9
    assert (dear.fills.commission >= cheap.fills.commission).all()


@examples
@given(worlds(kinds=("orders",)), AMONG([0.5, 3.0, 100.0]), AMONG([0.0, 2.0]))
def test_09_nor_with_slippage(world, more, spread):
    market_and_stop = tuple(
        o._replace(kind=STOP_ORDER) if o.kind == LIMIT_ORDER else o for o in world.decision
    )
    world = roomy(world, market_and_stop)
    # Rounded commissions may fall by a cent where a sale brings less: to the bit without them.
    costs = world.costs.model_copy(update={"round_to_cents": False})
    dearer = costs.model_copy(
        update={
            "slippage_bp": costs.slippage_bp + more,
            "half_spread_bp": costs.half_spread_bp + spread,
        }
    )
    cheap = run(world._replace(costs=costs))
    dear = run(world._replace(costs=dearer))
    np.testing.assert_array_equal(cheap.fills.quantity, dear.fills.quantity)
    assert (dear.equity <= cheap.equity + 1e-5).all()
    assume(dear.fills.row.size)
    assert (dear.fills.slippage >= cheap.fills.slippage).all()
