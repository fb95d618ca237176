"""What an audit keeps of a run: a cache in memory, and a ledger that sees every epoch."""

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from touchstone.config import Config
from touchstone.data.cache import AnyArray, StageCache, Written
from touchstone.ledger import MemoryLedger
from touchstone.models import members_of
from touchstone.pipelines.refit import seed_of
from touchstone.pipelines.study import StudyConfig
from touchstone.registration import kind_of, numbered
from touchstone.seeding import derive
from touchstone.training import Epoch, Job

_NOT_WEIGHTS = ("checkpoint.json",)
_SAFE = ".safetensors"


class Kept(StageCache):
    """A stage cache in memory, gone with the run."""

    def __init__(self) -> None:
        super().__init__(Path())
        self._arrays: dict[tuple[str, str], dict[str, AnyArray]] = {}
        self._bytes: dict[tuple[str, str], bytes] = {}

    def load(self, stage: str, key: str) -> dict[str, AnyArray] | None:
        """What was saved, read-only."""
        return self._arrays.get((stage, key))

    def save(self, stage: str, key: str, arrays: Mapping[str, AnyArray | Written]) -> None:
        """Keep copies."""
        kept = {name: _whole(array) for name, array in arrays.items()}
        for array in kept.values():
            array.flags.writeable = False
        self._arrays[stage, key] = kept

    def load_bytes(self, stage: str, key: str) -> bytes | None:
        """What was saved."""
        return self._bytes.get((stage, key))

    def save_bytes(self, stage: str, key: str, content: bytes) -> None:
        """Keep them."""
        self._bytes[stage, key] = content

    def keys(self, stage: str, prefix: str = "") -> tuple[str, ...]:
        """Keys of a stage that begin so, sorted."""
        held = (key for s, key in self._arrays if s == stage and key.startswith(prefix))
        return tuple(sorted(held))


def _whole(array: AnyArray | Written) -> AnyArray:
    if isinstance(array, Written):
        out = np.empty(array.shape, array.dtype)
        at = 0
        for piece in array.pieces:
            out[at : at + len(piece)] = piece
            at += len(piece)
        return out
    return np.array(array)


class Seen(NamedTuple):
    """One fit as it was asked for, with what was left after each epoch."""

    job: Job
    states: tuple[bytes, ...]
    """Digest of the weights after each epoch."""
    epochs: tuple[int, ...]


class WatchingLedger(MemoryLedger):
    """A ledger in memory that looks at every epoch of every fit."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, tuple[Job, list[bytes], list[int]]] = {}

    def watch(self, job: object, epoch: object) -> None:
        """Keep the digest of the weights of now."""
        assert isinstance(job, Job)
        assert isinstance(epoch, Epoch)
        held = self._seen.setdefault(job.seed, (job, [], []))
        held[1].append(weights_of(epoch.state()))
        held[2].append(epoch.index)

    @property
    def n_fits(self) -> int:
        """Fits that were watched."""
        return len(self._seen)

    def seen(self, seed: int) -> Seen | None:
        """The fit of this seed."""
        held = self._seen.get(seed)
        return None if held is None else Seen(held[0], tuple(held[1]), tuple(held[2]))

    def watched(self, config: StudyConfig, model: Config, fold: str) -> dict[str, Seen]:
        """The fits of a model on a fold, by what stands behind its name: an ensemble's members'."""
        members = members_of(model)
        names = [f", member {name}" for name in numbered([kind_of(one) for one in members])]
        seed, found = seed_of(config.refit, config.seed), dict[str, Seen]()
        for name, one in zip(names or [""], members or (model,), strict=True):
            seen = self.seen(derive(seed, "fit", one.fingerprint(), fold))
            if seen is not None:
                found[name] = seen
        return found


def weights_of(state: Mapping[str, bytes]) -> bytes:
    """Digest of a checkpoint's weights of now, without what validation rows made the best."""
    digest = hashlib.sha256()
    for name in sorted(state):
        if name in _NOT_WEIGHTS:
            continue
        content = state[name]
        digest.update(name.encode() + b"\0")
        if name.endswith(_SAFE):
            size = struct.unpack("<Q", content[:8])[0]
            tensors = json.loads(content[8 : 8 + size])
            for key in sorted(k for k in tensors if k.startswith("now/")):
                a, b = tensors[key]["data_offsets"]
                digest.update(key.encode() + content[8 + size + a : 8 + size + b])
        else:
            digest.update(content)
    return digest.digest()
