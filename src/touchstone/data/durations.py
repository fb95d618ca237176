"""Lengths of time as they are written in a study: 90s, 5m, 24h, 7d."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator

from touchstone.errors import ConfigError

_UNIT_NS: Final = {
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3_600 * 10**9,
    "d": 86_400 * 10**9,
}


def nanoseconds(text: str) -> int:
    """A length of real time -> nanoseconds, never negative.

    >>> nanoseconds("24h") == nanoseconds("1d"), nanoseconds("0s")
    (True, 0)

    Raises:
        ConfigError: not a whole number and s, m, h or d; more than 9999 days, which added to a
            time could run over the end of int64 into the past.
    """
    if not re.fullmatch(r"\d{1,5}[smh]|\d{1,4}d", text, re.ASCII):
        raise ConfigError(
            f"{text!r}: needs a whole number and s, m, h or d, 9999d at most, as in 24h"
        )
    return int(text[:-1]) * _UNIT_NS[text[-1]]


def _some(text: str) -> str:
    if not nanoseconds(text):
        raise ConfigError(f"{text!r}: needs a length of time above zero, as in 24h")
    return text


def _any(text: str) -> str:
    nanoseconds(text)
    return text


Duration: TypeAlias = Annotated[str, AfterValidator(_some)]
"""A length of time above zero, as text."""
Delay: TypeAlias = Annotated[str, AfterValidator(_any)]
"""A length of time, zero included, as text: nothing can be known before it happened."""
