"""A counterfactual turns the decision by the one scoring path, or it is none."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.subjects import DRIVER, FLAT, NAMES, subject
from touchstone.errors import ConfigError, DataError
from touchstone.explain import plus
from touchstone.explain.changed import scored, usual
from touchstone.explain.counterfactual import Question, nearest, smallest
from touchstone.models.scoring import score

KINDS = ("gru", "lightgbm", "logistic")
HELD = ("moves",)


def scores_of(of):
    return scored(of.fitted, of.windows.gather(of.rows), of.windows.ids(of.rows))


def asked(kind, n=10, share=0.7, held=HELD):
    of = subject(kind, n=200)
    said = scores_of(of)
    threshold = float(np.quantile(said, share))
    at = np.linspace(0, 199, n).astype(np.int64)
    return Question(of, at, threshold, held), said[at]


@pytest.mark.parametrize(("kind", "norm"), list(itertools.product(KINDS, ("l1", "l2"))))
def test_a_change_turns_the_decision_and_keeps_to_its_bounds(kind, norm):
    question, before = asked(kind)
    found = smallest(question, norm)
    of = question.subject
    windows, ids = of.windows.gather(question.rows), of.windows.ids(question.rows)
    assert found.found.sum() >= 8
    which = np.flatnonzero(found.found)
    changed = windows[which] + found.change[which]
    after = scored(of.fitted, changed, ids[which])
    assert np.array_equal(after, found.score[which])
    assert ((after >= question.threshold) != (before[which] >= question.threshold)).all()
    bounds, slack = usual(of), 1e-5
    assert (found.change[which][:, :, [3, FLAT]] == 0).all()  # held, and what never varied
    own = ids[which]
    assert (changed <= np.maximum(bounds.high[own][:, None], windows[which]) + slack).all()
    assert (changed >= np.minimum(bounds.low[own][:, None], windows[which]) - slack).all()
    flat = np.abs(found.change[which].reshape(which.size, -1).astype(float))
    size = flat.sum(1) if norm == "l1" else np.sqrt((flat**2).sum(1))
    assert found.distance[which] == pytest.approx(size)
    assert np.isnan(found.change[~found.found]).all()
    # What the model was made to go by is what turns it.
    total = flat.reshape(which.size, -1, len(NAMES)).sum((0, 1))
    assert total.argmax() == DRIVER


def test_l1_changes_fewer_values_and_l2_moves_less_far():
    question, _ = asked("gru")
    few, near = smallest(question, "l1"), smallest(question, "l2")
    both = few.found & near.found
    count = [(found.change[both] != 0).sum((1, 2)) for found in (few, near)]
    assert count[0].mean() < count[1].mean() / 2
    length = np.sqrt((few.change[both].astype(float) ** 2).sum((1, 2)))
    assert (near.distance[both] <= 1.1 * length).mean() > 0.8
    assert np.array_equal(smallest(question, "l1").change, few.change, equal_nan=True)


def test_a_change_is_about_as_small_as_the_linear_models_own_formula():
    """Of a logistic regression the cheapest l1 change of one feature can be computed."""
    question, _ = asked("logistic", n=6)
    found = smallest(question)
    of = question.subject
    windows, ids = of.windows.gather(question.rows), of.windows.ids(question.rows)
    for i in np.flatnonzero(found.found):
        share = found.change[i : i + 1] * np.float32(0.9)
        less = scored(of.fitted, windows[i : i + 1] + share, ids[i : i + 1])
        # A tenth less of it does not turn the decision any more.
        assert (less >= question.threshold) == (
            scored(of.fitted, windows[i : i + 1], ids[i : i + 1]) >= question.threshold
        )


@pytest.mark.parametrize(
    ("kind", "threshold"), [("gru", 1.1), ("lightgbm", -0.1), ("logistic", 1.1)]
)
def test_where_no_window_can_turn_it_none_is_told(kind, threshold):
    """Nobody is accepted, or everybody."""
    question = Question(subject(kind, n=20), np.arange(3), threshold)
    found, near = smallest(question), nearest(question)
    assert not found.found.any()
    assert np.isnan(found.change).all()
    assert (near.row == -1).all()
    assert np.isnan(near.score).all()


@settings(max_examples=12)
@given(st.sampled_from(KINDS), st.floats(0.2, 0.9), st.integers(0, 199))
def test_the_nearest_window_is_that_of_a_slow_search(kind, share, place):
    of = subject(kind, n=200)
    threshold = float(np.quantile(scores_of(of), share))
    question = Question(of, np.array([place]), threshold)
    found = nearest(question)
    own = of.windows.gather(question.rows)[0].astype(float)
    accepted = scores_of(of)[place] >= threshold
    said = plus(score(of.fitted, of.windows, of.train))
    unlike = of.train[(said >= threshold) != accepted]
    if not unlike.size:
        assert found.row[0] == -1
        return
    gaps = [np.sqrt(np.mean((of.windows.gather(np.array([r]))[0] - own) ** 2)) for r in unlike[:40]]
    assert found.distance[0] <= min(gaps) + 1e-9
    assert found.row[0] in unlike
    [other] = of.windows.gather(found.row)
    assert found.differs[0] == pytest.approx(other - of.windows.gather(question.rows)[0])
    assert found.distance[0] == pytest.approx(np.sqrt(np.mean((other.astype(float) - own) ** 2)))
    assert (found.score[0] >= threshold) != accepted


def test_bad_questions_are_answered_with_sentences():
    question, _ = asked("logistic", n=2)
    with pytest.raises(ConfigError, match="norm 'l3': needs l1 or l2"):
        smallest(question, "l3")
    with pytest.raises(ConfigError, match="every feature is held"):
        smallest(question._replace(held=NAMES))
    with pytest.raises(DataError, match="places"):
        nearest(question._replace(at=np.array([200])))
