"""The forward filter: equal to a slow reference and to hmmlearn, blind to what comes after."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset.chains import planted, reference
from touchstone.dataset.regimes import RegimeFilter, begins, sequences
from touchstone.errors import ArtifactError, TooFewBarsError
from walks import HOUR_NS, flat, panel_of, random_panel


def drawn(seed, k=3, d=2):
    """A filter with drawn numbers, far from any fit."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k, d, d))
    chances = rng.dirichlet(np.ones(k), k + 1)
    return RegimeFilter(
        "hmm", rng.normal(size=d), np.exp(rng.normal(size=d)), chances[0], chances[1:],
        rng.normal(0, 2, (k, d)), root @ root.transpose(0, 2, 1) + 0.1 * np.eye(d),
    )  # fmt: skip


def cases(seed, n=60):
    """Inputs with holes and outliers, and where instruments begin."""
    rng = np.random.default_rng([seed, 1])
    inputs = rng.normal(0, 3, (n, 2))
    inputs[rng.random(n) < 0.05, 0] = np.nan
    inputs[rng.random(n) < 0.05] *= 1e6
    marks = rng.random(n) < 0.05
    marks[0] = True
    return inputs, marks


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), k=st.integers(2, 5))
def test_agrees_with_the_textbook_in_logarithms(seed, k):
    found, (inputs, marks) = drawn(seed, k), cases(seed)
    ours = found.filtered(inputs, marks)
    theirs, _ = reference(found, inputs, marks)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)
    known = np.isfinite(ours[:, 0])
    np.testing.assert_allclose(ours[known].sum(1), 1, rtol=1e-12)


def test_agrees_with_hmmlearn_where_its_smoothed_probability_is_the_filtered_one():
    """At the last row of a sequence nothing is left to smooth by; and the likelihoods agree."""
    found, n = drawn(4), 40
    inputs = np.random.default_rng(5).normal(0, 1, (n, 2)) * found.scale + found.centre
    marks = np.arange(n) == 0
    model = GaussianHMM(3, "full")
    model.startprob_, model.transmat_ = found.start, found.transition
    model.means_, model.covars_ = found.mean, found.covariance
    u = (inputs - found.centre) / found.scale
    ours = found.filtered(inputs, marks)
    for t in range(1, n + 1):
        np.testing.assert_allclose(ours[t - 1], model.predict_proba(u[:t])[-1], rtol=1e-7)
    assert reference(found, inputs, marks)[1] == pytest.approx(model.score(u), rel=1e-10)


def test_is_neither_smoothed_nor_the_best_path():
    """The laws above could not tell if the two were the same here: they are not."""
    near, n = drawn(4), 40
    found = near._replace(mean=near.mean / 4)
    inputs = np.random.default_rng(5).normal(0, 1, (n, 2)) * found.scale + found.centre
    model = GaussianHMM(3, "full")
    model.startprob_, model.transmat_ = found.start, found.transition
    model.means_, model.covars_ = found.mean, found.covariance
    smoothed = model.predict_proba((inputs - found.centre) / found.scale)
    assert np.abs(smoothed - found.filtered(inputs, np.arange(n) == 0)).max() > 0.05


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), cut=st.integers(1, 59))
def test_what_comes_after_a_row_moves_no_bit_at_or_before_it(seed, cut):
    found, (inputs, marks) = drawn(seed), cases(seed)
    other, later = inputs.copy(), marks.copy()
    other[cut:] = np.random.default_rng(seed + 1).normal(0, 5, other[cut:].shape)
    later[cut:] = ~later[cut:]
    np.testing.assert_array_equal(
        found.filtered(inputs, marks)[:cut], found.filtered(other, later)[:cut]
    )


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_bar_by_bar_is_the_same_bits(seed):
    """Several instruments at once, each with its own clock, against each alone in one go."""
    found = drawn(seed)
    rng = np.random.default_rng(seed)
    alone = [cases(seed + i, n=30) for i in range(4)]
    here = rng.random((60, 4)) < 0.7
    held, place = np.full((4, 3), np.nan), np.zeros(4, int)
    seen = [[] for _ in range(4)]
    for present in here:
        ready = present & (place < 30)
        at = np.minimum(place, 29)
        inputs = np.stack([alone[i][0][at[i]] for i in range(4)])
        marks = np.array([alone[i][1][at[i]] for i in range(4)])
        now = found.advance(held, inputs, marks)
        held = np.where(ready[:, None], now, held)
        for i in np.flatnonzero(ready):
            seen[i].append(now[i])
            place[i] += 1
    for i in range(4):
        if seen[i]:
            batch = found.filtered(*alone[i])[: len(seen[i])]
            np.testing.assert_array_equal(np.stack(seen[i]), batch)


def test_two_states_by_hand():
    """Start even, stay 0.9, states at -1 and +1 of deviation 1: x = 1, then x = 0."""
    found = RegimeFilter(
        "hmm", np.zeros(1), np.ones(1), np.full(2, 0.5), np.array([[0.9, 0.1], [0.1, 0.9]]),
        np.array([[-1.0], [1.0]]), np.ones((2, 1, 1)),
    )  # fmt: skip
    ours = found.filtered(np.array([[1.0], [0.0], [0.0]]), np.array([True, False, True]))
    first = 1 / (1 + np.exp(-2))  # density ratio e^(-0) : e^(-2)
    second = 0.9 * first + 0.1 * (1 - first)  # x = 0 tells nothing
    np.testing.assert_allclose(ours[:, 1], [first, second, 0.5], rtol=1e-14)
    assert found.names == ("regime_1", "regime_2")


