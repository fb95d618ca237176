"""Odds of a label's outcomes given the truth: a smooth table, estimated on long other paths."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64

_N_SCALE_BINS = 12
_N_STATE_BINS = 32
_STATE_DEGREE = 5
_SCALE_DEGREE = 3
_RIDGE = 1e-6
_N_NEWTON = 30


class Seen(NamedTuple):
    """Rows of one path whose outcome is known, all (n_rows,)."""

    state: Float64
    """The planted state at the row's close."""
    scale: Float64
    """What else moves the odds: log of a barrier's width over the next bar's sd, or of that sd."""
    unit: Float64
    """The next bar's sd: what realised is a smooth multiple of."""
    outcome: Int64
    """-1, 0, +1."""
    realised: Float64
    """Fraction."""


class Odds(NamedTuple):
    """P(outcome | state, scale), E[realised / unit | ...], also given outcome 0; all smooth.

    Within the table's range they are polynomials (of the log odds, of the means), fitted to the
    counts of its cells; beyond it they stay as at its edge.
    """

    discrete: Float64
    """Values of the state where it has a few, (n_values,); empty where it is a number."""
    low: Float64
    """Lowest (state, scale) of the fit."""
    high: Float64
    chance: Float64
    """Coefficients of the log odds of -1 and +1 against 0, (n_terms, 2)."""
    expected: Float64
    """Coefficients of the mean of realised / unit, (n_terms,)."""
    rest: Float64
    """Coefficients of the mean of realised / unit where no barrier was met, (n_terms,)."""
    chance_error: float
    """Standard error of a probability, root mean square over rows and outcomes."""
    expected_error: float
    """Standard error of the expected return, root mean square over rows."""
    mean_rest: float
    """Mean of realised over all rows where no barrier was met."""


class Outcome(NamedTuple):
    """What the odds say of each row."""

    probability: Float64
    """Of -1, 0, +1; (n_rows, 3)."""
    expected: Float64
    """Mean of realised, (n_rows,)."""
    rest: Float64
    """Mean of realised where no barrier is met, (n_rows,)."""


def estimate(paths: Sequence[Seen], discrete: Float64) -> Odds:
    """Odds from several independent paths; their errors from how far the paths disagree.

    Args:
        paths: at least two, equally long.
        discrete: the values of a state that has a few; empty for a number.

    Raises:
        ValueError: fewer than two paths tell no error.
    """
    if len(paths) < 2:
        raise ValueError(f"odds need two paths or more, to tell their error; got {len(paths)}")
    edges = _edges(paths, discrete)
    cells = [_counted(path, edges, discrete) for path in paths]
    whole = _fit(sum(cells[1:], cells[0]), discrete)
    state, scale, unit, weight = _centres(sum(cells[1:], cells[0]))
    apart = [tell(_fit(one, discrete), state, scale, unit) for one in cells]
    share, n = weight / weight.sum(), len(paths)
    chance = np.var([a.probability for a in apart], axis=0, ddof=1).mean(axis=1) / n
    expected = np.var([a.expected for a in apart], axis=0, ddof=1) / n
    return whole._replace(
        chance_error=float(np.sqrt(share @ chance)),
        expected_error=float(np.sqrt(share @ expected)),
    )


def tell(odds: Odds, state: Float64, scale: Float64, unit: Float64) -> Outcome:
    """The odds of rows; NaN where scale is no number. All (n_rows,)."""
    known = np.isfinite(scale)
    terms = _terms(odds, state, np.where(known, scale, 0.0))
    exponent = np.hstack([terms @ odds.chance, np.zeros((len(terms), 1))])[:, [0, 2, 1]]
    exponent = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    probability = exponent / exponent.sum(axis=1, keepdims=True)
    probability[~known] = np.nan
    expected, rest = (
        np.where(known, unit * (terms @ c), np.nan) for c in (odds.expected, odds.rest)
    )
    return Outcome(probability, expected, rest)


_SUMS = (
    "n", "state", "scale", "unit", "down", "up", "realised", "squared", "n_rest", "rest",
    "rest_fraction",
)  # fmt: skip


def _edges(paths: Sequence[Seen], discrete: Float64) -> tuple[Float64, Float64]:
    state, scale = (np.concatenate([getattr(p, n) for p in paths]) for n in ("state", "scale"))
    inner = np.linspace(0, 1, _N_SCALE_BINS + 1)[1:-1]
    scale_edges = np.unique(np.quantile(scale, inner))
    if discrete.size:
        return discrete[:-1] + np.diff(discrete) / 2, scale_edges
    return np.unique(np.quantile(state, np.linspace(0, 1, _N_STATE_BINS + 1)[1:-1])), scale_edges


