"""What a strategy may see of scores from outside: the rows that are traded, and the outlook."""

from typing import NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float64
from touchstone.data.sources import Loaded
from touchstone.errors import DataError
from touchstone.labels import LABELS
from touchstone.ledger import Span
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
    expected = None
    if until is not None:
        begin = until
        ended = (labels.exit >= 0) & (panel.available_at[np.maximum(labels.exit, 0)] <= until)
        fit = ended & ~np.isnan(score)
        if fit.sum() < _FEWEST:
            raise DataError(
                f"--calibrate-until leaves {int(fit.sum())} scored rows with a known outcome "
                f"before it, {_FEWEST} are needed: choose a later date"
            )
        curve = expected_return(score[fit], labels.realised[fit])
        expected = np.full(score.shape, np.nan)
        expected[~np.isnan(score)] = curve.apply(score[~np.isnan(score)])
    where = segment(panel, begin, end)
    known: Bool = ~np.isnan(score[where.rows])
    if not known.any():
        raise DataError("no score lies on the bars that are to be traded")
    view = Outlook(
        probability=score[where.rows, None],
        up=labels.up[where.rows],
        down=labels.down[where.rows],
        rest=np.zeros(where.rows.size),
        round_trip=config.costs.round_trip,
        expected=None if expected is None else expected[where.rows],
    )
    return Seen(where, view, known, Span(loaded.namespace, panel.symbols, begin, end + 1))
