"""Positions are marked at the next bar's open.

The mark is read one row too late, "because that is where it could be sold". Equity, drawdown and
the size of the next order then know the gap that comes.
"""

from leaks.by_hand import Engine, follower
from leaks.everywhere import replace

LAYER = "C2"
STUDY: dict = {}


def plant(patch):
    def edited(_):
        walk = follower(Engine)

        def follow(panel, line, intent, account, costs):
            run = walk(panel, line, intent, account, costs)
            invested = next_opens(panel, line, run)
            return run._replace(invested=invested, equity=run.cash + invested)

        return follow

    replace(patch, "touchstone.backtest.replay", "follow", edited)


def next_opens(panel, line, run):
    """What is held after each bar, at the opens of the bars that follow."""
    import numpy as np

    held, worth = np.zeros(panel.n_instruments), np.zeros(line.time.size)
    at = np.searchsorted(line.time, panel.time[run.fills.row])
    signed = run.fills.side * run.fills.quantity
    price = np.zeros(panel.n_instruments)
    rows = panel.blocks().row
    for t in range(line.time.size):
        here = at == t
        np.add.at(held, panel.asset_id[run.fills.row[here]], signed[here])
        ahead = rows[min(t + 1, line.time.size - 1)]
        price = np.where(ahead >= 0, panel.open[np.maximum(ahead, 0)], price)
        worth[t] = float((np.where(np.abs(held) < 1e-9, 0, held) * price).sum())
    return worth
