"""What a long pipeline says while it works: stages with a count, told to whoever listens."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol, Self, TypeAlias


class Running(NamedTuple):
    """A fit under way, as its last epoch left it."""

    fit: str
    """As in "gru, fold 2"."""
    epoch: int
    """Epochs (trees: rounds) done."""
    epochs: int | None
    """Most there can be, if that is known."""
    loss: float | None
    """On train rows."""
    metric: str
    score: float | None
    """`metric` on validation rows."""
    best: float | None
    """The best of it so far."""
    best_epoch: int | None
    rate: float | None
    """Epochs a second."""

    def to_json(self) -> bytes:
        """For another process."""
        return json.dumps(self).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """What `to_json` wrote.

        Raises:
            ValueError, TypeError: something else.
        """
        return cls(*json.loads(content))


Watch: TypeAlias = Callable[[], Sequence[Running]]
"""Asks which fits are under way; cheap, and may be asked at any time from any thread."""


class Step(Protocol):
    """One stage under way."""

    def advance(self, note: str = "") -> None:
        """One unit more is done; `note` says what."""

    def say(self, text: str) -> None:
        """What the stage found, for its closing line."""

    def watch(self, running: Watch) -> None:
        """Whom to ask, until the stage is over, about the fits under way in it."""

    def done(self, text: str) -> None:
        """One unit more is done that took long: worth a line of its own where no bar shows it."""


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

    def watch(self, running: Watch) -> None:
        """Nothing."""

    def done(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
