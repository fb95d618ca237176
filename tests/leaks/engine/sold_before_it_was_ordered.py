"""An exit by time is filled at the open of the bar that decides it.

The counter of bars starts at the wrong end: the position leaves at the open of the bar at whose
close it would have been told to. One bar of each trade is chosen by hindsight of the exit rule.
"""

from leaks.by_hand import Engine, trade_with

LAYER = "C2"
STUDY: dict = {}


class TooSoon(Engine):
    def open(self, bars):
        super().open(bars)
        for symbol in sorted(set(self.positions) & set(bars)):
            position = self.positions[symbol]
            if position.bars_held >= self.hold_bars - 1 and position.row != bars[symbol].row:
                row = bars[symbol].row
                self.sell(symbol, bars[symbol], bars[symbol].open, True, row, "time")


def plant(patch):
    trade_with(patch, TooSoon)
