"""The engine's rules, checked on what one backtest left behind: its fills and its path.

An engine that cheats moves with no future, so that no scramble shows it: it fills where nobody
could, at a price that nobody got, for money that was not there. Each rule here is a sentence of the
market semantics, judged from bars, wishes and fills alone and not from the kernel.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.backtest import Run
from touchstone.execution import CostsConfig
from touchstone.execution.records import ENTRY, PROBABILITY, STOP, TARGET, TIME
from touchstone.market import Panel
from touchstone.strategies import Intent

_CLOSE: Final = 1e-9
"""Relative; sums of the same numbers in another order differ by less."""
_CENT: Final = 0.0051
"""Money that rounding to cents may take or give, a fill."""


class Breach(NamedTuple):
    """One fill, or one moment of the path, that breaks a rule."""

    rule: str
    column: str
    """What is wrong, as the fills call it."""
    symbol: str
    """"" for the account."""
    time: int
    """Start of the bar, ns UTC."""
    needed: str
    got: str


class Backtest(NamedTuple):
    """What is judged."""

    panel: Panel
    intent: Intent
    run: Run
    costs: CostsConfig


class Trip(NamedTuple):
    """A position from nothing to nothing, or to the end; places of its fills."""

    bought: tuple[int, ...]
    sold: tuple[int, ...]
    is_closed: bool


def breaches(panel: Panel, intent: Intent, run: Run, costs: CostsConfig) -> tuple[Breach, ...]:
    """Every breach of a rule, rule by rule; none for an honest engine.

    Args:
        panel: the bars that were traded on.
        intent: what was wished at each of their rows.
        run: what the engine made of it.
        costs: what it was to charge.
    """
    test = Backtest(panel, intent, run, costs)
    return tuple(found for rule in RULES for found in rule(test))


def fills_follow_their_orders(test: Backtest) -> Iterator[Breach]:
    """An order at a close is filled at a later bar's open of the same instrument."""
    panel, fills = test.panel, test.run.fills
    for k in np.flatnonzero(fills.reason < STOP).tolist():
        row, ordered = int(fills.row[k]), int(fills.order_row[k])
        later = panel.available_at[ordered] <= panel.time[row]
        if row <= ordered or panel.asset_id[row] != panel.asset_id[ordered] or not later:
            yield _breach(test, "filled before it was ordered", "row", k,
                          (f"after {_at(panel, ordered)}", _at(panel, row)))  # fmt: skip


def fills_were_wished(test: Backtest) -> Iterator[Breach]:
    """Entries and early exits stand on a wish of the row that ordered them."""
    fills, intent = test.run.fills, test.intent
    for reason, wish in ((ENTRY, intent.enter), (PROBABILITY, intent.leave)):
        for k in np.flatnonzero(fills.reason == reason).tolist():
            if not wish[fills.order_row[k]]:
                yield _breach(test, "filled without a wish", "order_row", k, ("a wish", "none"))


def opens_are_opens(test: Backtest) -> Iterator[Breach]:
    """A market order is filled at its bar's open, before slippage."""
    panel, fills = test.panel, test.run.fills
    for k in np.flatnonzero(fills.reason <= PROBABILITY).tolist():
        needed, got = float(panel.open[fills.row[k]]), float(fills.reference[k])
        if got != needed:
            yield _breach(test, "not filled at the open", "reference", k, (needed, got))


def prices_are_worsened(test: Backtest) -> Iterator[Breach]:
    """Market and stop orders pay slippage and half the spread; a limit gains nothing."""
    fills, worsening = test.run.fills, test.costs.rates.worsening
    rate = np.where(fills.reason == TARGET, 0.0, worsening)
    worst = fills.reference * (1 + fills.side * rate)
    lacking = fills.side * (worst - fills.price) > _CLOSE * fills.reference
    for k in np.flatnonzero(lacking).tolist():
        yield _breach(test, "slippage left out", "price", k,
                      (float(worst[k]), float(fills.price[k])))  # fmt: skip


def commissions_are_paid(test: Backtest) -> Iterator[Breach]:
    """Every fill pays its commission, both sides of a trade."""
    fills = test.run.fills
    owed = fills.quantity * fills.price * test.costs.rates.commission
    for k in np.flatnonzero(fills.commission < owed * (1 - _CLOSE) - _CENT).tolist():
        yield _breach(test, "commission left out", "commission", k,
                      (float(owed[k]), float(fills.commission[k])))  # fmt: skip


