"""Figure 2 of Jaderberg et al. (2017): a surface that no fixed settings climb."""

import numpy as np

from touchstone.tuning.perturbing import Setting
from touchstone.tuning.population import Ended

WEIGHTS = tuple(Setting(f"h{i}", 0.0, 1.0) for i in (0, 1))
BEGIN = np.array([0.9, 0.9])
BEST = 1.2
"""Q at theta = (0, 0)."""


def worth(theta):
    """Q(theta) = 1.2 - (theta_0^2 + theta_1^2)."""
    return float(BEST - theta @ theta)


def climbed(theta, settings, n=4, rate=0.02):
    """n steps up the surrogate 1.2 - (h_0 theta_0^2 + h_1 theta_1^2)."""
    h = np.array([settings["h0"], settings["h1"]])
    for _ in range(n):
        theta = theta - rate * 2 * h * theta
    return theta


class Toy:
    """Members whose state is theta; notes what it was asked."""

    def __init__(self):
        self.asked = []

    def advance(self, turns):
        self.asked += turns
        ended = []
        for turn in turns:
            theta = climbed(BEGIN if turn.state is None else turn.state, turn.settings)
            ended.append(Ended(theta, worth(theta)))
        return ended
