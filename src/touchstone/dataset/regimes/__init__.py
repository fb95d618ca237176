"""Hidden regimes: a Markov chain fitted on train rows, read forward only. One fit a file.

Every kind ends in one noun, `RegimeFilter`: a chain of states that each give the inputs a normal
law. What a model sees of it are the *filtered* probabilities p(state at t | inputs up to t): never
smoothed, never the best path, since both read the future. The same step is taken over a whole
history and bar by bar, so that batch and live agree bit for bit.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from touchstone.arrays import Bool, Float64, Int64
from touchstone.errors import ArtifactError, TooFewBarsError
from touchstone.labels import PATIENCE
from touchstone.market import Calendar, Panel, Timeframe
from touchstone.registration import Family

CLIP: Final = 10.0
"""Standardised inputs are cut here, in deviations: one broken bar does not decide for long."""
_DAY_NS: Final = 86_400_000_000_000
RARE: Final = 1e-6
"""No jump is thought less likely than this: a state that train rows never left can be left."""


class Sequences(NamedTuple):
    """Runs of rows that follow each other without a gap: what a chain may be fitted on."""

    rows: Int64
    """Rows of the panel, run after run, each run rising by 1, (n,)."""
    lengths: Int64
    """Rows of each run, (n_runs,)."""


class RegimeFilter(NamedTuple):
    """A chain of k states over d inputs, states in the order of their volatility, calmest first."""

    kind: str
    centre: Float64
    """Of each input over the rows of the fit, in its own unit, (d,)."""
    scale: Float64
    """Likewise, positive, (d,)."""
    start: Float64
    """p(state) at the first bar and after a gap, (k,)."""
    transition: Float64
    """p(state j at the next bar | state i), rows sum to 1, (k, k)."""
    mean: Float64
    """Of the standardised inputs in a state, (k, d)."""
    covariance: Float64
    """Likewise, (k, d, d), positive definite."""

    @property
    def n_states(self) -> int:
        """How many states."""
        return int(self.start.size)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns: `regime_1` is the calmest state's probability, (k,)."""
        return tuple(f"regime_{i + 1}" for i in range(self.n_states))

    def filtered(self, inputs: Float64, begins: Bool) -> Float64:
        """Filtered probabilities of every row.

        Args:
            inputs: (n_rows, d), in their own units, instruments one after the other; NaN while
                they warm up.
            begins: (n_rows,) rows before which nothing is known: see `begins`.

        Returns:
            (n_rows, k), each row known at its bar's close and summing to 1; NaN where an input is
            not finite, after which the chain begins anew.
        """
        out = np.empty((len(inputs), self.n_states))
        _filter(np.ascontiguousarray(inputs, np.float64), begins, self._chain, out)
        return out

    def advance(self, held: Float64, inputs: Float64, begins: Bool) -> Float64:
        """One bar of many instruments: `filtered` row by row, the same bits.

        Args:
            held: (n_instruments, k) what the last call gave; NaN where there was none.
            inputs: (n_instruments, d) at this bar.
            begins: (n_instruments,) as in `filtered`.

        Returns:
            (n_instruments, k); for an instrument without this bar keep what was held.
        """
        out = np.empty((len(inputs), self.n_states))
        _advance(
            np.ascontiguousarray(held, np.float64),
            np.ascontiguousarray(inputs, np.float64), begins, self._chain, out,
        )  # fmt: skip
        return out

    def to_json(self) -> str:
        """The filter as text, exact: each number is written in the digits that restore it."""
        numbers = {n: getattr(self, n).tolist() for n in self._fields[1:]}
        return json.dumps({"kind": self.kind, **numbers}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "RegimeFilter":
        """The filter that `to_json` wrote.

        Raises:
            ArtifactError: not such a text, or numbers that no fit gives.
        """
        try:
            saved = json.loads(text)
            numbers = [np.asarray(saved[n], np.float64) for n in cls._fields[1:]]
            found = cls(str(saved["kind"]), *numbers)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"a regime filter's JSON cannot be read: {error!r}") from error
        k, d = found.start.size, found.centre.size
        shapes = ((d,), (d,), (k,), (k, k), (k, d), (k, d, d))
        if k * d == 0 or tuple(x.shape for x in numbers) != shapes:
            raise ArtifactError(f"a regime filter of {k} states and {d} inputs has other shapes")
        chances = np.vstack([found.start, found.transition])
        if not all(np.isfinite(x).all() for x in numbers) or (found.scale <= 0).any():
            raise ArtifactError("a regime filter needs finite numbers and positive scales")
        if (chances <= 0).any() or np.abs(chances.sum(1) - 1).max() > 1e-9:
            raise ArtifactError("a regime filter's chances need to be positive and sum to 1")
        try:
            np.linalg.cholesky(found.covariance)
        except np.linalg.LinAlgError:
            raise ArtifactError("a regime filter's covariances need to be positive") from None
        return found

    @property
    def _chain(self) -> "_Chain":
        whiten = np.linalg.inv(np.linalg.cholesky(self.covariance))
        level = np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(1)
        flat = np.ascontiguousarray
        return _Chain(
            self.centre,
            1.0 / self.scale,
            np.log(self.start),
            flat(self.transition),
            flat(self.mean),
            flat(whiten),
            level,
        )


