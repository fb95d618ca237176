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


@contextlib.contextmanager
def postgres():
    """The address of a database that is gone when this is left; skips where none can be started."""
    psycopg = pytest.importorskip("psycopg")
    initdb, server = _program("initdb"), _program("postgres")
    if initdb is None or server is None:
        pytest.skip("no PostgreSQL on this machine: initdb and postgres are not found")
    who = _user()
    place = Path(tempfile.mkdtemp(prefix="touchstone-pg-"))
    try:
        if who:
            shutil.chown(place, who["user"], who["group"])
        options = ["-U", "tuner", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        made = subprocess.run(
            [initdb, "-D", str(place / "data"), *options],
            **who, cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"initdb cannot make a cluster here: {made.stderr.strip()[-200:]}")
        port = _free_port()
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [server, "-D", str(place / "data"), "-h", "127.0.0.1", "-p", str(port),
                 "-k", str(place), "-F", "-c", "max_connections=40", "-c", "shared_buffers=16MB"],
                **who, cwd=place, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            _wait(psycopg, port, process, place / "log")
            yield f"postgresql://tuner@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
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


def _wait(psycopg, port, process, log):
    for _ in range(600):
        if process.poll() is not None:
            pytest.skip(f"PostgreSQL does not start here: {log.read_text()[-300:]}")
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="tuner", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.skip("PostgreSQL did not answer within a minute")
