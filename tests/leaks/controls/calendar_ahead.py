"""Days to the end of the month, and whether it is a weekend: of the future only its calendar.

It looks ahead, at what has been known since Gregory XIII.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

LAYER = None
STUDY = {
    "side": {"date": {"kind": "calendar_ahead"}},
    "features": {
        "extra": {
            "left": "date_left",
            "weekend": "date_weekend",
            "wave": "date_hour",
        }
    },
}


class CalendarAheadConfig(Config):
    kind: Literal["calendar_ahead"] = "calendar_ahead"


@SIDES.register(CalendarAheadConfig)
def calendar_ahead(_config, panel, _place):
    close = panel.available_at.astype("datetime64[ns]")
    month_end = (close.astype("datetime64[M]") + 1).astype("datetime64[ns]")
    left = (month_end - close) / np.timedelta64(1, "D")
    weekday = (panel.available_at // 86_400_000_000_000 + 3) % 7
    hour = panel.available_at // 3_600_000_000_000 % 24
    return Joined(
        {
            "left": left,
            "weekend": (weekday >= 5).astype(float),
            "hour": np.sin(hour / 24 * 2 * np.pi),
        },
        np.zeros(len(panel)),
    )
