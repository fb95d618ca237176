"""Trials in worker processes: how a bench comes to them, here and on other machines."""

import hashlib
import pickle
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from threadpoolctl import threadpool_limits

from touchstone.data.cache import StageCache
from touchstone.errors import DataError
from touchstone.pipelines.prepare import Prepared
from touchstone.pipelines.study import import_plugins
from touchstone.pipelines.tune_trial import Bench, attempt
from touchstone.tuning.search import Seen

_STAGE: Final = "benches"


class Packed(NamedTuple):
    """Where a bench lies."""

    root: Path
    """Of the cache."""
    market: str
    rest: str


def packed(bench: Bench) -> Packed:
    """Put a bench into the cache, for this machine's workers: none gets the market with each trial.

    joblib would send what is mapped from the cache by a name that a worker cannot open. The market
    lies there once, for the benches of all architectures.
    """
    rest = bench._asdict()
    keys = [_kept(bench.cache, pickle.dumps(one)) for one in (rest.pop("prepared"), rest)]
    return Packed(bench.cache.root.absolute(), *keys)


def at_bench(place: Packed) -> Seen | None:
    """`attempt` in a worker process, at a bench that was `packed`."""
    return attempt(_unpacked(place))


def at_sent(plugins: tuple[Path, ...], content: bytes) -> None:
    """`attempt` on a machine that may have neither the cache nor the user's own parts.

    They must be known before the bench is unpacked.
    """
    import_plugins(plugins)
    with threadpool_limits(1):
        attempt(pickle.loads(content))


def _kept(cache: StageCache, content: bytes) -> str:
    key = hashlib.sha256(content).hexdigest()[:32]
    if not cache.keys(_STAGE, key):
        cache.save_bytes(_STAGE, key, content)
    return key


@lru_cache(maxsize=1)
def _unpacked(place: Packed) -> Bench:
    rest = pickle.loads(_content(place.root, place.rest))
    return Bench(prepared=_market(place.root, place.market), **rest)


@lru_cache(maxsize=1)
def _market(root: Path, key: str) -> Prepared:
    market: Prepared = pickle.loads(_content(root, key))
    return market


def _content(root: Path, key: str) -> bytes:
    content = StageCache(root).load_bytes(_STAGE, key)
    if content is None:
        raise DataError(f"{root}: the cache was cleared while a search was using it; run again")
    return content
