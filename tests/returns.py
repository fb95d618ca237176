"""Series of daily returns with a known true Sharpe ratio: K of them at once, (n_days, K).

Each world is scaled to standard deviation 1 and mean 0; `with_sharpe` adds the mean.
"""

import numpy as np
from scipy.special import gammaln

BURN_IN = 200


def normal(n_days, n_series, rng):
    return rng.standard_normal((n_days, n_series))


def skewed_t(n_days, n_series, rng, nu=6.0, delta=-0.95):
    """Azzalini's skewed t: standardised by its exact mean and variance."""
    z = rng.standard_normal((2, n_days, n_series))
    plain = delta * np.abs(z[0]) + np.sqrt(1 - delta**2) * z[1]
    raw = plain / np.sqrt(rng.chisquare(nu, (n_days, n_series)) / nu)
    mean = delta * np.sqrt(nu / np.pi) * np.exp(gammaln((nu - 1) / 2) - gammaln(nu / 2))
    return (raw - mean) / np.sqrt(nu / (nu - 2) - mean**2)


def garch(shocks, alpha=0.06, beta=0.92):
    """GARCH(1, 1) of unconditional variance 1 over shocks (n, K) of variance 1."""
    out, variance = np.empty_like(shocks), np.ones(shocks.shape[1])
    for i, shock in enumerate(shocks):
        out[i] = shock * np.sqrt(variance)
        variance = 1 - alpha - beta + alpha * out[i] ** 2 + beta * variance
    return out


def garch_t(n_days, n_series, rng, nu=7.0):
    shocks = rng.standard_t(nu, (n_days + BURN_IN, n_series)) / np.sqrt(nu / (nu - 2))
    return garch(shocks)[BURN_IN:]


def ar_garch(n_days, n_series, rng, phi=0.2):
    noise = garch(rng.standard_normal((n_days + BURN_IN, n_series)))
    out = noise.copy()
    for i in range(1, len(out)):
        out[i] = phi * out[i - 1] + noise[i]
    return out[BURN_IN:] * np.sqrt(1 - phi**2)


WORLDS = {
    "iid normal": normal,
    "iid skewed t": skewed_t,
    "GARCH-t": garch_t,
    "AR-GARCH": ar_garch,
}


def with_sharpe(returns, daily_sharpe, sd=0.01):
    """Returns of unit variance -> returns of this true Sharpe per day."""
    return sd * (returns + daily_sharpe)


def searches(n, shape, rng, world=garch_t, rho=0.5):
    """n searches of shape (n_days, n_candidates) whose candidates share a factor: (n, *shape)."""
    n_days, n_candidates = shape
    factor = world(n_days, n, rng).T[:, :, None]
    own = world(n_days, n * n_candidates, rng).reshape(n_days, n, n_candidates)
    both = np.sqrt(rho) * factor + np.sqrt(1 - rho) * np.moveaxis(own, 1, 0)
    return np.ascontiguousarray(both)
