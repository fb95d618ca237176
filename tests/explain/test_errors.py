"""Slices: sums by hand, nothing lost, luck not taken for a finding, a planted part found."""

import numpy as np
import pytest

from touchstone.errors import DataError
from touchstone.explain.errors import Answered, slices
from touchstone.metrics import classification as c
from touchstone.validation.slices import Division, screened


def rows(seed, n=4000, n_days=100, bad=None):
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(2, 5, n), 3)
    hit = rng.random(n) < p
    part = rng.integers(0, 6, n)
    if bad is not None:
        hit &= ~((part == bad) & (rng.random(n) < 0.7))
    net = np.where(hit, 0.02, -0.01) - 0.002 + rng.normal(0, 0.002, n)
    day = np.sort(rng.integers(0, n_days, n))
    hours = rng.integers(0, 24, n)
    ways = [Division("symbol", tuple("ABCDEF"), part),
            Division("hour", tuple(f"{h:02}" for h in range(25)), hours)]  # fmt: skip
    return Answered(p, p >= 0.4, hit, net, day), ways


def test_counts_add_up_in_every_division_and_figures_are_those_of_metrics():
    answered, ways = rows(1)
    found = slices(answered, ways, 7)
    for way in ways:
        mine = [s for s in found.found if s.group == way.group]
        for field, whole in (
            ("n_rows", answered.hit.size), ("n_hits", answered.hit.sum()),
            ("n_accepted", answered.accepted.sum()),
        ):  # fmt: skip
            assert sum(getattr(s, field) for s in mine) == whole
        assert "24" not in {s.name for s in mine}  # no row, no part
        for s in mine:
            own = way.part == way.names.index(s.name)
            taken = own & answered.accepted
            chosen = answered.accepted[own].astype(float)
            assert s.precision == c.precision(chosen, answered.hit[own], 0.5)
            assert s.recall == c.recall(chosen, answered.hit[own], 0.5)
            assert s.pr_auc == c.pr_auc(answered.probability[own], answered.hit[own])
            assert s.gap == pytest.approx(answered.probability[own].mean() - s.base_rate)
            assert s.net == pytest.approx(answered.net[taken].mean())
            for name in ("precision", "recall", "pr_auc", "gap", "net"):
                ends = getattr(s, f"{name}_interval")
                assert ends is None or ends[0] <= getattr(s, name) <= ends[1]


def test_a_planted_part_comes_first_and_survives():
    answered, ways = rows(2, bad=3)
    found = slices(answered, ways, 7)
    first = found.found[0]
    assert (first.group, first.name) == ("symbol", "D")
    assert found.survives(0) == (True, True)
    assert first.gap > 0.1
    assert first.gap_interval[0] > 0
    order = [s.least_p for s in found.found]
    assert order == sorted(order)


def test_luck_is_seldom_told_as_a_finding():
    told = [sum(slices(*rows(100 + seed, n=800), 7).screen.survives) > 0 for seed in range(10)]
    # Each at most 5 % in expectation: 4 of 10 would come by chance once in 900.
    assert sum(told) <= 3


def test_the_same_seed_gives_the_same_intervals():
    answered, ways = rows(3, n=800)
    assert slices(answered, ways, 7) == slices(answered, ways, 7)
    assert slices(answered, ways, 7) != slices(answered, ways, 8)


def test_columns_of_another_length_are_refused():
    answered, ways = rows(4, n=100)
    with pytest.raises(DataError, match="net"):
        slices(answered._replace(net=answered.net[1:]), ways, 7)
    with pytest.raises(DataError, match="by symbol"):
        slices(answered, [ways[0]._replace(part=ways[0].part[1:])], 7)


def test_parts_that_cannot_be_tested_stay_untested_and_do_not_count():
    found = screened([0.001, None, 0.9, 0.04])
    assert found.adjusted == (pytest.approx(0.003), None, pytest.approx(0.9), pytest.approx(0.06))
    assert (found.n_tested, found.n_nominal) == (3, 2)
    assert found.survives == (True, False, False, False)
    assert found.expected_by_luck == pytest.approx(0.15)
    assert screened([]).adjusted == ()
