"""A scaler that takes the train rows as one slice, from the first to the last.

A slice is quicker than a list of rows, and where there is one instrument it is the same. Rows lie
by instrument, then by time: between the first train row of the first instrument and the last of
the last lie the test and sealed rows of all instruments but the last.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset.scalers import SCALERS
from touchstone.dataset.scalers.standard import StandardConfig, standard

LAYER = "B"
STUDY = {"scaler": {"kind": "contiguous_rows"}}


class ContiguousRowsConfig(Config):
    kind: Literal["contiguous_rows"] = "contiguous_rows"


@SCALERS.register(ContiguousRowsConfig)
def contiguous_rows(_config, features, rows):
    return standard(StandardConfig(), features, np.arange(rows[0], rows[-1] + 1))
