"""Layer F: on a market whose directions nobody can foresee, nobody foresees them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.seeding import generator
from touchstone.validation.audit.report import Finding, Layer, broken

_N_SHIFTS: Final = 200
_SIGMAS: Final = 6.0
"""Distance from chance, in standard deviations of shifted scores, that is an alarm."""
_LEAST: Final = 0.08
"""And the least distance from 1/2."""
_LEAST_ROWS: Final = 50


class Foreseen(NamedTuple):
    """Scores of a direction beside what came, on test rows; (n_times, n_instruments), NaN for none.

    Both of one clock: a row is a time.
    """

    name: str
    score: Float64
    """The higher, the likelier up."""
    truth: Float64
    """1 up first, 0 down first."""


def audit_smoke(foreseen: Sequence[Foreseen], seed: int) -> Layer:
    """The AUC of directions on a market without any must lie where shifted scores lie.

    Scores are moved along time, all instruments together, which keeps what neighbours and
    instruments have in common and breaks what they say about their own bar.

    Args:
        foreseen: of each model, on a surrogate of the audited bars.
        seed: of the shifts.
    """
    n = 0
    for one in foreseen:
        n += _N_SHIFTS
        finding = _alarm(one, seed)
        if finding is not None:
            return Layer("F", n, finding)
    notes = () if n else ("no model scored enough rows of the market without an edge",)
    return Layer("F", n, None, notes)


def _alarm(one: Foreseen, seed: int) -> Finding | None:
    found = auc(one.score, one.truth)
    n_times = one.score.shape[0]
    if found is None or n_times < _LEAST_ROWS:
        return None
    rng = generator(seed, "audit", "smoke", one.name)
    shifts = rng.integers(n_times // 10, n_times - n_times // 10, _N_SHIFTS)
    aside = [auc(np.roll(one.score, int(s), axis=0), one.truth) for s in shifts]
    chance = np.array([a for a in aside if a is not None])
    if chance.size < _N_SHIFTS // 2:
        return None
    width = _SIGMAS * float(chance.std(ddof=1))
    if abs(found - float(chance.mean())) <= width or abs(found - 0.5) <= _LEAST:
        return None
    band = f"AUC {chance.mean() - width:.3f} to {chance.mean() + width:.3f}"
    return broken("F", "directions of a market that has none cannot be foreseen",
                  (one.name, "direction", "", None), (band, f"AUC {found:.3f}"))  # fmt: skip


def auc(score: Float64, truth: Float64) -> float | None:
    """Share of (up, down) pairs that the score puts in order, ties half; None without both."""
    there = np.isfinite(score) & np.isfinite(truth)
    from scipy.stats import rankdata  # noqa: PLC0415  half a second, for every command

    rank, up = rankdata(score[there]), truth[there] == 1
    n_up, n_down = int(up.sum()), int((~up).sum())
    if min(n_up, n_down) < _LEAST_ROWS:
        return None
    return float((rank[up].sum() - n_up * (n_up + 1) / 2) / (n_up * n_down))
