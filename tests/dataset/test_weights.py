"""Weights: uniqueness against its definition, balance, and draws that follow the weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.dataset.samples import samples
from touchstone.dataset.weights import WeightsConfig, class_balance, draw, uniqueness, weigh
from touchstone.dataset.windows import Windows
from touchstone.errors import ConfigError
from touchstone.labels.triple_barrier import TripleBarrierConfig, triple_barrier
from walks import random_panel


def test_uniqueness_of_worked_labels():
    """Bars 0..5: concurrency 1 2 2 1 1 1."""
    entry, exit_ = np.array([0, 1, 5]), np.array([2, 4, 5])
    expected = [(1 + 1 / 2 + 1 / 2) / 3, (1 / 2 + 1 / 2 + 1 + 1) / 4, 1]
    np.testing.assert_allclose(uniqueness(entry, exit_), expected)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), max_size=40))
def test_uniqueness_is_the_mean_inverse_concurrency(labels):
    entry = np.array([a for a, _ in labels], np.int64)
    exit_ = entry + np.array([b for _, b in labels], np.int64)
    concurrency = [((entry <= bar) & (bar <= exit_)).sum() for bar in range(80)]
    expected = [
        np.mean([1 / concurrency[bar] for bar in range(a, b + 1)])
        for a, b in zip(entry, exit_, strict=True)
    ]
    np.testing.assert_allclose(uniqueness(entry, exit_), expected)


def test_class_balance_gives_each_outcome_the_same_total():
    outcome = np.array([0] * 7 + [1] * 2 + [-1], np.int8)
    weight = class_balance(outcome)
    assert weight.mean() == pytest.approx(1)
    totals = [weight[outcome == o].sum() for o in (-1, 0, 1)]
    np.testing.assert_allclose(totals, 10 / 3)
    np.testing.assert_array_equal(class_balance(np.ones(4, np.int8)), 1)


def test_weights_have_mean_1_and_each_part_can_be_left_out():
    rng = np.random.default_rng(0)
    outcome = rng.choice([-1, 0, 1], 200, p=[0.5, 0.45, 0.05]).astype(np.int8)
    entry = np.sort(rng.integers(0, 300, 200))
    exit_ = entry + rng.integers(0, 9, 200)
    for config in (WeightsConfig(uniqueness=u, balance=b) for u in (0, 1) for b in (0, 1)):
        weight = weigh(config, outcome, entry, exit_)
        assert weight.dtype == np.float32
        assert weight.mean() == pytest.approx(1, abs=1e-6)
        assert (weight == 1).all() == (not config.uniqueness and not config.balance)
    assert weigh(WeightsConfig(), outcome[:0], entry[:0], exit_[:0]).size == 0


def test_draw_is_without_replacement_in_order_and_repeatable():
    rows, weight = np.arange(100, 200), np.linspace(0.1, 2, 100)
    drawn = draw(rows, weight, 30, np.random.default_rng(1))
    assert drawn.size == 30
    assert (np.diff(drawn) > 0).all()
    assert np.isin(drawn, rows).all()
    np.testing.assert_array_equal(drawn, draw(rows, weight, 30, np.random.default_rng(1)))
    np.testing.assert_array_equal(draw(rows, weight, 100, np.random.default_rng(1)), rows)
    assert draw(rows, weight, 0, np.random.default_rng(1)).size == 0


def test_draw_follows_the_weights():
    """Two of three by weight 1, 2, 3: the exact chances of each pair, one drawn after the other."""
    weight, rng, n = np.array([1.0, 2.0, 3.0]), np.random.default_rng(5), 20_000
    chance = {
        pair: sum(weight[a] / 6 * weight[b] / (6 - weight[a]) for a, b in (pair, pair[::-1]))
        for pair in ((0, 1), (0, 2), (1, 2))
    }
    drawn = [tuple(draw(np.arange(3), weight, 2, rng)) for _ in range(n)]
    for pair, p in chance.items():
        assert drawn.count(pair) / n == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))


def test_zero_weight_is_drawn_last():
    weight = np.array([0, 1, 0, 1, 1.0])
    assert draw(np.arange(5), weight, 3, np.random.default_rng(2)).tolist() == [1, 3, 4]
    assert draw(np.arange(5), weight, 4, np.random.default_rng(2)).size == 4


def planted_samples():
    panel = random_panel(3, 200, seed=2)
    labels = triple_barrier(panel, TripleBarrierConfig(take_profit=0.02))
    features = np.random.default_rng(0).normal(size=(len(panel), 4)).astype(np.float32)
    rows = np.flatnonzero(labels.known & (np.arange(len(panel)) % 200 > 30))
    return Windows(features, panel.asset_id, 8), labels, rows


def test_samples_carry_the_labels_of_their_rows():
    windows, labels, rows = planted_samples()
    made = samples(windows, labels, rows, WeightsConfig())
    np.testing.assert_array_equal(made.outcome, labels.outcome[rows])
    np.testing.assert_array_equal(made.realised, labels.realised[rows])
    expected = uniqueness(rows + 1, labels.exit[rows]) * class_balance(made.outcome)
    np.testing.assert_allclose(made.weight, expected / expected.mean(), rtol=1e-6)
    assert (samples(windows, labels, rows).weight == 1).all()


def test_a_row_without_an_outcome_is_refused():
    windows, labels, rows = planted_samples()
    with pytest.raises(ConfigError, match=r"row 199 has no known outcome; take rows where Labels"):
        samples(windows, labels, np.r_[rows, 199])
