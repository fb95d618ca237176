"""The quantity is all that the cash pays; the commission is taken afterwards.

Costs are an afterthought: first everything is spent, then the commission is booked from an account
that is empty. A cash account ends up below zero, on credit that nobody gave.
"""

from leaks.by_hand import Engine, trade_with

LAYER = "C2"
STUDY: dict = {
    "strategy": {"kind": "cost_aware", "margin_bp": (0, 20), "max_positions": 1},
    "costs": {"commission_bp": 30, "slippage_bp": 5},
}


class SpendsFirst(Engine):
    def buy(self, order, bar, payable):
        price = bar.open * (1 + self.worsening())
        order.quantity = min(order.wish.weight * self.equity(), payable) / price
        owed = self.commission(order.quantity * price)
        super().buy(order, bar, payable + owed)


def plant(patch):
    trade_with(patch, SpendsFirst)