def _counted(path: Seen, edges: tuple[Float64, Float64], discrete: Float64) -> Float64:
    """Sums over the rows of each cell, (11, n_cells), in the order of _SUMS."""
    n_states = discrete.size or edges[0].size + 1
    n_scales = edges[1].size + 1
    cell = np.searchsorted(edges[0], path.state) * n_scales + np.searchsorted(edges[1], path.scale)
    resting, realised = path.outcome == 0, path.realised / path.unit
    columns = (
        np.ones(cell.size), path.state, path.scale, path.unit, path.outcome < 0, path.outcome > 0,
        realised, realised**2, resting, np.where(resting, realised, 0.0),
        np.where(resting, path.realised, 0.0),
    )  # fmt: skip
    n = n_states * n_scales
    return np.stack([np.bincount(cell, np.asarray(c, float), minlength=n) for c in columns])


def _centres(cells: Float64) -> tuple[Float64, Float64, Float64, Float64]:
    """Mean state, scale and unit of each cell that has rows, and how many."""
    n, state, scale, unit = cells[:4, cells[0] > 0]
    return state / n, scale / n, unit / n, n


def _fit(cells: Float64, discrete: Float64) -> Odds:
    cells = cells[:, cells[0] > 0]
    sums = dict(zip(_SUMS, cells, strict=True))
    state, scale, _, n = _centres(cells)
    low, high = np.array([state.min(), scale.min()]), np.array([state.max(), scale.max()])
    empty = Odds(discrete, low, high, *(np.zeros(0),) * 3, *(np.nan,) * 3)
    terms = _terms(empty, state, scale)
    mean, n_rest = sums["realised"] / n, sums["n_rest"]
    spread = max(float(np.sum(sums["squared"] - n * mean**2) / n.sum()), 1e-12)
    return empty._replace(
        chance=_log_odds(terms, np.stack([sums["down"], sums["up"]], axis=1), n),
        expected=_least_squares(terms, mean, n / spread),
        rest=_least_squares(terms, sums["rest"] / np.maximum(n_rest, 1), n_rest / spread),
        mean_rest=float(sums["rest_fraction"].sum() / max(n_rest.sum(), 1)),
    )


def _terms(odds: Odds, state: Float64, scale: Float64) -> Float64:
    """Polynomials of the scale times those of the state, or one set for each of its values."""
    middle, half = (odds.high + odds.low) / 2, np.maximum((odds.high - odds.low) / 2, 1e-12)
    v = (np.clip(scale, odds.low[1], odds.high[1]) - middle[1]) / half[1]
    by_scale = np.polynomial.legendre.legvander(v, _SCALE_DEGREE)
    if odds.discrete.size:
        by_state = (state[:, None] == odds.discrete).astype(np.float64)
    else:
        u = (np.clip(state, odds.low[0], odds.high[0]) - middle[0]) / half[0]
        by_state = np.polynomial.legendre.legvander(u, _STATE_DEGREE)
    return np.asarray((by_state[:, :, None] * by_scale[:, None, :]).reshape(len(state), -1))


def _least_squares(terms: Float64, value: Float64, weight: Float64) -> Float64:
    weighed = terms * weight[:, None]
    grip = _RIDGE * weight.sum() * np.eye(terms.shape[1])
    return np.asarray(np.linalg.solve(terms.T @ weighed + grip, weighed.T @ value))


def _log_odds(terms: Float64, counts: Float64, n: Float64) -> Float64:
    """Multinomial logistic regression on counts by Newton's method, (n_terms, 2)."""
    n_terms = terms.shape[1]
    found = np.zeros((n_terms, 2))
    grip = _RIDGE * n.sum()
    for _ in range(_N_NEWTON):
        exponent = np.clip(terms @ found, -30, 30)
        odds = np.exp(exponent)
        p = odds / (1 + odds.sum(axis=1, keepdims=True))
        slope = (terms.T @ (counts - n[:, None] * p) - grip * found).T.ravel()
        curve = np.empty((2, n_terms, 2, n_terms))
        for a in range(2):
            for b in range(2):
                weight = n * p[:, a] * ((a == b) - p[:, b])
                curve[a, :, b] = terms.T @ (terms * weight[:, None])
        curve = curve.reshape(2 * n_terms, -1) + grip * np.eye(2 * n_terms)
        step = np.linalg.solve(curve, slope).reshape(2, n_terms).T
        found = found + step
        if np.abs(step).max() < 1e-8:
            break
    return found
