"""Weights that run with the market: the batch's bits, kept over a restart, and no early outcome."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensembles.gathered import HOUR, fit, gathered, halves
from touchstone.ensembles import ENSEMBLES
from touchstone.ensembles.rows import take
from touchstone.ensembles.streaming import Known, Stream
from touchstone.errors import ArtifactError, DataError

WAYS = [
    {},
    {"loss": "money", "share": 0.02},
    {"half_life": None, "share": 0.0, "learning_rate": 1.3},
]


def known_of(members, outcomes, rows):
    return Known(members.asset[rows], members.instant[rows], *(c[rows] for c in outcomes))


def played(stream, members, outcomes, restarts=()):
    """Scores and weights as the market brings them; the state goes through JSON at restarts."""
    said = np.empty(members.score.shape[1:])
    weight = np.empty((members.instant.size, len(members.score)))
    taken = np.zeros(members.instant.size, bool)
    for now in np.unique(members.instant):
        if now in restarts:
            stream = Stream.restore(stream._online, json.loads(json.dumps(stream.state())))
        due = np.flatnonzero((outcomes.known <= now) & ~taken)
        stream.learn(known_of(members, outcomes, due[::-1]), int(now))
        taken[due] = True
        rows = np.flatnonzero(members.instant == now)[::-1]
        score = np.ascontiguousarray(members.score[:, rows])
        said[rows] = stream.push(score, members.asset[rows], int(now))
        weight[rows] = stream.weight
    assert stream.n_waiting == (~taken).sum()
    return said, weight


@pytest.mark.parametrize("n_outcomes", [1, 3])
@pytest.mark.parametrize("way", range(len(WAYS)))
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000), at=st.sets(st.integers(0, 99), max_size=3))
def test_the_stream_says_what_the_batch_says_bit_for_bit(n_outcomes, way, seed, at):
    first, rest = halves(*gathered(seed, n_outcomes, n_rows=600))
    online = fit(ENSEMBLES.parse({"kind": "online", **WAYS[way]}), *first)
    restarts = np.unique(rest[0].instant)[sorted(at)]
    said, weight = played(Stream(online), *rest, restarts)
    np.testing.assert_array_equal(weight, online.weights(*rest))
    np.testing.assert_array_equal(said, online.combine(*rest))
    assert np.ptp(weight, axis=0).max() > 0.001, "weights that do not move prove nothing"


def test_instruments_that_come_and_go_change_nothing_of_that():
    members, outcomes = gathered(1, 3, n_rows=900)
    keep = np.random.default_rng(0).random(members.instant.size) < 0.6
    some = take(members, outcomes, np.flatnonzero(keep))
    first, rest = halves(*some)
    online = fit(ENSEMBLES.parse("online"), *first)
    said, weight = played(Stream(online), *rest)
    np.testing.assert_array_equal(weight, online.weights(*rest))
    np.testing.assert_array_equal(said, online.combine(*rest))


@pytest.fixture(scope="module")
def online():
    return fit(ENSEMBLES.parse("online"), *gathered(2, 3))


def pushed(online, now=10 * HOUR):
    stream = Stream(online)
    score = np.full((5, 3, 3), 1 / 3)
    stream.push(score, np.array([4, 1, 2]), now)
    return stream


def an_outcome(asset=4, instant=10 * HOUR, known=11 * HOUR, realised=0.1):
    one = [np.array([v]) for v in (asset, instant, 1, realised, known, 1.0)]
    return Known(*one)


def test_an_outcome_is_learnt_once_and_not_before_it_is_known(online):
    stream = pushed(online)
    before = stream.weight
    with pytest.raises(DataError, match="learn what is known"):
        stream.learn(an_outcome(), 11 * HOUR - 1)
    for wrong, said in (
        (an_outcome(asset=3), "no row of instrument 3"),
        (an_outcome(instant=9 * HOUR), "no row of instrument 4"),
        (an_outcome(realised=np.nan), "finite"),
        (an_outcome(instant=11 * HOUR), "no later than its row"),
    ):
        with pytest.raises(DataError, match=said):
            stream.learn(wrong, 12 * HOUR)
    twice = Known(*(np.r_[c, c] for c in an_outcome()))
    with pytest.raises(DataError, match="two outcomes"):
        stream.learn(twice, 12 * HOUR)
    np.testing.assert_array_equal(stream.weight, before)
    assert stream.n_waiting == 3
    stream.learn(an_outcome(), 11 * HOUR)
    assert stream.n_waiting == 2
    with pytest.raises(DataError, match="no row of instrument 4"):
        stream.learn(an_outcome(), 12 * HOUR)


def test_an_outcome_that_comes_late_counts_when_it_comes(online):
    score = np.random.default_rng(0).dirichlet(np.ones(3), (5, 3))
    late, on_time = Stream(online), Stream(online)
    for stream in (late, on_time):
        stream.push(score, np.array([4, 1, 2]), 10 * HOUR)
    late.push(score, np.array([4, 1, 2]), 12 * HOUR)
    late.learn(an_outcome(), 13 * HOUR)
    late.push(score, np.array([4, 1, 2]), 13 * HOUR)
    on_time.learn(an_outcome(), 13 * HOUR)
    on_time.push(score, np.array([4, 1, 2]), 13 * HOUR)
    np.testing.assert_array_equal(late.weight, on_time.weight)


def test_refuses_what_cannot_be_pushed(online):
    stream, score = pushed(online), np.full((5, 2, 3), 1 / 3)
    with pytest.raises(DataError, match="no later than"):
        stream.push(score, np.array([1, 2]), 10 * HOUR)
    with pytest.raises(DataError, match="twice"):
        stream.push(score, np.array([1, 1]), 11 * HOUR)
    with pytest.raises(DataError, match="was fitted to"):
        stream.push(score[:4], np.array([1, 2]), 11 * HOUR)
    with pytest.raises(DataError, match="finite"):
        stream.push(score * np.nan, np.array([1, 2]), 11 * HOUR)
    assert stream.n_waiting == 3


def test_rows_whose_outcome_never_comes_are_let_go(online):
    stream = pushed(online)
    stream.push(np.full((5, 1, 3), 1 / 3), np.array([7]), 11 * HOUR)
    assert stream.forget(11 * HOUR) == 3
    assert stream.n_waiting == 1
    stream.learn(an_outcome(asset=7, instant=11 * HOUR, known=12 * HOUR), 12 * HOUR)
    assert stream.n_waiting == 0


def test_the_combination_is_not_changed_by_its_stream(online):
    files = online.files()
    stream = pushed(online)
    stream.learn(an_outcome(), 11 * HOUR)
    stream.push(np.full((5, 3, 3), 1 / 3), np.array([4, 1, 2]), 11 * HOUR)
    assert online.files() == files


def test_refuses_a_state_that_is_none(online):
    state = pushed(online).state()
    for name in state:
        with pytest.raises(ArtifactError, match="not the state of a stream"):
            Stream.restore(online, {k: v for k, v in state.items() if k != name})
    for wrong in ({"score": [[[0.2] * 3]] * 5}, {"log_weight": [0.0] * 4}, {"instant": [1]}):
        with pytest.raises(ArtifactError, match="not the state of a stream"):
            Stream.restore(online, state | wrong)
