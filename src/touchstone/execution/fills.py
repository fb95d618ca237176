"""A fill: how much the bar's volume lets through, at what price, for what money; then the books."""

import math
from typing import Any, Final

from touchstone.arrays import Int64
from touchstone.execution.columns import Market
from touchstone.execution.compiled import compiled, inlined
from touchstone.execution.costs import affordable, fee
from touchstone.execution.records import Records, Tape

DUST: Final = 1e-6
"""An order cut below this share of itself is rejected, and so is a wish when the purse is below
this share of equity: the residue of rounding is no money to trade with."""


@compiled
def let_through(terms: Any, purse: Any, position: Any, volume: float) -> float:
    """Units of an instrument that the bar's volume still lets the account fill."""
    if volume < 0.0:
        return 0.0
    if math.isinf(terms.volume_cap):
        return math.inf
    left = terms.volume_cap * volume
    if position.taken_clock == purse.clock:
        left -= position.taken
    return max(float(left), 0.0)


@compiled
def units(terms: Any, quantity: float) -> float:
    """A size as the account can hold it: whole units are rounded down."""
    # A hair is given back: 3 units that binary has as 2.9999999999999996 are 3.
    return float(math.floor(quantity * (1.0 + 1e-12))) if terms.whole else quantity


@inlined
def bar_of(terms: Any, market: Market, row: int) -> tuple[float, float, float, float]:
    """What a fill needs of its bar: volume (-1: halted), half spread, that and slippage, sigma."""
    sigma = market.sigma[row] if market.sigma.size > 0 else 0.0
    volume = market.bars[row, 4]
    if is_halted(market, row):
        volume = -1.0
    if market.half_spread.size == 0:
        # The sum as the terms have it, so that it is the strategy's own to the bit.
        return volume, terms.half_spread, terms.worsening, sigma
    half = market.half_spread[row]
    return volume, half, half + terms.slippage, sigma


@compiled
def impact_of(terms: Any, volume: float, sigma: float, quantity: float) -> float:
    """What a market order of this size moves the price, fraction: Y sigma (q / V) ^ power.

    Source: Tóth et al. (2011), Anomalous price impact and the critical nature of liquidity, power
    1/2; Almgren et al. (2005), Direct estimation of equity market impact, power 3/5.
    """
    if terms.impact == 0.0 or volume <= 0.0 or not sigma > 0.0:
        return 0.0
    return float(terms.impact * sigma * (quantity / volume) ** terms.impact_power)


@compiled
def still_moved(terms: Any, purse: Any, position: Any) -> float:
    """What is left of the account's own past impact, fraction of the price, signed.

    It worsens what goes the same way and never betters what goes the other: a model that lets an
    account sell into its own impact pays for round trips (Gatheral 2010).
    """
    if position.moved == 0.0:
        return 0.0
    return float(position.moved * terms.impact_kept ** (purse.clock - position.moved_clock))


