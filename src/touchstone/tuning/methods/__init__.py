"""Ways to search: what each is told, one file each; whoever trains and measures runs them."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from touchstone.registration import Family


class Able(NamedTuple):
    """What a way can be asked for beside its own settings."""

    objectives: bool
    """More than one."""
    constraints: bool
    """Bounds that a result has to keep."""
    space: bool
    """Other values than the configs' marks say."""
    storage: bool
    """A storage that several machines share."""


Method: TypeAlias = Callable[[Any], Able]
"""A part of the family: its config -> what it can be asked for."""

METHODS: Family[Method] = Family("method", __name__)
