"""Side inputs: what a study knows beside its bars, joined as of knowledge time. One file each.

A part is `load(config, panel, place) -> Joined`: it reads its files and says, for every row of the
panel, what was known at that row's close. No part fills the past in: a figure counts from its
knowledge time on, and a part that cannot tell that time refuses to load.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from touchstone.arrays import Float64
from touchstone.data.cache import StageCache
from touchstone.market import Panel
from touchstone.registration import Family


class Place(NamedTuple):
    """Where a side input finds its files, and may keep what was costly to compute."""

    root: Path = Path()
    """Folder that relative paths are relative to."""
    cache: StageCache | None = None
    """Where scores of texts are kept; None keeps none."""
    renamed: Mapping[str, str] = {}
    """Former name -> the one that the panel knows the instrument by."""


class Joined(NamedTuple):
    """A side input as of every row of a panel."""

    columns: Mapping[str, Float64]
    """What stands behind the input's name ("" for the name alone) -> (n_rows,), NaN where not
    known."""
    age_ns: Float64
    """Age of the newest thing that the row knows, ns, (n_rows,), NaN where it knows nothing."""
    findings: tuple[str, ...] = ()
    """What a reader must know about it: sentences without its name."""


SideInput: TypeAlias = Callable[[Any, Panel, Place], Joined]
SIDES: Family[SideInput] = Family("side input", __name__)
