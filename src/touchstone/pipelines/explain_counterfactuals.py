"""Counterfactual windows of a run's test rows: typical examples, and what many rows would need."""

from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float32, Float64, Int64
from touchstone.explain import Subject
from touchstone.explain.changed import evenly, scored
from touchstone.explain.counterfactual import Changed, Nearest, Question, nearest, smallest
from touchstone.explain.gradients import has_gradients
from touchstone.explain.robustness import Exposed
from touchstone.market import Panel
from touchstone.pipelines.explain_folds import Reopened, Restored
from touchstone.pipelines.progress import Step
from touchstone.reports.contents import iso_moment
from touchstone.reports.explain_contents import (
    Case,
    Counterfactual,
    Counterfactuals,
    Move,
    Turned,
)

MOST_ASKED: Final = 64
"""Rows whose decisions are turned, all folds together."""
_CASES: Final[tuple[Case, ...]] = ("hit accepted", "miss accepted", "hit refused", "miss refused")
_MOST_MOVES: Final = 6
_MOST_TOLD: Final = 3


class _Turned(NamedTuple):
    """What was found of some rows of one fold."""

    nearest: Nearest
    changed: Changed


def counterfactuals(of: Reopened, asked: Restored, step: Step) -> Counterfactuals:
    """Examples from the newest fold, and figures over rows of all folds."""
    newest = asked.exposed[-1]
    score = _scores(newest.subject)
    at = _typical(newest, score)
    question = Question(newest.subject, at, newest.threshold, asked.held)
    shown = _Turned(nearest(question), smallest(question))
    examples = tuple(
        _example(of.prepared.panel, question, shown, (i, float(score[at[i]])))
        for i in range(at.size)
    )
    step.advance("examples")
    many = []
    n = sum(one.subject.rows.size for one in asked.exposed)
    for one in asked.exposed:
        size = one.subject.rows.size
        some = evenly(np.arange(size), max(round(MOST_ASKED * size / n), 1))
        own = Question(one.subject, some, one.threshold, asked.held)
        many.append(_Turned(nearest(own), smallest(own)))
        step.advance(one.subject.name)
    return _figures(newest.subject, examples, many, asked.held)


def _scores(subject: Subject) -> Float64:
    return scored(
        subject.fitted, subject.windows.gather(subject.rows), subject.windows.ids(subject.rows)
    )


def _typical(one: Exposed, score: Float64) -> Int64:
    """Of each case the row whose score is as far from the threshold as half of its kind."""
    accepted, hit = score >= one.threshold, one.subject.outcome == 1
    found = []
    for case in _CASES:
        mine = np.flatnonzero(
            (accepted == case.endswith("accepted")) & (hit == case.startswith("hit"))
        )
        if mine.size:
            order = mine[np.argsort(np.abs(score[mine] - one.threshold), kind="stable")]
            found.append(int(order[(order.size - 1) // 2]))
    return np.array(found, np.int64)


def _example(
    panel: Panel, question: Question, found: _Turned, which: tuple[int, float]
) -> Counterfactual:
    i, score = which
    subject, row = question.subject, int(question.rows[i])
    place = int(question.at[i])
    hit, accepted = subject.outcome[place] == 1, score >= question.threshold
    bars = slice(row - subject.windows.lookback + 1, row + 1)
    change = found.changed.change[i]
    is_found = bool(found.changed.found[i])
    other = int(found.nearest.row[i])
    return Counterfactual(
        case=_CASES[(0 if accepted else 2) + (0 if hit else 1)],
        symbol=panel.symbols[int(panel.asset_id[row])],
        time=iso_moment(int(panel.available_at[row])),
        score=score,
        threshold=question.threshold,
        realised=float(subject.realised[place]),
        **{n: tuple(getattr(panel, n)[bars].tolist()) for n in ("open", "high", "low", "close")},
        moves=_moves(subject, row, change) if is_found else (),
        n_values=int((change != 0).sum()) if is_found else 0,
        distance=float(found.changed.distance[i]),
        changed_score=float(found.changed.score[i]),
        nearest_symbol=None if other < 0 else panel.symbols[int(panel.asset_id[other])],
        nearest_time=None if other < 0 else iso_moment(int(panel.available_at[other])),
        nearest_score=float(found.nearest.score[i]),
        nearest_distance=float(found.nearest.distance[i]),
        nearest_differs=() if other < 0 else _most(subject, found.nearest.differs[i]),
    )


def _moves(subject: Subject, row: int, change: Float32) -> tuple[Move, ...]:
    """The features that are changed, the most first, with the value at the bar of most change."""
    scaler = subject.windows.scaler
    window = subject.windows.gather(np.array([row]))[0]
    size = np.abs(change).sum(0)
    found = []
    for j in np.argsort(-size, kind="stable")[:_MOST_MOVES]:
        if size[j] == 0:
            break
        bar = int(np.abs(change[:, j]).argmax())
        centre, scale = (0.0, 1.0) if scaler is None else (scaler.centre[j], scaler.scale[j])
        before = float(window[bar, j]) * float(scale) + float(centre)
        found.append(
            Move(
                name=subject.names[j],
                change=tuple(change[:, j].tolist()),
                bar=len(change) - 1 - bar,
                before=before,
                after=before + float(change[bar, j]) * float(scale),
            )
        )
    return tuple(found)


def _most(subject: Subject, differs: Float32) -> tuple[str, ...]:
    size = np.abs(differs).sum(0)
    return tuple(subject.names[j] for j in np.argsort(-size, kind="stable")[:_MOST_TOLD])


def _figures(
    subject: Subject,
    examples: tuple[Counterfactual, ...],
    many: list[_Turned],
    held: tuple[str, ...],
) -> Counterfactuals:
    change = np.concatenate([one.changed.change for one in many])
    found = np.concatenate([one.changed.found for one in many])
    distance = np.concatenate([one.changed.distance for one in many])
    near = np.concatenate([one.nearest.distance for one in many])
    size = np.abs(change[found].astype(np.float64)).sum(1)  # (n_found, n_features)
    total = size.sum()
    order = np.argsort(-size.sum(0), kind="stable")
    return Counterfactuals(
        how="gradient descent" if has_gradients(subject.fitted) else "search",
        examples=examples,
        n_asked=int(found.size),
        n_found=int(found.sum()),
        median_distance=_median(distance),
        median_values=_median((change[found] != 0).sum((1, 2)).astype(np.float64)),
        n_nearest=int(np.isfinite(near).sum()),
        median_nearest=_median(near),
        n_looked=max(one.nearest.n_looked for one in many),
        turned=tuple(
            Turned(
                name=subject.names[j],
                share=float(size[:, j].sum() / total),
                n=int((size[:, j] > 0).sum()),
            )
            for j in order
            if total > 0 and size[:, j].sum() > 0
        ),
        held=held,
    )


def _median(values: Float64) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else None
