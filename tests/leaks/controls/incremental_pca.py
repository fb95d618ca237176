"""The first principal component by axes that are learned on the past alone, anew every day.

Its sums grow in the order of time; the axes of a day were fixed at its beginning.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"factor": {"kind": "incremental_pca"}},
    "features": {"extra": {"factor": "factor"}},
}


class IncrementalPcaConfig(Config):
    kind: Literal["incremental_pca"] = "incremental_pca"


@SIDES.register(IncrementalPcaConfig)
def incremental_pca(_config, panel, _place):
    blocks = panel.blocks()
    moves = [blocks.spread(panel.per_instrument(change(k))) for k in (1, 4, 12)]
    table = np.stack([*moves, blocks.spread(panel.per_instrument(busy))], axis=2)
    score = np.full(blocks.row.shape, np.nan)
    products, n, axis = np.zeros((4, 4)), 0, None
    for t in range(len(table)):
        whole = np.isfinite(table[t]).all(axis=1)
        if t % 24 == 0 and n > 100:
            _, axes = np.linalg.eigh(products / n)
            axis = axes[:, -1] * np.sign(axes[0, -1])
        for i in np.flatnonzero(whole):
            x = table[t, i]
            if axis is not None:
                score[t, i] = x[0] * axis[0] + x[1] * axis[1] + x[2] * axis[2] + x[3] * axis[3]
            products += np.outer(x, x)
            n += 1
    column = np.full(len(panel), np.nan)
    column[blocks.row[blocks.valid]] = score[blocks.valid]
    return Joined({"": column}, np.zeros(len(panel)))


def change(k):
    def of(bars):
        out = np.full(len(bars), np.nan)
        out[k:] = (bars.close[k:] / bars.close[:-k] - 1) / (0.008 * k**0.5)
        return out

    return of


def busy(bars):
    out = np.full(len(bars), np.nan)
    out[1:] = np.log(bars.volume[1:] / bars.volume[:-1])
    return out
