# ruff: noqa: ARG002  a fault ignores what the rule would have read
"""Kernel and slow engine agree on random studies, and a fault in either would be found."""

from decimal import ROUND_DOWN, Decimal
from functools import cache

import pytest

from reference.judged import differences, judged
from reference.rules import RULES, tallied
from reference.slow.engine import Engine
from reference.slow.money import Money
from reference.studies import KINDS, study

SEEDS = range(60)


@pytest.mark.parametrize("kind", KINDS)
def test_every_fill_and_every_bar_agrees_to_the_cent(kind):
    differing = {}
    for seed in SEEDS:
        if seed % len(KINDS) == KINDS.index(kind):
            found = differences(study(seed))
            if found:
                differing[seed] = found[:2]
    assert differing == {}


def test_the_studies_exercise_most_rules():
    """All but the rarest; `make prove-engine` asks for every one."""
    seen = set()
    for seed in SEEDS:
        seen |= set(tallied(study(seed), judged(study(seed))))
    assert len(set(RULES) - seen) <= 8


class RoundsDown(Money):
    def rounded(self, owed):
        if not self.terms.to_cents:
            return owed
        return owed.quantize(Decimal("0.01"), ROUND_DOWN)


class NoMinimum(Money):
    def commission(self, quantity, price):
        value = abs(quantity) * price
        owed = value * self.terms.commission + abs(quantity) * self.terms.per_unit
        if quantity < 0:
            owed += value * self.terms.sell_fee + abs(quantity) * self.terms.sell_fee_per_unit
        return self.rounded(owed)


class SellsWithoutFees(Money):
    def commission(self, quantity, price):
        return super().commission(abs(quantity), price)


class SharesOfUnits(Money):
    def units(self, quantity):
        return quantity


class LinearImpact(Money):
    def impact(self, quantity, volume, sigma):
        if not volume:
            return Decimal(0)
        return self.terms.impact * sigma * abs(quantity) / volume


class ImpactStays(Money):
    def left_of(self, moved, bars):
        return moved


def with_money(money):
    """A slow engine that counts money another way."""

    class Other(Engine):
        def __init__(self, cash, terms, groups=None):
            super().__init__(cash, terms, groups)
            self.money = money(terms)

    return Other


class TargetFirst(Engine):
    def ambiguous(self, position, bar):
        return "target", self.prices(position)[1]


class StopAtTriggerInAGap(Engine):
    def touched(self, position, bar):
        hit = super().touched(position, bar)
        return hit if hit is None or hit[0] == "target" else ("stop", self.prices(position)[0])


class ProceedsComeLate(Engine):
    def turn(self, order):
        return not super().turn(order)[0], *super().turn(order)[1:]


class NoSplits(Engine):
    def split(self, symbol, ratio):
        pass


class OrdersKeepTheirSizeInASplit(Engine):
    def split(self, symbol, ratio):
        before = [(o, o.quantity) for o in self.of(symbol)]
        super().split(symbol, ratio)
        for order, quantity in before:
            order.quantity = quantity


class DividendsToNobody(Engine):
    def dividend(self, symbol, amount):
        pass


class DelistedInFull(Engine):
    def delisting(self, symbol, recovery):
        super().delisting(symbol, Decimal(1))


class NoCap(Engine):
    def by_volume(self, symbol, wanted, bar):
        return wanted


class CapOfEachSide(Engine):
    def by_volume(self, symbol, wanted, bar):
        seen = self.seen[symbol]
        taken, seen.taken = seen.taken, Decimal(0)
        through = super().by_volume(symbol, wanted, bar)
        seen.taken = taken
        return through


class NothingReserved(Engine):
    def reserved(self, _but):
        return Decimal(0)


class BorrowIsFree(Engine):
    def carry(self, time):
        self.time = time


class DayNeverBegins(Engine):
    def begin_day(self, day):
        self.day = day


class NoCoolDown(Engine):
    def barriers(self, symbol, bar):
        super().barriers(symbol, bar)
        self.seen[symbol].rests_until = -1


class HeldABarLonger(Engine):
    def is_due(self, symbol):
        return self.positions[symbol].bars_held > self.positions[symbol].hold >= 0


class HaltsAreOpen(Engine):
    def to_close(self, time, day, bars, events):
        from dataclasses import replace

        everywhere = {s: replace(b, halted=False) for s, b in bars.items()}
        super().to_close(time, day, everywhere, events)


class LimitAtATouch(Engine):
    def met(self, order, bar):
        touched = (bar.low, bar.high)[order.quantity < 0] == order.price
        if order.kind == "limit" and touched:
            return order.price
        return super().met(order, bar)


class NothingExpires(Engine):
    def end_late(self):
        pass


FAULTS = [
    with_money(RoundsDown), with_money(NoMinimum), with_money(SellsWithoutFees),
    with_money(SharesOfUnits), with_money(LinearImpact), with_money(ImpactStays), TargetFirst,
    StopAtTriggerInAGap, ProceedsComeLate, NoSplits, OrdersKeepTheirSizeInASplit,
    DividendsToNobody, DelistedInFull, NoCap, CapOfEachSide, NothingReserved, BorrowIsFree,
    DayNeverBegins, NoCoolDown, HeldABarLonger, HaltsAreOpen, LimitAtATouch, NothingExpires,
]  # fmt: skip
NAMES = [
    "RoundsDown", "NoMinimum", "SellsWithoutFees", "SharesOfUnits", "LinearImpact", "ImpactStays",
    *(fault.__name__ for fault in FAULTS[6:]),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_a_planted_fault_is_found(fault):
    """The same comparison with one rule of the slow engine broken is not silent."""
    assert any(differences(study(seed), fault) for seed in SEEDS if agrees(seed))


@cache
def agrees(seed):
    return not differences(study(seed))
