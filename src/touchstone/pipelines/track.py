"""Where runs are tracked, what waits to be told there, and the telling.

Nothing here may fail a run: its result stands before a word is said to anybody.
"""

import contextlib
from pathlib import Path
from typing import Final, NamedTuple, get_args

from touchstone.errors import ConfigError
from touchstone.pipelines.progress import Progress
from touchstone.pipelines.workspace import Kind, Workspace
from touchstone.registry.tracking import Queue, TrackingError, flush, n_waiting, queues
from touchstone.registry.tracking_mlflow import MlflowTracker, Place

OFF: Final = "off"


def place_of(workspace: Workspace, asked: str) -> Place | None:
    """Where runs are tracked; None where they are not.

    Args:
        workspace: whose SQLite file it is by default.
        asked: `off`, empty for the default, or the address of a tracking server.

    Raises:
        ConfigError: no address.
    """
    if asked == OFF:
        return None
    uri = asked or f"sqlite:///{workspace.tracking.absolute()}"
    if "://" not in uri:
        raise ConfigError(
            f"tracking {asked!r}: needs off, or an address as in http://127.0.0.1:5000 or "
            "sqlite:///path/to/mlflow.sqlite"
        )
    place = Place(uri)
    database = place.database
    if database is None:
        return place
    return place._replace(artifacts=database.with_suffix(""))


def tell(workspace: Workspace, asked: str, progress: Progress) -> int:
    """Send what waits, of this run and of earlier ones; what cannot be sent is said and waits.

    Returns:
        How many runs and fits were sent.
    """
    place = place_of(workspace, asked)
    if place is None:
        return 0
    found = _queues(workspace)
    before, files = n_waiting(found)
    if not files:
        return 0
    with progress.stage("tracking") as step:
        try:
            n = flush(found, MlflowTracker(place, progress.note), place.name, workspace.locks)
        except (TrackingError, OSError) as error:
            waiting, files = n_waiting(found)
            where = str(files[0]) if len(files) == 1 else f"{len(files)} files of {workspace.root}"
            progress.note(
                f"tracking: {error}; {waiting} events wait in {where}; "
                "touchstone track flush sends them"
            )
            step.say(f"{waiting} wait")
            return before - waiting
        step.say(f"{n} runs and fits told to {_short(workspace, place)}")
    return n


def tell_untracked(folder: Path, noun: str, progress: Progress) -> None:
    """Say so where finished work was never put into its queue: untracked, or killed just before.

    Args:
        folder: the work's.
        noun: what it is called.
        progress: who is told.
    """
    with contextlib.suppress(OSError):  # `tell` says what cannot be read
        if not Queue(folder).holds():
            progress.note(f"this {noun} was made, but not put down for tracking: --again does both")


class Standing(NamedTuple):
    """Where runs are tracked, and what waits."""

    place: str
    waiting: int
    look: str
    """The command or address at which they are looked at."""


def standing(workspace: Workspace, asked: str) -> Standing:
    """What `touchstone track status` tells."""
    place = place_of(workspace, asked)
    waiting = n_waiting(_queues(workspace))[0]
    if place is None:
        return Standing(OFF, waiting, "")
    look = place.name
    if place.database is not None:
        look = f"mlflow ui --backend-store-uri sqlite:///{_short(workspace, place)}"
    return Standing(_short(workspace, place), waiting, look)


def _queues(workspace: Workspace) -> list[Queue]:
    """Of all that was made here."""
    return [queue for kind in get_args(Kind) for queue in queues(workspace.folder(kind))]


def _short(workspace: Workspace, place: Place) -> str:
    """The place, relative where it lies in the workspace."""
    own = place.database == workspace.tracking.absolute()
    return str(workspace.tracking) if own else str(place.database or place.name)
