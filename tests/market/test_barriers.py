"""touch: the worked cases of the rule, and its laws."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from touchstone.market.barriers import touch

PRICES = st.integers(80, 120).map(float)


@pytest.mark.parametrize(
    ("bar", "entry", "expected"),
    [
        pytest.param((100, 105, 99), True, (0, 0.0), id="target met exactly is not traded through"),
        pytest.param((100, 105.01, 99), True, (1, 105.0), id="traded through"),
        pytest.param((100, 101, 98), True, (-1, 98.0), id="stop met exactly"),
        pytest.param((100, 101, 98.01), True, (0, 0.0), id="stop missed by a cent"),
        pytest.param((100, 106, 97), True, (-1, 98.0), id="both: the stop"),
        pytest.param((97, 106, 96), False, (-1, 97.0), id="opens below the stop"),
        pytest.param((98, 106, 96), False, (-1, 98.0), id="opens at the stop"),
        pytest.param(
            (107, 108, 97), False, (1, 107.0), id="opens above the target: the open is first"
        ),
        pytest.param((105, 105, 104), False, (0, 0.0), id="opens at the target: not through"),
        pytest.param((107, 108, 106), True, (1, 105.0), id="entry bar: its own open is the entry"),
    ],
)
def test_worked(bar, entry, expected):
    assert touch(*map(float, bar), 105.0, 98.0, entry) == expected


def test_no_barriers_no_touch():
    assert touch(100.0, 1e9, 1e-9, float("inf"), 0.0, False) == (0, 0.0)


@given(
    prices=st.lists(PRICES, min_size=3, max_size=3), upper=PRICES, lower=PRICES, entry=st.booleans()
)
def test_laws(prices, upper, lower, entry):
    assume(lower < upper)
    low, open_, high = sorted(prices)
    which, price = touch(open_, high, low, upper, lower, entry)
    assert (which == 0) == (low > lower and high <= upper)
    if which == -1 and not entry:
        assert price <= lower
    if which == 1 and not entry:
        assert price >= upper
    if which and not entry:
        assert low <= price <= high
    if low <= lower and (entry or open_ <= upper):
        assert which == -1
