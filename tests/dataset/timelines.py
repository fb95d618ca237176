"""Timelines for tests: ragged, with holes, long labels and windows of any length."""

import numpy as np
from hypothesis import strategies as st

from touchstone.dataset.splits import Timeline
from touchstone.market import Calendar

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
START_NS = 1_640_995_200_000_000_000


def timeline_of(known_hours, begin_hours, end_hours, has_window=None, has_label=None):
    """Hours after the start -> a timeline."""
    known, begin, end = (
        START_NS + np.asarray(h, np.int64) * HOUR_NS for h in (known_hours, begin_hours, end_hours)
    )
    yes = np.ones(known.size, bool)
    return Timeline(
        known,
        begin,
        end,
        yes if has_window is None else np.asarray(has_window),
        yes if has_label is None else np.asarray(has_label),
        Calendar("24/7"),
    )


def regular(n_hours, lookback=24, horizon=8, n_instruments=1):
    """Hourly rows of instruments that trade round the clock."""
    hour = np.arange(n_hours)
    known = np.tile(hour + 1, n_instruments)
    begin = np.tile(np.maximum(hour - lookback + 1, 0), n_instruments)
    has_window = np.tile(hour >= lookback - 1, n_instruments)
    has_label = np.tile(hour + horizon + 1 < n_hours, n_instruments)
    return timeline_of(known, begin, known + horizon + 1, has_window, has_label)


BAR_HOURS = 3


@st.composite
def ragged(draw):
    """Instruments that come, go and pause; labels reach over pauses, windows only over short."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n_days = draw(st.integers(70, 120))
    lookback, horizon = draw(st.integers(1, 8)), draw(st.integers(1, 12))
    missing = draw(st.sampled_from((0.0, 0.3, 0.6)))
    parts = []
    for i in range(draw(st.integers(1, 4))):
        bar = np.arange(n_days * 24 // BAR_HOURS)
        bar = bar[rng.random(bar.size) >= missing]
        if i:  # others come and go, and pause
            first, last, *pause = rng.integers(0, n_days * 24 // BAR_HOURS, 4)
            bar = bar[(bar >= first) & (bar <= max(last, first + 9))]
            bar = bar[(bar < min(pause)) | (bar > max(pause))]
        if bar.size:
            parts.append(_instrument(bar * BAR_HOURS, lookback, horizon, rng))
    return timeline_of(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _instrument(hour, lookback, horizon, rng):
    at = np.arange(hour.size)
    exit_ = at + rng.integers(1, horizon + 1, hour.size)
    has_label = exit_ < hour.size
    end = hour[np.minimum(exit_, hour.size - 1)] + BAR_HOURS
    begin = hour[np.maximum(at - lookback + 1, 0)]
    fresh = hour + BAR_HOURS - begin <= 4 * lookback * BAR_HOURS
    has_window = (at >= lookback - 1) & fresh & (rng.random(hour.size) < 0.95)
    return hour + BAR_HOURS, np.where(fresh, begin, hour), end, has_window, has_label