@compiled
def fill(
    account: tuple[Any, Any, Any],
    bar: tuple[float, float, float, float],
    order: tuple[float, float, bool, float],
    why: tuple[int, int, int, int],
    tape: Tape,
) -> float:
    """Fill as much of an order as volume and money let; the units filled, signed.

    Args:
        account: terms, purse and position.
        bar: as `bar_of` gives it.
        order: signed units; reference price; whether at a limit, which pays no spread, slippage
            or impact; the money that units beyond the position may cost, inf where any may.
        why: row of the bar, row of the order, instrument, reason.
        tape: gets the fill.
    """
    terms, purse, position = account
    wanted, reference, at_limit, payable = order
    volume, spread, worsening, sigma = bar
    side, size = (1.0, wanted) if wanted > 0.0 else (-1.0, -wanted)
    wished = size
    size = units(terms, min(size, let_through(terms, purse, position, volume)))
    purse.n_partial += size < wished
    if size <= 0.0:
        return 0.0
    impact, moved, price = 0.0, 0.0, reference
    slippage = worsening - spread
    if at_limit:
        spread, slippage = 0.0, 0.0
    else:
        moved = still_moved(terms, purse, position)
        impact = impact_of(terms, volume, sigma, size)
        worsening += max(0.0, side * moved)
        price = reference * (1.0 + side * (worsening + impact))
    if payable < math.inf:
        closes = max(0.0, min(size, -side * position.quantity))
        opens = size - closes
        payable += closes * position.close  # what is turned round makes room for its other side
        if opens > 0.0 and opens * price + fee(terms, opens, price, side) > payable:
            purse.n_cut += 1
            size = closes + units(terms, affordable(terms, payable, price, side))
            if size <= wished * DUST:
                purse.n_rejected += 1
                return 0.0
            if impact > 0.0:
                impact = impact_of(terms, volume, sigma, size)
                price = reference * (1.0 + side * (worsening + impact))
    paid = fee(terms, size, price, side)
    book(purse, position, side * size, price, paid)
    position.taken = size + (position.taken if position.taken_clock == purse.clock else 0.0)
    position.taken_clock = purse.clock
    if impact > 0.0 and terms.impact_kept > 0.0:
        position.moved = moved + side * impact
        position.moved_clock = purse.clock
    write(
        tape, why, (side * size, price, reference, paid, position.quantity),
        (slippage, spread, impact + max(0.0, side * moved)),
    )  # fmt: skip
    return float(side * size)


@compiled
def book(purse: Any, position: Any, quantity: float, price: float, paid: float) -> None:
    """Book a fill: cash, position, average price."""
    value = quantity * price
    purse.cash += -value - paid
    before = position.quantity
    after = before + quantity
    if before * quantity >= 0.0:
        position.entry_price = (position.entry_price * before + value) / after
    elif abs(after) < 1e-12 * abs(quantity):
        after = 0.0  # sold in parts, whose sum binary has a hair off
    elif before * after < 0.0:  # turned round
        position.entry_price = price
    position.quantity = after


@compiled
def write(
    tape: Tape, why: tuple[int, int, int, int],
    what: tuple[float, float, float, float, float], lost: tuple[float, float, float],
) -> None:  # fmt: skip
    """Append a fill.

    Args:
        tape: gets it.
        why: as `fill` takes it.
        what: signed units, price, reference, commission, the position after it.
        lost: fractions of the reference lost to slippage, spread and impact.
    """
    n = tape.n[0]
    if n < tape.fills.size:
        done = tape.fills[n]
        done.row, done.order_row, done.instrument, done.reason = why
        done.quantity, done.price, done.reference, done.commission, done.left = what
        done.slippage, done.spread, done.impact = lost
    if tape.fills.size > 0:
        tape.n[0] = n + 1


@compiled
def activate(active: Int64, purse: Any, i: int) -> None:
    """Note that instrument `i` has an order; the list stays ascending, and names each once."""
    a = purse.n_active
    while a > 0 and active[a - 1] > i:
        a -= 1
    if a > 0 and active[a - 1] == i:
        return
    for later in range(purse.n_active, a, -1):
        active[later] = active[later - 1]
    active[a] = i
    purse.n_active += 1


@compiled
def is_halted(market: Market, row: int) -> bool:
    """Nothing trades in this bar, so nothing of it is touched either."""
    return bool(market.halted.size > 0 and market.halted[row])


@compiled
def is_idle(position: Any, order: Any) -> bool:
    """Neither held nor ordered."""
    return bool(position.quantity == 0.0 and order.quantity == 0.0)


@compiled
def forget_idle(purse: Any, positions: Records, orders: Records, active: Int64) -> None:
    """Drop what is neither held nor ordered any more from the list of active instruments."""
    n = 0
    for a in range(purse.n_active):
        i = active[a]
        if not is_idle(positions[i], orders[i]):
            active[n] = i
            n += 1
    purse.n_active = n
