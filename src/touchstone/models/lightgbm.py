"""Gradient-boosted trees on one row per sample: the baseline that a network has to beat."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias

import lightgbm as boosting
import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from touchstone.arrays import Float32, Float64, Int32
from touchstone.config import Config, Range
from touchstone.errors import ArtifactError, DataError
from touchstone.models import MODELS, Fitted, Inputs, Progress, Shape, Table, TabularHead, file_of

TEXT = "trees.txt"
FACTS = "model.json"


class LightgbmConfig(Config):
    """Small, shrunk trees: bars are mostly noise, and a leaf of few rows learns only that."""

    kind: Literal["lightgbm"] = "lightgbm"
    head: TabularHead = "barrier"
    """`barrier`: p(-1), p(0), p(+1). `buy`: p(+1) against the rest."""
    rounds: PositiveInt = 200
    """Most boosting rounds; validation stops earlier."""
    look_every: PositiveInt = 5
    """Rounds between two looks at the validation rows; the fit's patience counts looks."""
    learning_rate: Annotated[PositiveFloat, Range(0.01, 0.2, log=True)] = 0.05
    """Share of a tree that is added."""
    leaves: Annotated[int, Field(ge=2), Range(7, 63, step=8)] = 15
    """Leaves of a tree."""
    min_rows: Annotated[PositiveInt, Range(50, 1000, log=True)] = 200
    """Fewest rows in a leaf."""
    l2: NonNegativeFloat = 10.0
    """L2 penalty on the value of a leaf."""
    feature_fraction: Annotated[float, Field(gt=0, le=1), Range(0.3, 1.0)] = 0.6
    """Share of columns that a tree may use, drawn anew for each."""
    max_bin: Annotated[int, Field(ge=2, le=255)] = 63
    """Values that a column is rounded to."""


