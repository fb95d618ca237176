"""The catalogue: one line of text per feature, one file per group, sets of them by name."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A feature of the catalogue."""

    text: str
    """Its expression."""
    meaning: str
    """What it measures, in one line."""
    unit: str
    source: str
    """Where it comes from; "-" where it is folklore."""
    side: tuple[str, ...] = ()
    """Side columns without which it is left out."""
    scale_free: bool = True
    """Whether it stays the same when all prices are multiplied by one number."""
    talib: str = ""
    """The functions of TA-Lib that it is, or is made of: tests hold it equal to them."""


BASELINE: Final = (
    "ret_1", "ret_24", "rsi_14", "macd", "macd_signal", "macd_hist", "bollinger_position",
    "bandwidth", "atr_14", "adx_14", "stochastic_k_14", "roc_10", "volume_ratio_24", "vwap_gap",
    "day_sin", "day_cos", "sentiment",
)  # fmt: skip
"""The set to begin with, in the order of its columns."""


class Group(NamedTuple):
    """One file of the catalogue."""

    title: str
    """Its first line."""
    entries: Mapping[str, Entry]


@cache
def groups() -> dict[str, Group]:
    """Every group by name, in the order of their names."""
    found: dict[str, Group] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        group = importlib.import_module(f"{__name__}.{module.name}")
        found[module.name] = Group((group.__doc__ or "").split("\n")[0], group.ENTRIES)
    return found


@cache
def catalogue() -> dict[str, Entry]:
    """Every feature of every group, by name; groups in the order of their names."""
    found: dict[str, Entry] = {}
    for group in groups().values():
        found.update(group.entries)
    return found