def barriers_are_honest(test: Backtest) -> Iterator[Breach]:
    """Stops at the trigger or the worse open, targets traded through, the stop first in doubt."""
    panel, fills = test.panel, test.run.fills
    for trip in _trips(test):
        entry = trip.bought[0]
        lower, upper = _triggers(test, entry)
        for k in trip.sold:
            row = int(fills.row[k])
            bar = _Bar(*(float(c[row]) for c in (panel.open, panel.high, panel.low)))
            is_entry_bar = row == fills.row[entry]
            if fills.reason[k] == STOP:
                yield from _stop(test, k, bar, lower, is_entry_bar)
            elif fills.reason[k] == TARGET:
                yield from _target(test, k, bar, (lower, upper), is_entry_bar)


class _Bar(NamedTuple):
    open: float
    high: float
    low: float


def _stop(test: Backtest, k: int, bar: _Bar, lower: float, entered: bool) -> Iterator[Breach]:
    got = float(test.run.fills.reference[k])
    if bar.low > lower * (1 + _CLOSE):
        yield _breach(test, "stopped without a touch", "reason", k, (lower, bar.low))
    worst = bar.open if bar.open <= lower and not entered else lower
    if got > worst * (1 + _CLOSE):
        rule = "stop filled above a gap" if worst < lower else "stop filled above its trigger"
        yield _breach(test, rule, "reference", k, (worst, got))


def _target(
    test: Backtest, k: int, bar: _Bar, triggers: tuple[float, float], entered: bool
) -> Iterator[Breach]:
    lower, upper = triggers
    got = float(test.run.fills.reference[k])
    opened_above = bar.open > upper and not entered
    if not bar.high > upper * (1 - 1e-12):
        yield _breach(test, "target filled without a trade through it", "reason", k,
                      (f"a high above {upper!r}", bar.high))  # fmt: skip
    if bar.low <= lower and not opened_above:
        yield _breach(test, "target before the stop in one bar", "reason", k,
                      (f"a low above {lower!r}", bar.low))  # fmt: skip
    best = bar.open if opened_above else upper
    if got > best * (1 + _CLOSE):
        yield _breach(test, "target filled above its price", "reference", k, (best, got))


def barriers_are_kept(test: Backtest) -> Iterator[Breach]:
    """A position does not live through a bar that met one of its barriers."""
    panel, fills = test.panel, test.run.fills
    for trip in _trips(test):
        if len(trip.bought) > 1 or len(trip.sold) > 1:
            continue  # in pieces: the volume may have let no more through
        entry = trip.bought[0]
        first = int(fills.row[entry])
        last = int(panel.offsets[panel.asset_id[first] + 1])
        if trip.is_closed:
            last = int(fills.row[trip.sold[0]])
        lower, upper = _triggers(test, entry)
        held = slice(first, last)
        met = (panel.low[held] < lower * (1 - _CLOSE)) | (panel.high[held] > upper * (1 + _CLOSE))
        if met.any():
            row = first + int(met.argmax())
            yield Breach(
                "a barrier was met and nothing sold", "reason", _symbol(panel, row),
                int(panel.time[row]), "stop or target", "held",
            )  # fmt: skip


def exits_by_time_are_due(test: Backtest) -> Iterator[Breach]:
    """A position leaves by time after `hold_bars` of its own bars, neither sooner nor later."""
    fills, hold = test.run.fills, test.intent.hold_bars
    for trip in _trips(test):
        first = int(fills.row[trip.bought[0]])
        for k in trip.sold:
            n_held = int(fills.row[k]) - first
            early = fills.reason[k] == TIME and int(fills.order_row[k]) - first + 1 < hold
            late = len(trip.sold) == len(trip.bought) == 1 and n_held > hold
            if early or late:
                yield _breach(test, "left too soon" if early else "held beyond its time", "row", k,
                              (f"{hold} bars", f"{n_held} bars"))  # fmt: skip


def sizes_are_known(test: Backtest) -> Iterator[Breach]:
    """No order is larger than its weight of the equity at the close that decided it."""
    panel, fills, run, intent = test.panel, test.run.fills, test.run, test.intent
    bought = np.flatnonzero(fills.reason == ENTRY)
    ordered, place = np.unique(fills.order_row[bought], return_inverse=True)
    size = np.bincount(place, fills.quantity[bought], ordered.size)
    equity = run.equity[np.searchsorted(run.time, panel.time[ordered])]
    wished = intent.weight[ordered] * equity / panel.close[ordered]
    for j in np.flatnonzero(size > wished * (1 + _CLOSE)):
        k = int(bought[np.flatnonzero(place == j)[0]])
        yield _breach(test, "larger than was known to be wanted", "quantity", k,
                      (float(wished[j]), float(size[j])))  # fmt: skip


def slots_are_kept(test: Backtest) -> Iterator[Breach]:
    """Never more positions than slots, but for those that wait for a bar to leave at."""
    run, most = test.run, test.intent.max_positions
    held = ((np.abs(_held(test)) > 0) & test.panel.blocks().valid).sum(axis=1)
    for t in np.flatnonzero(held > most):
        yield _moment(run, int(t), "more positions than slots", "n_held", (most, int(held[t])))


