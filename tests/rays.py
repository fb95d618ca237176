"""A real Ray cluster for one test: its own ports and folder, ended by its process ids."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

PORTS = ("port", "dashboard-agent-grpc-port", "dashboard-agent-listen-port",
         "runtime-env-agent-port", "metrics-export-port")  # fmt: skip
"""A node waits no longer than 15 seconds for helpers that choose their ports themselves."""
if importlib.util.find_spec("grpc") is not None:  # what `ray[client]` adds, and then begins
    PORTS = (*PORTS, "ray-client-server-port")


@contextlib.contextmanager
def ray_cluster(cores=2):
    """The address of a cluster that is gone when this is left."""
    pytest.importorskip("ray")
    place = tempfile.mkdtemp(prefix="ts-ray-")  # short: paths of sockets end at 107 bytes
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    words = ["start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--num-cpus={cores}",
             "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={place}",
             f"--object-store-memory={80 * 2**20}"]  # fmt: skip
    words += [f"--{name}={port}" for name, port in ports.items()]
    kept = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    with (said := Path(place, "said")).open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", *words], stdout=lines, stderr=lines,
            start_new_session=True, env=kept | {"RAY_AUTH_MODE": "disabled"},
        )  # fmt: skip
    try:
        _wait(process, said)
        yield f"127.0.0.1:{ports['port']}"
    finally:
        end(process)
        shutil.rmtree(place, ignore_errors=True)


def end(process):
    """End a process and all that it has begun."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        for one in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        process.kill()
        process.wait()


def _wait(process, said):
    until = time.monotonic() + 120
    while "Ray runtime started" not in said.read_text():
        assert process.poll() is None, said.read_text()[-2000:]
        assert time.monotonic() < until, said.read_text()[-2000:]
        time.sleep(0.2)


def free_ports(n):
    with contextlib.ExitStack() as held:
        found = []
        for _ in range(n):
            one = held.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            found.append(one.getsockname()[1])
        return found
