"""The curriculum's labels: each phase's own outcomes on the fold's train rows, purged once more."""

from collections.abc import Callable

import numpy as np

from touchstone.arrays import Int64
from touchstone.data.cache import StageCache
from touchstone.dataset.folds import Fold, Folds, timeline
from touchstone.dataset.splits import SPLITS
from touchstone.errors import DataError, TooFewBarsError
from touchstone.pipelines.inputs import whole_windows
from touchstone.pipelines.prepare import Prepared, label_rows
from touchstone.pipelines.study import StudyConfig

Rows = tuple[Int64, ...]
"""Train rows of each phase, rising."""


def phase_rows(
    config: StudyConfig, prepared: Prepared, cache: StageCache
) -> Callable[[Fold], Rows]:
    """Which of a fold's train rows each phase may learn from.

    A phase's label may reach further than the study's own. So the time is cut once more by the
    same rule with the phase's intervals, and a row counts where both cuts let it train: its
    outcome of the phase, too, ends before anything that validation or test read. Labels come from
    the cache's stage of labels, or go there.

    Raises:
        DataError, from the function: a fold that the study's split does not know.
        TooFewBarsError: a phase's label leaves some part of a fold no rows; from the function:
            no train row that both labels know.
    """
    made_of = (prepared.data, prepared.source)
    panel, cuts = prepared.panel, []
    for number, phase in enumerate(config.training.curriculum, 1):
        labels = label_rows(phase.label, panel, made_of, cache)
        whole = whole_windows(prepared.features, prepared.inputs, panel, config.lookback)
        line = timeline(panel, labels, whole & panel.members, config.lookback)
        try:
            cuts.append(_by_place(SPLITS.part_of(config.folds)(config.folds, line)))
        except TooFewBarsError as error:
            raise TooFewBarsError(
                f"phase {number} of the curriculum, by its label: {error}"
            ) from None

    def rows(fold: Fold) -> Rows:
        try:
            own = [cut[fold.spans, fold.stretches] for cut in cuts]
        except KeyError:
            raise DataError(
                f"a fold with spans {tuple(fold.spans)} is none of the study's, so it is not known "
                "which rows its curriculum may learn from: use the folds of `prepare`"
            ) from None
        both = tuple(np.intersect1d(fold.train, one.train, assume_unique=True) for one in own)
        for number, left in enumerate(both, 1):
            if not left.size:
                raise TooFewBarsError(
                    f"phase {number} of the curriculum: its label and the study's share no train "
                    "row of a fold: shorten the phase's horizon, or lengthen the train range"
                )
        return both

    return rows


def _by_place(folds: Folds) -> dict[object, Fold]:
    return {(fold.spans, fold.stretches): fold for fold in (*folds.folds, folds.final)}
