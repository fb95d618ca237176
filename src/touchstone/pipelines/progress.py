"""What a long pipeline says while it works: stages with a count, told to whoever listens."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One stage under way."""

    def advance(self, note: str = "") -> None:
        """One unit more is done; `note` says what."""

    def say(self, text: str) -> None:
        """What the stage found, for its closing line."""


class Progress(Protocol):
    """Somebody who shows stages: a terminal, a log, nobody."""

    def stage(self, name: str, total: int = 1) -> AbstractContextManager[Step]:
        """Open a stage of `total` units, as a context manager."""

    def note(self, text: str) -> None:
        """A warning or a finding, worth a line of its own."""


class Silent:
    """Shows nothing: for notebooks and tests."""

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator["Silent"]:  # noqa: ARG002
        """A stage nobody sees."""
        yield self

    def advance(self, note: str = "") -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
