"""What an account did beside a benchmark: alpha, beta, information ratio, capture.

Conventions of every function here: daily and benchmark are simple returns of the same days in time
order, (n_days,), in excess of cash where cash earns; annual figures scale by days_per_year.
"""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Floats
from touchstone.errors import DataError
from touchstone.metrics.declaration import measure
from touchstone.metrics.trading import sharpe

_NO_VARIANCE = 1e-20
"""A variance below this share of the largest square is rounding."""


class Regression(NamedTuple):
    """daily = alpha + beta benchmark + rest, by least squares; figures are per day."""

    alpha: float
    beta: float
    alpha_se: float
    """HAC standard error (Newey and West, Bartlett's kernel), as that of beta."""
    beta_se: float


def regression(daily: Floats, benchmark: Floats, lag: int) -> Regression | None:
    """Alpha and beta with standard errors; None below three days or where the benchmark is still.

    Args:
        daily: ours, (n_days,).
        benchmark: (n_days,).
        lag: autocovariances counted by the errors, in days.

    Source: Newey & West (1987), Econometrica 55; scaled by n / (n - 2) for the two coefficients.
    """
    daily, benchmark = _pair(daily, benchmark)
    n = daily.size
    if n < 3 or _is_still(benchmark):
        return None
    x = np.column_stack([np.ones(n), benchmark])
    inverse = np.linalg.inv(x.T @ x)
    alpha, beta = inverse @ (x.T @ daily)
    scores = x * (daily - alpha - beta * benchmark)[:, None]
    middle = scores.T @ scores
    for k in range(1, min(lag, n - 1) + 1):
        crossed = scores[k:].T @ scores[:-k]
        middle += (1 - k / (lag + 1)) * (crossed + crossed.T)
    variance = np.diag(inverse @ middle @ inverse) * n / (n - 2)
    errors = np.sqrt(np.maximum(variance, 0.0))
    return Regression(float(alpha), float(beta), float(errors[0]), float(errors[1]))


@measure(unit="fraction a year", better="higher")
def alpha(daily: Floats, benchmark: Floats, days_per_year: float) -> float | None:
    """Annual mean return that the benchmark does not explain (Jensen); None as `regression`."""
    found = regression(daily, benchmark, 0)
    return None if found is None else found.alpha * days_per_year


@measure(unit="ratio", better="neither")
def beta(daily: Floats, benchmark: Floats) -> float | None:
    """Return for each unit of the benchmark's; None as `regression`."""
    found = regression(daily, benchmark, 0)
    return None if found is None else found.beta


@measure(unit="ratio, annual", better="higher")
def information_ratio(daily: Floats, benchmark: Floats, days_per_year: float) -> float | None:
    """Annual mean of the difference to the benchmark over its volatility; None without variance."""
    ours, theirs = _pair(daily, benchmark)
    return sharpe(ours - theirs, days_per_year)


@measure(unit="ratio", better="higher")
def up_capture(daily: Floats, benchmark: Floats) -> float | None:
    """Our mean return over the benchmark's, on days when it rose; None where it never did."""
    ours, theirs = _pair(daily, benchmark)
    return _capture(ours, theirs, theirs > 0)


@measure(unit="ratio", better="lower")
def down_capture(daily: Floats, benchmark: Floats) -> float | None:
    """Our mean return over the benchmark's, on days when it fell; None where it never did."""
    ours, theirs = _pair(daily, benchmark)
    return _capture(ours, theirs, theirs < 0)


def _capture(ours: Float64, theirs: Float64, days: np.ndarray) -> float | None:
    return float(ours[days].mean() / theirs[days].mean()) if days.any() else None


def _pair(daily: Floats, benchmark: Floats) -> tuple[Float64, Float64]:
    ours, theirs = np.asarray(daily, np.float64), np.asarray(benchmark, np.float64)
    if ours.ndim != 1 or ours.shape != theirs.shape:
        raise DataError(f"daily {ours.shape} and benchmark {theirs.shape} need the same days")
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise DataError("daily and benchmark need finite returns")
    return ours, theirs


def _is_still(returns: Float64) -> bool:
    largest = float(np.abs(returns).max())
    return largest == 0 or float((returns / largest).var()) < _NO_VARIANCE
