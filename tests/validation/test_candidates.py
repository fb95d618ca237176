"""The choice before the seal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchstone.ledger import Candidate
from touchstone.validation.candidates import candidate, choose

some = st.builds(
    Candidate,
    st.text("abc", min_size=1, max_size=3),
    st.one_of(st.none(), st.floats(-1, 1), st.sampled_from([0.25, 0.5])),
    st.integers(0, 40),
)


@given(st.lists(some, max_size=8), st.randoms(use_true_random=False))
def test_the_best_that_is_able_whatever_the_order(candidates, random):
    chosen = choose(candidates)
    able = [c for c in candidates if c.n_trades >= 20 and (c.daily_sharpe or 0) > 0]
    assert (chosen is None) == (not able)
    if chosen:
        assert chosen in able
        assert chosen.daily_sharpe == max(c.daily_sharpe for c in able)
    random.shuffle(candidates)
    again = choose(candidates)
    assert (again and again.daily_sharpe) == (chosen and chosen.daily_sharpe)  # of equals any


def test_rules():
    assert choose([]) is None
    assert (
        choose([Candidate("a", 0.5, 19), Candidate("b", 0.0, 90), Candidate("c", None, 90)]) is None
    )
    # of equals the first, whatever their names: these change with the universe
    for names in (("b", "a"), ("a", "b")):
        equals = [Candidate(name, 0.5, 20) for name in names]
        assert choose([Candidate("c", 0.4, 20), *equals]) is equals[0]


def test_a_candidate_from_its_returns():
    daily = np.array([0.01, 0.03, -0.01])
    made = candidate("x", daily, 7)
    assert made == Candidate("x", float(daily.mean() / daily.std(ddof=1)), 7)
    assert candidate("x", np.zeros(9), 0).daily_sharpe is None
