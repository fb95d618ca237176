"""A resting limit order is filled when the price only touches it.

At the touch the queue in front is filled, not we. The kernel has one limit order, the target of a
position, and neither queue nor volume: here the target counts as filled when high equals it, or
comes within half a tick of a thousandth, "which is the same on a chart".
"""

from decimal import Decimal

from leaks.by_hand import Engine, trade_with

LAYER = "C2"
STUDY: dict = {}
NEAR = 1 - Decimal("0.001")


class Touched(Engine):
    def intrabar(self, bars):
        super().intrabar(bars)
        for symbol in sorted(set(self.positions) & set(bars)):
            bar, position = bars[symbol], self.positions[symbol]
            if bar.high >= position.upper * NEAR:
                self.sell(symbol, bar, position.upper, False, position.row, "target")


def plant(patch):
    trade_with(patch, Touched)
