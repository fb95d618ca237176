"""Markets with hidden states, and the filter as the textbook writes it: slow, in logarithms."""

import math

import numpy as np


def planted(n=6000, seed=0, stay=0.97, spread=(0.002, 0.008, 0.03)):
    """(states (n,), inputs (n, 2)): a return of the state's deviation, and its noisy logarithm."""
    rng = np.random.default_rng(seed)
    states = np.zeros(n, int)
    for t in range(1, n):
        states[t] = states[t - 1] if rng.random() < stay else rng.integers(len(spread))
    size = np.array(spread)[states]
    return states, np.c_[rng.normal(0, size), np.log(size) + rng.normal(0, 0.3, n)]


def reference(found, inputs, begins):
    """p(state at t | inputs up to t), a sum over all paths by the forward recursion (Rabiner, 19).

    Returns the probabilities, NaN where an input is missing, and the log-likelihood of all rows.
    """
    k, d = found.mean.shape
    out, log_likelihood, alpha = np.full((len(inputs), k), np.nan), 0.0, None
    for t, row in enumerate(inputs):
        if not np.isfinite(row).all():
            alpha = None
            continue
        u = np.clip((row - found.centre) / found.scale, -10, 10)
        density = []
        for s in range(k):
            off = u - found.mean[s]
            sign, logdet = np.linalg.slogdet(found.covariance[s])
            assert sign > 0
            square = off @ np.linalg.solve(found.covariance[s], off)
            density.append(-0.5 * (d * math.log(2 * math.pi) + logdet + square))
        if alpha is None or begins[t]:
            reach = [math.log(p) for p in found.start]
        else:
            reach = [
                log_sum([alpha[r] + math.log(found.transition[r, s]) for r in range(k)])
                for s in range(k)
            ]
        joint = [r + x for r, x in zip(reach, density, strict=True)]
        step = log_sum(joint)
        log_likelihood += step
        alpha = [x - step for x in joint]
        out[t] = np.exp(alpha)
    return out, log_likelihood


def log_sum(logs):
    top = max(logs)
    return top + math.log(sum(math.exp(x - top) for x in logs))
