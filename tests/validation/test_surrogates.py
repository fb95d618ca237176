"""The sequential p-value of a search: valid by enumeration, blind to what it did not need."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.pipelines.study import StudyConfig
from touchstone.validation.bootstrap import studentised_mean
from touchstone.validation.surrogates import (
    MOST_EXCEEDANCES,
    n_needed,
    search_score,
    surrogate_test,
)

SCORES = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]), min_size=199, max_size=199)


def by_the_page(best, scores, budget):
    """Besag & Clifford's rule, draw by draw: (p, draws taken)."""
    taken, as_good = 0, 0
    while taken < budget and as_good < 3:
        as_good += scores[taken] >= best
        taken += 1
    return (3 / taken if as_good == 3 else (1 + as_good) / (budget + 1)), taken


@given(scores=SCORES, best=st.sampled_from([0.25, 0.5, 1.0, 2.5, 9.0]),
       budget=st.sampled_from([1, 2, 3, 19, 39, 199]))  # fmt: skip
def test_it_is_the_rule_and_what_lies_beyond_its_end_does_not_count(scores, best, budget):
    p, taken = by_the_page(best, scores, budget)
    found = surrogate_test(best, scores, budget)
    assert (found.p, len(found.scores)) == (p, taken)
    assert found.n_exceedances == sum(s >= best for s in scores[:taken])
    assert surrogate_test(best, scores[:taken], budget) == found
    assert n_needed(best, scores[:taken], budget) == 0
    for n in range(taken):
        needed = n_needed(best, scores[:n], budget)
        assert 1 <= needed <= taken - n  # asking for no more never wastes a search
        with pytest.raises(DataError, match="more are needed"):
            surrogate_test(best, scores[:n], budget)


def test_ties_count_against_the_search_and_a_search_of_nothing_is_never_better():
    assert surrogate_test(2.0, [2.0] * 19, 19).p == 1.0
    assert surrogate_test(2.0, [1.0] * 19, 19).p == 0.05
    assert surrogate_test(0.0, [], 19).p == 1.0
    assert n_needed(0.0, [], 19) == 0
    assert by_the_page(0.0, [0.0] * 19, 19)[0] == 1.0  # what the short cut spares


@pytest.mark.parametrize("budget", [19, 39, 99])
def test_it_is_valid_by_enumeration(budget):
    """Exchangeable scores without ties: every place of the own score among budget + 1, and every
    arrangement of the surrogates that are as good; no probability is drawn."""
    law: dict[Fraction, Fraction] = {}
    for n_good in range(budget + 1):
        of_place = Fraction(1, budget + 1)
        if n_good < MOST_EXCEEDANCES:
            p = Fraction(1 + n_good, budget + 1)
            law[p] = law.get(p, Fraction(0)) + of_place
            continue
        for last in range(MOST_EXCEEDANCES, budget + 1):  # where the third of them stands
            ways = comb(last - 1, MOST_EXCEEDANCES - 1) * comb(
                budget - last, n_good - MOST_EXCEEDANCES
            )
            scores = [0.0] * (last - MOST_EXCEEDANCES) + [2.0] * MOST_EXCEEDANCES
            found = surrogate_test(1.0, scores + [0.0] * (budget - last), budget)
            p = Fraction(found.p).limit_denominator(1000)
            share = of_place * Fraction(ways, comb(budget, n_good))
            law[p] = law.get(p, Fraction(0)) + share
    assert sum(law.values()) == 1
    below = Fraction(0)
    for p in sorted(law):
        below += law[p]
        assert below <= p
    at_5_percent = sum(share for p, share in law.items() if p <= Fraction(1, 20))
    assert at_5_percent == Fraction(1, 20)  # exact: R + 1 is a multiple of 20


def test_it_rejects_at_its_level_where_searches_are_alike():
    """The same by drawing: scores of searches without an edge, half of which found nothing."""
    rng = np.random.default_rng(20_261_128)
    best = np.maximum(rng.standard_t(4, (4_000, 20)), 0)  # half of them 0, ties among those
    p = np.array([surrogate_test(row[0], row[1:].tolist(), 19).p for row in best])
    assert 0.036 < np.mean(p <= 0.05) < 0.065  # 99.9 % band of 5 % in 4,000
    for level in (0.1, 0.15, 0.3, 0.5):
        assert np.mean(p <= level) <= level + 3.3 * np.sqrt(level * (1 - level) / 4_000)


def test_the_score_of_a_search_is_the_t_of_its_choice_and_never_below_zero():
    daily = np.random.default_rng(2).normal(0.002, 0.01, 120)
    assert search_score(daily) == studentised_mean(daily) > 0
    assert search_score(7 * daily) == pytest.approx(search_score(daily))  # no unit
    assert search_score(-daily) == 0.0
    assert search_score(np.zeros(120)) == 0.0
    assert search_score(None) == 0.0


@pytest.mark.parametrize("budget", [0, 19, 39, 199, 1_999])
def test_budgets_that_can_meet_the_level(budget):
    config = StudyConfig.parse({"surrogates": budget})
    assert config.surrogates == budget
    assert ('"surrogates"' in config.canonical()) == (budget > 0)


REFUSED = {1: "as 19", 20: "as 19", 100: "as 99", -1: "surrogates", 10_019: "surrogates"}


@pytest.mark.parametrize(("budget", "says"), REFUSED.items())
def test_other_budgets_are_refused_with_the_next_one(budget, says):
    with pytest.raises(ConfigError, match=says):
        StudyConfig.parse({"surrogates": budget})
