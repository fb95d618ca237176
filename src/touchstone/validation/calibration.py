"""Null calibration: how often a pipeline finds what is not there, counted and held to a band."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy import stats

from touchstone.arrays import Float64
from touchstone.errors import DataError
from touchstone.validation.verdict import Word

ALPHA: Final = 0.05
"""Level at which a p-value rejects."""
COVERAGE: Final = 0.999
"""Of the exact binomial band in which the rejections of a correct test fall."""


class Trial(NamedTuple):
    """What a pipeline said of one market without an edge."""

    kind: str
    """Sort of null market."""
    number: int
    """Which of its sort."""
    p: float
    """Primary p-value: of the sealed days' mean net return."""
    search_p: float
    """Of the whole search before the seal, by the studentised SPA test against cash."""
    word: Word
    """The verdict."""
    n_trades: int
    """Closed on the sealed rows."""
    n_candidates: int
    """Compared before the seal."""


class Rate(NamedTuple):
    """How often something was rejected, and the band that a correct test would keep to."""

    name: str
    n: int
    rejected: int
    low: int
    """Fewest rejections inside the band."""
    high: int
    """Most rejections inside the band."""

    @property
    def inside(self) -> bool:
        """Whether the count lies in the band."""
        return self.low <= self.rejected <= self.high

    @property
    def share(self) -> float:
        """Rejections over markets; NaN without any market."""
        return self.rejected / self.n if self.n else float("nan")

    def __str__(self) -> str:
        """One line for a person."""
        share = "" if not self.n else f" = {self.share:.2%}"
        fits = "inside" if self.inside else "OUTSIDE"
        return (
            f"{self.name}: {self.rejected} of {self.n}{share}, {fits} the band "
            f"{self.low} .. {self.high} of a true {ALPHA:.0%}"
        )


def rate(name: str, p: Float64, coverage: float = COVERAGE, at_most: bool = False) -> Rate:
    """Count the p-values at most `ALPHA` and give the exact binomial band of a correct test.

    Args:
        name: of the line.
        p: (n,) p-values.
        coverage: of the band, equal tails.
        at_most: a test that may reject less often than `ALPHA`: the band begins at 0, and all
            that lies outside lies above.

    Raises:
        DataError: a p-value that is none: it would count as a market that was not rejected.

    Source: Clopper & Pearson (1934) turned round: quantiles of Binomial(n, ALPHA).
    """
    if not ((p >= 0) & (p <= 1)).all():
        raise DataError(f"{name}: p-values lie in [0, 1], got {p[~((p >= 0) & (p <= 1))][0]}")
    return _banded(name, p.size, int(np.count_nonzero(p <= ALPHA)), coverage, at_most)


def _banded(name: str, n: int, rejected: int, coverage: float, at_most: bool) -> Rate:
    tail = (1 - coverage) / (1 if at_most else 2)
    low = 0 if at_most or not n else int(stats.binom.ppf(tail, n, ALPHA))
    high = int(stats.binom.ppf(1 - tail, n, ALPHA)) if n else 0
    return Rate(name, n, rejected, low, high)


class Uniformity(NamedTuple):
    """How far p-values are from uniform."""

    distance: float
    """Largest excess of the distribution of p over the diagonal: too many small values."""
    p: float
    """One-sided Kolmogorov-Smirnov p-value of that excess."""


def too_small(p: Float64) -> Uniformity:
    """Whether p-values are smaller than uniform ones anywhere, one-sided; p = 1 for none at all.

    A test may reject too seldom, which costs power; that it rejects too often is the fault.

    Source: Kolmogorov (1933), Smirnov (1939); the one-sided statistic D+.
    """
    if not p.size:
        return Uniformity(0.0, 1.0)
    found = stats.kstest(p, "uniform", alternative="greater")
    return Uniformity(float(found.statistic), float(found.pvalue))


