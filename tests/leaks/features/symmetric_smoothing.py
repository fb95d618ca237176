"""A Gaussian filter over the closes: its weights run ahead as far as they run back.

Whoever takes a filter from signal processing, where the whole signal lies on the table.
"""

from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = "A"
STUDY = {
    "side": {"denoised": {"kind": "symmetric_smoothing"}},
    "features": {"extra": {"denoised": "denoised"}},
}


class SymmetricSmoothingConfig(Config):
    kind: Literal["symmetric_smoothing"] = "symmetric_smoothing"


@SIDES.register(SymmetricSmoothingConfig)
def symmetric_smoothing(_config, panel, _place):
    smooth = np.empty(len(panel))
    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        smooth[a:b] = gaussian_filter1d(np.log(panel.close[a:b]), sigma=3) if b > a else np.nan
    return Joined({"": np.log(panel.close) - smooth}, np.zeros(len(panel)))
