"""Where trials are kept: a journal on this machine, or a database that several machines share."""

import contextlib
import fcntl
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.storages.journal._file import BaseJournalFileLock
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from touchstone.errors import ConfigError, DataError

BEAT_SECONDS: Final = 15
"""Whoever is at a trial of a shared storage says so this often."""
GRACE_SECONDS: Final = 60
"""Without such a word for so long a trial is left, and anybody takes it up."""
CONNECT_SECONDS: Final = 20
"""A server that does not answer for so long is not there."""
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Place(NamedTuple):
    """Where the trials of a search are kept; goes to worker processes."""

    at: str
    """Path of a journal, or the address of a database."""
    shared: bool
    """Whether it is a database: then other machines may be at its trials."""
    beat_seconds: int = BEAT_SECONDS
    grace_seconds: int = GRACE_SECONDS

    @property
    def told(self) -> str:
        """For people: without a password."""
        return without_password(self.at)


def place_of(uri: str | None, journal: Path) -> Place:
    """The place that an address names; None: the journal.

    Raises:
        ConfigError: no address of a database.
    """
    if uri is None:
        return Place(str(journal.absolute()), shared=False)
    scheme, found, rest = uri.partition("://")
    if not found or not scheme:
        raise ConfigError(
            f"storage {without_password(uri)!r}: needs an address, as in "
            "postgresql://user@host/name; leave it out for a file of this machine"
        )
    address = f"{_DRIVERS.get(scheme, scheme)}://{rest}"
    try:
        make_url(address)
    except (ArgumentError, ValueError) as error:
        said = without_password(str(error))
        raise ConfigError(f"storage {without_password(uri)}: no address: {said}") from None
    return Place(address, shared=True)


def without_password(text: str) -> str:
    """Any text in which the passwords of addresses are stars."""
    text = re.sub(r"(\w+://[^\s:/@]*):\S*@", r"\1:***@", text)
    return re.sub(r"([?&]password=)[^\s&]*", r"\1***", text)


@contextlib.contextmanager
def opened(place: Place) -> Iterator[BaseStorage]:
    """The storage, closed when it is left.

    Raises:
        ConfigError: an address whose driver is not installed, or none at all.
        DataError: a database that cannot be reached, or that failed.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if not place.shared:
        path = Path(place.at)
        path.parent.mkdir(parents=True, exist_ok=True)
        yield JournalStorage(JournalFileBackend(str(path), lock_obj=_Lock(path)))
        return
    try:
        storage = _database(place)
        try:
            yield get_storage(storage)  # as Optuna wraps it: finished trials are read once
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        said = without_password(str(getattr(error, "orig", None) or error.__cause__ or error))
        raise DataError(
            f"storage {place.told}: the database cannot be reached, or failed: {said.strip()}. "
            "Trials that ended are kept; repeat the command"
        ) from None


def _database(place: Place) -> RDBStorage:
    engine = {"pool_size": 2, "pool_pre_ping": True, "connect_args": _patience(place)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # the heartbeat
        try:
            return RDBStorage(
                place.at,
                engine_kwargs=engine,
                heartbeat_interval=place.beat_seconds,
                grace_period=place.grace_seconds,
            )
        except (ArgumentError, ImportError) as error:
            raise ConfigError(
                f"storage {place.told}: {without_password(str(error))}. PostgreSQL needs the "
                "extra: pip install touchstone[distributed]"
            ) from None


def _patience(place: Place) -> dict[str, int]:
    """How long a server may take to answer at all, unless the address says so itself."""
    told = "connect_timeout" in place.at or not place.at.startswith("postgresql")
    return {} if told else {"connect_timeout": CONNECT_SECONDS}


class _Lock(BaseJournalFileLock):
    """A lock that the system lets go of when its holder is killed, whenever that is.

    A writer that was killed within a line leaves half of it: whoever writes next takes it off.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Wait for the lock."""
        file = self._journal.with_suffix(".lock").open("a+b")
        fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file
        _mend(self._journal)
        return True

    def release(self) -> None:
        """Let go."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _mend(journal: Path) -> None:
    """Take off a last line that is not whole."""
    with journal.open("r+b") as file:
        end = file.seek(0, 2)
        if end == 0:
            return
        file.seek(end - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
