"""Every primitive against its definition, read aloud: slow, one value at a time, no shared code."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.features import compile_expression, evaluate
from touchstone.features.primitives import DERIVED, PRIMITIVES
from touchstone.market import Bars, Panel
from walks import flat, panel_of, random_panel, random_walk


def total(value):
    """The number, or 0 where there is none."""
    return value if math.isfinite(value) else 0.0


def z(v):
    v = np.asarray(v)
    return (v - v.mean()) / v.std() if np.ptp(v) > 0 else 0 * v


def smooth(values, n, weight):
    out = np.mean(values[:n])
    for value in values[n:]:
        out = (1 - weight) * out + weight * value
    return out


def line(v):
    return np.polyfit(np.arange(len(v)), v, 1)


def blend(v, w):
    out = v[0]
    for value, share in zip(v[1:], w[1:], strict=True):
        out += min(max(share, 0), 1) * (value - out)
    return out


def kama(v, n):
    """Kaufman (1995), from the bar before the first efficiency ratio on."""
    out = v[n - 1]
    for t in range(n, len(v)):
        way = sum(abs(v[k] - v[k - 1]) for k in range(t - n + 1, t + 1))
        share = abs(v[t] - v[t - n]) / way if way else 1.0
        out += (share * (2 / 3 - 2 / 31) + 2 / 31) ** 2 * (v[t] - out)
    return out


def begun(v, w):
    """What v was since w was last not 0."""
    return v[max([k for k in range(len(w)) if w[k] != 0], default=0) :]


def rescaled_range(v):
    summed = np.cumsum(v - np.mean(v))
    return (max(summed) - min(summed)) / np.std(v) if np.ptp(v) > 1e-12 else 0.0


def power(a, b):
    try:
        value = a**b
    except ZeroDivisionError:
        return 0.0
    except OverflowError:
        return math.copysign(1e100, a if int(b) % 2 else 1.0)
    return 0.0 if isinstance(value, complex) else value


WINDOWS = {  # of the values so far, v (and w), their last n
    "lag": lambda v, n: v[-1 - n],
    "sum": lambda v, n: math.fsum(v[-n:]),
    "mean": lambda v, n: math.fsum(v[-n:]) / n,
    "std": lambda v, n: np.std(v[-n:]),
    "mad": lambda v, n: np.mean(np.abs(v[-n:] - np.mean(v[-n:]))),
    "rescaled_range": lambda v, n: rescaled_range(v[-n:]),
    "from_mean": lambda v, n: v[-1] - np.mean(v[-n:]),
    "skew": lambda v, n: np.mean(z(v[-n:]) ** 3),
    "kurtosis": lambda v, n: np.mean(z(v[-n:]) ** 4) - 3 if np.ptp(v[-n:]) else 0.0,
    "slope": lambda v, n: line(v[-n:])[0],
    "residual": lambda v, n: v[-1] - np.polyval(line(v[-n:]), n - 1),
    "decay": lambda v, n: np.average(v[-n:], weights=np.arange(1, n + 1)),
    "min": lambda v, n: min(v[-n:]),
    "max": lambda v, n: max(v[-n:]),
    "argmin": lambda v, n: min(range(n), key=lambda k: (v[-1 - k], k)),
    "argmax": lambda v, n: min(range(n), key=lambda k: (-v[-1 - k], k)),
    "rank": lambda v, n: np.mean([(x < v[-1]) + 0.5 * (x == v[-1]) for x in v[-n:-1]]),
    "median": lambda v, n: np.median(v[-n:]),
    "zscore": lambda v, n: z(v[-n:])[-1],
    "count": lambda v, n: sum(x != 0 for x in v[-n:]),
    "ema": lambda v, n: smooth(v, n, 2 / (n + 1)),
    "wilder": lambda v, n: smooth(v, n, 1 / n),
    "quantile": lambda v, n, q: np.quantile(v[-n:], q),
    "corr": lambda v, w, n: np.mean(z(v[-n:]) * z(w[-n:])),
    "beta": lambda v, w, n: np.cov(v[-n:], w[-n:], ddof=0)[0, 1] / np.var(w[-n:]),
    "blend": blend,
    "kama": kama,
    "held": lambda v, w: begun(v, w)[0],
    "sum_since": lambda v, w: math.fsum(begun(v, w)),
    "max_since": lambda v, w: max(begun(v, w)),
    "cummax": max,
    "cummin": min,
    "since": lambda v: next((k for k in range(len(v)) if v[-1 - k] != 0), len(v) - 1),
    "up": lambda v: max(v[-1] - v[-2], 0),
    "down": lambda v: max(v[-2] - v[-1], 0),
}
POINTS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b if b else 0,
    "power": power,
    "less": lambda a, b: a < b,
    "at_most": lambda a, b: a <= b,
    "equal": lambda a, b: a == b,
    "unequal": lambda a, b: a != b,
    "smaller": min,
    "larger": max,
    "div": lambda a, b, default: a / b if b else default,
    "where": lambda c, a, b: a if c else b,
    "clip": lambda x, low, high: min(max(x, low), high),
    "abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "sqrt": lambda x: math.sqrt(x) if x > 0 else 0,
    "log": lambda x: math.log(x) if x > 0 else 0,
    "exp": lambda x: math.exp(x) if x < 230 else 1e100,
    "sin": math.sin,
    "cos": math.cos,
}
BARS = {  # of bars until t
    "ret": lambda b, t: b.close[t] / b.close[t - 1] - 1,
    "typical": lambda b, t: (b.high[t] + b.low[t] + b.close[t]) / 3,
    "true_range": lambda b, t: max(
        b.high[t] - b.low[t], abs(b.high[t] - b.close[t - 1]), abs(b.low[t] - b.close[t - 1])
    ),
    "first_of_session": lambda b, t: b.time[t] % (24 * 3600 * 10**9) == 0,
}
SECTIONS = {
    "cross_rank": lambda i, v: np.mean(
        [(x < v[i]) + 0.5 * (x == v[i]) for j, x in enumerate(v) if j != i]
    ),
    "cross_mean": lambda _, v: np.mean(v),
    "cross_zscore": lambda i, v: z(v)[i],
}
CHAINS = {"psar": lambda b: stops(b.high, b.low)}


def stops(high, low, step=0.02, largest=0.2):
    """Wilder (1978), section 2, in two mirrored halves as he tells it."""
    out = [low[0]]
    fell, rose = low[0] - low[1], high[1] - high[0]
    long = not (fell > 0 and fell > rose)
    stop, extreme, pace = (low[0], high[1], step) if long else (high[0], low[1], step)
    for t in range(1, len(high)):
        ago = max(t - 1, 1)
        touched = low[t] <= stop if long else high[t] >= stop
        if touched and long:
            out.append(max(extreme, high[ago], high[t]))
            long, extreme, pace = False, low[t], step
            stop = max(out[-1] + pace * (extreme - out[-1]), high[ago], high[t])
            continue
        if touched:
            out.append(min(extreme, low[ago], low[t]))
            long, extreme, pace = True, high[t], step
            stop = min(out[-1] + pace * (extreme - out[-1]), low[ago], low[t])
            continue
        out.append(stop)
        if (high[t] > extreme) if long else (low[t] < extreme):
            extreme, pace = (high[t] if long else low[t]), min(pace + step, largest)
        stop += pace * (extreme - stop)
        stop = min(stop, low[ago], low[t]) if long else max(stop, high[ago], high[t])
    return out


WALK = random_walk(80, seed=11)
# Steps of a tenth, so that equals occur, and a stretch that stands still.
STEPS = np.r_[np.round(np.sin(np.arange(60)) * 5) / 10, np.full(20, 0.3)]


def test_every_primitive_has_a_definition_here():
    told = WINDOWS.keys() | POINTS.keys() | BARS.keys() | SECTIONS.keys() | CHAINS.keys()
    assert told == {*PRIMITIVES, *DERIVED}


def column(text, panel, **side):
    panel = panel.map_side({name: np.asarray(values, float) for name, values in side.items()})
    return evaluate(compile_expression("it", text, side), panel, np.float64)[:, 0]


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("n", [2, 7, 20])
@pytest.mark.parametrize("values", [WALK.close, STEPS], ids=["walk", "steps"])
def test_of_the_bars_so_far(name, n, values):
    takes = (PRIMITIVES[name] if name in PRIMITIVES else DERIVED[name]).takes.split()
    other = np.cumsum(np.cos(np.arange(80)))
    if name in ("blend", "held", "sum_since", "max_since"):
        other = np.round(np.maximum(other - 0.3, 0), 1)  # often 0
    words = {"x": "x", "y": "y", "n": str(n), "q": "0.3"}
    got = column(f"{name}({', '.join(words[w] for w in takes)})", panel_of(WALK), x=values, y=other)
    numbers = [{"n": n, "q": 0.3}[w] for w in takes if w in ("n", "q")]
    warmup = np.isnan(got).sum()
    for t in range(warmup, 80):
        columns = [{"x": values, "y": other}[w][: t + 1] for w in takes if w in ("x", "y")]
        expected = total(float(WINDOWS[name](*columns, *numbers)))
        assert got[t] == pytest.approx(expected, rel=1e-9, abs=1e-9), t


@pytest.mark.parametrize("seed", range(6))
def test_of_a_chain_of_bars(seed):
    bars = random_walk(400, seed, volatility=0.02)
    got = column("psar(high, low)", panel_of(bars))
    np.testing.assert_allclose(got, CHAINS["psar"](bars), rtol=1e-12)
    turned = column("psar(-low, -high)", panel_of(bars))  # a falling market is one upside down
    np.testing.assert_allclose(-turned[50:], got[50:], rtol=1e-12)


EDGES = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -2.5, 1e-300, -1e99, 1e99, 700.0]


@pytest.mark.parametrize("name", POINTS)
def test_of_one_moment(name):
    n_args = len((PRIMITIVES[name] if name in PRIMITIVES else DERIVED[name]).takes.split())
    grid = np.array(np.meshgrid(*[EDGES] * n_args)).reshape(n_args, -1)
    bars = flat(grid.shape[1])
    names = "abc"[:n_args]
    sides = dict(zip(names, grid, strict=True))
    got = column(f"{name}({', '.join(names)})", panel_of(bars), **sides)
    for value, args in zip(got, grid.T.tolist(), strict=True):
        expected = min(max(float(POINTS[name](*args)), -1e100), 1e100)
        assert value == pytest.approx(expected, rel=1e-12), args


@pytest.mark.parametrize("name", BARS)
def test_of_one_bar(name):
    got = column(f"{name}()", panel_of(WALK))
    expected = [BARS[name](WALK, t) for t in range(1, 80)]
    np.testing.assert_allclose(got[1:], expected, rtol=1e-12)


@pytest.mark.parametrize("name", SECTIONS)
def test_across_instruments(name):
    panel = random_panel(6, 40, missing=0.4)
    x = np.round(np.random.default_rng(2).normal(size=len(panel)), 1)
    got = column(f"{name}(lag(x, 2))", panel, x=x)
    age = np.arange(len(panel)) - panel.offsets[panel.asset_id]
    for at in panel.blocks().row:
        rows = at[(at >= 0) & (age[at] >= 2)]
        for i, row in enumerate(rows):
            expected = SECTIONS[name](i, x[rows - 2]) if rows.size >= 3 else 0.0
            assert got[row] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", SECTIONS)
def test_across_a_universe_members_measure_everybody(name):
    panel = random_panel(7, 40, missing=0.3)
    rng = np.random.default_rng(4)
    x, member = np.round(rng.normal(size=len(panel)), 1), rng.random(len(panel)) < 0.6
    got = column(f"{name}(x)", replace(panel, member=member), x=x)
    for at in panel.blocks().row:
        rows = at[at >= 0]
        inside = rows[member[rows]]
        for row in rows:
            # an outsider's value joins those of the members for itself alone
            if inside.size < 3:
                expected = 0.0
            elif name == "cross_mean":
                expected = np.mean(x[inside])
            elif member[row]:
                expected = SECTIONS[name](list(inside).index(row), x[inside])
            elif name == "cross_rank":
                expected = SECTIONS[name](inside.size, [*x[inside], x[row]])
            else:
                spread = x[inside].std()
                expected = (x[row] - x[inside].mean()) / spread if np.ptp(x[inside]) > 0 else 0
            assert got[row] == pytest.approx(expected, abs=1e-12)


def test_whoever_joins_a_universe_has_a_past_beside_it():
    """A beta of 96 bars, the first of them before it joined: of the market, not of zeros."""
    panel = random_panel(6, 300, seed=3)
    joins = (panel.asset_id == 0) & (panel.time < panel.time[200])
    beta = "beta(ret, cross_mean(ret), 96)"
    others = column("cross_mean(ret)", panel.where(panel.asset_id != 0))[:300]
    got = column(beta, replace(panel, member=~joins))[:300]
    own = panel.close[1:300] / panel.close[:299] - 1
    assert got[199] == pytest.approx(
        np.cov(own[103:199], others[104:200], ddof=0)[0, 1] / others[104:200].var(), rel=1e-9
    )


def test_across_instruments_of_across_instruments():
    panel = random_panel(5, 60, missing=0.2)
    once = column("cross_rank(ret)", panel)
    rows = np.isfinite(once)
    again = column("cross_zscore(cross_rank(ret) - cross_mean(ret))", panel)
    shifted = once - column("cross_mean(ret)", panel)
    expected = column("cross_zscore(x)", panel.where(rows), x=shifted[rows])
    np.testing.assert_allclose(again[rows], expected, atol=1e-12)


def test_time_is_of_the_bars_start_in_utc():
    panel = panel_of(random_walk(200))  # from Saturday 2022-01-01 00:00
    assert column("hour", panel)[:26].tolist() == [*range(24), 0, 1]
    assert column("weekday", panel)[::24].tolist() == [5, 6, 0, 1, 2, 3, 4, 5, 6]
    assert np.flatnonzero(column("first_of_session()", panel)[1:] == 1)[:2].tolist() == [23, 47]


def test_what_is_not_known_is_zero_and_flagged():
    panel = panel_of(flat(4))
    x = [1.5, np.nan, -np.inf, 2.0]
    assert column("x", panel, x=x).tolist() == [1.5, 0, 0, 2]
    assert column("x_known", panel, x=x).tolist() == [1, 0, 0, 1]
    with pytest.raises(ConfigError, match="side column 'x'; this panel has none"):
        evaluate(compile_expression("it", "x_known", ["x"]), panel)


@pytest.mark.parametrize("text", ["(close - mean(close, 14)) / std(close, 14)", "zscore(close, 7)"])
def test_a_price_that_stands_still_after_moving_is_exactly_still(text):
    close = np.r_[random_walk(60).close, np.full(40, 101.37)]
    bars = Bars("S", random_walk(100).time, *[close] * 4, np.ones(100))
    assert (column(text, panel_of(bars))[-20:] == 0).all()
    assert (column("std(close, 14)", panel_of(bars))[-20:] == 0).all()


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
def test_a_million_bars_do_not_drift(scale):
    n_bars, n = 1_000_000, 21
    walk = random_walk(n_bars, seed=3, volatility=0.002)
    close = scale * walk.close / 100
    close[400_000:400_100] *= 1e6  # a spike that an add-and-subtract sum would remember
    panel = Panel.from_bars(
        [Bars("S", walk.time, *[close] * 4, walk.volume)],
        *(panel_of(flat(2)).timeframe, panel_of(flat(2)).calendar),
    )
    texts = {f: column(f"{f}(close, {n})", panel) for f in ("sum", "mean", "std")}
    for t in [*range(n - 1, n_bars, 99_991), *range(400_000, 400_200, 17), n_bars - 1]:
        exact = [Fraction(v) for v in close[t - n + 1 : t + 1]]
        mean = sum(exact) / n
        spread = math.sqrt(sum((v - mean) ** 2 for v in exact) / n)
        assert texts["sum"][t] == pytest.approx(float(sum(exact)), rel=1e-13)
        assert texts["mean"][t] == pytest.approx(float(mean), rel=1e-13)
        assert texts["std"][t] == pytest.approx(spread, rel=1e-9)