Fit = Callable[[Any, Float64, Sequences, int], RegimeFilter]
"""(config, inputs (n_rows, d), sequences, seed) -> RegimeFilter.

A kind's config says `states`, how many, and `inputs`, name -> expression, of which the first
orders them.
"""

REGIMES: Final[Family[Fit]] = Family("regime filter", __name__)


def begins(panel: Panel) -> Bool:
    """Rows before which an instrument was away for more than 4 bars of trading time, (n_rows,).

    Its first bar among them. Known at the bar's close.
    """
    first = np.zeros(len(panel), np.bool_)
    first[panel.offsets[:-1][panel.offsets[:-1] < panel.offsets[1:]]] = True
    elapsed = panel.calendar.trading_time(panel.available_at)
    away = np.r_[False, np.diff(elapsed) > patience_ns(panel.timeframe, panel.calendar)]
    return np.asarray(first | away, np.bool_)


def patience_ns(timeframe: Timeframe, calendar: Calendar) -> int:
    """Trading time between two closes, ns, after which nothing is known any more: 4 bars."""
    if timeframe.is_daily:
        return PATIENCE * (timeframe.ns // _DAY_NS * calendar.session_ns)
    return PATIENCE * timeframe.ns


def sequences(panel_begins: Bool, inputs: Float64, rows: Int64) -> Sequences:
    """The runs of some rows: broken where a row is left out, an input missing, or a gap.

    Args:
        panel_begins: (n_rows,) from `begins`.
        inputs: (n_rows, d).
        rows: rising, (n,): a fold's train rows.

    Raises:
        TooFewBarsError: no row with all inputs.
    """
    kept = rows[np.isfinite(inputs[rows]).all(1)]
    if not kept.size:
        raise TooFewBarsError(
            f"regimes: none of {rows.size} train rows has all inputs: lengthen `train` or shorten "
            "the longest warm-up among regimes.inputs"
        )
    breaks = np.r_[True, (np.diff(kept) != 1) | panel_begins[kept[1:]]]
    at = np.flatnonzero(breaks)
    return Sequences(kept, np.diff(np.r_[at, kept.size]))


class _Chain(NamedTuple):
    """A filter as its kernel reads it."""

    centre: Float64
    inverse: Float64
    log_start: Float64
    transition: Float64
    mean: Float64
    whiten: Float64
    """Inverse of the lower Cholesky factor of each covariance, (k, d, d)."""
    level: Float64
    """Log of its determinant, (k,)."""


@njit(cache=True, error_model="numpy")
def _step(chain: _Chain, x: Float64, before: Float64, begins: bool, out: Float64) -> None:
    """p(state | all up to this bar) from p(state | all up to the last one); NaN if x is missing."""
    k, d = chain.mean.shape
    finite = True
    for j in range(d):
        finite &= np.isfinite(x[j])
    if not finite:
        out[:] = np.nan
        return
    anew = begins or not np.isfinite(before[0])
    top = -np.inf
    for s in range(k):
        if anew:
            log = chain.log_start[s]
        else:
            reach = 0.0
            for r in range(k):
                reach += before[r] * chain.transition[r, s]
            log = np.log(reach)
        distance = 0.0
        for i in range(d):
            z = 0.0
            for j in range(i + 1):
                u = (x[j] - chain.centre[j]) * chain.inverse[j]
                u = min(max(u, -CLIP), CLIP)
                z += chain.whiten[s, i, j] * (u - chain.mean[s, j])
            distance += z * z
        out[s] = log + chain.level[s] - 0.5 * distance
        top = max(top, out[s])
    total = 0.0
    for s in range(k):
        out[s] = np.exp(out[s] - top)
        total += out[s]
    for s in range(k):
        out[s] /= total


@njit(cache=True, error_model="numpy")
def _filter(inputs: Float64, begins: Bool, chain: _Chain, out: Float64) -> None:
    before = np.full(chain.mean.shape[0], np.nan)
    for row in range(len(inputs)):
        _step(chain, inputs[row], before, begins[row], out[row])
        before[:] = out[row]


@njit(cache=True, error_model="numpy")
def _advance(held: Float64, inputs: Float64, begins: Bool, chain: _Chain, out: Float64) -> None:
    for i in range(len(inputs)):
        _step(chain, inputs[i], held[i], begins[i], out[i])
