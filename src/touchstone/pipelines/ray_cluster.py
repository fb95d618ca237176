"""Ray: one that is there is joined, else one is begun on this machine; work is handed to it."""

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from joblib import Parallel, delayed

from touchstone.errors import ConfigError, DataError

_STARTS: Final = 3
"""Times that a Ray of our own is begun. Its node gives two agents of its own 15 seconds to import
what they need, hard-coded (WaitForPersistedPort); on a busy machine that is short, and the next
time their files are at hand."""
_ANSWER_SECONDS: Final = 5
_QUIET: Final = {"log_to_driver": False, "configure_logging": False}
_CLIENT: Final = "ray://"
_HTTP2: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS: Final = b"\0\0\0\4\0\0\0\0\0"
"""A frame of no settings: its type, 4, is the fourth byte (RFC 9113, sections 3.4 and 6.5)."""


def on_ray(
    address: str, jobs: int, work: Callable[..., object], content: bytes,
    sent: Sequence[tuple[Any, ...]],
) -> None:  # fmt: skip
    """Call a function with each of some arguments, beside each other, in workers of Ray.

    Args:
        address: of a cluster, HOST:PORT, of which this machine is a part; empty: a Ray of this
            machine is begun, which ends with this process.
        jobs: workers; fewer where the cluster has fewer cores.
        work: called with a reference to `content`, to be read by `received`, and one of `sent`.
        content: what all calls need, sent to each machine once.
        sent: the other arguments of each call.

    Raises:
        ConfigError: Ray is not installed, does not start, or nothing answers at the address.
        DataError: a worker, or the whole cluster, was lost meanwhile.
    """
    try:
        import ray  # noqa: PLC0415  an extra
        from ray.util.joblib import register_ray  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ConfigError(
            "backend: ray needs the extra: pip install touchstone[distributed]; backend: processes "
            "needs nothing, and uses this machine alone"
        ) from None
    if not ray.is_initialized():
        _join(ray, address) if address else _begin(ray, jobs)
    register_ray()
    try:
        cores = int(ray.cluster_resources().get("CPU", 1))
        reference = ray.put(content)
        pool = Parallel(
            n_jobs=min(jobs, cores), backend="ray", batch_size=1, pre_dispatch="all"
        )  # fmt: skip
        pool(delayed(work)(reference, *one) for one in sent)
    except ray.exceptions.RayError as error:
        raise DataError(
            f"backend: ray: a worker or the cluster was lost: {_first_line(error)}. What ended is "
            "kept; repeat the command"
        ) from None


def received(reference: Any) -> bytes:
    """In a worker: what `on_ray` was given as `content`."""
    import ray  # noqa: PLC0415  an extra

    content: bytes = ray.get(reference)
    return content


def _begin(ray: Any, jobs: int) -> None:
    for start in range(_STARTS):
        try:
            ray.init(address="local", num_cpus=jobs, include_dashboard=False, **_QUIET)
        except Exception as error:  # noqa: BLE001  Ray raises Exception itself
            ray.shutdown()
            if start + 1 == _STARTS:
                raise ConfigError(
                    f"backend: ray: no Ray starts on this machine, {_STARTS} times tried: "
                    f"{_first_line(error)} It gives itself half a minute each time: free the "
                    "machine, name a cluster that runs by RAY_ADDRESS, or take backend: processes"
                ) from None
        else:
            return


def _join(ray: Any, address: str) -> None:
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(
            f"RAY_ADDRESS {address!r}: needs HOST:PORT, as in 10.0.0.1:6379; unset it, and a Ray "
            "of this machine is begun"
        )
    try:
        _greet((host.strip("[]"), int(port)))  # Ray itself would try for a minute
        ray.init(address=address, **_QUIET)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"RAY_ADDRESS {address}: no Ray cluster can be joined there: {_first_line(error)}. "
            "This machine has to be part of it (ray start --address=...), and where it asks for a "
            "token, as ray start makes it, RAY_AUTH_MODE=token has to be set; unset RAY_ADDRESS, "
            "and a Ray of this machine is begun"
        ) from None


def _greet(place: tuple[str, int]) -> None:
    """Whoever speaks gRPC, as Ray does, answers the beginning of HTTP/2 with its settings.

    Raises:
        OSError: nobody is there, or somebody else.
    """
    with socket.create_connection(place, _ANSWER_SECONDS) as line:
        line.sendall(_HTTP2 + _SETTINGS)
        said = b""
        while len(said) < len(_SETTINGS) and (more := line.recv(len(_SETTINGS) - len(said))):
            said += more
    if said[3:4] != _SETTINGS[3:4]:
        raise ConnectionError("what answers is no Ray")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