def cash_is_there(test: Backtest) -> Iterator[Breach]:
    """A cash account never borrows."""
    run = test.run
    for t in np.flatnonzero(run.cash < -_CENT):
        yield _moment(run, int(t), "spent more than there was", "cash", (0.0, float(run.cash[t])))


def money_adds_up(test: Backtest) -> Iterator[Breach]:
    """Cash is the deposit less what fills cost; equity is cash and positions at their closes."""
    run, fills = test.run, test.run.fills
    at = np.searchsorted(run.time, test.panel.time[fills.row])
    flow = -fills.side * fills.quantity * fills.price - fills.commission
    cash = run.initial_cash + np.cumsum(np.bincount(at, flow, run.time.size))
    worth = (_held(test) * _closes(test.panel)).sum(axis=1)
    slack = 1e-8 * max(run.initial_cash, float(np.abs(run.equity).max(initial=0.0)))
    checks = (("cash is not what fills left", "cash", cash, run.cash),
              ("equity is not cash and closes", "equity", cash + worth, run.equity))  # fmt: skip
    for rule, column, needed, got in checks:
        for t in np.flatnonzero(np.abs(needed - got) > slack):
            yield _moment(run, int(t), rule, column, (float(needed[t]), float(got[t])))


RULES: Final[tuple[Callable[[Backtest], Iterator[Breach]], ...]] = (
    fills_follow_their_orders,
    fills_were_wished,
    opens_are_opens,
    prices_are_worsened,
    commissions_are_paid,
    barriers_are_honest,
    barriers_are_kept,
    exits_by_time_are_due,
    sizes_are_known,
    slots_are_kept,
    cash_is_there,
    money_adds_up,
)
"""In the order in which a person would look."""


def _trips(test: Backtest) -> list[Trip]:
    """Positions of every instrument, from the fills in their order."""
    panel, fills = test.panel, test.run.fills
    open_: dict[int, tuple[list[int], list[int], float]] = {}
    done = []
    for k in range(fills.row.size):
        who, signed = int(panel.asset_id[fills.row[k]]), float(fills.side[k] * fills.quantity[k])
        bought, sold, before = open_.get(who, ([], [], 0.0))
        (bought if signed > 0 else sold).append(k)
        after = before + signed
        if abs(after) <= _CLOSE * abs(signed):
            done.append(Trip(tuple(bought), tuple(sold), True))
            open_.pop(who, None)
        else:
            open_[who] = (bought, sold, after)
    rest = [Trip(tuple(b), tuple(s), False) for b, s, _ in open_.values()]
    return [trip for trip in done + rest if trip.bought]


def _triggers(test: Backtest, entry: int) -> tuple[float, float]:
    """Prices of stop and target of a position."""
    fills, row = test.run.fills, int(test.run.fills.order_row[entry])
    reference = float(fills.reference[entry])
    up, down = (np.nan_to_num(c[row], nan=np.inf) for c in (test.intent.up, test.intent.down))
    return reference * (1 - float(down)), reference * (1 + float(up))


def _held(test: Backtest) -> Float64:
    """Units held after each time, (n_times, n_instruments), from the fills alone."""
    panel, run, fills = test.panel, test.run, test.run.fills
    out = np.zeros((run.time.size, panel.n_instruments))
    at = np.searchsorted(run.time, panel.time[fills.row])
    np.add.at(out, (at, panel.asset_id[fills.row]), fills.side * fills.quantity)
    out = out.cumsum(axis=0)
    most = float(np.abs(out).max(initial=0.0))
    return np.where(np.abs(out) <= _CLOSE * most, 0.0, out)


def _closes(panel: Panel) -> Float64:
    """Last known close at each time, 0 before the first, (n_times, n_instruments)."""
    rows = panel.blocks().row
    place: Int64 = np.maximum.accumulate(rows, axis=0)
    return np.where(place >= 0, panel.close[np.maximum(place, 0)], 0.0)


def _breach(
    test: Backtest, rule: str, column: str, fill: int, values: tuple[object, object]
) -> Breach:
    row = int(test.run.fills.row[fill])
    symbol, time = _symbol(test.panel, row), int(test.panel.time[row])
    return Breach(rule, column, symbol, time, _text(values[0]), _text(values[1]))


def _moment(run: Run, t: int, rule: str, column: str, values: tuple[object, object]) -> Breach:
    return Breach(rule, column, "", int(run.time[t]), _text(values[0]), _text(values[1]))


def _symbol(panel: Panel, row: int) -> str:
    return panel.symbols[int(panel.asset_id[row])]


def _at(panel: Panel, row: int) -> str:
    return f"{np.datetime64(int(panel.time[row]), 'ns').astype('datetime64[s]')}Z"


def _text(value: object) -> str:
    return value if isinstance(value, str) else f"{value!r}"
