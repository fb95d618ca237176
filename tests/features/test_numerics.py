"""Rolling sums and moments against exact rational arithmetic, to 1e-9 and better.

What 1e-9 is relative to, where a value may pass through 0 while what it is made of does not:

| of n values x (and y) | relative to |
|---|---|
| sum, mean | sum or mean of the sizes, abs(x): the value itself where x has one sign, as prices |
| std | the value itself, always, however small it is against the level of x |
| skew, kurtosis | the value itself, or 1 where that is smaller |
| from_mean, residual | the value itself, or std(x) where that is smaller |
| zscore | the value itself, or 1 where that is smaller |
| slope | the value itself, or std(x) / n where that is smaller: a line that climbs one std |
| corr | 1 |
| beta | the value itself, or std(x) / std(y) where that is smaller: the slope of corr = 1 |

The inputs are exact doubles, so every one of these has one true value, computed here with
fractions; only square roots are rounded, to 60 digits.
"""

from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest

from touchstone.features import FeaturesConfig, compile_features, evaluate
from touchstone.market import Bars, Panel
from walks import HOUR_NS, START_NS, flat, panel_of

N_BARS = 1_000_000
LENGTHS = (21, 200)
TOLERANCE = 1e-9
REACHED = 1e-12
"""What the kernels reach today; 1e-9 is the promise."""
ONE = (
    "sum",
    "mean",
    "std",
    "skew",
    "kurtosis",
    "slope",
    "decay",
    "from_mean",
    "zscore",
    "residual",
)
getcontext().prec = 60


def series(kind):
    rng = np.random.default_rng(5)
    noise = np.cumsum(rng.normal(0, 1, N_BARS))
    walk = np.exp(0.002 * noise / (1 + 0.002 * np.abs(noise).max() / 5))  # within e^-5 .. e^5
    if kind == "1e-8":
        return 1e-8 * walk
    if kind == "1e6":
        return 1e6 * walk
    if kind == "from 1e-8 to 1e6":
        return walk * 10 ** np.linspace(-8, 6, N_BARS)
    if kind == "1e6, moving by 1e-6":
        return 1e6 + 1e-6 * rng.normal(size=N_BARS)
    spiked = walk.copy()
    spiked[600_000:600_050:7] *= 1e6
    return spiked


KINDS = ("1e-8", "1e6", "from 1e-8 to 1e6", "1e6, moving by 1e-6", "spiked")


def panel_with(close, volume):
    time = START_NS + np.arange(close.size) * HOUR_NS
    like = panel_of(flat(2))
    bars = Bars("S", time, *[close] * 4, volume)
    return Panel.from_bars([bars], like.timeframe, like.calendar)


