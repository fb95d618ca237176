"""A bar that spans stop and target is taken for a win.

The target is looked at first, because it stands first in the code. What happened first inside the
bar is not known, and the money between the two answers is earned by nobody.
"""

from leaks.by_hand import Engine, trade_with

LAYER = "C2"
STUDY: dict = {
    "label": {"kind": "triple_barrier", "take_profit": 0.012, "stop_loss": 0.006, "horizon": 8}
}


class Hopeful(Engine):
    def intrabar(self, bars):
        for symbol in sorted(set(self.positions) & set(bars)):
            bar, position = bars[symbol], self.positions[symbol]
            if bar.high > position.upper and not bar.open <= position.lower:
                better = bar.open if position.row != bar.row else position.upper
                price = max(position.upper, better)
                self.sell(symbol, bar, price, False, position.row, "target")
        super().intrabar(bars)


def plant(patch):
    trade_with(patch, Hopeful)
