"""Selection: rules in order, worked examples, and honesty about columns that wander."""

import math

import numpy as np
import pytest

from dataset.evidences import HOUR_NS, evidence, names, wandering, without
from touchstone.dataset.selection import (
    SELECTION,
    Evidence,
    clustered,
    distinct,
    select,
    thinned,
)
from touchstone.dataset.selection.mutual_information import MutualInformationConfig

ONE = evidence()


def rules(*settings):
    return tuple(SELECTION.parse(s) for s in settings)


def test_no_rule_keeps_all_that_move_and_differ():
    kept = select((), ONE, 7)
    assert names(kept, ONE) == ("planted", "noisy", "noise", "slow", "slower", "minus")


def test_rules_narrow_in_order():
    alike = select(rules({"kind": "clusters", "correlation": 0.8}), ONE, 7)
    assert len({"planted", "noisy", "minus"} & set(names(alike, ONE))) == 1
    both = select(rules({"kind": "clusters", "correlation": 0.8}, "mutual_information"), ONE, 7)
    assert set(names(both, ONE)) < set(names(alike, ONE))
    assert len({"planted", "noisy", "minus"} & set(names(both, ONE))) == 1
    three = rules("mutual_information", "clusters", {"kind": "permutation", "keep": 1})
    assert set(select(three, ONE, 7).scores) <= {"planted", "noisy", "minus"}


def test_a_minus_sign_and_minus_zero_make_no_other_column():
    n = 40
    x = np.where(np.arange(n) % 2, 1.0, 0.0).astype(np.float32)
    minus_zero = np.where(np.arange(n) % 2, 1.0, -0.0).astype(np.float32)
    one = Evidence(
        np.stack([x, minus_zero], 1), ("a", "b"), np.arange(n), np.arange(0),
        np.zeros(n, np.int8), np.zeros(n, np.int32), np.arange(n) * HOUR_NS,
    )  # fmt: skip
    assert distinct(one).tolist() == [0]


def test_mutual_information_by_hand():
    """4 rows: bins 0 0 1 1, outcomes - - + 0: H(outcome) - H(outcome | bin) = 1.04 - 0.35 nats."""
    one = Evidence(
        np.array([[1], [2], [3], [4]], np.float32), ("x",), np.arange(4), np.arange(0),
        np.array([-1, -1, 1, 0], np.int8), np.zeros(4, np.int32), np.arange(4) * HOUR_NS,
    )  # fmt: skip
    config = MutualInformationConfig(bins=2, level=1)
    entropy = 0.5 * math.log(2) + 0.5 * math.log(4)
    found = select((config,), one, 7).scores["x"]
    assert found == pytest.approx(entropy - 0.5 * math.log(2))


def test_a_wandering_column_passes_no_more_often_than_the_level_says():
    """A naive test of the same information, rows taken as independent, would pass nearly all."""
    passed, naive = 0, 0
    config = MutualInformationConfig(level=0.05, shifts=19, bins=5)
    for seed in range(60):
        rng = np.random.default_rng([seed, 5])
        column, drive = (wandering(rng, 2, 400, 0.98) for _ in range(2))
        n = column.size
        one = Evidence(
            column[:, None].astype(np.float32), ("x",), np.arange(n), np.arange(0),
            np.sign(drive).astype(np.int8), np.repeat(np.arange(2, dtype=np.int32), n // 2),
            np.tile(np.arange(n // 2), 2) * HOUR_NS,
        )  # fmt: skip
        rule = SELECTION.part("mutual_information")
        passed += bool(rule(config, one, np.arange(1), rng).keep[0])
        plain = rule(config.model_copy(update={"level": 1.0}), one, np.arange(1), rng)
        naive += bool(2 * n * plain.score[0] > 15.5)  # chi-squared, (5 - 1)(3 - 1), 95 %
    assert passed <= 9  # binomial(60, 0.05): more in 0.3 %
    assert naive > 40


def test_clusters_number_what_goes_together_whatever_its_sign():
    columns = np.arange(len(ONE.names))[[0, 1, 2, 7]]
    number = clustered(ONE, columns, ONE.train, 0.8)
    assert number[0] == number[1] == number[3] != number[2]


def test_groups_of_stand_ins_do_not_hide_each_other():
    """Alone, each of ten copies is hardly missed; as one group they are, and all are kept."""
    rng = np.random.default_rng(4)
    copies = ONE.features[:, [0]] + rng.normal(0, 0.05, (len(ONE.features), 10)).astype(np.float32)
    one = ONE._replace(
        features=np.concatenate([copies, ONE.features[:, [2]]], 1),
        names=(*(f"copy{i}" for i in range(10)), "noise"),
    )
    together = select(rules({"kind": "permutation", "rounds": 20}), one, 7)
    alone = select(rules({"kind": "permutation", "rounds": 20, "correlation": 1}), one, 7)
    assert len(together.columns) == 10
    assert len(set(together.scores.values())) == 1
    assert max(alone.scores.values()) < together.scores["copy0"]


def test_thinned_rows_are_spread_evenly_over_hours_and_time():
    rows = np.arange(24 * 1000)
    for most in (1000, 999, 24 * 500):
        kept = thinned(rows, most)
        assert kept.size == most
        assert (np.diff(kept) > 0).all()
        hours = np.bincount(kept % 24, minlength=24)
        assert hours.min() > 0.5 * most / 24
        assert abs(np.median(kept) - 12_000) < 200
    np.testing.assert_array_equal(thinned(rows, None), rows)
    np.testing.assert_array_equal(thinned(rows, 10**6), rows)


def test_two_of_the_same_rule_have_streams_of_their_own():
    one = without(ONE, "twin")
    twice = rules("mutual_information", "mutual_information")
    once = select(twice[:1], one, 7)
    assert select(twice, one, 7).scores.keys() == once.scores.keys()
    assert select(twice, one, 7).scores != once.scores
