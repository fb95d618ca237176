"""Feature columns by what they compute and on which data: a column that was computed is not again.

The cache holds a matrix per plan, as models read it, with the fingerprint of each of its columns.
A plan that was never asked takes the columns that stand in any matrix of the same data and source
and computes the others, so that one more feature costs one feature and a copy.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from touchstone.arrays import Float32, Int64
from touchstone.data.cache import StageCache, Written
from touchstone.features import FeaturesConfig, Plan, compile_features, evaluate
from touchstone.market import Panel

STAGE = "features"


ROWS = 16_384
"""Rows of a piece on its way into the cache: a few MB, so that it stays near the processor."""


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
    shape = (len(panel), len(plan.names))
    kept = cache.load(STAGE, key)
    if kept is not None and kept["features"].shape == shape:
        return Gathered(kept["features"], 0)
    parts, n_computed = _parts(plan, panel, prefix, cache)
    pieces = [parts[0].features] if len(parts) == 1 and parts[0].is_all else _pieces(parts, shape)
    made = Written(shape, np.dtype(np.float32), pieces)
    cache.save(STAGE, key, {"features": made, "columns": _digests(plan)})
    kept = cache.load(STAGE, key)
    if kept is not None:
        return Gathered(kept["features"], n_computed)
    # cleared between the two lines: the parts are still held
    return Gathered(np.concatenate([p.copy() for p in _pieces(parts, shape)]), n_computed)


def count(cache: StageCache) -> tuple[int, int]:
    """(columns that stand in all matrices of the cache, of them different ones)."""
    found = [
        (key.rpartition("-")[0], column.tobytes())
        for key in cache.keys(STAGE)
        if (kept := cache.load(STAGE, key)) is not None
        for column in kept.get("columns", ())
    ]
    return len(found), len(set(found))


class _Part(NamedTuple):
    """Columns of one matrix that are columns of another."""

    features: Float32
    of: Int64
    """Their places here, (n,)."""
    to: Int64
    """Their places there, (n,)."""

    @property
    def is_all(self) -> bool:
        """Whether the other matrix is this one."""
        n = self.features.shape[1]
        return bool(np.array_equal(self.of, self.to) and np.array_equal(self.of, np.arange(n)))


def _parts(plan: Plan, panel: Panel, prefix: str, cache: StageCache) -> tuple[list[_Part], int]:
    """Where every column of a plan comes from, and how many of them were computed."""
    wanted: dict[bytes, list[int]] = {}
    for place, digest in enumerate(_digests(plan)):
        wanted.setdefault(digest.tobytes(), []).append(place)
    parts = []
    while donor := max(_donors(wanted, len(panel), prefix, cache), key=_most, default=None):
        parts.append(_taken(donor.features, donor.columns, wanted))
    n_computed = len(wanted)
    if wanted:
        missing = {plan.names[places[0]] for places in wanted.values()}
        own = {name: text for name, text in plan.expressions.items() if name in missing}
        rest = plan
        if len(own) < len(plan.names):
            rest = compile_features(FeaturesConfig(set="none", extra=own), plan.side)
        features = np.asarray(evaluate(rest, panel), np.float32)
        columns = [digest.tobytes() for digest in _digests(rest)]
        parts.append(_taken(features, columns, wanted))
    return parts, n_computed


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
    for key in cache.keys(STAGE, f"{prefix}-") if wanted else ():
        kept = cache.load(STAGE, key)
        if kept is None or "columns" not in kept or len(kept["features"]) != n_rows:
            continue
        columns = [digest.tobytes() for digest in kept["columns"]]
        n_wanted = len(wanted.keys() & set(columns))
        if n_wanted:
            yield _Donor(kept["features"], columns, n_wanted)


def _taken(features: Float32, columns: list[bytes], wanted: dict[bytes, list[int]]) -> _Part:
    """What a matrix gives of what is wanted, which is wanted no more."""
    pairs = [
        (place, to)
        for place, digest in enumerate(columns)
        if digest in wanted
        for to in wanted.pop(digest)
    ]
    of, to = np.array(pairs, np.int64).T.copy()
    return _Part(features, of, to)


def _pieces(parts: Sequence[_Part], shape: tuple[int, int]) -> Iterator[Float32]:
    """The rows of the whole, some at a time, in one buffer that the next ones overwrite."""
    n_rows, n_columns = shape
    buffer = np.empty((min(ROWS, n_rows), n_columns), np.float32)
    for first in range(0, n_rows, ROWS):
        out = buffer[: min(ROWS, n_rows - first)]
        for part in parts:
            _copy(part.features[first : first + ROWS], part.of, part.to, out)
        yield out


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
