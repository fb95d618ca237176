"""What a user's own files remember between calls: kept from the start, and forgotten on demand.

A cache in a global of a plugin answers a scrambled run with what it saw of the true bars, and so
hides a leak from whoever compares the two. Each run of an audit begins as in a new process.
"""

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from touchstone.pipelines.study import plugin_name


class Memory:
    """The state of some files when it was taken: globals, attributes of functions and classes."""

    def __init__(self, files: Sequence[Path]) -> None:
        names = (plugin_name(file) for file in files)
        self._modules = [sys.modules[name] for name in names if name in sys.modules]
        self._kept = [
            (owner, name, value, copied)
            for owner in self._owners()
            for name, value in vars(owner).items()
            if not name.startswith("__")
            for copied in _copied(value)
        ]

    def forget(self) -> None:
        """Bring everything back to what it was; containers keep their identity."""
        for owner, name, value, copied in self._kept:
            (fresh,) = _copied(copied)
            _refill(value, fresh)
            is_same = vars(owner).get(name) is value
            if not is_same:
                setattr(owner, name, value)
        for module in self._modules:
            for clear in _caches(module):
                clear()

    def _owners(self) -> Iterator[Any]:
        for module in self._modules:
            yield module
            for value in list(vars(module).values()):
                own = getattr(value, "__module__", None) == module.__name__
                if own and isinstance(value, type | FunctionType):
                    yield value


def _copied(value: object) -> list[Any]:
    """A copy of what can hold a memory, alone in a list; nothing for all else."""
    if not isinstance(value, dict | list | set | bytearray | np.ndarray | int | float | str | None):
        return []
    try:
        return [copy.deepcopy(value)]
    except Exception:  # noqa: BLE001  a handle of the user's: it stays as it is
        return []


def _refill(value: Any, fresh: Any) -> None:
    """Give a container the content of another one of its kind."""
    if isinstance(value, dict | set):
        value.clear()
        value.update(fresh)
    elif isinstance(value, list | bytearray):
        value[:] = fresh
    elif isinstance(value, np.ndarray) and value.flags.writeable:
        value[...] = fresh


def _caches(module: ModuleType) -> Iterator[Callable[[], None]]:
    for value in list(vars(module).values()):
        clear = getattr(value, "cache_clear", None)
        if callable(clear) and getattr(value, "__module__", None) == module.__name__:
            yield clear
