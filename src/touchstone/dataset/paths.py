"""What overlapping tests say together: scores of all folds recombined into paths over history."""

from collections.abc import Sequence

import numpy as np

from touchstone.arrays import Float64, Int64
from touchstone.dataset.folds import Folds
from touchstone.errors import ConfigError, DataError


def recombined(folds: Folds, scores: Sequence[Float64], n_rows: int) -> Float64:
    """Paths through history: path p takes of each row the score of the p-th fold that tested it.

    Of combinatorial folds of N groups, k at once, come C(N - 1, k - 1) whole paths; of
    walk-forward or k-fold one; of Monte Carlo as many as tests overlap most, with holes.

    Args:
        folds: as a split gave them.
        scores: of each fold's test rows, (n_test,) each.
        n_rows: rows of the panel.

    Returns:
        (n_paths, n_rows), NaN where a path has no score.

    Raises:
        DataError: not one score for each test row of each fold.

    Source: López de Prado (2018), Advances in Financial Machine Learning, section 12.4.
    """
    sizes = [fold.test.size for fold in folds.folds]
    if [np.shape(s) for s in scores] != [(n,) for n in sizes]:
        raise DataError(
            f"needs one score for each test row of each fold, {sizes}; got shapes "
            f"{[np.shape(s) for s in scores]}"
        )
    n_tests = tested_by(folds, n_rows)
    paths = np.full((int(n_tests.max(initial=0)), n_rows), np.nan)
    taken = np.zeros(n_rows, np.int64)
    for fold, score in zip(folds.folds, scores, strict=True):
        paths[taken[fold.test], fold.test] = score
        taken[fold.test] += 1
    return paths


def tested_by(folds: Folds, n_rows: int) -> Int64:
    """How many folds test each row, (n_rows,)."""
    count = np.zeros(n_rows, np.int64)
    for fold in folds.folds:
        count[fold.test] += 1
    return count


def pooled(folds: Folds, n_rows: int) -> Folds:
    """The same folds, whose test rows can be pooled: none is tested twice.

    Raises:
        ConfigError: tests overlap, so that a pool would count rows more than once.
    """
    most = int(tested_by(folds, n_rows).max(initial=0))
    if most > 1:
        raise ConfigError(
            f"folds: {len(folds.folds)} folds test some rows {most} times, and a study compares "
            f"its candidates on test rows that are pooled, each counted once: choose walk_forward, "
            f"chronological or purged_kfold; the others serve `dataset.cross_validator`"
        )
    return folds
