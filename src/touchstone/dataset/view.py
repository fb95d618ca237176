"""What the models of one fold see: the study's columns, the fold's regimes, and of both a choice.

Fitted on the fold's train rows (a rule of selection may read its validation rows), kept as JSON in
the artifact. A study without regimes and selection has no view: its models see the one matrix.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int8, Int32, Int64
from touchstone.config import Config
from touchstone.dataset.regimes import REGIMES, RegimeFilter, sequences
from touchstone.dataset.selection import Evidence, select
from touchstone.dataset.splits import Fold
from touchstone.errors import ArtifactError
from touchstone.seeding import derive

_ROWS: Final = 16_384


class Raw(NamedTuple):
    """What a view is made from, every array with all rows of the panel."""

    features: Float32
    """(n_rows, n_features), the study's own columns."""
    names: tuple[str, ...]
    """Of the features."""
    inputs: Float64 | None
    """(n_rows, n_inputs) of the regime filter; None without one."""
    begins: Bool
    """(n_rows,) where an instrument begins, or comes back: `regimes.begins`."""


class Rows(NamedTuple):
    """What the rules of selection know of each row, (n_rows,) each."""

    outcome: Int8
    asset_id: Int32
    known: Int64
    """ns UTC."""


class View(NamedTuple):
    """The columns of one fold's models."""

    names: tuple[str, ...]
    """In the order of the model's columns: features, then regimes."""
    regimes: RegimeFilter | None
    inputs: Mapping[str, str]
    """Of the regime filter, name -> expression; empty without one."""
    scores: Mapping[str, float]
    """Name -> what the last rule of selection scored it; empty without selection."""
    shares: tuple[float, ...]
    """Mean filtered probability of each regime over the train rows; empty without a filter."""

    def matrix(self, raw: Raw) -> Float32:
        """The columns of this view, (n_rows, n_names) float32, C-contiguous.

        Row t is known at the close of bar t. NaN while a feature or an input of the filter warms
        up. `raw.names` may hold more features than the view.

        Raises:
            ArtifactError: a column of the view that `raw` cannot give.
        """
        place = {name: i for i, name in enumerate(raw.names)}
        states: dict[str, int] = {}
        filtered = np.empty((len(raw.features), 0))
        if self.regimes is not None and raw.inputs is not None:
            states = {name: i for i, name in enumerate(self.regimes.names)}
            filtered = self.regimes.filtered(raw.inputs, raw.begins)
        missing = [name for name in self.names if name not in place and name not in states]
        if missing:
            known = ", ".join((*place, *states))
            raise ArtifactError(f"a view needs the column {missing[0]!r}, got {known}")
        parts = []
        for source, places in ((raw.features, place), (filtered, states)):
            to = [i for i, name in enumerate(self.names) if name in places]
            parts.append((source, [places[self.names[i]] for i in to], to))
        out = np.empty((len(raw.features), len(self.names)), np.float32)
        for first in range(0, len(out), _ROWS):  # some rows at a time: no copy beside the result
            rows = slice(first, first + _ROWS)
            for source, of, to in parts:
                out[rows, to] = source[rows, of]
        return out

    def to_json(self) -> str:
        """The view as text, exact."""
        regimes = None if self.regimes is None else json.loads(self.regimes.to_json())
        whole = {**self._asdict(), "regimes": regimes, "inputs": dict(self.inputs)}
        return json.dumps(whole | {"scores": dict(self.scores)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "View":
        """The view that `to_json` wrote.

        Raises:
            ArtifactError: not such a text, a name twice, or inputs that do not fit the filter.
        """
        try:
            saved = json.loads(text)
            regimes = saved["regimes"]
            found = cls(
                tuple(str(name) for name in saved["names"]),
                None if regimes is None else RegimeFilter.from_json(json.dumps(regimes)),
                {str(name): str(expression) for name, expression in saved["inputs"].items()},
                {str(name): float(score) for name, score in saved["scores"].items()},
                tuple(float(share) for share in saved["shares"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArtifactError(f"a view's JSON cannot be read: {error!r}") from error
        if not found.names or len(set(found.names)) < len(found.names):
            raise ArtifactError("a view needs columns, each once")
        n_inputs = 0 if found.regimes is None else found.regimes.centre.size
        if len(found.inputs) != n_inputs:
            raise ArtifactError(f"{len(found.inputs)} inputs for a regime filter of {n_inputs}")
        return found


def fit_view(
    regimes: Config | None, rules: Sequence[Config], raw: Raw, rows: Rows, fold: Fold, seed: int
) -> View:
    """Fit the regime filter on the fold's train rows, then choose among all columns.

    Args:
        regimes: config of a part of `REGIMES`, or None.
        rules: of selection, in order; none keeps every column.
        raw: every column, all rows.
        rows: every row, for the rules.
        fold: whose train and validation rows may be read.
        seed: of everything drawn.

    Raises:
        TrainingError, TooFewBarsError: what the train rows are too few or too still for.
    """
    found, features, names = None, raw.features, raw.names
    inputs: dict[str, str] = {}
    shares: tuple[float, ...] = ()
    if regimes is not None:
        assert raw.inputs is not None
        runs = sequences(raw.begins, raw.inputs, fold.train)
        found = REGIMES.part_of(regimes)(regimes, raw.inputs, runs, derive(seed, "regimes"))
        inputs = dict(regimes.inputs)  # type: ignore[attr-defined]
        features, names = _joined(raw, found)
        shares = tuple(features[fold.train, -found.n_states :].mean(0, np.float64).tolist())
    if not rules:
        return View(names, found, inputs, {}, shares)
    evidence = Evidence(
        features, names, fold.train, fold.validate, rows.outcome, rows.asset_id, rows.known
    )
    chosen = select(rules, evidence, seed)
    kept = tuple(names[i] for i in chosen.columns)
    if found is not None and not set(kept) & set(found.names):
        found, inputs, shares = None, {}, ()
    return View(kept, found, inputs, chosen.scores, shares)


def _joined(raw: Raw, regimes: RegimeFilter) -> tuple[Float32, tuple[str, ...]]:
    """Features and regime columns side by side."""
    assert raw.inputs is not None
    filtered = regimes.filtered(raw.inputs, raw.begins).astype(np.float32)
    return np.concatenate([raw.features, filtered], axis=1), (*raw.names, *regimes.names)
