"""Feature columns by what they compute and on which data: a column that was computed is not again.

The cache holds a matrix per plan, as models read it, with the fingerprint of each of its columns.
A plan that was never asked takes the columns that stand in any matrix of the same data and source
and computes the others, so that one more feature costs one feature and a copy.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from touchstone.arrays import Float32, Int64
from touchstone.data.cache import StageCache
from touchstone.features import FeaturesConfig, Plan, compile_features, evaluate
from touchstone.market import Panel

STAGE = "features"


class Gathered(NamedTuple):
    """A feature matrix and how it came about."""

    features: Float32
    """(n_rows, n_features)."""
    n_computed: int
    """Columns that stood in no matrix of the cache."""


def gathered(plan: Plan, panel: Panel, place: tuple[str, str], cache: StageCache) -> Gathered:
    """The matrix of a plan, memory-mapped from the cache, where it stands afterwards.

    Args:
        plan: what to compute.
        panel: on which bars and side columns.
        place: (prefix, key): the prefix names source and data, the key begins with it and names
            the plan.
        cache: where matrices stand. It may be cleared at any time.

    Returns:
        The same bits whatever was found there.
    """
    prefix, key = place
    kept = cache.load(STAGE, key)
    if kept is not None and kept["features"].shape == (len(panel), len(plan.names)):
        return Gathered(kept["features"], 0)
    made, n_computed = _made(plan, panel, prefix, cache)
    cache.save(STAGE, key, {"features": made, "columns": _digests(plan)})
    kept = cache.load(STAGE, key)
    return Gathered(made if kept is None else kept["features"], n_computed)


def count(cache: StageCache) -> tuple[int, int]:
    """(columns that stand in all matrices of the cache, of them different ones)."""
    found = [
        (key.rpartition("-")[0], column.tobytes())
        for key in cache.keys(STAGE)
        if (kept := cache.load(STAGE, key)) is not None
        for column in kept.get("columns", ())
    ]
    return len(found), len(set(found))


def _made(plan: Plan, panel: Panel, prefix: str, cache: StageCache) -> tuple[Float32, int]:
    wanted: dict[bytes, list[int]] = {}
    for place, digest in enumerate(_digests(plan)):
        wanted.setdefault(digest.tobytes(), []).append(place)
    out = np.empty((len(panel), len(plan.names)), np.float32)
    while donor := max(_donors(wanted, len(panel), prefix, cache), key=_most, default=None):
        _take(donor.features, donor.columns, wanted, out)
    if not wanted:
        return out, 0
    if len(wanted) == len(plan.names):
        return np.asarray(evaluate(plan, panel), np.float32), len(wanted)
    missing = [plan.names[places[0]] for places in wanted.values()]
    own = {name: plan.expressions[name] for name in missing}
    rest = compile_features(FeaturesConfig(set="none", extra=own), plan.side)
    _take(np.asarray(evaluate(rest, panel), np.float32), [*wanted], wanted, out)
    return out, len(missing)


class _Donor(NamedTuple):
    features: Float32
    columns: list[bytes]
    """Fingerprint of each column."""
    n_wanted: int


def _most(donor: _Donor) -> int:
    return donor.n_wanted


def _donors(
    wanted: dict[bytes, list[int]], n_rows: int, prefix: str, cache: StageCache
) -> Iterator[_Donor]:
    """Matrices of the same data that hold a wanted column."""
    for key in cache.keys(STAGE, prefix) if wanted else ():
        kept = cache.load(STAGE, key)
        if kept is None or "columns" not in kept or len(kept["features"]) != n_rows:
            continue
        columns = [digest.tobytes() for digest in kept["columns"]]
        n_wanted = len(wanted.keys() & set(columns))
        if n_wanted:
            yield _Donor(kept["features"], columns, n_wanted)


def _take(
    features: Float32, columns: list[bytes], wanted: dict[bytes, list[int]], out: Float32
) -> None:
    """Copy what is wanted, and want it no more."""
    pairs = [
        (place, to)
        for place, digest in enumerate(columns)
        if digest in wanted
        for to in wanted.pop(digest)
    ]
    places = np.array(pairs, np.int64)
    _copy(features, places[:, 0].copy(), places[:, 1].copy(), out)


def _digests(plan: Plan) -> npt.NDArray[np.uint8]:
    """The fingerprint of each column, (n_features, 32) bytes."""
    whole = b"".join(bytes.fromhex(text) for text in plan.fingerprints)
    return np.frombuffer(whole, np.uint8).reshape(-1, 32)


@njit(cache=True)
def _copy(source: Float32, of: Int64, to: Int64, out: Float32) -> None:
    """Columns of one matrix to columns of another, a row at a time."""
    for row in range(out.shape[0]):
        for j in range(of.size):
            out[row, to[j]] = source[row, of[j]]
