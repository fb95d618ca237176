"""Scores of texts, each computed once: kept by the scorer's version and the text's hash."""

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from touchstone.arrays import Float64
from touchstone.data.cache import StageCache
from touchstone.data.scorers import Scorer
from touchstone.errors import DataError

STAGE: Final = "scores"
_CHUNK: Final = 5_000
"""Texts scored between two savings: what an interruption may cost."""


def scores_of(scorer: Scorer, texts: Sequence[str], cache: StageCache | None) -> Float64:
    """Scores of texts, (n_texts, n_columns); those in the cache are not computed again.

    Another version has entries of its own: it never replaces, and never reads, those of this one.

    Raises:
        DataError: the scorer gives no finite number for a text.
    """
    by_text = {text: hashlib.sha256(text.encode()).digest()[:16] for text in texts}
    key = hashlib.sha256(scorer.version.encode()).hexdigest()[:24]
    kept = _load(cache, key, len(scorer.columns))
    missing = [text for text, digest in by_text.items() if digest not in kept]
    for first in range(0, len(missing), _CHUNK):
        some = missing[first : first + _CHUNK]
        values = scorer.score(some)
        if values.shape != (len(some), len(scorer.columns)) or not np.isfinite(values).all():
            raise DataError(f"{scorer.version}: a text has no score: check the model")
        kept.update(zip((by_text[text] for text in some), values, strict=True))
        _save(cache, key, kept)
    if not by_text:
        return np.empty((0, len(scorer.columns)))
    return np.stack([kept[by_text[text]] for text in texts])


def _load(cache: StageCache | None, key: str, n_columns: int) -> dict[bytes, Float64]:
    held = None if cache is None else cache.load(STAGE, key)
    if held is None or held["values"].shape[1:] != (n_columns,):
        return {}
    names = [row.tobytes() for row in held["text"]]
    return dict(zip(names, np.array(held["values"], np.float64), strict=True))


def _save(cache: StageCache | None, key: str, kept: dict[bytes, Float64]) -> None:
    if cache is None:
        return
    names = sorted(kept)
    text = np.frombuffer(b"".join(names), np.uint8).reshape(-1, 16)
    cache.save(STAGE, key, {"text": text, "values": np.stack([kept[n] for n in names])})
