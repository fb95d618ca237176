"""MLflow, on a file or behind a server: the only file that imports it, and late.

Importing it takes seconds, so that is done when something is told. A server that does not answer
is found out before, by one short request. A run carries its key as a tag from its first moment:
whoever goes on after a kill finds it by that, and adds what is missing.
"""

import contextlib
import io
import os
import re
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from touchstone.registry.tracking import (
    Batch,
    NotTakenError,
    TrackedRun,
    TrackingError,
    unchanged,
    without_password,
)

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

KEY: Final = "touchstone.key"
BATCH: Final = "touchstone.batch"
LEFT_OUT: Final = "touchstone.files_left_out"
PATIENCE_SECONDS: Final = 2.0
"""How long a server may take to say that it is there."""
_ENVIRONMENT: Final = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}
"""What is the user's own of it stands."""
_REFUSALS: Final = (
    "INVALID_PARAMETER_VALUE", "BAD_REQUEST", "PERMISSION_DENIED", "RESOURCE_DOES_NOT_EXIST",
)  # fmt: skip
"""What MLflow says of one run, as where its experiment was deleted; another run may be taken."""
_NO_NAME: Final = re.compile(r"[^/\w.\- :]")
_MOST_METRICS, _MOST_PARAMS, _MOST_TEXT = 800, 100, 5000


class Place(NamedTuple):
    """Where runs are kept."""

    uri: str
    """`sqlite:///PATH`, `http://HOST:PORT`, or whatever else MLflow knows."""
    artifacts: Path | None = None
    """Where files go; None leaves that to the server."""

    @property
    def name(self) -> str:
        """For people."""
        return without_password(self.uri)

    @property
    def database(self) -> Path | None:
        """The SQLite file; None where it is none."""
        path = self.uri.removeprefix("sqlite:///")
        return None if path == self.uri else Path(path)


class MlflowTracker:
    """Tells runs to MLflow.

    Args:
        place: where.
        said: told one line before something that takes long.
    """

    def __init__(self, place: Place, said: Callable[[str], object] = lambda _: None) -> None:
        self._place = place
        self._said = said
        self._client: MlflowClient | None = None

    def send(self, batch: Batch, folder: Path) -> None:
        """Create what is not there, finish what is not finished; leave the rest."""
        path = self._place.database
        if path is not None and not path.exists():
            self._said(f"tracking: {path} is made, which takes some seconds once")
        with _quiet():
            try:
                client = self._open()
                there = _there(client, self._group(client, batch.runs[0].group), batch)
                self._tell(client, batch, folder, there)
            except TrackingError:
                raise
            except Exception as error:  # whatever it is, it may not fail a run
                said = " ".join(_without_secret(str(error), self._place.uri).split())[:300]
                said = said or type(error).__name__
                kind = NotTakenError if _of_this_run(error) else TrackingError
                raise kind(f"{self._place.name} did not take it: {said}") from error

    def _tell(
        self, client: "MlflowClient", batch: Batch, folder: Path, there: dict[str, "_Known"]
    ) -> None:
        for run in batch.runs:
            known = there.get(run.key)
            if known is None:
                known = there[run.key] = _Known(self._create(client, run, batch.name, there), False)
            if known.ended:
                continue
            _log(client, known.id, run)
            files = unchanged(folder, run.files)
            for path in files:
                inside = path.relative_to(folder).parent.as_posix()
                client.log_artifact(known.id, str(path), None if inside == "." else inside)
            if len(files) < len(run.files):
                client.set_tag(known.id, LEFT_OUT, str(len(run.files) - len(files)))
        for run in reversed(batch.runs):  # a run ends after its fits
            if not there[run.key].ended:
                client.set_terminated(there[run.key].id, "FINISHED", run.ended_ms)

    def _create(
        self, client: "MlflowClient", run: TrackedRun, batch: str, there: Mapping[str, "_Known"]
    ) -> str:
        tags = {**run.tags, KEY: run.key, BATCH: batch}
        if run.parent is not None:
            tags["mlflow.parentRunId"] = there[run.parent].id
        group = self._group(client, run.group)
        made = client.create_run(group, run.started_ms, tags, run.name)
        return str(made.info.run_id)

    def _group(self, client: "MlflowClient", name: str) -> str:
        """The id of an experiment, made where there is none."""
        found = client.get_experiment_by_name(name)
        if found is None:
            root = self._place.artifacts
            where = None if root is None else (root.absolute() / name).as_uri()
            try:
                return str(client.create_experiment(name, where))
            except Exception:  # MLflow has a class of its own for each kind of store
                found = client.get_experiment_by_name(name)  # another process was quicker
                if found is None:
                    raise
        return str(found.experiment_id)

    def _open(self) -> "MlflowClient":
        if self._client is None:
            if urlsplit(self._place.uri).scheme in ("http", "https"):
                answers(self._place)
            from mlflow.tracking import MlflowClient  # noqa: PLC0415  slow to import

            path = self._place.database
            if path is not None and not path.exists():
                _make(MlflowClient, path)
            self._client = MlflowClient(self._place.uri)
        return self._client


