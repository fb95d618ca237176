"""What a candidate earned a day, day by day and slowly: idle days count."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from touchstone.arrays import Float64
from touchstone.backtest import Run
from touchstone.market import Panel
from touchstone.validation.audit.report import Finding, broken

_CLOSE: Final = 1e-12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def days_are_whole(name: str, panel: Panel, run: Run, told: Float64) -> Finding | None:
    """Every calendar day with a bar has its return, idle ones too: none is left out or dressed up.

    Args:
        name: whose returns.
        panel: the bars that were traded on.
        run: their account.
        told: daily returns as they were compared, (n_days,).
    """
    days, right = returns_by_day(panel, run)
    law = "every day of the calendar counts, idle ones too"
    where = f"{name}: account", "daily returns", ""
    if told.size != right.size:
        return broken("E", law, (*where, None), (f"{right.size} days", f"{told.size} days"))
    wrong = ~(np.abs(told - right) <= _CLOSE)
    if not wrong.any():
        return None
    k = int(wrong.argmax())
    day = (_EPOCH + timedelta(days=days[k])).date().isoformat()
    pair = (f"{float(right[k])!r} on {day}", repr(float(told[k])))
    return broken("E", law, (*where, None), pair)


def returns_by_day(panel: Panel, run: Run) -> tuple[list[int], Float64]:
    """Days since 1970 that have a bar, and the simple return of each day's last equity."""
    last: dict[int, float] = {}
    for day, equity in zip(panel.calendar.day(run.time).tolist(), run.equity.tolist(), strict=True):
        last[int(day)] = equity
    before, returns = run.initial_cash, []
    for equity in last.values():
        returns.append(equity / before - 1)
        before = equity
    return list(last), np.array(returns)