def test_an_outlier_moves_the_state_and_does_not_fix_it():
    found = drawn(2)
    inputs = np.zeros((400, 2)) + found.centre
    calm = found.filtered(inputs, np.arange(400) == 0)
    inputs[200] = 1e30
    shaken = found.filtered(inputs, np.arange(400) == 0)
    assert np.isfinite(shaken).all()
    np.testing.assert_allclose(shaken[-1], calm[-1], atol=1e-6)


def test_a_gap_in_trading_time_begins_anew():
    one, other = flat(12), flat(3)
    time = one.time.copy()
    time[4:] += 3 * HOUR_NS  # closes 4 bars apart: within patience
    time[8:] += 4 * HOUR_NS  # 5 bars apart: away
    panel = panel_of(replace(one, time=time), replace(other, symbol="SECOND"))
    assert np.flatnonzero(begins(panel)).tolist() == [0, 8, 12]


def test_nights_and_weekends_of_an_exchange_are_no_gap():
    from touchstone.market import Bars, Calendar, Panel, Timeframe

    days = np.array(["2022-01-06", "2022-01-07", "2022-01-10"], "datetime64[ns]").astype(np.int64)
    time = (days[:, None] + np.arange(14, 21) * HOUR_NS + HOUR_NS // 2).reshape(-1)
    ones = np.ones(time.size)
    panel = Panel.from_bars(
        [Bars("X", time, ones, ones, ones, ones, ones)], Timeframe("1h"), Calendar("XNYS")
    )
    assert np.flatnonzero(begins(panel)).tolist() == [0]


def test_runs_are_broken_by_left_out_rows_missing_inputs_and_gaps():
    marks = np.zeros(12, bool)
    marks[[0, 9]] = True
    inputs = np.zeros((12, 1))
    inputs[4] = np.nan
    found = sequences(marks, inputs, np.array([1, 2, 3, 4, 5, 7, 8, 9, 10]))
    assert found.rows.tolist() == [1, 2, 3, 5, 7, 8, 9, 10]
    assert found.lengths.tolist() == [3, 1, 2, 2]
    with pytest.raises(TooFewBarsError, match="none of 1 train rows has all inputs"):
        sequences(marks, inputs, np.array([4]))


def test_the_empty_instrument_begins_nowhere():
    panel = random_panel(3, 20)
    kept = panel.where(panel.asset_id != 1)
    assert np.flatnonzero(begins(kept)).tolist() == [0, 20]


def test_survives_its_own_json_bit_for_bit():
    found, (inputs, marks) = drawn(8), cases(8)
    again = RegimeFilter.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    np.testing.assert_array_equal(again.filtered(inputs, marks), found.filtered(inputs, marks))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": [0.5, 0.6, 0.1]}, "sum to 1"),
        ({"start": [1.0, 0.0, 0.0]}, "positive"),
        ({"scale": [1.0, 0.0]}, "positive scales"),
        ({"scale": [1.0]}, "other shapes"),
        ({"mean": [[0.0, float("nan")]] * 3}, "finite"),
        ({"covariance": [[[1.0, 2.0], [2.0, 1.0]]] * 3}, "covariances"),
        ({"centre": "x"}, "cannot be read"),
        ({"centre": []}, "other shapes"),
    ],
)
def test_a_spoilt_json_is_refused(change, message):
    with pytest.raises(ArtifactError, match=message):
        RegimeFilter.from_json(json.dumps(json.loads(drawn(1).to_json()) | change))
    for text in ("{", "[]", "null"):
        with pytest.raises(ArtifactError, match="cannot be read"):
            RegimeFilter.from_json(text)


def test_finds_planted_states_better_than_chance():
    from touchstone.dataset.regimes.hmm import HmmConfig, hmm

    states, inputs = planted(6000)
    marks = np.arange(6000) == 0
    found = hmm(HmmConfig(), inputs, sequences(marks, inputs, np.arange(4000)), 7)
    said = found.filtered(inputs, marks).argmax(1)
    assert (said[4000:] == states[4000:]).mean() > 0.9


def test_a_budget_of_rows_meets_every_instrument():
    """Ten instruments, half of the rows: whichever is made wilder, the filter feels it."""
    from touchstone.dataset.regimes.hmm import HmmConfig, hmm

    config = HmmConfig(states=2, rows=5000, starts=1, tolerance=1e-3)
    runs = sequences(np.arange(10_000) % 1000 == 0, planted(10_000)[1], np.arange(10_000))
    assert runs.lengths.tolist() == [1000] * 10
    inputs = planted(10_000)[1]
    plain = hmm(config, inputs, runs, 7).centre
    for run in range(10):
        other = inputs.copy()
        other[run * 1000 : (run + 1) * 1000] += 0.1
        assert (hmm(config, other, runs, 7).centre > plain + 0.005).all()
