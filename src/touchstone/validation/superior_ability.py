"""Is the best of many candidates better than the benchmark? The studentised SPA test."""

import math
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64
from touchstone.validation.bootstrap import N_RESAMPLES
from touchstone.validation.joint_bootstrap import joint_bootstrap


class Superior(NamedTuple):
    """One-sided test of "some candidate's mean return is above the benchmark's"."""

    p: float
    """(1 + number of resamples with T* >= T) / (n_resamples + 1); 1 where none has variance."""
    statistic: float | None
    """T, the largest studentised mean, 0 at least; None where no candidate has variance."""
    best: int | None
    """Column of the candidate behind T; None where none is above the benchmark."""
    n_candidates: int
    """Candidates with variance: those that count."""
    block: float
    """Mean length of a block, days."""


def superior_ability(
    returns: Float64,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    recompute: bool = True,
) -> Superior:
    """Test all candidates of a search at once against one benchmark.

    `T = max(0, max_k sqrt(n) dbar_k / w_k)`, w_k the HAC error of each resample, or, as Hansen has
    it, one for all by the stationary bootstrap's own kernel. Under the null the means are put to
    0, except those so bad that they cannot matter: a candidate is recentred only where
    `sqrt(n) dbar_k / w_k >= -sqrt(2 ln ln n)`. Candidates without variance (no trades) are left
    out; with none left, or less than three days, p is 1.

    `arch.bootstrap.SPA` does not studentise: there one noisy candidate hides a good quiet one.

    Args:
        returns: (n_days, n_candidates) daily returns in excess of the benchmark, in time order.
        rng: where the resamples come from.
        n_resamples: B; the smallest p there can be is 1 / (B + 1).
        recompute: the HAC error recomputed in every resample, as `mean_test` does; False takes
            Hansen's one w_k, which rejects too often where returns are skewed or autocorrelated.

    Raises:
        DataError: not a table of finite numbers.

    Source: Hansen (2005), A Test for Superior Predictive Ability, JBES 23, section 3.2 (the
    consistent version).
    """
    joint = joint_bootstrap(returns, rng, n_resamples, recompute)
    if not joint.t.size:
        return Superior(1.0, None, None, 0, joint.block)
    statistic = max(0.0, float(joint.t.max()))
    hopeless = joint.t < -math.sqrt(2 * math.log(math.log(returns.shape[0])))
    # Not recentred: a bad candidate keeps its bad mean in every resample.
    resampled = (joint.resampled + np.where(hopeless, joint.t, 0.0)).max(axis=1)
    beaten_by = int(np.count_nonzero(np.maximum(resampled, 0.0) >= statistic))
    best = int(np.flatnonzero(joint.kept)[np.argmax(joint.t)]) if statistic > 0 else None
    p = (1 + beaten_by) / (n_resamples + 1)
    return Superior(p, statistic, best, joint.t.size, joint.block)
