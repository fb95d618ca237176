"""What every part of `result.json` is made of: frozen models, numbers with units, no NaN."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Unit(NamedTuple):
    """How a number is to be read; carried by its type, printed by the reference."""

    text: str


Fraction = Annotated[float, Unit("fraction (0.01 = 1 %)")]
"""A share or a simple return."""
Annual = Annotated[float, Unit("fraction a year")]
"""A return or a rate per year."""
Ratio = Annotated[float, Unit("ratio")]
"""A number without a unit: AUC, slope, profit factor."""
AnnualRatio = Annotated[float, Unit("ratio, annualised by the calendar's days a year")]
"""A Sharpe, a Sortino, a Calmar ratio."""
Probability = Annotated[float, Unit("probability")]
"""Between 0 and 1."""
BasisPoints = Annotated[float, Unit("basis points (0.01 %)")]
"""Costs, and returns of one trade."""
Money = Annotated[float, Unit("units of the account's currency")]
"""Cash."""
Price = Annotated[float, Unit("units of currency per unit of the instrument")]
"""A price."""
Growth = Annotated[float, Unit("multiple of the segment's first equity")]
"""1 where the segment starts."""
Nats = Annotated[float, Unit("nats a row")]
"""Log-loss."""
Count = Annotated[int, Unit("count")]
"""How many."""
Days = Annotated[float, Unit("days of the calendar")]
"""A length of time."""
Years = Annotated[float, Unit("years")]
"""A length of time."""
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), Unit("day, UTC, YYYY-MM-DD")]
"""A day."""
Moment = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z$"),
    Unit("time, UTC, YYYY-MM-DDTHH:MMZ"),
]
"""An instant, to the minute."""


def _whole(interval: Any) -> Any:
    """An interval with an end that is not known is no interval."""
    if interval is None or any(end is None for end in plain(list(interval))):
        return None
    return interval


Interval = Annotated[
    tuple[float, float] | None,
    BeforeValidator(_whole),
    Unit("low and high end, as the number it belongs to"),
]
"""Low and high end at 95 %, in the unit of the number it belongs to; null where there is none."""
Span = tuple[Moment, Moment]
"""First instant, and the first instant after."""


class Contents(BaseModel):
    """A part of the result: frozen and closed; numpy becomes Python, NaN and infinite become null.

    Keys of mappings are sorted, so that equal results give equal bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return plain(value)


def plain(value: Any) -> Any:
    """Numpy scalars and arrays as Python's, NaN and infinities as None, keys of mappings sorted."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return tuple(plain(v) for v in value)
    return value


def iso_day(ns: int) -> str:
    """The UTC day that holds an instant, int64 nanoseconds since 1970.

    >>> iso_day(1_640_995_200_000_000_000)
    '2022-01-01'
    """
    return str(np.datetime64(int(ns), "ns").astype("datetime64[D]"))


def iso_moment(ns: int) -> str:
    """An instant, int64 nanoseconds since 1970, to the minute in UTC.

    >>> iso_moment(1_640_995_200_000_000_000)
    '2022-01-01T00:00Z'
    """
    return f"{np.datetime64(int(ns), 'ns').astype('datetime64[m]')}Z"
