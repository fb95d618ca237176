"""What a candidate on somebody's scores is called in the ledger, however it was tried."""

import hashlib

import numpy as np

from touchstone.arrays import Float64
from touchstone.config import Config


def digest(score: Float64) -> str:
    """64 hex digits: a column of scores, hashed once for all that is tried on it."""
    return hashlib.sha256(np.ascontiguousarray(score, np.float64).tobytes()).hexdigest()


def candidate_name(config: Config, scores: str, until: int | None) -> str:
    """Names one candidate in the ledger; the seed of intervals and controls makes no other one.

    Args:
        config: strategy, label, costs, account.
        scores: `digest` of the column.
        until: ns UTC; rows known by then said what a score means; None: none did.
    """
    told = config.model_copy(update={"seed": 0}).canonical()
    return hashlib.sha256(f"{told} {until} {scores}".encode()).hexdigest()[:16]
