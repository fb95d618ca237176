"""Alarms as structured lines of Python's own logging."""

import json
import logging
from collections.abc import Sequence
from typing import Final, Literal

from touchstone.config import Config
from touchstone.market.findings import Severity
from touchstone.monitoring.alarms import ALARMS, Alarm, Sent

LOGGER: Final = "touchstone.alarms"

_LEVELS: Final = {
    Severity.NOTE: logging.INFO,
    Severity.WARN: logging.WARNING,
    Severity.DOUBT: logging.ERROR,
    Severity.REFUSE: logging.CRITICAL,
}


class LogConfig(Config):
    """Where lines go is the business of whoever configures logging; standard error by default."""

    kind: Literal["log"] = "log"


@ALARMS.register(LogConfig)
def log(config: LogConfig, alarms: Sequence[Alarm]) -> Sent:  # noqa: ARG001
    """One line of JSON an alarm: whatever a symbol holds, it cannot begin a line of its own."""
    logger = logging.getLogger(LOGGER)
    for alarm in alarms:
        logger.log(_LEVELS[alarm.severity], "alarm %s", json.dumps(alarm.as_dict()))
    return Sent(ok=True, n_tries=1)
