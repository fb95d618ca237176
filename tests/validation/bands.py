"""How many rejections of K a true rate allows: exact binomial bands."""

from scipy.stats import binom


def band(n, rate, outside=0.001):
    """Least and most counts of n that a true rate leaves with probability 1 - outside."""
    low, high = binom.ppf([outside / 2, 1 - outside / 2], n, rate)
    return int(low), int(high)


def holds(count, n, rate):
    low, high = band(n, rate)
    assert low <= count <= high, f"{count} of {n}, a true {rate:.0%} allows {low} to {high}"
    return True
