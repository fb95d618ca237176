"""Noise taken out by a Fourier transform of the whole series: every bar speaks in every frequency.

Whoever follows one of the many articles on "denoising prices before the network".
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"wave": {"kind": "fft_denoise"}},
    "features": {"extra": {"wave": "wave"}},
}


class FftDenoiseConfig(Config):
    kind: Literal["fft_denoise"] = "fft_denoise"


@SIDES.register(FftDenoiseConfig)
def fft_denoise(_config, panel, _place):
    wave = np.empty(len(panel))
    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        if b == a:
            continue
        log_price = np.log(panel.close[a:b])
        spectrum = np.fft.rfft(log_price)
        spectrum[spectrum.size // 10 + 1 :] = 0
        wave[a:b] = log_price - np.fft.irfft(spectrum, n=b - a)
    return Joined({"": wave}, np.zeros(len(panel)))
