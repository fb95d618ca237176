"""Gaussian hidden Markov model: fitted by expectation maximisation, told apart by volatility."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from threadpoolctl import threadpool_limits

from touchstone.arrays import Float64
from touchstone.config import Config
from touchstone.dataset.regimes import CLIP, RARE, REGIMES, RegimeFilter, Sequences
from touchstone.errors import TooFewBarsError, TrainingError
from touchstone.seeding import generator

_ROWS_PER_NUMBER: Final = 10
"""Rows that a fit needs for each number that it fits."""
_LEAST_VARIANCE: Final = 1e-6
"""Of a state, in standardised inputs: one that shrank onto a point or a line keeps a little."""
_STRETCH: Final = 500
"""Rows of a run that are taken together at least: enough to tell how long its states last."""
_STICKY: Final = 0.95
"""Where the search begins: a state lasts 20 bars."""


class HmmConfig(Config):
    """A chain of hidden states, each with a normal law of its own."""

    kind: Literal["hmm"] = "hmm"
    states: Annotated[int, Field(ge=2, le=8)] = 3
    """How many; numbered from the calmest by the first input's root mean square."""
    inputs: Annotated[Mapping[str, str], Field(min_length=1)] = {
        "move": "log(close / lag(close, 1))",
        "span": "log(log(high / low) + 0.0001)",
    }
    """What the states are told apart by, name -> expression; the first one orders them, so it is
    a return or a volatility. The logarithm of a bar's range is nearly normal."""
    covariance: Literal["full", "diag"] = "full"
    """Whether the inputs of one state may go together."""
    rows: Annotated[int, Field(ge=1_000)] | None = 50_000
    """Train rows that are fitted: a stretch of every instrument, drawn by the seed; null: all."""
    starts: PositiveInt = 2
    """Searches from different beginnings; the likeliest end is kept."""
    iterations: PositiveInt = 200
    """Most rounds of expectation maximisation of each."""
    tolerance: PositiveFloat = 1e-5
    """A search has ended when a round adds less than this to the mean log-likelihood of a row."""
    smallest_share: Annotated[float, Field(ge=0, lt=0.5)] = 0.01
    """A state that holds less than this share of the rows is none."""


