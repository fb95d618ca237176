"""The logistic function of least log-loss, for calibrators that are one. Numpy and scipy."""

from typing import Final

import numpy as np
from scipy.special import expit, logit

from touchstone.arrays import Bool, Float64

FLOOR: Final = 1e-6
"""Scores are rounded to 1e-6, so nothing finer is known about their logit."""
_STEPS: Final = 100


def soft_outcomes(hit: Bool) -> Float64:
    """Outcomes drawn in from 0 and 1, (n,), so that no finite sample proves a certainty.

    The smoothing is that of a uniform prior on the rate of each kind.

    Source: Platt (1999), Probabilistic Outputs for Support Vector Machines, section 2.2.
    """
    n_hit, n_miss = hit.sum(), (~hit).sum()
    soft: Float64 = np.where(hit, (n_hit + 1) / (n_hit + 2), 1 / (n_miss + 2))
    return soft


def least_loss(columns: Float64, soft: Float64, weight: Float64) -> tuple[Float64, float]:
    """Coefficients (k,) of p = 1 / (1 + exp(-theta . columns)), and their mean log-loss in nats.

    Newton's method with halved steps, begun at the base rate.

    Args:
        columns: (k, n), the last of ones.
        soft: (n,) outcomes strictly between 0 and 1.
        weight: (n,) positive.

    Source: Lin, Lin & Weng (2007), A Note on Platt's Probabilistic Outputs, for the damped steps.
    """
    weights = weight / weight.sum()

    def loss(theta: Float64) -> float:
        z = theta @ columns
        return float(np.sum(weights * (np.logaddexp(0, z) - soft * z)))

    theta = np.zeros(len(columns))
    theta[-1] = logit(np.sum(weights * soft))
    now, flat = loss(theta), 1e-12 * np.eye(len(columns))
    for _ in range(_STEPS):
        p = expit(theta @ columns)
        gradient = columns @ (weights * (p - soft))
        hessian = (columns * (weights * p * (1 - p))) @ columns.T + flat
        step = np.linalg.solve(hessian, gradient)
        while (then := loss(theta - step)) > now and np.abs(step).max() > 1e-12:
            step /= 2
        if then > now or np.abs(gradient).max() < 1e-10:
            break
        theta, now = theta - step, then
    return theta, now
