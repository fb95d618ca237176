"""A buy is sized by the equity after the bar that fills it.

The quantity is computed where the fill is booked, from the equity at the end of that bar: one row
was aligned wrongly. After good bars more is bought than anybody could know to want.
"""

from leaks.by_hand import Engine, trade_with

LAYER = "C2"
STUDY: dict = {}


class Afterwards(Engine):
    def bar(self, bars, wishes):
        before = self.equity()
        marks = {s: bars[s].close if s in bars else p.close for s, p in self.positions.items()}
        after = self.cash + sum(p.quantity * marks[s] for s, p in self.positions.items())
        for order in self.buys.values():
            order.quantity *= after / before
        return super().bar(bars, wishes)


def plant(patch):
    trade_with(patch, Afterwards)
