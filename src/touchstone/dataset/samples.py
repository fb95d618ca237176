"""Samples: some rows of a panel with windows, outcomes and weights, ready for a fit."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float32, Float64, Int8, Int64
from touchstone.dataset.weights import WeightsConfig, weigh
from touchstone.dataset.windows import Windows
from touchstone.errors import ConfigError
from touchstone.labels import Labels


class Samples(NamedTuple):
    """Rows that a fit reads, all columns (n,) in the order of `rows`."""

    windows: Windows
    rows: Int64
    """Rows of the panel, each with a window and a label."""
    outcome: Int8
    """+1, -1 or 0."""
    realised: Float64
    """Exit / entry - 1 before costs."""
    weight: Float32
    """Mean 1 over the rows it was made from."""
    tasks: Float32 | None = None
    """(n, 3) targets beside the outcome, as `labels.tasks.targets` makes them; of train rows that
    a `multi_task` head learns from."""
    teacher: Float64 | None = None
    """(n, n_outcomes) what a teacher scored, columns as in a model's score; of train rows that
    the loss `distillation` learns from."""

    def take(self, place: Int64) -> "Samples":
        """Some of them, by place, (n,); the windows are shared.

        Raises:
            ConfigError: a column is of another length than the rows.
        """
        for name, column in zip(self._fields[1:], self[1:], strict=True):
            if column is not None and len(column) != self.rows.size:
                raise ConfigError(
                    f"{name} of {len(column)} rows beside {self.rows.size} samples: give one each"
                )
        columns = (None if column is None else column[place] for column in self[1:])
        return Samples(self.windows, *columns)  # type: ignore[arg-type]  # as they came


def samples(
    windows: Windows, labels: Labels, rows: Int64, weights: WeightsConfig | None = None
) -> Samples:
    """The samples of some rows.

    Args:
        windows: of the whole panel.
        labels: of the whole panel, (n_rows,).
        rows: rows of one part of a fold, (n,); weights are made from these alone.
        weights: which weights count; None weighs all samples 1, as validation and test do.

    Raises:
        ConfigError: a row without a known outcome.
    """
    exit_row = labels.exit[rows]
    if exit_row.size and exit_row.min() < 0:
        bad = int(rows[int(exit_row.argmin())])
        raise ConfigError(f"row {bad} has no known outcome; take rows where Labels.known holds")
    outcome = labels.outcome[rows]
    weight = np.ones(rows.size, np.float32)
    if weights is not None:
        weight = weigh(weights, outcome, rows + 1, exit_row)
    return Samples(windows, rows, outcome, labels.realised[rows], weight)
