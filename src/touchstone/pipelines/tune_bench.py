"""Trials in worker processes: how a bench comes to them, here and on other machines."""

import hashlib
import pickle
import platform
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from threadpoolctl import threadpool_limits

from touchstone.data.cache import StageCache
from touchstone.errors import DataError
from touchstone.pipelines.prepare import Prepared, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.ray_cluster import received
from touchstone.pipelines.study import import_plugins
from touchstone.pipelines.tune_trial import Bench, attempt
from touchstone.tuning.search import Seen

_STAGE: Final = "benches"
Secrets: TypeAlias = tuple[tuple[str, str], ...]
"""Of the storage: they go from memory to memory, and into no file."""


class Packed(NamedTuple):
    """Where a bench lies."""

    root: Path
    """Of the cache."""
    market: str
    rest: str
    secrets: Secrets


def bare(bench: Bench) -> tuple[Bench, Secrets]:
    """The bench without the secrets of its storage, and these."""
    place = bench.search.place
    return with_secrets(bench, ()), place.secrets


def with_secrets(bench: Bench, secrets: Secrets) -> Bench:
    """The bench with the secrets of its storage."""
    place = bench.search.place._replace(secrets=secrets)
    return bench._replace(search=bench.search._replace(place=place))


def packed(bench: Bench) -> Packed:
    """Put a bench into the cache, for this machine's workers: none gets the market with each trial.

    joblib would send what is mapped from the cache by a name that a worker cannot open. The market
    lies there once, for the benches of all architectures.
    """
    without, secrets = bare(bench)
    rest = without._asdict()
    market = _kept(bench.cache, pickle.dumps(rest.pop("prepared")))
    return Packed(
        bench.cache.root.absolute(), market, _kept(bench.cache, pickle.dumps(rest)), secrets
    )


def at_bench(place: Packed) -> Seen | None:
    """`attempt` in a worker process, at a bench that was `packed`."""
    return attempt(_unpacked(place))


def at_sent(reference: Any, plugins: tuple[Path, ...], secrets: Secrets) -> None:
    """`attempt` in a worker of Ray, maybe on a machine that has nothing of this one's."""
    import_plugins(plugins)  # they must be known before the bench is unpacked
    with threadpool_limits(1):
        attempt(with_secrets(_sent(reference), secrets))


@lru_cache(maxsize=1)
def _sent(reference: Any) -> Bench:
    return at_home(pickle.loads(received(reference)))


def at_home(bench: Bench) -> Bench:
    """The bench, its market in the cache of this machine.

    Raises:
        DataError: its trials are in a file of another machine.
    """
    place, there = bench.search.place, bench.prepared
    if not place.shared and not Path(place.at).is_file():
        raise DataError(
            f"{platform.node()} does not see the trials, which are in a file of another machine, "
            f"{place.at}: keep them in a database (--storage postgresql://user@host/name), or "
            "share that folder"
        )
    prepare(bench.asked.study, there.loaded, there.data, bench.cache, Silent())
    return bench


def _kept(cache: StageCache, content: bytes) -> str:
    key = hashlib.sha256(content).hexdigest()[:32]
    if not cache.keys(_STAGE, key):
        cache.save_bytes(_STAGE, key, content)
    return key


@lru_cache(maxsize=1)
def _unpacked(place: Packed) -> Bench:
    rest = pickle.loads(_content(place.root, place.rest))
    bench = Bench(prepared=_market(place.root, place.market), **rest)
    return with_secrets(bench, place.secrets)


@lru_cache(maxsize=1)
def _market(root: Path, key: str) -> Prepared:
    market: Prepared = pickle.loads(_content(root, key))
    return market


def _content(root: Path, key: str) -> bytes:
    content = StageCache(root).load_bytes(_STAGE, key)
    if content is None:
        raise DataError(f"{root}: the cache was cleared while a search was using it; run again")
    return content
