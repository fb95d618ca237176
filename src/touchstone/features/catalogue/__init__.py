"""The catalogue: one line of text per feature, one file per group, sets of them by name."""

import importlib
import pkgutil
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


BASELINE: Final = (
    "ret_1", "ret_24", "rsi_14", "macd", "macd_signal", "macd_hist", "bollinger_position",
    "bandwidth", "atr_14", "adx_14", "stochastic_k_14", "roc_10", "volume_ratio_24", "vwap_gap",
    "day_sin", "day_cos", "sentiment",
)  # fmt: skip
"""The set to begin with, in the order of its columns."""


@cache
def catalogue() -> dict[str, Entry]:
    """Every feature of every group, by name; groups in the order of their names."""
    return {name: entry for group in _groups().values() for name, entry in group.items()}


def groups() -> dict[str, tuple[str, ...]]:
    """Names of the features of each group, as the files of this folder are called."""
    return {name: tuple(entries) for name, entries in _groups().items()}


@cache
def _groups() -> dict[str, dict[str, Entry]]:
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {n: importlib.import_module(f"{__name__}.{n}").ENTRIES for n in modules}
