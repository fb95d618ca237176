"""Continuous futures: a worked roll, and the laws of one that cannot look ahead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import BarsError
from touchstone.market import Bars
from touchstone.market.continuous import Contract, RollRule, continuous

DAY = 86_400_000_000_000


def contract(name, first, close, volume, expiry):
    close = np.asarray(close, float)
    time = (first + np.arange(close.size)) * DAY
    volume = np.asarray(volume, float)
    return Contract(
        Bars(name, time, close, close * 1.01, close * 0.99, close, volume), expiry * DAY
    )


def test_worked_roll_by_volume():
    # On day 2 the next contract trades more for the first time, at 110 against 100: ratio 1.1.
    front = contract("H", 0, [98, 99, 100, 101, 102], [9, 9, 4, 9, 9], expiry=20)
    after = contract("M", 1, [108, 110, 111, 112], [1, 5, 1, 1], expiry=50)
    got = continuous("ES", [front, after], RollRule())
    np.testing.assert_allclose(got.bars.close, [98 * 1.1, 99 * 1.1, 110, 111, 112])
    np.testing.assert_array_equal(got.contract, [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(got.bars.volume, [9, 9, 4, 1, 1])
    assert got.roll_row.tolist() == [2]
    assert got.ratio.tolist() == [1.1]


def test_worked_roll_by_the_clock():
    # Expiry at the end of day 9, five days before: the first bar from day 5 on decides.
    front = contract("H", 0, np.arange(100, 110), np.full(10, 9), expiry=10)
    after = contract("M", 0, np.arange(200, 220), np.full(20, 1), expiry=50)
    got = continuous("ES", [front, after], RollRule(days_before=5))
    assert got.roll_row.tolist() == [5]
    assert got.bars.close[6] == 206
    assert got.bars.close[5] == pytest.approx(105 * 205 / 105)
    never = continuous("ES", [front, after], RollRule(days_before=5, by_volume=False))
    np.testing.assert_array_equal(never.bars.close, got.bars.close)


def test_what_cannot_be_joined():
    front = contract("H", 0, [100, 101, 102], [1, 1, 1], expiry=3)
    gap = contract("M", 5, [100, 101], [1, 1], expiry=9)
    with pytest.raises(BarsError, match="H and M have no bar in common"):
        continuous("ES", [front, gap], RollRule())
    with pytest.raises(BarsError, match="expires no later"):
        continuous("ES", [gap, front], RollRule())
    with pytest.raises(BarsError, match="at least one"):
        continuous("ES", [], RollRule())
    with pytest.raises(BarsError, match="days_before"):
        RollRule(days_before=-1)


def chain(seed, n_contracts=4, life=40, overlap=20):
    """Contracts that trade side by side, each on its own level."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n_contracts):
        first = i * (life - overlap)
        close = 100 * (1 + i) * np.exp(np.cumsum(rng.normal(0, 0.01, life)))
        out.append(contract(f"C{i}", first, close, rng.integers(1, 100, life), first + life))
    return out


def slow(contracts, rule):
    """Day by day, as a trader would: hold one, look at the next, roll at a close."""
    held, growth, path, rolls = 0, 1.0, [], []
    by_day = [
        dict(zip((c.bars.time // DAY).tolist(), c.bars.close, strict=True)) for c in contracts
    ]
    volume = [
        dict(zip((c.bars.time // DAY).tolist(), c.bars.volume, strict=True)) for c in contracts
    ]
    last = None
    for day in range(0, max(max(d) for d in by_day) + 1):
        if day not in by_day[held]:
            continue
        if last is not None:
            growth *= by_day[held][day] / last
        path.append(growth)
        last = by_day[held][day]
        if (
            held + 1 < len(contracts)
            and day in by_day[held + 1]
            and day * DAY < contracts[held].expiry
        ):
            late = day * DAY >= contracts[held].expiry - rule.days_before * DAY
            if late or (rule.by_volume and volume[held + 1][day] > volume[held][day]):
                rolls.append(day)
                held += 1
                last = by_day[held][day]
    return np.array(path), rolls


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), days=st.integers(0, 15), by_volume=st.booleans())
def test_returns_are_those_of_who_held_the_contracts(seed, days, by_volume):
    contracts, rule = chain(seed), RollRule(days, by_volume)
    if days == 0 and not by_volume:
        with pytest.raises(BarsError):
            continuous("X", contracts, rule)
        return
    got = continuous("X", contracts, rule)
    path, rolls = slow(contracts, rule)
    np.testing.assert_allclose(got.bars.close / got.bars.close[0], path, rtol=1e-12)
    assert (got.bars.time[got.roll_row] // DAY).tolist() == rolls
    assert got.bars.close[-1] == contracts[-1].bars.close[-1], "the last prices are real ones"


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), end=st.integers(2, 99))
def test_the_future_changes_no_roll_and_no_return(seed, end):
    contracts, rule = chain(seed), RollRule()
    whole = continuous("X", contracts, rule)
    known = [
        Contract(c.bars.head(int((c.bars.time < end * DAY).sum())), c.expiry) for c in contracts
    ]
    cut = continuous("X", known, rule)
    n = len(cut.bars)
    np.testing.assert_array_equal(cut.contract, whole.contract[:n])
    np.testing.assert_array_equal(cut.bars.time, whole.bars.time[whole.bars.time < end * DAY])
    scale = whole.bars.close[0] / cut.bars.close[0]
    np.testing.assert_allclose(cut.bars.close * scale, whole.bars.close[:n], rtol=1e-12)


def test_a_hole_is_refused_however_far_the_next_bars_are_away():
    """The second contract ends before the first expires, the third goes on: nothing joins them."""
    front = contract("H", 0, np.full(50, 100.0), np.full(50, 9), expiry=50)
    short = contract("M", 20, np.full(25, 110.0), np.full(25, 5), expiry=90)
    third = contract("U", 40, np.full(80, 120.0), np.full(80, 5), expiry=130)
    with pytest.raises(BarsError, match="H and M have no bar in common from 5 days before"):
        continuous("ES", [front, short, third], RollRule())
    assert len(continuous("ES", [front, short], RollRule()).bars) == 50  # the data end before it
