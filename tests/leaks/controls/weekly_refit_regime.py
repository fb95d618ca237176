"""Calm or wild by a median that is fitted anew every week, on the weeks before it."""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"wild": {"kind": "weekly_refit_regime"}},
    "features": {"extra": {"wild": "wild"}},
}


class WeeklyRefitRegimeConfig(Config):
    kind: Literal["weekly_refit_regime"] = "weekly_refit_regime"


@SIDES.register(WeeklyRefitRegimeConfig)
def weekly_refit_regime(_config, panel, _place):
    return Joined({"": panel.per_instrument(wild)}, np.zeros(len(panel)))


def wild(bars):
    span = np.log(bars.high / bars.low)
    out = np.full(len(bars), np.nan)
    for start in range(168, len(bars), 168):
        week = slice(start, min(start + 168, len(bars)))
        out[week] = span[week] > np.median(span[:start])
    return out
