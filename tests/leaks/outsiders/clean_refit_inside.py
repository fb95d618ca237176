"""A forecast of the next return, by a slope that is fitted anew every five days inside the feature.

A feature with labels in it, which smells. Each slope is fitted on pairs whose second bar was known
when it was fitted, and serves rows that are known after that.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"forecast": {"kind": "clean_refit_inside"}},
    "features": {"extra": {"forecast": "forecast"}},
}
EVERY_NS = 5 * 86_400_000_000_000
FEWEST = 200
"""Pairs that a slope is fitted on."""


class CleanRefitInsideConfig(Config):
    kind: Literal["clean_refit_inside"] = "clean_refit_inside"


@SIDES.register(CleanRefitInsideConfig)
def clean_refit_inside(_config, panel, _place):
    known = panel.available_at
    now, later, seen = (np.full(len(panel), np.nan) for _ in range(3))
    for i in range(panel.n_instruments):
        a, b = panel.offsets[i : i + 2]
        if b - a < 3:
            continue
        moves = np.diff(np.log(panel.close[a:b]))
        volume = np.log(panel.volume[a:b])
        now[a + 1 : b] = moves + (volume[1:] - volume[:-1]) * 0.001
        later[a + 1 : b - 1] = moves[1:]
        seen[a + 1 : b - 1] = known[a + 2 : b]
    pairs = np.isfinite(now) & np.isfinite(later)
    found, fitted_at = np.full(len(panel), np.nan), (known - 1) // EVERY_NS * EVERY_NS
    for at in np.unique(fitted_at):
        past = pairs & (np.nan_to_num(seen, nan=np.inf) <= at)
        if past.sum() < FEWEST:
            continue
        slope = np.sum(now[past] * later[past]) / (np.sum(now[past] ** 2) + 1e-6)
        found[fitted_at == at] = slope * now[fitted_at == at]
    return Joined({"": found}, np.zeros(len(panel)))
