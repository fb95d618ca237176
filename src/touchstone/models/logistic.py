"""Multinomial logistic regression on one row per sample: the least that a model has to beat."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import PositiveFloat, PositiveInt
from scipy.optimize import minimize
from scipy.special import expit, log_expit, softmax
from threadpoolctl import threadpool_limits

from touchstone.arrays import Float32, Float64, Int32
from touchstone.config import Config, Range
from touchstone.errors import ArtifactError, DataError
from touchstone.models import MODELS, Inputs, Progress, Shape, Table, TabularHead, file_of

TEXT = "logistic.json"
_CHUNK = 8192
"""Rows standardised at a time: 48 columns of float64 are 3 MB and stay in the cache."""
_HELD = 8_000_000
"""Values up to which the standardised rows are held through a fit, 64 MB; more of them are made
anew in every step, with the same bits."""
_BIAS_L2 = 1e-8
"""Only so that three biases, of which two would do, have one best value."""


class LogisticConfig(Config):
    """Softmax of a linear function of standardised columns, with an L2 penalty."""

    kind: Literal["logistic"] = "logistic"
    head: TabularHead = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest."""
    l2: Annotated[PositiveFloat, Range(1e-5, 1e-1, log=True)] = 1e-3
    """Penalty: l2 / 2 times the sum of squared coefficients is added to the mean log-loss."""
    max_iterations: PositiveInt = 100
    """Most steps of L-BFGS; about 30 are usual."""
    tolerance: PositiveFloat = 1e-5
    """Ends when no component of the gradient of the mean log-loss is larger."""


class Coefficients(NamedTuple):
    """Of the linear function, and of the standardising before it; float64."""

    centre: Float64
    """(n_columns,)"""
    scale: Float64
    """(n_columns,)"""
    slope: Float64
    """(n_columns, n_outcomes)"""
    bias: Float64
    """(n_outcomes,)"""


