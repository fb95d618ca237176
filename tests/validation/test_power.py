"""What the power curve counts: exact intervals, and the strength that has the wanted truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from touchstone.errors import DataError
from touchstone.validation.power import Trial, exact_interval, point, strengths, words


def trial(word="none", true=3.5, number=0, ic=0.1, net=0.2, best=0.4):
    chosen = true is not None
    return Trial(ic, number, word, 0.5, 0.9 if chosen else None, 30, 50, true,
                 net if chosen else None, best if chosen else None)  # fmt: skip


@given(n=st.integers(1, 300), share=st.floats(0, 1))
def test_an_exact_interval_ends_where_the_binomial_law_says_so(n, share):
    hits = round(share * n)
    low, high = exact_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    if hits:
        assert stats.binom.sf(hits - 1, n, low) == pytest.approx(0.025, rel=1e-6)
    if hits < n:
        assert stats.binom.cdf(hits, n, high) == pytest.approx(0.025, rel=1e-6)


def test_nothing_is_known_without_a_trial():
    assert exact_interval(0, 0) == (0, 1)


def test_a_point_counts_words_and_truths():
    trials = [
        *(trial("evidence", 3.4, net=0.3, best=0.4) for _ in range(6)),
        *(trial("weak", 3.7, net=0.1, best=0.2) for _ in range(2)),
        trial("none", 1.0, net=-0.1, best=0.3),
        trial("none", None),
    ]
    found = point(3.5, 0.1, trials)
    assert (found.n, found.evidence, found.weak_or_better, found.chosen) == (10, 6, 8, 9)
    assert (found.near, found.near_evidence) == (8, 6)
    true = np.array([3.4] * 6 + [3.7] * 2 + [1.0])
    assert found.true_mean == pytest.approx(true.mean())
    inside = stats.ttest_1samp(true, 0).confidence_interval(0.95)
    assert found.true_interval == pytest.approx((inside.low, inside.high))
    assert found.oracle_share == pytest.approx((1.8 + 0.2 - 0.1) / (2.4 + 0.4 + 0.3))
    assert words(trials) == {"evidence": 6, "weak": 2, "none": 2}


def test_a_point_where_nobody_was_chosen_has_no_truth():
    found = point(1.0, 0.01, [trial(true=None)] * 3)
    assert (found.chosen, found.near, found.evidence) == (0, 0, 0)
    assert np.isnan([found.true_mean, found.oracle_share]).all()


def test_strengths_have_the_truth_that_was_wanted():
    ics, rng = (0.03, 0.05, 0.07, 0.09, 0.11), np.random.default_rng(3)

    def truth(ic):
        return 1 + 200 * (ic - 0.02) ** 2 + 20 * ic

    exact = [trial(ic=ic, true=truth(ic)) for ic in ics]
    for wanted, found in zip((2.0, 3.5), strengths((2.0, 3.5), exact), strict=True):
        assert truth(found) == pytest.approx(wanted, abs=0.01)
    noisy = [trial(ic=ic, true=truth(ic) + rng.normal(0, 0.5)) for ic in ics for _ in range(100)]
    (found,) = strengths((3.0,), noisy)
    assert truth(found) == pytest.approx(3.0, abs=0.15)


def test_a_target_that_the_pilot_does_not_reach_is_refused():
    pilot = [trial(ic=ic, true=20 * ic) for ic in (0.05, 0.1, 0.15)]
    for target in (0.5, 3.5):
        with pytest.raises(DataError, match=r"lies outside what the pilot's strengths"):
            strengths((target,), pilot)
    with pytest.raises(DataError, match="ask for more pilot markets"):
        strengths((1.0,), [trial(true=None)] * 9)