def root(value):
    return (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()


def quotient(a, b):
    """a / b of a fraction and a decimal, as a float; 0 where b is 0."""
    return float(Decimal(a.numerator) / Decimal(a.denominator) / b) if b else 0.0


def exact(x, y):
    """The true values over one window, and what an error is relative to, by name."""
    n = len(x)
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    mean_x, mean_y = sum(x) / n, sum(y) / n
    dx, dy, dt = (
        [v - mean_x for v in x],
        [v - mean_y for v in y],
        [Fraction(2 * k - n + 1, 2) for k in range(n)],
    )
    xx, yy, xy = (
        sum(a * b for a, b in zip(p, q, strict=True)) / n for p, q in ((dx, dx), (dy, dy), (dx, dy))
    )
    sd_x, sd_y = root(xx), root(yy)
    size = sum(abs(v) for v in x)
    third, fourth = sum(v**3 for v in dx) / n, sum(v**4 for v in dx) / n
    skew, kurtosis = quotient(third, sd_x**3), float(fourth / xx**2) - 3
    slope = float(sum(a * b for a, b in zip(dx, dt, strict=True)) / sum(t * t for t in dt))
    decay = sum(v * (k + 1) for k, v in enumerate(x)) / Fraction(n * (n + 1), 2)
    beta = float(xy / yy)
    line = dx[-1] - sum(a * b for a, b in zip(dx, dt, strict=True)) / sum(
        t * t for t in dt
    ) * Fraction(n - 1, 2)
    zscore = quotient(dx[-1], sd_x)
    return {
        "sum": (float(sum(x)), float(size)),
        "mean": (float(mean_x), float(size / n)),
        "std": (float(sd_x), float(sd_x)),
        "from_mean": (float(dx[-1]), max(abs(float(dx[-1])), float(sd_x))),
        "zscore": (zscore, max(abs(zscore), 1)),
        "residual": (float(line), max(abs(float(line)), float(sd_x))),
        "skew": (skew, max(abs(skew), 1)),
        "kurtosis": (kurtosis, max(abs(kurtosis), 1)),
        "slope": (slope, max(abs(slope), float(sd_x) / n)),
        "decay": (float(decay), float(size / n)),
        "corr": (quotient(xy, sd_x * sd_y), 1.0),
        "beta": (beta, max(abs(beta), float(sd_x / sd_y))),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_bars_to_1e_9_of_the_truth(kind):
    close = series(kind)
    rng = np.random.default_rng(9)
    other = np.abs(close * (1 + 0.01 * rng.normal(size=N_BARS))) + (kind.endswith("1e-6"))
    texts = {f"{f} {n}": f"{f}(close, {n})" for f in ONE for n in LENGTHS}
    texts |= {f"{f} {n}": f"{f}(close, volume, {n})" for f in ("corr", "beta") for n in LENGTHS}
    named = {f"f{i}": text for i, text in enumerate(texts.values())}
    plan = compile_features(FeaturesConfig(set="none", extra=named))
    values = evaluate(plan, panel_with(close, other), np.float64)
    places = [*rng.integers(max(LENGTHS), N_BARS, 12), N_BARS - 1, *range(600_000, 600_250, 41)]
    for n in LENGTHS:
        columns = [i for i, name in enumerate(texts) if name.endswith(f" {n}")]
        for t in places:
            truth = exact(close[t - n + 1 : t + 1].tolist(), other[t - n + 1 : t + 1].tolist())
            for i in columns:
                value, unit = truth[list(texts)[i].split()[0]]
                error = abs(values[t, i] - value) / unit
                assert error <= REACHED <= TOLERANCE, (kind, list(texts)[i], t, error)


@pytest.mark.parametrize("kind", ["from 1e-8 to 1e6", "spiked"])
def test_means_that_remember_for_ever_do_not_drift(kind):
    """Against the same recursion in extended precision; a spike is forgotten as it should be."""
    close = series(kind)
    plan = compile_features(
        FeaturesConfig(set="none", extra={"a": "ema(close, 20)", "b": "wilder(close, 14)"})
    )
    values = evaluate(plan, panel_with(close, np.ones(N_BARS)), np.float64)
    long = close.astype(np.longdouble)
    for column, n, weight in ((0, 20, np.longdouble(2) / 21), (1, 14, np.longdouble(1) / 14)):
        mean = long[:n].sum() / n
        worst = 0.0
        for t in range(n, N_BARS):
            mean += weight * (long[t] - mean)
            if t % 1000 == 0 or 600_000 <= t < 600_400:
                worst = max(worst, float(abs(values[t, column] - mean) / mean))
        assert worst <= REACHED, (kind, worst)


@pytest.mark.parametrize("n", [2, 3, 5, 8, 13, 64, 100, 1000])
@pytest.mark.parametrize("level", [0.1, 101.37, 1e6 + 1 / 3])
def test_what_stands_still_has_no_moment_at_all(n, level):
    """Exactly 0, after any past: no rounding of the level becomes a variance."""
    moving = np.abs(np.cumsum(np.random.default_rng(n).normal(size=1200))) + 1
    close = np.r_[moving, np.full(n + 5, level)]
    names = {f: f"{f}(close, {n})" for f in ("std", "skew", "kurtosis", "slope", "from_mean")}
    names |= {f: f"{f}(close, {n})" for f in ("zscore", "residual")}
    names |= {f: f"{f}(close, volume, {n})" for f in ("corr", "beta")}
    named = {f"of_{name}": text for name, text in names.items()}
    plan = compile_features(FeaturesConfig(set="none", extra=named))
    values = evaluate(plan, panel_with(close, np.abs(np.sin(np.arange(close.size)))), np.float64)
    assert (values[-5:] == 0).all()


def test_a_sum_forgets_what_has_left_its_window():
    close = np.r_[np.full(50, 1e90), np.full(30, 1e-90), np.full(30, 3.0)]
    plan = compile_features(
        FeaturesConfig(set="none", extra={"a": "sum(close, 7)", "b": "std(close, 7)"})
    )
    values = evaluate(plan, panel_with(close, np.ones(close.size)), np.float64)
    assert values[79].tolist() == [pytest.approx(7e-90, rel=1e-15), 0.0]
    assert values[-1].tolist() == [21.0, 0.0]
