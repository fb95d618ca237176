"""A real PostgreSQL for one test: its own folder, its own port, ended by its process id."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

_USERS = ("postgres", "nobody")
PASSWORD = "hunter2hunter2"


class Server:
    """A cluster of its own: begun, stopped and begun again as a test wants it."""

    def __init__(self, psycopg, program, place, who):
        self._psycopg, self._program, self._place, self._who = psycopg, program, place, who
        self._port, self._process = _free_port(), None

    @property
    def address(self):
        """With the password."""
        return f"postgresql://tuner:{PASSWORD}@127.0.0.1:{self._port}/postgres"

    def begin(self):
        """Start it, and wait until it answers."""
        with (self._place / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-D", str(self._place / "data"), "-h", "127.0.0.1",
                 "-p", str(self._port), "-k", str(self._place), "-F",
                 "-c", "max_connections=40", "-c", "shared_buffers=16MB"],
                **self._who, cwd=self._place, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(600):
            if self._process.poll() is not None:
                pytest.skip(f"PostgreSQL: {(self._place / 'log').read_text()[-300:]}")
            try:
                self._psycopg.connect(self.address).close()
            except self._psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        pytest.skip("PostgreSQL did not answer within a minute")

    def stop(self):
        """End it at once, its sessions with it."""
        self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def empty(self, name):
        """The address of a new database."""
        with self._psycopg.connect(self.address, autocommit=True) as session:
            session.execute(f'CREATE DATABASE "{name}"')
        return self.address.replace("/postgres", f"/{name}")


@contextlib.contextmanager
def postgres():
    """A server that is gone when this is left; skips where none can be started."""
    psycopg = pytest.importorskip("psycopg")
    initdb, server = _program("initdb"), _program("postgres")
    if initdb is None or server is None:
        pytest.skip("no PostgreSQL on this machine: initdb and postgres are not found")
    who = _user()
    place = Path(tempfile.mkdtemp(prefix="touchstone-pg-"))
    try:
        (place / "password").write_text(PASSWORD)
        if who:
            shutil.chown(place, who["user"], who["group"])
            shutil.chown(place / "password", who["user"], who["group"])
        options = ["-U", "tuner", "-A", "scram-sha-256", "--pwfile", str(place / "password"),
                   "--no-sync", "-E", "UTF8", "--locale=C"]  # fmt: skip
        made = subprocess.run(
            [initdb, "-D", str(place / "data"), *options],
            **who, cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"initdb cannot make a cluster here: {made.stderr.strip()[-200:]}")
        own = Server(psycopg, server, place, who)
        own.begin()
        try:
            yield own
        finally:
            own.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _program(name):
    found = shutil.which(name)
    if found:
        return found
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(places[-1]) if places else None


def _user():
    """PostgreSQL refuses root: another user who owns nothing else here."""
    if os.getuid() != 0:
        return {}
    for name in _USERS:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL refuses root, and there is no other user here")
    return {}


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
