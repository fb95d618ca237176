"""What a measure declares beside its arithmetic: its unit, and which way is better."""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeVar

Direction = Literal["higher", "lower", "neither"]
Function = TypeVar("Function", bound=Callable[..., float | None])


class Measure(NamedTuple):
    """A number that arrays have, as tables and comparisons need to know it."""

    function: Callable[..., Any]
    unit: str
    """As printed: `ratio`, `fraction`, `fraction a year`, `nats`, ..."""
    better: Direction
    """Which way is better; `neither` where the number describes and does not judge."""


MEASURES: Final[dict[str, Measure]] = {}
"""Every measure of this room by the name of its function."""


def measure(*, unit: str, better: Direction) -> Callable[[Function], Function]:
    """Decorate a function that takes arrays and returns a number, or None where it has none."""

    def keep(function: Function) -> Function:
        MEASURES[function.__name__] = Measure(function, unit, better)
        return function

    return keep
