"""Any split as scikit-learn's cross-validator, for use in cross_val_score, GridSearchCV, ..."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from touchstone.arrays import Int64
from touchstone.config import Config
from touchstone.dataset.folds import Folds, Timeline
from touchstone.dataset.splits import SPLITS
from touchstone.errors import DataError


class CrossValidator:
    """The folds of one split of one timeline: `cross_val_score(model, X, y, cv=this)`.

    scikit-learn knows no validation rows: they join the train rows, which they precede or follow
    purged. Test rows without a label cannot be scored and are left out. The sealed rows appear in
    no fold.

    Args:
        config: a split's config, or settings as in a study: `{"kind": "purged_kfold"}`.
        timeline: when each row of X is decided, and what it reaches over; `dataset.folds.timeline`
            makes it from a panel and labels.
    """

    def __init__(self, config: Config | dict[str, Any] | str, timeline: Timeline) -> None:
        self.config = SPLITS.parse(config)
        self.timeline = timeline

    @cached_property
    def folds(self) -> Folds:
        """The split's own folds.

        Raises:
            TooFewBarsError: not enough history for the split.
        """
        return SPLITS.part_of(self.config)(self.config, self.timeline)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803, ARG002  scikit-learn's names
        """How many folds."""
        return len(self.folds.folds)

    def split(
        self,
        X: Any,  # noqa: N803  scikit-learn's name
        y: Any = None,  # noqa: ARG002
        groups: Any = None,  # noqa: ARG002
    ) -> Iterator[tuple[Int64, Int64]]:
        """Rows that train and rows that test, rising, fold by fold; `y` and `groups` are not read.

        Raises:
            DataError: X has another number of rows than the timeline.
            TooFewBarsError: not enough history for the split.
        """
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        if n_rows != self.timeline.known.size:
            raise DataError(
                f"X has {n_rows} rows, the timeline {self.timeline.known.size}: needs one time for "
                f"each row of X, in the same order"
            )
        for fold in self.folds.folds:
            train = np.sort(np.concatenate([fold.train, fold.validate]))
            yield train, fold.test[self.timeline.has_label[fold.test]]

    def __repr__(self) -> str:
        """As it would be written."""
        return f"CrossValidator({self.config!r}, <{self.timeline.known.size} rows>)"
