"""Which of several claims hold? Step-down p-values that allow for all of them together."""

import numpy as np

from touchstone.arrays import Float64
from touchstone.validation.bootstrap import N_RESAMPLES
from touchstone.validation.joint_bootstrap import joint_bootstrap


def romano_wolf(
    returns: Float64, rng: np.random.Generator, n_resamples: int = N_RESAMPLES
) -> Float64:
    """Adjusted one-sided p-values of "the mean is above 0", (n_claims,).

    Rejecting those at most alpha keeps the chance of any false claim at alpha, dependence
    between claims used instead of feared. From the largest t on, `p_j = (1 + #{max of the
    remaining t* >= t_j}) / (B + 1)`, never below the p of a larger t. A claim without variance
    has p = 1 and takes no part. t is studentised by the HAC error, recomputed in every resample.

    `arch.bootstrap.StepM` does not studentise.

    Args:
        returns: (n_days, n_claims) daily returns, each in excess of its benchmark, in time order.
        rng: where the resamples come from.
        n_resamples: B.

    Raises:
        DataError: not a table of finite numbers.

    Source: Romano & Wolf (2005), Stepwise Multiple Testing as Formalized Data Snooping,
    Econometrica 73; p-values as in Romano & Wolf (2016), Efficient computation of adjusted
    p-values for resampling-based stepdown multiple testing, Statistics & Probability Letters 113.
    """
    joint = joint_bootstrap(returns, rng, n_resamples, recompute=True)
    adjusted = np.ones(joint.kept.size)
    falling = np.argsort(-joint.t, kind="stable")
    # Column j: the largest of the j-th and all smaller claims, in each resample.
    largest = np.maximum.accumulate(joint.resampled[:, falling[::-1]], axis=1)[:, ::-1]
    beaten_by = (largest >= joint.t[falling]).sum(axis=0)
    stepped = np.maximum.accumulate((1 + beaten_by) / (n_resamples + 1))
    adjusted[np.flatnonzero(joint.kept)[falling]] = stepped
    return adjusted
