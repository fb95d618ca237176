"""A mixture of experts: a gate reads named columns and says how far each member is to be heard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from numba import njit
from pydantic import Field
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from touchstone.arrays import Float64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Members, Outcomes, Strength
from touchstone.ensembles.rows import (
    array,
    check_scores,
    checked,
    from_files,
    likelihood,
    pool,
    reading,
    shares,
    to_files,
)
from touchstone.ensembles.timeline import thinned

_WIDE = 3.0
"""Deviations beyond which a column tells the gate no more."""


class MoeConfig(Config):
    """Weights of a row with columns x: g = softmax(A'x + a), of least

        mean_i -ln(sum_k g_k(x_i) p_ik) + l2 / 2 (|A|^2 + |a|^2)

    Columns are standardised on the fitted rows and end at 3 deviations; one that is not known
    counts as its mean. The members stay as they are and the gate alone is fitted, by gradients
    (L-BFGS) from equal weights: the loss may have other least points, the one found is always the
    same.

    Source: Jacobs, Jordan, Nowlan & Hinton (1991), Adaptive mixtures of local experts, Neural
    Computation 3(1), eq. 1.3; Jordan & Jacobs (1994), Hierarchical mixtures of experts and the EM
    algorithm, Neural Computation 6(2), for the gate's gradient h_k - g_k.
    """  # noqa: D415  the sentence goes on in a formula

    kind: Literal["moe"] = "moe"
    gate: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "std(ret, 24)", "close / mean(close, 200) - 1",
    )  # fmt: skip
    """What the gate reads: expressions like features', known at the row's close."""
    l2: Annotated[Strength, Range(1e-5, 1e-1, log=True)] = 1e-3
    """Pull of the gate to equal weights, relative to the mean log-loss."""
    max_rows: Annotated[int, Field(ge=100)] = 200_000
    """Of more rows, so many evenly spread over time are fitted to."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What it reads."""
        return self.gate


@ENSEMBLES.register(MoeConfig)
@dataclass(frozen=True)
class Moe:
    """p = sum_k g_k(x) p_k."""

    config: MoeConfig
    n_outcomes: int
    centre: Float64 = field(repr=False)
    """(n_columns,) mean of each column in the fitted rows."""
    scale: Float64 = field(repr=False)
    """(n_columns,) their deviation."""
    theta: Float64 = field(repr=False)
    """(1 + n_columns, n_members): a, then A."""

    @classmethod
    def fit(cls, config: MoeConfig, members: Members, outcomes: Outcomes, seed: int) -> "Moe":  # noqa: ARG003 (nothing is drawn)
        """Standardise the columns, then fit the gate."""
        checked(members, outcomes)
        some = thinned(members.instant, config.max_rows)
        columns = np.stack([members.column(e)[some] for e in config.gate], axis=1)
        centre, scale = _moments(columns)
        given = likelihood(members.score, outcomes.outcome, some)
        inputs, share = _inputs(columns, centre, scale), shares(outcomes.weight[some])
        theta = _least_loss(inputs, given, share, config.l2)
        return cls(config, members.score.shape[2], centre, scale, theta)

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """The weighted mean by what the gate says of each row, (n_rows, n_outcomes)."""
        return pool(members.score, self.weights(members, outcomes))

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:  # noqa: ARG002 (nothing more is learnt)
        """What the gate says of each row."""
        check_scores(members, self.theta.shape[1], self.n_outcomes)
        columns = np.stack([members.column(e) for e in self.config.gate], axis=1)
        inputs = _inputs(columns, self.centre, self.scale)
        out = np.empty((len(inputs), self.theta.shape[1]))
        _gate(inputs, self.theta, out)
        return out

    def files(self) -> dict[str, bytes]:
        """The gate as JSON."""
        parts = {"centre": self.centre, "scale": self.scale, "theta": self.theta}
        return to_files("moe", {"n_outcomes": self.n_outcomes, **parts})

    @classmethod
    def restore(cls, config: MoeConfig, files: Mapping[str, bytes]) -> "Moe":
        """The gate that wrote these files."""
        content, n = from_files("moe", files), len(config.gate)
        with reading("moe"):
            return cls(
                config, int(content["n_outcomes"]), array(content, "centre", (n,)),
                array(content, "scale", (n,)), array(content, "theta", (1 + n, -1)),
            )  # fmt: skip


def _moments(columns: Float64) -> tuple[Float64, Float64]:
    """Mean and deviation of each column where it is known; of one never known 0 and 1."""
    known = np.isfinite(columns)
    count = np.maximum(known.sum(0), 1)
    centre = np.where(known, columns, 0.0).sum(0) / count
    square = np.where(known, columns - centre, 0.0) ** 2
    scale = np.sqrt(square.sum(0) / count)
    return centre, np.where(scale > 0, scale, 1.0)


def _inputs(columns: Float64, centre: Float64, scale: Float64) -> Float64:
    """A one, then the standardised columns, (n_rows, 1 + n_columns)."""
    out = np.ones((len(columns), 1 + centre.size))
    known = np.isfinite(columns)
    out[:, 1:] = np.clip(np.where(known, (columns - centre) / scale, 0.0), -_WIDE, _WIDE)
    return out


def _least_loss(inputs: Float64, given: Float64, share: Float64, l2: float) -> Float64:
    shape = (inputs.shape[1], given.shape[1])

    def loss(flat: Float64) -> tuple[float, Float64]:
        theta, slope = flat.reshape(shape), np.zeros(shape)
        value = _loss(inputs, given, share, theta, slope)
        return value + 0.5 * l2 * float(flat @ flat), (slope + l2 * theta).ravel()

    options = {"maxiter": 200, "ftol": 1e-12, "gtol": 1e-7}
    with threadpool_limits(1):  # the order of sums, and so the bits, depend on the threads
        found = minimize(
            loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options=options
        )
    return np.asarray(found.x, np.float64).reshape(shape)


@njit(cache=True)
def _softmax(inputs: Float64, i: int, theta: Float64, out: Float64) -> None:
    n_columns, n_members = theta.shape
    out[:] = 0.0
    for d in range(n_columns):
        for k in range(n_members):
            out[k] += inputs[i, d] * theta[d, k]
    top, total = out.max(), 0.0
    for k in range(n_members):
        out[k] = np.exp(out[k] - top)
        total += out[k]
    for k in range(n_members):
        out[k] /= total


@njit(cache=True)
def _gate(inputs: Float64, theta: Float64, out: Float64) -> None:
    for i in range(out.shape[0]):
        _softmax(inputs, i, theta, out[i])


@njit(cache=True)
def _loss(inputs: Float64, given: Float64, share: Float64, theta: Float64, slope: Float64) -> float:
    n_rows, n_members = given.shape
    gate = np.empty(n_members)
    value = 0.0
    for i in range(n_rows):
        _softmax(inputs, i, theta, gate)
        mixed = 0.0
        for k in range(n_members):
            mixed += gate[k] * given[i, k]
        value -= share[i] * np.log(mixed)
        for k in range(n_members):
            gate[k] *= share[i] * (1.0 - given[i, k] / mixed)
        for d in range(inputs.shape[1]):
            for k in range(n_members):
                slope[d, k] += inputs[i, d] * gate[k]
    return value
