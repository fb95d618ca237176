"""What the rows of a segment are divided by: symbol, calendar, hour, regimes of both kinds."""

from typing import Final

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.market import Timeframe
from touchstone.pipelines.decide import Segment
from touchstone.pipelines.prepare import Prepared, column
from touchstone.validation.slices import Division

TREND: Final = "(close / lag(close, 48) - 1) / (std(close / lag(close, 1) - 1, 48) * sqrt(48))"
"""The last 48 bars' return in standard deviations of such a return; known at the row's close."""
_CLEAR_TREND: Final = 0.5
"""So many standard deviations away from none."""
_REGIMES: Final = ("calm", "normal", "wild", "not known")
_TRENDS: Final = ("falling", "sideways", "rising", "not known")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def divisions(prepared: Prepared, where: Segment) -> tuple[Division, ...]:
    """Every way; times are of the decision, UTC."""
    panel = where.panel
    at = panel.available_at.astype("datetime64[ns]")
    hours, days = (at.astype(f"datetime64[{unit}]").astype(np.int64) for unit in "hD")
    found = [
        Division("symbol", panel.symbols, panel.asset_id.astype(np.int64)),
        _by("year", at.astype("datetime64[Y]")),
        _by("month", at.astype("datetime64[M]")),
        *_hours(panel.timeframe, hours),
        Division("weekday", _WEEKDAYS, (days + 3) % 7),
        Division("regime", _REGIMES, _terciles(prepared.volatility[where.rows])),
        Division("trend", _TRENDS, _trends(column(TREND, prepared.panel)[where.rows])),
    ]
    if panel.groups:
        named = np.array([panel.groups.get(s, "no group") for s in panel.symbols])
        names, place = np.unique(named, return_inverse=True)
        found.append(Division("group", tuple(map(str, names)), place[panel.asset_id]))
    return tuple(found)


def _hours(timeframe: Timeframe, hours: Int64) -> list[Division]:
    """By hour, but for daily bars: all are decided at the close, and clocks are changed."""
    if timeframe.is_daily:
        return []
    return [Division("hour", tuple(f"{h:02d}" for h in range(24)), hours % 24)]


def _by(group: str, unit: np.ndarray) -> Division:
    names, part = np.unique(unit, return_inverse=True)
    return Division(group, tuple(map(str, names)), part)


def _terciles(volatility: Float64) -> Int64:
    """The tercile of a row's volatility among all rows of the segment; 3 where it has none."""
    known = np.isfinite(volatility)
    if not known.any():
        return np.full(volatility.size, 3)
    bounds = np.quantile(volatility[known], [1 / 3, 2 / 3])
    return np.where(known, np.searchsorted(bounds, volatility), 3)


def _trends(trend: Float64) -> Int64:
    place = np.searchsorted([-_CLEAR_TREND, _CLEAR_TREND], trend)
    return np.where(np.isfinite(trend), place, 3)
