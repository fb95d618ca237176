"""Timing of positions, knowledge of labels: every shift by hand, size and power."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns import ar_garch, garch_t, normal
from touchstone.errors import DataError
from touchstone.metrics.classification import roc_auc
from touchstone.validation.permutation import label_test, timing_test
from validation.bands import holds

SEED = 20_240_781  # chosen before the first run


def rng(*path):
    return np.random.default_rng([SEED, *path])


def positions(n_times, source, n_series=1):
    """In and out of the market for about twenty bars at a time."""
    return np.squeeze(ar_garch(n_times, n_series, source, phi=0.95) > 0.5).astype(float)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(2, 40), st.integers(1, 3))
def test_timing_is_every_shift_by_hand(seed, n_times, n_instruments):
    source = np.random.default_rng(seed)
    position = source.integers(-1, 2, (n_times, n_instruments)).astype(float)
    returns = source.normal(size=(n_times, n_instruments))
    found = timing_test(position, returns)
    profits = [(np.roll(position, s, axis=0) * returns).sum() for s in range(n_times)]
    as_well = sum(p >= profits[0] - 1e-9 for p in profits[1:])
    assert found.p == (1 + as_well) / n_times
    assert found.statistic == pytest.approx(profits[0])
    assert found.n_permutations == n_times - 1


@pytest.mark.parametrize("world", [normal, garch_t])
def test_timing_size(world):
    source = rng(1)
    returns, held = world(400, 400, source) + 0.1, positions(400, source, 400)
    n = sum(timing_test(held[:, i], returns[:, i]).p <= 0.05 for i in range(400))
    assert holds(n, 400, 0.05)


def test_timing_power_and_no_credit_for_exposure():
    """A rising market pays any long position: a test of the mean is fooled, this one is not."""
    source = rng(2)
    returns = normal(400, 1, source)[:, 0] + 0.3
    assert timing_test(positions(400, source), returns).p > 0.05
    assert timing_test(np.ones(400), returns).p == 1.0
    knows = returns + 3 * normal(400, 1, source)[:, 0] > 0
    assert timing_test(knows.astype(float), returns).p < 0.02


def test_timing_of_many_instruments_shifts_them_together():
    """Ten copies of one instrument are no ten proofs."""
    source = rng(3)
    position, returns = positions(300, source), garch_t(300, 1, source)[:, 0]
    copies = [np.repeat(x[:, None], 10, axis=1) for x in (position, returns)]
    assert timing_test(*copies).p == timing_test(position, returns).p


def test_timing_without_a_choice_is_p_1():
    for position in (np.zeros(50), np.ones(50), np.full((50, 3), 0.1)):
        assert timing_test(position, np.ones_like(position)).p == 1.0
    assert timing_test(np.empty(0), np.empty(0)).p == 1.0
    assert timing_test(np.ones(1), np.ones(1)).p == 1.0
    with pytest.raises(DataError, match="one shape"):
        timing_test(np.ones(5), np.ones(6))
    with pytest.raises(DataError, match="finite"):
        timing_test(np.ones(5), np.full(5, np.nan))


def scored(source, skill=0.0, n_days=60, a_day=12):
    """Scores and labels whose days each have a mood of their own."""
    day = np.repeat(np.arange(n_days), a_day)
    mood = 2 * np.repeat(source.normal(size=(2, n_days)), a_day, axis=1)
    score = mood[0] + source.normal(size=day.size)
    hit = mood[1] + skill * score + source.normal(size=day.size) > 2
    return day, score, hit


def test_label_size_where_a_shuffle_of_rows_rejects_too_often():
    source, by_days, by_rows = rng(4), 0, 0
    for _ in range(120):
        day, score, hit = scored(source)
        by_days += label_test(lambda at: roc_auc(score, hit[at]), day, source, 59).p <= 0.05  # noqa: B023
        told = roc_auc(score, hit)
        shuffled = [roc_auc(score, source.permutation(hit)) for _ in range(39)]
        by_rows += (1 + sum(s >= told for s in shuffled)) / 40 <= 0.05
    assert holds(by_days, 120, 0.05)
    assert by_rows > 24


def test_label_power():
    source, found = rng(5), 0
    for _ in range(20):
        day, score, hit = scored(source, skill=1.0)
        found += label_test(lambda at: roc_auc(score, hit[at]), day, source, 59).p <= 0.05  # noqa: B023
    assert found >= 18


def test_who_knows_only_instruments_and_hours_gains_nothing():
    """Every day has the same rows, and what is known of a row is true on every day."""
    slot = np.tile(np.arange(24), 40)
    hit = rng(6).random(slot.size) < slot / 48
    found = label_test(lambda at: roc_auc(slot, hit[at]), np.repeat(np.arange(40), 24), rng(6), 39)
    assert found.statistic > 0.6
    assert found.p > 0.05
    assert found.n_permutations == 39


def test_labels_without_days_or_measure():
    day = np.repeat(np.arange(5), 3)
    assert label_test(lambda at: None, day, rng(7)).p == 1.0  # noqa: ARG005
    assert label_test(lambda at: 1.0, day, rng(7)).p == 1.0  # noqa: ARG005  every shift ties
    assert label_test(lambda at: 1.0, day[:3], rng(7)) == (1.0, 1.0, 0)  # noqa: ARG005
    assert label_test(lambda at: 1.0, day[:0], rng(7)) == (1.0, 1.0, 0)  # noqa: ARG005
    with pytest.raises(DataError, match="in time order"):
        label_test(lambda at: 1.0, day[::-1], rng(7))  # noqa: ARG005


def test_a_measure_that_is_no_number_is_no_evidence():
    day = np.arange(30)
    true = np.arange(30)
    always = label_test(lambda _: float("nan"), day, np.random.default_rng(0))
    assert (always.p, always.statistic) == (1.0, None)
    elsewhere = label_test(
        lambda at: 1.0 if (at == true).all() else float("nan"), day, np.random.default_rng(0)
    )
    assert elsewhere.p == 1.0
