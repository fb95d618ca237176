"""Commission is charged once for a round trip, at the entry.

The fee table says "10 basis points a trade", and a trade is taken for in and out. Half of what
trading costs is gone, and with it the reason not to trade.
"""

from decimal import Decimal

from leaks.by_hand import Engine, trade_with

LAYER = "C2"
STUDY: dict = {}


class OnceATrip(Engine):
    def sell(self, *order):
        rate, self.commission_bp = self.commission_bp, Decimal(0)
        super().sell(*order)
        self.commission_bp = rate


def plant(patch):
    trade_with(patch, OnceATrip)
