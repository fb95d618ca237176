import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.example_result import RUN, example, market
from touchstone.reports.findings import net_figure
from touchstone.reports.glosses import headline
from touchstone.reports.result import Performance, VerdictResult
from touchstone.reports.study import render


@given(st.floats(-0.5, 5.0), st.floats(0.1, 3.0), st.floats(0.01, 1.0))
def test_the_interval_scales_with_the_span(net, years, spread):
    annual = (1 + net) ** (1 / years) - 1
    ends = tuple(math.expm1(math.log1p(annual) + s * spread) for s in (-1, 1))
    part = Performance(net_return=net, annual_return=annual, annual_return_interval=ends)
    found = net_figure(part)
    if abs(net) < 1e-4:
        return
    assert found.yearly == (math.log1p(net) / math.log1p(annual) >= 0.9)
    assert found.value == (annual if found.yearly else net)
    low, high = found.ends
    assert low < found.value < high
    if not found.yearly:
        assert low == pytest.approx(math.exp(math.log1p(net) - spread * years) - 1)


def test_what_is_not_known_is_not_told():
    assert net_figure(Performance()) == (None, None, True)
    assert net_figure(Performance(net_return=0.1)) == (0.1, None, False)
    assert not net_figure(Performance(net_return=-1.0, annual_return=-1.0)).known
    assert net_figure(Performance(net_return=0.0, annual_return=0.0)).size == "0\u202f%"


def test_ten_weeks_are_not_told_as_a_year():
    page = render(example(), RUN)
    assert "net of costs on 73\u00a0sealed days" in page
    assert "a year, net of costs" not in page


def test_headlines():
    assert headline("none", "too_few_trades") == "Too little to judge"
    assert headline("none", "neither_condition") == "No evidence of an edge"
    assert headline("weak", None) == "Weak evidence of an edge"


@pytest.mark.parametrize(
    ("word", "said", "deck"),
    [
        ("none", "No evidence of an edge: over 73 days nothing.", "Over 73 days nothing."),
        ("evidence", "Evidence of an edge after costs: it is.", "It is."),
        ("weak", "Weak evidence: one of two.", "One of two."),
        ("exploratory", "Exploratory only: seen before.", "Seen before."),
        ("none", "All quiet: nothing.", "All quiet: nothing."),
    ],
)
def test_the_deck_does_not_repeat_the_headline(word, said, deck):
    verdict = VerdictResult(word=word, sentence=said)
    page = render(example(market=market(verdict=verdict), null_twin=None), RUN)
    assert f'<p class="deck">{deck}</p>' in page


def test_a_twin_without_a_look_is_drawn_flat():
    twin = market(seed=8, edge=0.003, word="none", sealed=None)
    page = render(example(null_twin=twin), RUN)
    assert page.count('id="first-1"') == 1
    assert "No trade, flat equity" in page