@REGIMES.register(HmmConfig)
def hmm(config: HmmConfig, inputs: Float64, sequences: Sequences, seed: int) -> RegimeFilter:
    """The likeliest chain over the runs of rows that were given; no other row is read.

    Args:
        config: states, inputs, how to search.
        inputs: (n_rows, d), in the order of `config.inputs`.
        sequences: runs of train rows.
        seed: draws the stretches and the beginnings.

    Raises:
        TooFewBarsError: fewer rows than ten for each number that is fitted.
        TrainingError: a constant input, a search that does not end, a state that holds nothing.

    Source: Rabiner (1989), A Tutorial on Hidden Markov Models, Proceedings of the IEEE 77:2;
    the range as an input: Alizadeh, Brandt & Diebold (2002), Journal of Finance 57:3.
    """
    k, d = config.states, inputs.shape[1]
    rng = generator(seed, "regimes")
    drawn = _drawn(sequences, config.rows, rng)
    x = inputs[drawn.rows]
    needed = _ROWS_PER_NUMBER * (k * k + k * d * (d + 3) // 2)
    if len(x) < needed:
        raise TooFewBarsError(
            f"regimes: {len(x)} train rows for {k} states of {d} inputs, {needed} are needed: "
            "lengthen `train`, or ask for fewer states or inputs"
        )
    centre, scale = _size(x, tuple(config.inputs))
    u = np.clip((x - centre) / scale, -CLIP, CLIP)
    with threadpool_limits(1):  # the order of sums, and so the bits, depend on the threads
        ends = [_searched(config, u, drawn, begin) for begin in _beginnings(config, u, rng)]
    settled = [end for end in ends if end.settled] or ends
    best = max(settled, key=lambda end: end.likelihood)
    _check(config, best, len(x))
    return _ordered(best.model, centre, scale)


def _size(x: Float64, names: tuple[str, ...]) -> tuple[Float64, Float64]:
    """Mean and deviation of each input with its thousandth at either end drawn in, (d,) each.

    So that one impossible bar does not make all others alike.
    """
    held = np.clip(x, *np.quantile(x, [0.001, 0.999], axis=0))
    centre, scale = held.mean(0), held.std(0)
    for name, place, size in zip(names, np.abs(centre), scale, strict=True):
        if not size > 1e-9 * place:
            raise TrainingError(
                f"regimes: input {name!r} is constant over the {len(x)} train rows, or all but, "
                "and tells no states apart: leave it out"
            )
    return centre, scale


class _End(NamedTuple):
    """Where one search came to rest."""

    model: Any
    likelihood: float
    """Mean log-likelihood of a row."""
    settled: bool
    shares: Float64
    """Of the rows, by state, (k,)."""


class _Watch:
    """Watches a search in place of hmmlearn's own, which calls one settled that ran out of rounds.

    Args:
        tolerance: change of the log-likelihood that ends it.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.history: list[float] = []

    @property
    def converged(self) -> bool:
        """Whether the last round changed next to nothing."""
        return len(self.history) > 1 and abs(self.history[-1] - self.history[-2]) < self.tolerance

    def report(self, likelihood: float) -> None:
        """Called after every round."""
        self.history.append(float(likelihood))

    def _reset(self) -> None:
        self.history = []


def _drawn(sequences: Sequences, rows: int | None, rng: np.random.Generator) -> Sequences:
    """A stretch of each run, the runs in a drawn order, until there are rows enough.

    Where there are more rows than are asked for, every run gives its share and none less than
    `_STRETCH`, from a drawn place: all instruments and all times are met.
    """
    if rows is None or sequences.rows.size <= rows:
        return sequences
    most = max(_STRETCH, rows // sequences.lengths.size)
    starts = np.cumsum(sequences.lengths) - sequences.lengths
    taken, room = [], rows
    for run in rng.permutation(starts.size):
        length = min(int(sequences.lengths[run]), most, room)
        first = int(starts[run]) + int(rng.integers(int(sequences.lengths[run]) - length + 1))
        taken.append((first, length))
        room -= length
        if room == 0:
            break
    taken.sort()
    pieces = [sequences.rows[a : a + n] for a, n in taken]
    return Sequences(np.concatenate(pieces), np.array([n for _, n in taken], np.int64))


def _beginnings(
    config: HmmConfig, u: Float64, rng: np.random.Generator
) -> Iterator[tuple[Float64, Float64]]:
    """(means, covariances) of rows grouped by how far they lie out; cut evenly, then at random."""
    k = config.states
    order = np.argsort(np.abs(u[:, 0]) if u.shape[1] == 1 else np.linalg.norm(u, axis=1))
    for start in range(config.starts):
        even = np.arange(1, k) / k
        cuts = even if start == 0 else np.sort(even + rng.uniform(-0.4, 0.4, k - 1) / k)
        groups = np.split(order, (cuts * len(u)).astype(np.int64))
        mean = np.stack([u[g].mean(0) for g in groups])
        spread = np.stack([np.cov(u[g].T).reshape(u.shape[1], -1) for g in groups])
        yield mean, spread + 1e-3 * np.eye(u.shape[1])


def _searched(
    config: HmmConfig, u: Float64, drawn: Sequences, begin: tuple[Float64, Float64]
) -> _End:
    from hmmlearn.hmm import GaussianHMM  # noqa: PLC0415  scikit-learn comes with it

    k = config.states
    mean, covariance = begin
    model = GaussianHMM(k, config.covariance, n_iter=config.iterations, init_params="")
    model.monitor_ = watch = _Watch(config.tolerance * len(u))
    model.startprob_ = np.full(k, 1 / k)
    model.transmat_ = np.where(np.eye(k) > 0, _STICKY, (1 - _STICKY) / (k - 1))
    model.means_ = mean
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    model.covars_ = covariance if config.covariance == "full" else diagonal
    try:
        model.fit(u, drawn.lengths)
        shares = model.predict_proba(u, drawn.lengths).mean(0)
    except (ValueError, np.linalg.LinAlgError) as error:  # a state shrank onto a point
        raise TrainingError(
            f"regimes: the search for {k} states broke off ({error}): ask for fewer states, or "
            "leave out an input that mostly stands still"
        ) from error
    return _End(model, watch.history[-1] / len(u), watch.converged, shares)


def _check(config: HmmConfig, end: _End, n: int) -> None:
    if not end.settled:
        raise TrainingError(
            f"regimes: none of {config.starts} searches for {config.states} states ended within "
            f"{config.iterations} rounds on {n} rows: allow more iterations, a larger tolerance, "
            "or ask for fewer states"
        )
    if not end.shares.min() >= config.smallest_share:
        raise TrainingError(
            f"regimes: one of {config.states} states holds {end.shares.min():.2%} of {n} train "
            f"rows, {config.smallest_share:.2%} are needed: ask for fewer states"
        )


def _ordered(model: Any, centre: Float64, scale: Float64) -> RegimeFilter:
    """The chain with its states by the root mean square of the first input, in its own unit."""
    first = centre[0] + scale[0] * model.means_[:, 0]
    square = first**2 + scale[0] ** 2 * model.covars_[:, 0, 0]
    order = np.argsort(square, kind="stable")
    return RegimeFilter(
        "hmm",
        centre,
        scale,
        _possible(model.startprob_[order]),
        _possible(model.transmat_[np.ix_(order, order)]),
        model.means_[order],
        model.covars_[order] + _LEAST_VARIANCE * np.eye(centre.size),
    )


def _possible(chances: Float64) -> Float64:
    """The chances with none below `RARE`, summing to 1 again."""
    floored = np.maximum(chances, RARE)
    return np.asarray(floored / floored.sum(-1, keepdims=True), np.float64)
