"""Where trials are kept: a journal on this machine, or a database that several machines share."""

import contextlib
import fcntl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.storages.journal._file import BaseJournalFileLock
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, ProgrammingError, SQLAlchemyError

from touchstone.errors import ConfigError, DataError, without_password

BEAT_SECONDS: Final = 15
"""Whoever is at a trial of a shared storage says so this often."""
GRACE_SECONDS: Final = 60
"""Without such a word for so long a trial is left, and anybody takes it up."""
CONNECT_SECONDS: Final = 10
"""A server that does not answer for so long is not there."""
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_LIBPQ: Final = ("psycopg", "psycopg2")
_SECRET: Final = ("password", "sslpassword")
"""Keys of an address that are no one else's business."""
_FAILURES: Final = (SQLAlchemyError, optuna.exceptions.StorageInternalError)
_PAUSES: Final = (0.2, 1.0, 3.0)
"""Seconds between attempts to make tables that another machine is making too."""


class Place(NamedTuple):
    """Where the trials of a search are kept; goes to worker processes."""

    at: str
    """Path of a journal, or the address of a database, without its passwords."""
    shared: bool
    """Whether it is a database: then other machines may be at its trials."""
    secrets: tuple[tuple[str, str], ...] = ()
    """Passwords of the address by their key: for a process's memory, never for a file."""
    beat_seconds: int = BEAT_SECONDS
    grace_seconds: int = GRACE_SECONDS


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
    try:
        url = make_url(f"{_DRIVERS.get(scheme, scheme)}://{rest}")
    except (ArgumentError, ValueError) as error:
        said = without_password(str(error))
        raise ConfigError(f"storage {without_password(uri)}: no address: {said}") from None
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    query = {name: said for name, said in url.query.items() if name not in _SECRET}
    secrets = {name: str(said) for name, said in url.query.items() if name in _SECRET}
    if url.password is not None:
        secrets["password"] = str(url.password)
    at = bare.update_query_dict(query).render_as_string(hide_password=False)
    return Place(at, shared=True, secrets=tuple(sorted(secrets.items())))


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
    except _FAILURES as error:
        said = without_password(str(getattr(error, "orig", None) or error.__cause__ or error))
        said = " ".join(said.split()).rstrip(".?")
        raise DataError(
            f"storage {place.at}: the database cannot be reached, or failed: {said}. "
            "Check the address, its password and the server. Trials that ended are kept; repeat "
            "the command"
        ) from None


@contextlib.contextmanager
def beating(storage: BaseStorage, trial_id: int) -> Iterator[None]:
    """Say now and then that somebody is at a trial, where others would take it for left."""
    seconds = storage.get_heartbeat_interval() if isinstance(storage, BaseHeartbeat) else None
    if not isinstance(storage, BaseHeartbeat) or seconds is None:
        yield
        return
    over = threading.Event()

    def beat() -> None:
        while True:
            # A database that is gone is met, and told, by whoever runs the trial.
            with contextlib.suppress(*_FAILURES):
                storage.record_heartbeat(trial_id)
            if over.wait(seconds):
                storage.remove_session()
                return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _database(place: Place) -> RDBStorage:
    for pause in (*_PAUSES, None):
        try:
            return _made(place)
        except (IntegrityError, ProgrammingError):
            if pause is None:
                raise
            # Two machines that begin on an empty database make its tables at the same time.
            threading.Event().wait(pause)
    raise AssertionError("the last attempt returns or raises")


def _made(place: Place) -> RDBStorage:
    url, secrets = make_url(place.at), dict(place.secrets)
    whole = url.set(password=secrets.pop("password", None)).update_query_dict(secrets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # the heartbeat
        try:
            return RDBStorage(
                whole.render_as_string(hide_password=False),
                engine_kwargs={
                    "pool_size": 2,
                    "pool_pre_ping": True,
                    "connect_args": _patience(url),
                },
                heartbeat_interval=place.beat_seconds,
                grace_period=place.grace_seconds,
            )
        except (ArgumentError, ImportError) as error:
            cause = without_password(str(error.__cause__ or error)).rstrip(".")
            raise ConfigError(
                f"storage {place.at}: no driver for it: {cause}. Take postgresql://user@host/name, "
                "which needs the extra: pip install touchstone[distributed]"
            ) from None
        except RuntimeError as error:
            raise ConfigError(
                f"storage {place.at}: its tables are of another version of Optuna: {error} Give "
                "every machine the same, or the search another database"
            ) from None


def _patience(url: URL) -> dict[str, Any]:
    """How long a server may keep silent, unless the address says so itself.

    Sessions end those of their transactions that stand still, so that a machine which vanished in
    the middle of one holds nobody up.
    """
    if url.get_driver_name() not in _LIBPQ:
        return {}
    own = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "options": "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s",
    }
    return {name: value for name, value in own.items() if name not in url.query}


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
