"""No minute holds more requests than allowed, however they come; a pause holds for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from downloads import Clock
from touchstone.data.downloads.token_bucket import TokenBucket


@given(
    rate=st.integers(1, 300),
    rests=st.lists(st.floats(0, 90), min_size=1, max_size=400),
)
def test_no_minute_holds_more_than_the_rate(rate, rests):
    clock = Clock()
    bucket = TokenBucket(rate, clock, clock.sleep)
    sent = []
    for rest in rests:
        clock.now += rest if rest > 45 else rest / 100  # bursts, and now and then a long rest
        bucket.take()
        sent.append(clock.now)
    sent = np.array(sent)
    in_minute = np.searchsorted(sent, sent + 60 - 1e-6) - np.arange(sent.size)
    assert in_minute.max() <= rate


@pytest.mark.parametrize("rate", [1, 7, 200])
def test_a_long_run_uses_the_rate(rate):
    clock = Clock()
    bucket = TokenBucket(rate, clock, clock.sleep)
    for _ in range(10 * rate):
        bucket.take()
    assert 9 * 60 * 0.9 <= clock.now <= 11.5 * 60


def test_a_rest_lets_a_tenth_go_at_once():
    clock = Clock()
    bucket = TokenBucket(200, clock, clock.sleep)
    for _ in range(20):
        bucket.take()
    assert clock.now == 0
    bucket.take()
    assert clock.now > 0


def test_a_pause_holds_whoever_comes():
    clock = Clock()
    bucket = TokenBucket(200, clock, clock.sleep)
    bucket.pause(30)
    bucket.pause(10)
    bucket.take()
    assert clock.now == 30