@MODELS.register(LightgbmConfig)
@dataclass(frozen=True)
class Lightgbm:
    """Boosted trees, kept as LightGBM's own text.

    F_m = F_{m-1} + rate f_m, with f_m the tree whose leaves are -G / (H + l2) of the gradients G
    and second derivatives H of the log-loss on their rows; p = softmax(F), of `buy` the sigmoid.

    Source: Ke et al. (2017), LightGBM: A Highly Efficient Gradient Boosting Decision Tree.
    """

    config: LightgbmConfig
    shape: Shape
    text: str = field(repr=False)
    best_epoch: int
    _booster: Any = field(repr=False, compare=False)
    inputs: Inputs = "tabular"

    @classmethod
    def of(cls, config: LightgbmConfig, shape: Shape, text: str) -> "Lightgbm":
        """From the text; the booster in memory is always the one that the text describes."""
        booster = boosting.Booster(model_str=text)
        return cls(config, shape, text, int(booster.num_trees()) // shape.n_outcomes, booster)

    @classmethod
    def restore(
        cls, config: LightgbmConfig, shape: Shape, files: Mapping[str, bytes]
    ) -> "Lightgbm":
        """The trees that wrote these files.

        Raises:
            ArtifactError: a file is missing or damaged, or the trees are of other outcomes.
        """
        text, facts = file_of(files, TEXT), file_of(files, FACTS)
        # LightGBM aborts the whole process over a text that is cut short, so nothing reaches it
        # that it did not write.
        try:
            whole = json.loads(facts)["sha256"] == hashlib.sha256(text).hexdigest()
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{FACTS} cannot be read: {error!r}") from None
        if not whole:
            raise ArtifactError(f"{TEXT} is not the text that {FACTS} was written for: damaged?")
        try:
            fitted = cls.of(config, shape, text.decode())
        except (boosting.basic.LightGBMError, UnicodeDecodeError) as error:
            raise ArtifactError(f"{TEXT} cannot be read as trees: {error}") from None
        per_round = int(fitted._booster.num_model_per_iteration())
        if per_round != shape.n_outcomes:
            raise ArtifactError(
                f"{TEXT} holds {per_round} trees a round, the shape needs {shape.n_outcomes}"
            )
        return fitted

    def raw(self, inputs: Float32, asset_id: Int32) -> Float64:  # noqa: ARG002 (trees see no id)
        """Probabilities (n, n_outcomes) of (n, n_columns) rows, on one thread."""
        n_columns = int(self._booster.num_feature())
        if inputs.ndim != 2 or inputs.shape[1] != n_columns:
            raise DataError(f"rows of shape {inputs.shape}, the trees need (n, {n_columns})")
        if not np.isfinite(inputs).all():
            row = int(np.argwhere(~np.isfinite(inputs))[0, 0])
            raise DataError(f"row {row} holds a value that is not finite: leave such rows out")
        probability: Float64 = self._booster.predict(inputs, num_threads=1)
        return probability.reshape(len(inputs), -1)

    def contributions(self, inputs: Float32) -> Float64:
        """SHAP values of the raw margins, exact for these trees (TreeSHAP), on one thread.

        Args:
            inputs: (n, n_columns), finite.

        Returns:
            (n, n_outcomes, n_columns + 1): the last is the mean over the train rows as the leaves
            counted them; a row of them sums to its raw margin.

        Source: Lundberg et al. (2020), Nature Machine Intelligence 2, algorithm 2.
        """
        found: Float64 = self._booster.predict(inputs, pred_contrib=True, num_threads=1)
        return found.reshape(len(inputs), self.shape.n_outcomes, -1)

    def files(self) -> dict[str, bytes]:
        """LightGBM's text, and the hash that tells whether it is whole."""
        text = self.text.encode()
        facts = {"rounds": self.best_epoch, "sha256": hashlib.sha256(text).hexdigest()}
        return {TEXT: text, FACTS: json.dumps(facts).encode()}

    @staticmethod
    def grow(
        config: LightgbmConfig,
        shape: Shape,
        train: Table,
        validate: Table | None,
        seed: int,
        steps: int | None,
    ) -> Iterator[Progress]:
        """Add trees round by round, showing itself every `look_every` rounds and at the end."""
        rows, looked_at = BINNED.of(train, validate, shape, config.max_bin)
        booster = boosting.Booster(_parameters(config, shape, seed), rows)
        if looked_at is not None:
            booster.add_valid(looked_at, "validate")
        last = steps or config.rounds

        def at(index: int) -> Callable[[], Fitted]:
            return lambda: Lightgbm.of(
                config, shape, booster.model_to_string(num_iteration=index, start_iteration=0)
            )

        for index in range(1, last + 1):
            booster.update()
            if index % config.look_every == 0 or index == last:
                yield Progress(
                    index,
                    lambda: _running(booster.eval_train),
                    lambda: None if validate is None else _running(booster.eval_valid),
                    at(index),
                )


def _parameters(config: LightgbmConfig, shape: Shape, seed: int) -> dict[str, object]:
    three = {"objective": "multiclass", "num_class": shape.n_outcomes}
    return {
        **(three if shape.n_outcomes > 1 else {"objective": "binary"}),
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.min_rows,
        "lambda_l2": config.l2,
        "feature_fraction": config.feature_fraction,
        "seed": seed,
        # The next three make a fit the same bits on every machine of one architecture.
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "metric": "None",
        "verbose": -1,
    }


_Pair: TypeAlias = "tuple[boosting.Dataset, boosting.Dataset | None]"


class Binned:
    """Binned rows of the last fits in this process, so that candidates of one fold share them.

    Binning reads rows, outcomes, weights and `max_bin` alone, never a fit's seed or its other
    settings, so a fit is the same bits whether its rows were binned for it or for another.

    Args:
        most_bytes: memory that is kept, at most; older rows go first.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[_Pair, int]] = OrderedDict()

    @property
    def n_bytes(self) -> int:
        """Memory that is kept: a byte a value, as LightGBM needs it, and what stands beside."""
        return sum(size for _, size in self._kept.values())

    def of(self, train: Table, validate: Table | None, shape: Shape, max_bin: int) -> _Pair:
        """The rows binned; whoever gets them must not change them."""
        key = _name(train, validate, shape, max_bin)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        rows = _dataset(train, shape, max_bin, None)
        looked_at = None if validate is None else _dataset(validate, shape, max_bin, rows)
        size = _size(train) + (0 if validate is None else _size(validate))
        if size <= self.most_bytes:
            self._kept[key] = ((rows, looked_at), size)
            while self.n_bytes > self.most_bytes:
                self._kept.popitem(last=False)
        return rows, looked_at


BINNED: Final = Binned(2**28)
"""This process's own."""


def _name(train: Table, validate: Table | None, shape: Shape, max_bin: int) -> str:
    digest = hashlib.blake2b(repr((shape.n_outcomes, max_bin)).encode(), digest_size=16)
    for table in (train, validate):
        for column in () if table is None else table:
            digest.update(repr((column.shape, column.dtype.str)).encode())
            digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


def _size(table: Table) -> int:
    return int(table.inputs.size + 8 * len(table.outcome))


def _dataset(table: Table, shape: Shape, max_bin: int, reference: Any) -> "boosting.Dataset":
    outcome = table.outcome
    label = (outcome == 1) if shape.n_outcomes == 1 else outcome + 1
    parameters = {
        "max_bin": max_bin,
        # Which rows tell the bins follows from a fit's seed otherwise, and which columns are
        # left out from its `min_rows`.
        "data_random_seed": 1,
        "feature_pre_filter": False,
        "num_threads": 1,
        "verbose": -1,
    }
    rows = boosting.Dataset(
        table.inputs,
        label.astype(np.float32),
        weight=np.asarray(table.weight, np.float32),
        reference=reference,
        params=parameters,
    )
    return rows.construct()


def _running(evaluate: Callable[..., Any]) -> Float64:
    """The probabilities that LightGBM keeps up to date while it adds trees, (n, n_outcomes)."""
    kept: list[Float64] = []

    def keep(probability: Float64, _: object) -> tuple[str, float, bool]:
        kept.append(np.array(probability).reshape(len(probability), -1))
        return "", 0.0, True

    evaluate(keep)
    return kept[0]
