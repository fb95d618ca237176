"""Labels read aloud from the design: python floats, no shared code, no early exit."""

import numpy as np

from touchstone.market import Panel

UNKNOWN = (0, -1, None, False)


def slow_triple_barrier(panel: Panel, config, width=None):
    """(outcome, exit, realised, ambiguous) of each row."""
    return [
        _patient(panel, config, row, _touched(panel, config, row, end, width), width)
        for row, end in _rows(panel)
    ]


def slow_forward_return(panel: Panel, config, width=None):
    answers = []
    for row, end in _rows(panel):
        answer = _at_horizon(panel, config, row, end)
        if answer[1] >= 0:
            bar = config.threshold * (1.0 if width is None else width[row])
            answer = (int(answer[2] > bar) - int(answer[2] < -bar), *answer[1:])
        answers.append(_patient(panel, config, row, answer, width))
    return answers


def _rows(panel):
    for i in range(panel.n_instruments):
        for row in range(panel.offsets[i], panel.offsets[i + 1]):
            yield row, panel.offsets[i + 1]


def _entry(panel, config, row):
    return panel.open[row + 1] if config.entry == "open" else panel.close[row]


def _at_horizon(panel, config, row, end):
    at_open = config.horizon_exit == "open"
    last = row + config.horizon + at_open
    if last >= end:
        return UNKNOWN
    price = panel.open[last] if at_open else panel.close[last]
    return 0, last, price / _entry(panel, config, row) - 1, False


def _touched(panel, config, row, end, width):
    if row + 1 >= end:
        return UNKNOWN
    scale = 1.0 if width is None else width[row]
    entry = _entry(panel, config, row)
    target = entry * (1 + config.take_profit * scale)
    stop = entry * (1 - config.stop_loss * scale)
    watched = range(row + 1, min(row + config.horizon, end - 1) + 1)
    stops = [s for s in watched if panel.low[s] <= stop]
    targets = [s for s in watched if panel.high[s] > target]
    if not stops and not targets:
        return _at_horizon(panel, config, row, end)
    bar = min(stops + targets)
    entered_here = config.entry == "open" and bar == row + 1
    if not entered_here and panel.open[bar] <= stop:
        return -1, bar, panel.open[bar] / entry - 1, False
    if not entered_here and panel.open[bar] > target:
        return 1, bar, panel.open[bar] / entry - 1, False
    if bar in stops:
        return -1, bar, stop / entry - 1, bar in targets
    return 1, bar, target / entry - 1, False


def _patient(panel, config, row, answer, width):
    if width is not None and not (0 < width[row] < np.inf):
        return UNKNOWN
    if answer[1] < 0:
        return UNKNOWN
    clock = panel.calendar.trading_time
    left = clock(panel.time[answer[1] : answer[1] + 1])[0]
    decided = clock(panel.available_at[row : row + 1])[0]
    bar_ns = panel.timeframe.ns
    if panel.timeframe.name == "1d":
        bar_ns = panel.calendar.session_ns
    return UNKNOWN if left - decided > 4 * config.horizon * bar_ns else answer
