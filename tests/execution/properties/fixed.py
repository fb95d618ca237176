"""A few worlds of every kind of decision, always the same: for runs in other processes."""

import numpy as np

from execution.properties.worlds import (
    EVERY_KIND,
    Shape,
    World,
    decision_drawn,
    market,
    with_actions,
)
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.market.actions import DELISTING, DIVIDEND, SPLIT


def fixed_worlds() -> list[World]:
    found = []
    for seed, kind in enumerate(EVERY_KIND * 3):
        shape = Shape(seed, 4, 50, 0.2, 0.03, 0.02, 0.25 * (seed % 2), seed % 3 == 0)
        panel, happenings = with_actions(market(shape), seed, (SPLIT, DIVIDEND, DELISTING))
        account = AccountConfig(cash=1e5, short=seed % 2 == 1, daily_loss=0.05)
        costs = CostsConfig(impact=0.7, impact_half_life=2, commission_minimum=1)
        sigma = np.full(len(panel), 0.01)
        decision = decision_drawn(kind, panel, seed, account, 3)
        found.append(World(panel, decision, account, costs, happenings, sigma=sigma, slots=3))
    return found