class _Known(NamedTuple):
    """A run that MLflow has."""

    id: str
    ended: bool


def answers(place: Place) -> None:
    """Ask a server for a sign of life.

    Raises:
        TrackingError: none came in time.
    """
    came: list[bool] = []

    def ask() -> None:
        try:
            url = (
                place.name.rstrip("/") + "/health"
            )  # urllib takes no password in it; a 401 will do
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS):
                came.append(True)
        except urllib.error.HTTPError as error:  # it spoke
            error.close()
            came.append(True)
        except (OSError, ValueError):
            return

    # Looking a name up knows no timeout, so nobody waits for the thread that does it.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS + 0.3)
    if not came:
        raise TrackingError(f"{place.name} cannot be reached")


def _make(client: type["MlflowClient"], path: Path) -> None:
    """Make the database beside its place and move it there: half of one would stop every run.

    MLflow's many migrations wait for the disk at each step, which a file that is not in its place
    yet need not.
    """
    from sqlalchemy import event  # noqa: PLC0415  slow to import
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    def hurry(connection: Any, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    event.listen(Engine, "connect", hurry)
    try:
        client(f"sqlite:///{new.absolute()}").search_experiments()
    finally:
        event.remove(Engine, "connect", hurry)
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(new, path)


def _there(client: "MlflowClient", group: str, batch: Batch) -> dict[str, _Known]:
    """Key -> what MLflow has of a batch already, deleted runs too: they were told."""
    found: dict[str, _Known] = {}
    page: str | None = None
    while True:
        runs: Any = client.search_runs([group], f"tags.`{BATCH}` = '{batch.name}'", 3, 1000,
                                       page_token=page)  # fmt: skip  # 3: ViewType.ALL
        for run in runs:
            ended = run.info.status != "RUNNING" or run.info.lifecycle_stage == "deleted"
            found[run.data.tags[KEY]] = _Known(run.info.run_id, ended)
        page = runs.token
        if not page:
            return found


def _log(client: "MlflowClient", run_id: str, run: TrackedRun) -> None:
    """Parameters and metrics in as few calls as MLflow takes; the same twice is as once."""
    from mlflow.entities import Metric, Param  # noqa: PLC0415  slow to import

    params = [Param(_name(key), value[:_MOST_TEXT]) for key, value in run.params.items()]
    metrics = [Metric(_name(name), value, run.ended_ms, at) for name, value, at in run.metrics]
    while params or metrics:
        client.log_batch(run_id, metrics[:_MOST_METRICS], params[:_MOST_PARAMS])
        params, metrics = params[_MOST_PARAMS:], metrics[_MOST_METRICS:]


def _name(key: str) -> str:
    """A name as MLflow allows it."""
    return _NO_NAME.sub("_", key)[:250]


def _without_secret(said: str, uri: str) -> str:
    """A message of others, which may hold the whole address, without who asks and by which word."""
    who, at, _ = urlsplit(uri).netloc.rpartition("@")
    return said.replace(who + at, "") if at else said


def _of_this_run(error: Exception) -> bool:
    """Whether it is this run that is not taken; KeyError: a fit whose run is not in the batch."""
    return getattr(error, "error_code", "") in _REFUSALS or isinstance(error, KeyError)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """MLflow as it is to be here: no telemetry, no patience, no words on the terminal."""
    new = {k: v for k, v in _ENVIRONMENT.items() if k not in os.environ}
    os.environ.update(new)
    sink = io.StringIO()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(sink),
            contextlib.redirect_stderr(sink),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in new:
            os.environ.pop(name, None)


__all__: Sequence[str] = ("MlflowTracker", "Place", "answers")