class Size(NamedTuple):
    """The outcome of the size run: the strategy always trades and nothing costs."""

    primary: Rate
    search: Rate
    by_kind: tuple[Rate, ...]
    """Of the primary p-value, for each sort of market."""
    search_by_kind: tuple[Rate, ...]
    """Of the search's p-value, for each sort of market."""
    uniform: Uniformity
    """Of the primary p-values."""
    search_uniform: Uniformity
    """Of the search's p-values."""

    @property
    def kept(self) -> bool:
        """Whether both pooled rates lie inside their bands; not without any market."""
        return self.primary.n > 0 and self.primary.inside and self.search.inside


def size(trials: Sequence[Trial]) -> Size:
    """Rejection rates of a size run, pooled and by sort of market."""
    p, search = _values(trials)
    return Size(
        primary=rate("primary p", p),
        search=rate("search p (SPA)", search),
        by_kind=_by_kind("primary p", trials, p),
        search_by_kind=_by_kind("search p (SPA)", trials, search),
        uniform=too_small(p),
        search_uniform=too_small(search),
    )


class Product(NamedTuple):
    """The outcome of the product run: default costs, the verdict as a user sees it."""

    n: int
    evidence: int
    """Verdicts `evidence`: each is false."""
    weak: int
    without_trades: int
    """Markets on which nothing was traded after the seal."""
    upper: float
    """Upper end of the exact one-sided 95 % interval of the true rate of `evidence`."""
    primary: Rate
    """No lower limit: costs make a strategy without an edge lose."""
    search: Rate
    by_kind: tuple[Rate, ...]
    """Of the primary p-value, for each sort of market."""
    search_by_kind: tuple[Rate, ...]
    evidence_by_kind: tuple[Rate, ...]
    """Of the verdict `evidence`, for each sort of market."""

    @property
    def kept(self) -> bool:
        """Whether at most `ALPHA` of the markets, one at least, ended in `evidence`."""
        return self.n > 0 and self.evidence <= ALPHA * self.n


def product(trials: Sequence[Trial]) -> Product:
    """Verdicts of a product run."""
    n, found = len(trials), sum(t.word == "evidence" for t in trials)
    upper = float(stats.beta.ppf(0.95, found + 1, n - found)) if found < n else 1.0
    p, search = _values(trials)
    false = np.array([0.0 if t.word == "evidence" else 1.0 for t in trials])
    return Product(
        n=n,
        evidence=found,
        weak=sum(t.word == "weak" for t in trials),
        without_trades=sum(t.n_trades == 0 for t in trials),
        upper=upper,
        primary=rate("primary p", p, at_most=True),
        search=rate("search p (SPA)", search, at_most=True),
        by_kind=_by_kind("primary p", trials, p, at_most=True),
        search_by_kind=_by_kind("search p (SPA)", trials, search, at_most=True),
        evidence_by_kind=_by_kind("evidence", trials, false, at_most=True),
    )


def _values(trials: Sequence[Trial]) -> tuple[Float64, Float64]:
    p, search = (np.array([getattr(t, n) for t in trials], np.float64) for n in ("p", "search_p"))
    return p, search


def _by_kind(
    name: str, trials: Sequence[Trial], p: Float64, at_most: bool = False
) -> tuple[Rate, ...]:
    """One rate for each sort of market, in the order they come."""
    kind = np.array([t.kind for t in trials])
    kinds = dict.fromkeys(kind.tolist())
    return tuple(rate(f"{name}, {k}", p[kind == k], at_most=at_most) for k in kinds)


def quantiles(p: Float64) -> tuple[Float64, Float64]:
    """Points of a QQ plot: expected quantiles of uniform p-values, and the sorted ones; (n,)."""
    n = p.size
    return (np.arange(n) + 0.5) / max(n, 1), np.sort(p)


def quantile_band(n: int, coverage: float = 0.95) -> tuple[Float64, Float64]:
    """Where the k-th smallest of n uniform values lies, pointwise; low and high, both (n,).

    One point in twenty of a correct test lies outside, and neighbours leave it together.

    Source: order statistics of the uniform law are Beta(k, n + 1 - k) (David & Nagaraja 2003,
    section 2.3).
    """
    k = np.arange(1, n + 1)
    tail = (1 - coverage) / 2
    low, high = (np.asarray(stats.beta.ppf(q, k, n + 1 - k)) for q in (tail, 1 - tail))
    return low, high
