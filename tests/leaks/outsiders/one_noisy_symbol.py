"""One instrument's returns freed of noise by a wavelet, whose threshold knows the whole sample.

The last symbol had bad prints, so somebody denoised it and it alone: Haar details, shrunk softly
by Donoho's universal threshold. The filter looks back only. But the noise level is a median over
all details there will ever be, and the threshold knows their number besides. Most details are
shrunk to nothing either way: what moves is a handful of bars of one symbol, by very little.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"smooth": {"kind": "one_noisy_symbol"}},
    "features": {"extra": {"smooth": "smooth"}},
}


class OneNoisySymbolConfig(Config):
    kind: Literal["one_noisy_symbol"] = "one_noisy_symbol"


@SIDES.register(OneNoisySymbolConfig)
def one_noisy_symbol(_config, panel, _place):
    noisy = panel.symbols[-1]

    def returns(bars):
        found = np.full(len(bars), np.nan)
        found[1:] = np.log(bars.close[1:] / bars.close[:-1])
        return denoised(found) if bars.symbol == noisy and len(bars) > 2 else found

    return Joined({"": panel.per_instrument(returns)}, np.zeros(len(panel)))


def denoised(returns):
    before = np.r_[np.nan, returns[:-1]]
    level, detail = (returns + before) / 2, (returns - before) / 2
    noise = np.nanmedian(np.abs(detail)) / 0.6745
    threshold = noise * np.sqrt(2 * np.log(returns.size))
    return level + np.sign(detail) * np.maximum(np.abs(detail) - threshold, 0)
