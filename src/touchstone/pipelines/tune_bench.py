"""Trials in worker processes: how a bench comes to them, here and on other machines."""

import hashlib
import pickle
from functools import lru_cache
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits

from touchstone.data.cache import StageCache
from touchstone.errors import DataError
from touchstone.pipelines.study import import_plugins
from touchstone.pipelines.tune_trial import Bench, attempt
from touchstone.tuning.search import Seen

_STAGE: Final = "benches"


def packed(bench: Bench) -> tuple[Path, str]:
    """Put a bench into the cache, for this machine's workers: none gets the market with each trial.

    joblib would send what is mapped from the cache by a name that a worker cannot open.
    """
    content = pickle.dumps(bench)
    key = hashlib.sha256(content).hexdigest()[:32]
    bench.cache.save_bytes(_STAGE, key, content)
    return bench.cache.root.absolute(), key


def at_bench(place: tuple[Path, str]) -> Seen | None:
    """`attempt` in a worker process, at a bench that was `packed`."""
    return attempt(_unpacked(*place))


def at_sent(plugins: tuple[Path, ...], content: bytes) -> None:
    """`attempt` on a machine that may have neither the cache nor the user's own parts.

    They must be known before the bench is unpacked.
    """
    import_plugins(plugins)
    with threadpool_limits(1):
        attempt(pickle.loads(content))


@lru_cache(maxsize=1)
def _unpacked(root: Path, key: str) -> Bench:
    content = StageCache(root).load_bytes(_STAGE, key)
    if content is None:
        raise DataError(f"{root}: the cache was cleared while a search was using it; run again")
    bench: Bench = pickle.loads(content)
    return bench
