"""A Fourier transform of the last 64 bars, of which the newest point of the slow part is kept.

The honest twin of the denoised series; every row has a transform of its own, of one length.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"wave": {"kind": "trailing_fft"}},
    "features": {"extra": {"wave": "wave"}},
}


class TrailingFftConfig(Config):
    kind: Literal["trailing_fft"] = "trailing_fft"


@SIDES.register(TrailingFftConfig)
def trailing_fft(_config, panel, _place):
    return Joined({"": panel.per_instrument(newest_of_slow)}, np.zeros(len(panel)))


def newest_of_slow(bars):
    price = np.log(bars.close)
    out = np.full(price.size, np.nan)
    for t in range(63, price.size):
        spectrum = np.fft.rfft(price[t - 63 : t + 1] - price[t])
        spectrum[8:] = 0
        out[t] = np.fft.irfft(spectrum, n=64)[-1]
    return out
