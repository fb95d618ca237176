"""How large a Sharpe ratio has to be before it says something: track length, luck of the search.

Sharpe ratios in here are per period (mean / standard deviation of one day's net excess return)
unless a name says `annual`. All moments are those of the sample; kurtosis is raw, 3 for a normal.
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from touchstone.arrays import Float64
from touchstone.errors import DataError
from touchstone.ledger import Candidate
from touchstone.metrics.trading import sharpe

N_TRADES_TO_JUDGE: Final = 20
"""Closed trades below which a Sharpe ratio is not counted as one."""


class Moments(NamedTuple):
    """What the standard error of a Sharpe ratio depends on."""

    sharpe: float
    """Mean over standard deviation (n - 1), per period."""
    skewness: float
    kurtosis: float
    """Raw: 3 for a normal."""
    n_days: int


class Deflated(NamedTuple):
    """A deflated Sharpe ratio with what it was computed from."""

    value: float | None
    """Probability that the true Sharpe beats the luck of the search; None without variance."""
    n: int
    """Distinct candidates."""
    v: float
    """Variance of the candidates' daily Sharpe ratios."""
    threshold: float
    """sqrt(v) Emax(n): the daily Sharpe that the best of n worthless candidates is expected to
    show."""


def moments(daily: Float64) -> Moments | None:
    """The moments of daily returns (n_days,); None without variance."""
    ratio = sharpe(daily, 1.0)
    if ratio is None:
        return None
    deviation = daily - daily.mean()
    deviation = deviation / np.sqrt((deviation**2).mean())
    return Moments(ratio, float((deviation**3).mean()), float((deviation**4).mean()), daily.size)


def probabilistic_sharpe(seen: Moments, true_sharpe: float = 0.0) -> float:
    """Probability that the true Sharpe is above `true_sharpe`, given a track record.

    A record whose Sharpe has no standard error (two values, at one particular Sharpe) gives 1, 0
    or, at `true_sharpe` itself, one half.

    Source: Bailey & López de Prado (2012), The Sharpe Ratio Efficient Frontier, equation 11.
    """
    excess = seen.sharpe - true_sharpe
    spread = math.sqrt(_spread(seen))
    if spread == 0:
        return 0.5 * (1 + math.copysign(1, excess) * (excess != 0))
    return float(ndtr(excess * math.sqrt(seen.n_days - 1) / spread))


def expected_maximum(n: int) -> float:
    """Expected largest of n independent standard normals, to about 1 %; 0 for n = 1.

    `(1 - c) Z(1 - 1/n) + c Z(1 - 1/(n e))` with Euler's constant c and Z the normal quantile.

    Raises:
        DataError: n < 1.

    Source: Bailey, Borwein, López de Prado & Zhu (2014), Pseudo-Mathematics and Financial
    Charlatanism, proposition 1.
    """
    if n < 1:
        raise DataError(f"the expected best of {n} candidates is not defined: needs 1 at least")
    if n == 1:
        return 0.0
    # ndtri(1 - x) = -ndtri(x), and the right side keeps its digits for a large n.
    return float(-(1 - np.euler_gamma) * ndtri(1 / n) - np.euler_gamma * ndtri(1 / (n * math.e)))


def deflated_sharpe(daily: Float64, candidates: Iterable[Candidate]) -> Deflated:
    """The probabilistic Sharpe of the chosen candidate against the luck of the whole search.

    Args:
        daily: (n_days,) pooled walk-forward net excess returns of the chosen candidate, before
            the seal: where candidates were compared.
        candidates: all that were ever scored on overlapping rows. A fingerprint counts once in n.
            v is the variance (n - 1) of the daily Sharpe of those with at least
            `N_TRADES_TO_JUDGE` trades, and at least 1 / (n_days - 1): what pure estimation error
            alone would give.

    Source: Bailey & López de Prado (2014), The Deflated Sharpe Ratio, equations 1 and 2.
    """
    distinct = {c.fingerprint: c for c in candidates}.values()
    n = max(1, len(distinct))
    ratios = [
        c.daily_sharpe
        for c in distinct
        if c.daily_sharpe is not None and c.n_trades >= N_TRADES_TO_JUDGE
    ]
    measured = float(np.var(ratios, ddof=1)) if len(ratios) > 1 else 0.0
    v = max(measured, 1 / max(1, daily.size - 1))
    threshold = math.sqrt(v) * expected_maximum(n)
    seen = moments(daily)
    value = None if seen is None else probabilistic_sharpe(seen, threshold)
    return Deflated(value, n, v, threshold)


def min_track_record(seen: Moments, true_sharpe: float = 0.0, alpha: float = 0.05) -> float:
    """Days of such returns after which the true Sharpe is above `true_sharpe` at 1 - alpha.

    Infinite where the Sharpe seen is not above it.

    Source: Bailey & López de Prado (2012), The Sharpe Ratio Efficient Frontier, equation 13.
    """
    if seen.sharpe <= true_sharpe:
        return math.inf
    return 1 + _spread(seen) * (_quantile(alpha) / (seen.sharpe - true_sharpe)) ** 2


def min_backtest_length(n: int, annual_sharpe: float) -> float:
    """Years below which the best of n worthless candidates is expected to show `annual_sharpe`.

    Infinite where that Sharpe is not above 0.

    Source: Bailey, Borwein, López de Prado & Zhu (2014), Pseudo-Mathematics and Financial
    Charlatanism, theorem 2 (its exact form).
    """
    return (expected_maximum(n) / annual_sharpe) ** 2 if annual_sharpe > 0 else math.inf


def smallest_detectable_sharpe(
    n_days: int, days_per_year: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """True annual Sharpe that n_days find with probability `power`, at level alpha, one-sided.

    `(z_alpha + z_power) sqrt(days_per_year / n_days)`: the mean of n_days independent normal
    returns. Infinite without a day.
    """
    if n_days < 1:
        return math.inf
    return (_quantile(alpha) + _quantile(1 - power)) * math.sqrt(days_per_year / n_days)


def _spread(seen: Moments) -> float:
    """n_days - 1 times the variance of the Sharpe's estimate."""
    # Never below 0 but for rounding: kurtosis >= 1 + skewness^2.
    spread = 1 - seen.skewness * seen.sharpe + (seen.kurtosis - 1) / 4 * seen.sharpe**2
    return max(0.0, spread)


def _quantile(alpha: float) -> float:
    """The normal quantile that leaves `alpha` above it."""
    return float(-ndtri(alpha))
