"""Bars: what a market could print is kept as it is, the rest is refused by row and values."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import BarsError
from touchstone.market import Bars
from walks import flat, random_walk


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"close": {3: np.nan}}, "close must be finite and positive; row 3"),
        ({"open": {2: np.inf}}, "open must be finite and positive; row 2"),
        ({"low": {0: 0.0}}, "low must be finite and positive; row 0"),
        ({"low": {1: -5.0}}, "low must be finite and positive; row 1"),
        ({"high": {4: 99.0}}, "low and high must enclose open and close; row 4"),
        ({"low": {4: 101.0}}, "low and high must enclose open and close; row 4"),
        ({"volume": {4: -1.0}}, "volume must be finite and not negative; row 4"),
        ({"volume": {4: np.nan}}, "volume must be finite and not negative; row 4"),
        ({"close": {3: np.nan, 5: np.nan}}, r"\(2 rows in all\)"),
    ],
)
def test_refused(rows, says):
    with pytest.raises(BarsError, match=says) as caught:
        flat(9, **rows)
    assert str(caught.value).startswith("FLAT: ")


@pytest.mark.parametrize("change", [{3: 2}, {3: 1}])
def test_time_must_rise_strictly(change):
    bars = flat(6)
    time = bars.time.copy()
    for row, like in change.items():
        time[row] = time[like]
    with pytest.raises(
        BarsError, match=r"time must rise strictly; row 3 \(2022-01-01T0\d:00:00 UTC"
    ):
        replace(bars, time=time)


def test_columns_of_other_lengths():
    with pytest.raises(BarsError, match=r"columns differ in length"):
        replace(flat(6), close=np.ones(5))


def test_flat_bars_and_no_volume_are_legal():
    bars = flat(4, volume=dict.fromkeys(range(4), 0.0))
    assert len(bars) == 4
    assert len(replace(bars, **{n: getattr(bars, n)[:0] for n in vars(bars) if n != "symbol"})) == 0


def test_frozen():
    with pytest.raises(FrozenInstanceError):
        flat(3).symbol = "X"


@given(n_bars=st.integers(1, 40), n=st.integers(0, 50), seed=st.integers(0, 99))
def test_head_is_the_past(n_bars, n, seed):
    bars = random_walk(n_bars, seed)
    head = bars.head(n)
    assert isinstance(head, Bars)
    np.testing.assert_array_equal(head.close, bars.close[:n])
    np.testing.assert_array_equal(head.time, bars.time[:n])
