import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from touchstone.reports.charts.scales import (
    Scale,
    covering,
    day_ticks,
    growth_scale,
    spread_out,
    ticks,
)
from touchstone.reports.figures import plain_number, short, signed

finite = st.floats(-1e12, 1e12, allow_nan=False)


def read(text):
    return float(text.replace("\u202f", "").replace("\u2212", "-"))


@given(finite)
def test_three_significant_figures(value):
    text = plain_number(value)
    assert "e" not in text
    assert abs(read(text) - value) <= 0.00501 * abs(value) + 1e-9
    if not 0.9995 <= value < 1:
        assert read(short(value)) == read(text)
    digits = re.sub(r"[^0-9]", "", text).strip("0")
    assert len(digits) <= 3


@given(finite)
def test_the_sign_is_always_told(value):
    assert signed(value)[0] in "+\u22120"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_spread_out_keeps_order_and_gaps(places):
    moved = spread_out(places, 0.05)
    ordered = sorted(moved)
    assert all(b - a >= 0.05 - 1e-3 for a, b in pairwise(ordered))
    order = sorted(range(len(places)), key=lambda i: places[i])
    assert all(moved[a] <= moved[b] for a, b in pairwise(order))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.booleans())
def test_scales_hold_their_values_and_ticks(values, zero):
    scale = covering(values, include=(0.0,) if zero else ())
    assert all(-1e-9 <= scale.place(v) <= 1 + 1e-9 for v in values)
    marks = ticks(scale)
    assert all(-1e-6 <= t.at <= 1 + 1e-6 for t in marks)
    assert len(marks) <= 12


@given(st.lists(st.floats(1e-3, 1e6), min_size=1))
def test_growth_is_logarithmic_where_it_more_than_doubles(values):
    scale = growth_scale(values)
    assert scale.log == (max(values) / min(values) > 2)
    assert all(-1e-9 <= scale.place(v) <= 1 + 1e-9 for v in values)
    assert all(-1e-6 <= t.at <= 1 + 1e-6 for t in ticks(scale))


@given(st.floats(0, 20_000), st.floats(0, 20_000))
def test_day_ticks_stay_inside_and_few(first, length):
    marks = day_ticks(Scale(first, first + length))
    assert all(0 <= t.at <= 1 for t in marks)
    assert len([t for t in marks if not t.minor]) <= 60