@MODELS.register(LogisticConfig)
@dataclass(frozen=True)
class Logistic:
    """A fitted logistic regression: p = softmax(B' (x - m) / s + b), of `buy` the sigmoid.

    B and b have the least weighted mean of -ln p(what came), plus l2 / 2 |B|^2; m and s are mean
    and deviation of the train rows.

    Source: Cox (1958), The regression analysis of binary sequences; L-BFGS: Liu & Nocedal (1989).
    """

    config: LogisticConfig
    shape: Shape
    coefficients: Coefficients = field(repr=False)
    best_epoch: Literal[0] = 0
    inputs: Inputs = "tabular"

    @classmethod
    def restore(
        cls, config: LogisticConfig, shape: Shape, files: Mapping[str, bytes]
    ) -> "Logistic":
        """The regression that wrote these files.

        Raises:
            ArtifactError: the file is missing, not JSON, or of another shape.
        """
        try:
            read = json.loads(file_of(files, TEXT))
            found = Coefficients(*(np.array(read[name], np.float64) for name in read["order"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{TEXT} cannot be read: {error!r}") from None
        n_columns = found.centre.size
        needed = [(n_columns,), (n_columns,), (n_columns, shape.n_outcomes), (shape.n_outcomes,)]
        if [part.shape for part in found] != needed:
            raise ArtifactError(f"{TEXT}: shapes {[p.shape for p in found]}, needed {needed}")
        return cls(config, shape, found)

    def raw(self, inputs: Float32, asset_id: Int32) -> Float64:  # noqa: ARG002 (it sees no id)
        """Probabilities (n, n_outcomes) of (n, n_columns) rows."""
        centre, scale, slope, bias = self.coefficients
        if inputs.ndim != 2 or inputs.shape[1] != centre.size:
            raise DataError(f"rows of shape {inputs.shape}, the model needs (n, {centre.size})")
        if not np.isfinite(inputs).all():
            row = int(np.argwhere(~np.isfinite(inputs))[0, 0])
            raise DataError(f"row {row} holds a value that is not finite: leave such rows out")
        logits = ((inputs - centre) / scale) @ slope + bias
        probability: Float64 = expit(logits) if logits.shape[1] == 1 else softmax(logits, axis=1)
        return probability

    def files(self) -> dict[str, bytes]:
        """The coefficients as JSON, every digit kept."""
        content = {name: part.tolist() for name, part in self.coefficients._asdict().items()}
        return {TEXT: json.dumps({"order": Coefficients._fields, **content}).encode()}

    @staticmethod
    def grow(
        config: LogisticConfig,
        shape: Shape,
        train: Table,
        validate: Table | None,
        seed: int,  # noqa: ARG004 (nothing is drawn)
        steps: int | None,  # noqa: ARG004 (it runs to the end: there is one best value)
    ) -> Iterator[Progress]:
        """Fit, and show itself once."""
        with threadpool_limits(1):  # the order of sums, and so the bits, depend on the threads
            fitted = Logistic(config, shape, _fit(config, shape, train))

        def probability(inputs: Float32) -> Float64:
            none = np.zeros(0, np.int32)
            parts = (inputs[i : i + _CHUNK] for i in range(0, len(inputs), _CHUNK))
            return np.concatenate([fitted.raw(part, none) for part in parts])

        yield Progress(
            0,
            lambda: probability(train.inputs),
            lambda: None if validate is None else probability(validate.inputs),
            lambda: fitted,
        )


def _fit(config: LogisticConfig, shape: Shape, train: Table) -> Coefficients:
    """The coefficients of least penalised mean log-loss, by L-BFGS in float64."""
    n_columns, n_out = train.inputs.shape[1], shape.n_outcomes
    centre = train.inputs.mean(0, dtype=np.float64)
    scale = train.inputs.std(0, dtype=np.float64)
    scale[scale == 0] = 1.0  # a constant column says nothing, and is left at zero
    classes = np.array([1] if n_out == 1 else [-1, 0, 1])
    hit = (train.outcome[:, None] == classes).astype(np.float64)
    weight = np.asarray(train.weight, np.float64)[:, None] / train.weight.sum(dtype=np.float64)

    parts = [slice(i, i + _CHUNK) for i in range(0, len(hit), _CHUNK)]

    def standardised() -> Iterator[Float64]:
        return ((train.inputs[part] - centre) / scale for part in parts)

    held = list(standardised()) if train.inputs.size <= _HELD else None

    def loss(theta: Float64) -> tuple[float, Float64]:
        slope, bias = theta[n_out:].reshape(n_columns, n_out), theta[:n_out]
        total, gradient = 0.0, np.zeros((n_columns + 1, n_out))
        for part, x in zip(parts, standardised() if held is None else held, strict=True):
            value, error = _surprise(x @ slope + bias, hit[part])
            error *= weight[part]
            total += float(np.sum(value * weight[part, 0]))
            gradient[0] += error.sum(0)
            gradient[1:] += x.T @ error
        total += config.l2 / 2 * float(np.sum(slope**2)) + _BIAS_L2 / 2 * float(np.sum(bias**2))
        gradient[0] += _BIAS_L2 * bias
        gradient[1:] += config.l2 * slope
        return total, gradient.ravel()

    start = np.zeros((n_columns + 1) * n_out)
    rate = np.clip((hit * weight).sum(0), 1e-6, 1 - 1e-6)
    start[:n_out] = np.log(rate / (1 - rate)) if n_out == 1 else np.log(rate)
    limits = {"maxiter": config.max_iterations, "gtol": config.tolerance, "ftol": 1e-12}
    theta = minimize(loss, start, jac=True, method="L-BFGS-B", options=limits).x
    return Coefficients(centre, scale, theta[n_out:].reshape(n_columns, n_out), theta[:n_out])


def _surprise(logits: Float64, hit: Float64) -> tuple[Float64, Float64]:
    """Log-loss of each row, (n,), and its gradient in the logits, (n, n_outcomes)."""
    if logits.shape[1] == 1:
        value = -log_expit(np.where(hit > 0, logits, -logits))[:, 0]
        return value, expit(logits) - hit
    # Column by column: numpy's sums over so short an axis take most of a fit.
    above = logits - reduce(np.maximum, logits.T)[:, None]
    log_p = above - np.log(reduce(np.add, np.exp(above).T))[:, None]
    return -reduce(np.add, (hit * log_p).T), np.exp(log_p) - hit
