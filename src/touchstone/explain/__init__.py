"""Why does a fitted model say what it says? Arrays in, arrays out; no file is opened. Pure.

Every method takes the folds of a study, each with the model that was fitted on it, and looks at
rows that no weight has seen. What is explained is one number a row: the probability of +1 as the
one scoring path gives it (`plus`), or where a method needs something that adds up, its margin
(`margin_of`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from touchstone.arrays import Float64, Floats, Int8, Int64
from touchstone.dataset.windows import Windows
from touchstone.errors import ConfigError
from touchstone.models import Fitted

_FLOOR = 1e-12
"""Probabilities are kept this far from 0 before a logarithm is taken."""


class Subject(NamedTuple):
    """One fold's model, and the rows about which it is asked."""

    name: str
    """Names the fold: fold 1, fold 2, ..."""
    fitted: Fitted
    windows: Windows
    """Scaled as in the fit."""
    names: tuple[str, ...]
    """Of the columns of the windows' matrix, (n_features,)."""
    rows: Int64
    """(n,) rows asked about, each with a whole window and a known outcome, rising: of the fold's
    test, which purge and embargo keep apart from everything the fit has seen."""
    train: Int64
    """(n_train,) rows of the fit, rising: what is usual, and the background to compare with."""
    outcome: Int8
    """(n,) +1, -1 or 0."""
    realised: Float64
    """(n,) exit / entry - 1 before costs."""
    instant: Int64
    """(n,) ns UTC at which the row's bar closes."""
    day: Int64
    """(n,) trading day of each row: what an interval draws as one. Where outcomes reach into later
    days, their stretch (`validation.stretches`)."""
    horizon: int
    """Bars ahead of a row that its outcome may depend on."""
    seed: int
    """Of everything drawn."""
    test: Int64 | None = None
    """(n_test,) all rows of the test with a whole window, rising, those asked about among them:
    whose values a permutation borrows. None: the rows asked about are all there are."""
    test_instant: Int64 | None = None
    """(n_test,) ns UTC at which their bars close; given with `test`."""


def plus(probability: Floats) -> Float64:
    """p(+1) of scores (n, n_outcomes), (n,)."""
    return np.asarray(probability[:, -1], np.float64)


def margin_of(probability: Floats) -> Float64:
    """The margin of +1 behind probabilities (n, n_outcomes), (n,).

    Of one outcome its logit. Of three, log p(+1) less the mean of the three logarithms: the raw
    margin of +1 less the mean of the raw margins, which does not depend on what a softmax leaves
    open, and is linear in the raw margins, so that what explains them adds up.

    Source: Aitchison (1986), The Statistical Analysis of Compositional Data, section 4.6.
    """
    p = np.clip(np.asarray(probability, np.float64), _FLOOR, 1.0)
    if p.shape[1] == 1:
        return np.asarray(np.log(p[:, 0]) - np.log(np.clip(1 - p[:, 0], _FLOOR, 1.0)))
    logs = np.log(p)
    return np.asarray(logs[:, -1] - logs.mean(1))


def in_order(subject: Subject) -> Subject:
    """The subject with its rows rising, and train rows too: no result hangs on their order."""
    order = np.argsort(subject.rows, kind="stable")
    columns = {
        name: getattr(subject, name)[order]
        for name in ("rows", "outcome", "realised", "instant", "day")
    }
    return subject._replace(**columns, train=np.sort(subject.train))


def agreed_names(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """The features of all folds, which must be the same ones.

    Raises:
        ConfigError: no fold at all, or folds that see different columns.
    """
    if not subjects:
        raise ConfigError("nothing to explain: no fold was given")
    names = subjects[0].names
    for subject in subjects:
        if subject.names != names:
            differ = sorted(set(subject.names) ^ set(names))
            raise ConfigError(
                f"{subject.name} sees other columns than {subjects[0].name} ({', '.join(differ)}): "
                "explain each of them alone"
            )
        if len(subject.names) != subject.windows.n_features:
            raise ConfigError(
                f"{subject.name}: {len(subject.names)} names for {subject.windows.n_features} "
                "columns"
            )
    return names
