"""The Hilbert transform by a filter that is late instead of symmetric: phase of the price's wave.

Its taps are added in a fixed order; `np.convolve` swaps its arguments where the past is short.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"phase": {"kind": "one_sided_hilbert"}},
    "features": {"extra": {"phase": "phase"}},
}


class OneSidedHilbertConfig(Config):
    kind: Literal["one_sided_hilbert"] = "one_sided_hilbert"


@SIDES.register(OneSidedHilbertConfig)
def one_sided_hilbert(_config, panel, _place):
    return Joined({"": panel.per_instrument(phase)}, np.zeros(len(panel)))


def phase(bars):
    price = np.log(bars.close)
    n, taps = price.size, 15
    wave = np.zeros(n)
    for k in range(taps):
        distance = k - taps // 2
        if distance % 2 == 0:
            continue
        late = np.full(n, price[0] if n else 0.0)
        late[k:] = price[: max(n - k, 0)]
        wave += 2 / (np.pi * distance) * late
    return wave
