"""Who is audited, as the layers see it: something that computes a trace from a world."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from touchstone.errors import TouchstoneError
from touchstone.market import Panel
from touchstone.seeding import generator
from touchstone.validation.audit.compare import Difference, first_difference
from touchstone.validation.audit.report import Slice
from touchstone.validation.audit.scrambles import SCRAMBLES
from touchstone.validation.audit.trace import Trace


class World(NamedTuple):
    """Bars, and what is to be done to the files beside them."""

    panel: Panel
    cut: int | None = None
    """ns UTC: what side files and the universe tell after it is another; None: as they are."""
    how: str = ""
    """A key of `SCRAMBLES`."""
    seed: int = 0
    remembers: bool = False
    """Whether a user's own files keep what they remember of earlier calls; else each call is as
    in a new process."""


class Subject(Protocol):
    """A pipeline under audit. Each call computes anew from the world it is given."""

    def loaded(self, world: World) -> Trace:
        """Bars, membership, side columns."""

    def rows(self, world: World) -> Trace:
        """The same, and features, barriers, labels."""

    def live(self, world: World) -> Trace:
        """Features alone, computed one bar at a time."""

    def whole(self, world: World) -> Trace:
        """The same, and folds, fits, scores, choices, fills, and the sealed rows."""


class Tried(NamedTuple):
    """One scrambled run beside the run of the data as they are."""

    difference: Difference | None
    failed: str = ""
    """Why there was no run; empty where there was one."""


def scrambled(panel: Panel, cut: int, how: str, seed: int) -> World:
    """A world with another future; the same arguments give the same bits."""
    rng = generator(seed, "audit", how, cut)
    return World(SCRAMBLES[how](panel, cut, rng), cut, how, seed)


def tried(run: Callable[[World], Trace], base: Trace, world: World) -> Tried:
    """Run a scrambled world and compare with `base` until its cut.

    A run that fails says nothing about leaks: short or blank bars may well be refused. It is
    counted and told.
    """
    assert world.cut is not None
    if not len(world.panel):
        return Tried(None, "no bar is left")
    try:
        trace = run(world)
    except TouchstoneError as error:
        return Tried(None, str(error).splitlines()[0][:160])
    except (ArithmeticError, IndexError, KeyError, ValueError, TypeError) as error:
        return Tried(None, f"{type(error).__name__}: {error}"[:160])
    except Exception as error:  # noqa: BLE001  a user's own part may raise what its library does
        return Tried(None, f"{type(error).__name__}: {error}"[:160])
    return Tried(first_difference(base, trace, world.cut))


def slice_of(panel: Panel) -> Slice:
    """Which bars a panel holds."""
    return Slice(
        panel.symbols,
        int(np.unique(panel.time).size),
        int(panel.time.min()),
        int(panel.available_at.max()),
    )
