"""What a strategy may see of scores from outside: the rows that are traded, and the outlook."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.data.sources import Loaded
from touchstone.errors import DataError
from touchstone.labels import LABELS, Labels
from touchstone.ledger import Span
from touchstone.market import Panel
from touchstone.models.calibrators import expected_return
from touchstone.pipelines.backtested import BacktestConfig
from touchstone.pipelines.decide import Segment, segment
from touchstone.pipelines.prepare import column
from touchstone.strategies import Outlook

_FEWEST = 200
"""Scored rows with a known outcome that can say what a score means."""


class Seen(NamedTuple):
    """A column of scores, ready to be decided on."""

    where: Segment
    view: Outlook
    known: Bool
    """Rows of the segment with a score."""
    span: Span
    """Where its trials are counted."""
    labels: Labels
    """Of all bars."""
    fit: Bool | None
    """Scored rows that say what return a score means, (n_rows,); None where none was asked to."""


def see(config: BacktestConfig, loaded: Loaded, score: Float64, until: int | None) -> Seen:
    """Scores as a strategy sees them.

    Args:
        config: its label says the brackets, its costs the round trip.
        loaded: the bars.
        score: (n_rows,), NaN where there is none.
        until: ns UTC; rows whose label has ended by then say what return a score means, and only
            rows after it are traded.

    Raises:
        DataError: no score on the rows that are traded, or too few before `until`.
    """
    panel, label = loaded.panel, config.label
    width = getattr(label, "width", None)
    labels = LABELS.part_of(label)(panel, label, None if width is None else column(width, panel))
    begin, end = int(panel.available_at.min()) - 1, int(panel.available_at.max())
    fit, expected = None, None
    if until is not None:
        begin, fit = until, _fitted_on(panel, labels, score, until)
        expected = _expected(labels, score, fit)
    where = segment(panel, begin, end)
    known: Bool = ~np.isnan(score[where.rows])
    if not known.any():
        raise DataError(
            "no score lies on the bars that are to be traded: do the scores end before "
            "--calibrate-until, or speak of instruments that were left out?"
        )
    view = Outlook(
        probability=score[where.rows, None],
        up=labels.up[where.rows],
        down=labels.down[where.rows],
        rest=np.zeros(where.rows.size),
        round_trip=config.costs.round_trip,
        expected=None if expected is None else expected[where.rows],
    )
    span = Span(loaded.namespace, panel.symbols, begin, end + 1)
    return Seen(where, view, known, span, labels, fit)


def _fitted_on(panel: Panel, labels: Labels, score: Float64, until: int) -> Bool:
    """Scored rows whose outcome was known by then, (n_rows,)."""
    ended = (labels.exit >= 0) & (panel.available_at[np.maximum(labels.exit, 0)] <= until)
    fit = ended & ~np.isnan(score)
    if fit.sum() < _FEWEST:
        raise DataError(
            f"--calibrate-until leaves {int(fit.sum())} scored rows with a known outcome before "
            f"it, {_FEWEST} are needed: choose a later date"
        )
    return fit


def _expected(labels: Labels, score: Float64, fit: Bool) -> Float64:
    """E[realised | score] at every row, NaN where there is no score, (n_rows,)."""
    curve = expected_return(score[fit], labels.realised[fit])
    out = np.full(score.shape, np.nan)
    known = ~np.isnan(score)
    out[known] = curve.apply(score[known])
    return out
