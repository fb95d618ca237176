"""What would have had to be different for the model to decide otherwise?

Three answers to one question. The nearest real window of the train rows that is decided otherwise:
it has happened, but may differ in everything. The smallest change of a network's own window that
turns its decision: small, but no market may ever show it. For models without gradients a search
over changes of single features. Each is scored by the one scoring path, and is told only where its
decision is the other one.

Source: Wachter, Mittelstadt & Russell (2017), Counterfactual Explanations without Opening the
Black Box, Harvard Journal of Law & Technology 31(2).
"""

from typing import Final, Literal, NamedTuple

import numpy as np

from touchstone.arrays import Bool, Float32, Float64, Int32, Int64
from touchstone.errors import ConfigError, DataError
from touchstone.explain import Subject
from touchstone.explain.changed import Usual, evenly, free_of, scored, usual
from touchstone.explain.gradients import has_gradients, logit_gradient

Norm = Literal["l1", "l2"]

_CANDIDATES: Final = 4096
"""Most train rows among which the nearest is looked for, evenly spaced."""
_WEIGHTS: Final = (0.5, 2.0, 8.0, 32.0, 128.0)
"""Of the decision against the distance, rising: the least that turns it gives the least change."""
_STEPS: Final = 80
_RATE: Final = 0.05
"""Of a step, in standard deviations."""
_BEYOND: Final = 0.01
"""How far beyond the threshold's logit the descent aims: what it ends on is rounded later."""
_HALVINGS: Final = 12
_SPANS: Final = (1, 4, 1_000_000)
"""Last bars that a searched change covers: the newest, the newest four, the whole window."""
_SHIFTS: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Standard deviations by which the search shifts a feature, either way."""
_MOST_FEATURES: Final = 3
"""Features that the search changes together before it gives up."""


class Question(NamedTuple):
    """What is asked of some windows of one fold."""

    subject: Subject
    at: Int64
    """(n,) places among `subject.rows` of the windows asked about."""
    threshold: float
    """p(+1) from which on a row is accepted."""
    held: tuple[str, ...] = ()
    """Features that stay as they are: nobody can change what time it is."""

    @property
    def rows(self) -> Int64:
        """Rows of the panel asked about, (n,)."""
        return self.subject.rows[self.at]


class Nearest(NamedTuple):
    """The nearest window of the train rows that is decided otherwise, for each one asked about."""

    row: Int64
    """(n,) row of the panel; -1 where all train rows looked at are decided alike."""
    score: Float64
    """(n,) its p(+1); NaN where there is none."""
    distance: Float64
    """(n,) root mean square of the differences of both windows, in standard deviations."""
    differs: Float32
    """(n, lookback, n_features) the other window less this one; NaN where there is none."""
    n_looked: int
    """Train rows looked at."""


class Changed(NamedTuple):
    """The smallest change found that turns each decision."""

    change: Float32
    """(n, lookback, n_features), in standard deviations; NaN where none was found."""
    score: Float64
    """(n,) p(+1) of the changed window; NaN where none was found."""
    distance: Float64
    """(n,) sum of absolute changes (l1) or root of their sum of squares (l2); NaN where none."""
    norm: Norm

    @property
    def found(self) -> Bool:
        """(n,) whether there is one."""
        return np.isfinite(self.score)


def nearest(question: Question) -> Nearest:
    """The nearest real window that is decided otherwise.

    Looked for among at most 4,096 train rows, evenly spaced: it has happened, and the model has
    seen it. Its instrument may be another, whose identity its own score knows.

    Raises:
        DataError: a place that is no row of the subject.
    """
    subject, windows, _, score = _asked(question)
    rows = evenly(subject.train, _CANDIDATES)
    others = subject.windows.gather(rows)
    their = scored(subject.fitted, others, subject.windows.ids(rows))
    n, flat = question.at.size, others.reshape(len(others), -1).astype(np.float64)
    row = np.full(n, -1, np.int64)
    distance, said = np.full(n, np.nan), np.full(n, np.nan)
    differs = np.full(windows.shape, np.nan, np.float32)
    accepted = their >= question.threshold
    for i in range(n):
        unlike = np.flatnonzero(accepted != (score[i] >= question.threshold))
        if not unlike.size:
            continue
        gap = np.sqrt(np.mean((flat[unlike] - windows[i].ravel()) ** 2, 1))
        best = unlike[int(gap.argmin())]
        row[i], said[i], distance[i] = rows[best], their[best], gap.min()
        differs[i] = others[best] - windows[i]
    return Nearest(row, said, distance, differs, int(rows.size))


def smallest(question: Question, norm: Norm = "l1") -> Changed:
    """The smallest change of each window that turns the model's decision.

    By gradient descent on `weight * max(0, s (goal - logit)) + distance` for a network, s = +1
    where the row has to be accepted and -1 where it has to be refused, with the least weight of a
    ladder that turns the decision; then shrunk to the least share of it that still does, values
    that do not matter left out. For any other model by a search: one feature shifted on the last
    bar, the last four, or the whole window, by the least of some steps; where no single one is
    enough, up to three features together, each the best beside those before it.

    Held features stay, and no value leaves the range that its feature had on the train rows of
    its own instrument. A local search: there may be a smaller change that it does not see, and
    where it finds none there may be one all the same.

    Args:
        question: which windows of which model.
        norm: `l1` changes few values, `l2` many by little. A search shifts whole spans, and its
            distance is told in the same norm.

    Raises:
        ConfigError: every feature is held, or an unknown norm.
        DataError: a place that is no row of the subject.
    """
    if norm not in ("l1", "l2"):
        raise ConfigError(f"norm {norm!r}: needs l1 or l2")
    subject, windows, ids, score = _asked(question)
    free, bounds = free_of(subject.names, question.held), usual(subject)
    if has_gradients(subject.fitted):
        change = _descended(question, (windows, ids, score), (free, bounds), norm)
    else:
        change = _searched(question, (windows, ids, score), (free, bounds), norm)
    return _told(question, (windows, ids, score), change, norm)


def _asked(question: Question) -> tuple[Subject, Float32, Int32, Float64]:
    subject, n = question.subject, question.subject.rows.size
    if question.at.size and not (question.at.min() >= 0 and question.at.max() < n):
        raise DataError(f"{subject.name}: places {question.at.tolist()}, there are {n} rows")
    windows = subject.windows.gather(question.rows)
    ids = subject.windows.ids(question.rows)
    return subject, windows, ids, scored(subject.fitted, windows, ids)


_Asked = tuple[Float32, Int32, Float64]
"""Windows, instruments and scores of the rows asked about."""


def _told(question: Question, asked: _Asked, change: Float32, norm: Norm) -> Changed:
    """Only what turns the decision by the one scoring path."""
    windows, ids, score = asked
    after = scored(question.subject.fitted, windows + change, ids)
    turned = (after >= question.threshold) != (score >= question.threshold)
    change = np.where(turned[:, None, None], change, np.float32(np.nan))
    size = _size(np.where(turned[:, None, None], change, 0), norm)
    return Changed(
        change, np.where(turned, after, np.nan), np.where(turned, size, np.nan), norm
    )  # fmt: skip


def _size(change: Float32, norm: Norm) -> Float64:
    flat = change.reshape(len(change), -1).astype(np.float64)
    found: Float64 = np.abs(flat).sum(1) if norm == "l1" else np.sqrt((flat**2).sum(1))
    return found


def _boxed(asked: _Asked, change: Float32, limits: tuple[Bool, Usual]) -> Float32:
    """The change kept inside the instrument's range, or the window's where that lies beyond."""
    (windows, ids, _), (free, bounds) = asked, limits
    low = np.minimum(bounds.low[ids][:, None], windows)
    high = np.maximum(bounds.high[ids][:, None], windows)
    inside = np.clip(windows + change, low, high) - windows
    return np.where(free, inside, 0).astype(np.float32)


def _descended(
    question: Question, asked: _Asked, limits: tuple[Bool, Usual], norm: Norm
) -> Float32:
    """The least turning change of each window along the ladder of weights."""
    windows, ids, score = asked
    side = np.where(score >= question.threshold, -1.0, 1.0)
    best = np.zeros_like(windows)
    left = np.arange(len(windows))
    for weight in _WEIGHTS:
        if not left.size:
            break
        part = (windows[left], ids[left], side[left])
        change = _descent(question, part, limits, (weight, norm))
        after = scored(question.subject.fitted, part[0] + change, part[1])
        turned = (after >= question.threshold) == (part[2] > 0)
        best[left[turned]] = change[turned]
        left = left[~turned]
    return _pared(question, asked, _shrunk(question, asked, best))


def _descent(
    question: Question, asked: _Asked, limits: tuple[Bool, Usual], by: tuple[float, Norm]
) -> Float32:
    """Steps of Adam towards the threshold, each followed by the proximal step of the distance.

    Source: Kingma & Ba (2015); the proximal step: Parikh & Boyd (2014), section 6.5.
    """
    windows, ids, side = asked
    weight, norm = by
    goal = _logit(question.threshold) + side * _BEYOND
    change = np.zeros_like(windows)
    mean, square = np.zeros_like(windows), np.zeros_like(windows)
    for step in range(1, _STEPS + 1):
        logit, slope = logit_gradient(question.subject.fitted, windows + change, ids)
        short = side * (goal - logit) > 0
        pull = (-weight * side * short)[:, None, None] * slope
        if norm == "l2":
            length = np.sqrt((change.astype(np.float64) ** 2).sum((1, 2), keepdims=True))
            pull = pull + change / np.maximum(length, 1e-6)
        mean = (0.9 * mean + 0.1 * pull).astype(np.float32)
        square = (0.999 * square + 0.001 * pull**2).astype(np.float32)
        usual_size = np.sqrt(square / (1 - 0.999**step)).max((1, 2), keepdims=True)
        # One scale a window: Adam's own, value by value, would move all of them alike.
        rate = _RATE / np.maximum(usual_size, 1e-12)
        moved = change - rate * mean / (1 - 0.9**step)
        if norm == "l1":
            moved = np.sign(moved) * np.maximum(np.abs(moved) - rate, 0)
        change = _boxed(asked, moved.astype(np.float32), limits)
    return change


def _logit(p: float) -> float:
    q = min(max(p, 1e-6), 1 - 1e-6)
    return float(np.log(q / (1 - q)))


def _turns(question: Question, asked: _Asked, change: Float32) -> Bool:
    windows, ids, score = asked
    after = scored(question.subject.fitted, windows + change, ids)
    return np.asarray((after >= question.threshold) != (score >= question.threshold))


def _shrunk(question: Question, asked: _Asked, change: Float32) -> Float32:
    """The least share of each change, by halving, that still turns the decision."""
    low, high = np.zeros(len(change)), np.ones(len(change))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        turned = _turns(question, asked, (middle[:, None, None] * change).astype(np.float32))
        high = np.where(turned, middle, high)
        low = np.where(turned, low, middle)
    found: Float32 = (high[:, None, None] * change).astype(np.float32)
    return found


def _pared(question: Question, asked: _Asked, change: Float32) -> Float32:
    """Without the smallest values that the decision does not need, by halving their number."""
    flat = change.reshape(len(change), -1)
    order = np.argsort(-np.abs(flat), 1, kind="stable")
    rank = np.argsort(order, 1, kind="stable")
    low, high = np.zeros(len(flat), np.int64), (flat != 0).sum(1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        kept = np.where(rank < middle[:, None], flat, 0).reshape(change.shape)
        turned = _turns(question, asked, kept)
        narrow = high - low > 1
        high = np.where(narrow & turned, middle, high)
        low = np.where(narrow & ~turned, middle, low)
    found: Float32 = np.where(rank < high[:, None], flat, 0).reshape(change.shape)
    return found


def _searched(question: Question, asked: _Asked, limits: tuple[Bool, Usual], norm: Norm) -> Float32:
    """Shifts of single features, then of a few together, window by window."""
    windows, ids, score = asked
    change = np.zeros_like(windows)
    for i in range(len(windows)):
        one = (windows[i : i + 1], ids[i : i + 1], score[i : i + 1])
        change[i] = _searched_one(question, one, limits, norm)
    return _shrunk(question, asked, change)


def _searched_one(
    question: Question, asked: _Asked, limits: tuple[Bool, Usual], norm: Norm
) -> Float32:
    window, ids, score = asked
    side = -1.0 if score[0] >= question.threshold else 1.0
    held = np.zeros_like(window)
    free = limits[0].copy()
    for _ in range(min(_MOST_FEATURES, int(free.sum()))):
        shifts, feature = _shifts(window.shape, free)
        tried = _boxed(asked, held + shifts, limits)
        after = scored(question.subject.fitted, window + tried, np.repeat(ids, len(tried)))
        turned = np.flatnonzero((after >= question.threshold) == (side > 0))
        if turned.size:
            best = turned[int(_size(tried[turned], norm).argmin())]
            return tried[best : best + 1]
        best = int((side * after).argmax())
        held, free[feature[best]] = tried[best : best + 1], False
    return np.zeros_like(window)


def _shifts(shape: tuple[int, ...], free: Bool) -> tuple[Float32, Int64]:
    """Every shift of one free feature, (n_shifts, lookback, n_features), and whose it is."""
    _, lookback, n_features = shape
    spans = sorted({min(span, lookback) for span in _SPANS})
    found, feature = [], []
    for j in np.flatnonzero(free):
        for span in spans:
            for size in _SHIFTS:
                for sign in (-1, 1):
                    shift = np.zeros((lookback, n_features), np.float32)
                    shift[lookback - span :, j] = sign * size
                    found.append(shift)
                    feature.append(int(j))
    return np.stack(found), np.array(feature, np.int64)
