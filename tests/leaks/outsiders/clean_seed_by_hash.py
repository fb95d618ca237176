"""Log volume with a little noise, so that no two bars tie: noise of the bar's own name.

Random numbers in a feature, drawn for all bars at once. Each is a hash of symbol and time, so that
it is the same however many bars come after it, and in whatever order.
"""

import zlib
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"dithered": {"kind": "clean_seed_by_hash"}},
    "features": {"extra": {"dithered": "dithered"}},
}


class CleanSeedByHashConfig(Config):
    kind: Literal["clean_seed_by_hash"] = "clean_seed_by_hash"


@SIDES.register(CleanSeedByHashConfig)
def clean_seed_by_hash(_config, panel, _place):
    name = np.array([zlib.crc32(s.encode()) for s in panel.symbols], np.uint64)
    word = panel.time.astype(np.uint64) ^ (name[panel.asset_id] << np.uint64(31))
    for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):  # the finaliser of splitmix64
        word = (word ^ (word >> np.uint64(30))) * np.uint64(factor)
    noise = (word >> np.uint64(11)).astype(np.float64) / 2.0**53
    return Joined({"": np.log(panel.volume) + 0.01 * noise}, np.zeros(len(panel)))
