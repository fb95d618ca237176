"""The gate opens for a challenger that meets every condition, and names each that is not met."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.validation.gate import OVERRIDABLE, Claim, GateConfig, examined, unmet

GOOD = Claim(
    verdict="evidence",
    excess_over_cash=0.04,
    excess_over_buy_and_hold=0.3,
    expectancy=0.0004,
    precision=0.41,
    break_even_precision=0.329,
    drawdown=0.08,
    net_at_multiple=0.02,
    control_rank=0.99,
    audit_clean=True,
    golden_reproduced=True,
)
BAD = {
    "verdict": ("weak", "verdict"),
    "excess_over_cash": (-0.01, "net return above cash"),
    "excess_over_buy_and_hold": (0.0, "better than buy-and-hold"),
    "expectancy": (-1e-5, "net expectancy"),
    "precision": (0.329, "precision above break-even"),
    "break_even_precision": (0.41, "precision above break-even"),
    "drawdown": (0.26, "drawdown"),
    "net_at_multiple": (-0.001, "survives dearer trading"),
    "control_rank": (0.95, "better than chance at its turnover"),
    "audit_clean": (False, "leak audit"),
    "golden_reproduced": (False, "golden rows"),
}
TERMS = GateConfig()


def test_the_good_one_passes():
    assert unmet(GOOD, TERMS) == ()
    assert BAD.keys() == set(Claim._fields) - {"notes"}  # every field is somebody's condition


@pytest.mark.parametrize("field", BAD)
def test_one_fault_is_one_refusal_that_names_it(field):
    value, condition = BAD[field]
    (refused,) = unmet(GOOD._replace(**{field: value}), TERMS)
    assert refused.condition == condition
    assert refused.sentence
    assert refused.needed


@pytest.mark.parametrize("field", [f for f in BAD if f != "verdict"])
@pytest.mark.parametrize("nothing", [None, math.nan])
def test_what_is_not_known_meets_nothing(field, nothing):
    (refused,) = unmet(GOOD._replace(**{field: nothing}), TERMS)
    assert refused.condition == BAD[field][1]
    assert "nan" not in refused.sentence


@pytest.mark.parametrize("word", ["weak", "none", "exploratory"])
def test_only_the_verdict_can_be_overridden_and_only_with_a_reason(word):
    claim = GOOD._replace(verdict=word)
    assert unmet(claim, TERMS, override="a trial of the desk, limited to 1,000 USD") == ()
    assert [u.condition for u in unmet(claim, TERMS, override="  ")] == list(OVERRIDABLE)
    worst = Claim(word, *[None] * (len(BAD) - 1))
    left = {u.condition for u in unmet(worst, TERMS, override="I insist")}
    assert left == {c for f, (_, c) in BAD.items() if f != "verdict"}


@pytest.mark.parametrize("precision", [0.242, 0.256, 0.200])
def test_the_predecessors_models_are_refused_for_the_right_reasons(precision):
    """F1 0.27-0.31 and ROC-AUC to 0.87, and in two years it lost nine tenths: two bounds say so."""
    claim = GOOD._replace(
        precision=precision, break_even_precision=(0.02 + 0.003) / 0.07, excess_over_cash=-0.65
    )
    refused = unmet(claim, TERMS)
    assert [u.condition for u in refused] == [
        "net return above cash", "precision above break-even",
    ]  # fmt: skip
    assert "32.9%" in refused[1].sentence
    assert "below break-even" in refused[1].sentence
    assert f"{precision:.1%}" in refused[1].sentence


_number = st.floats(-2, 2)


@given(
    st.builds(
        Claim,
        st.sampled_from(["evidence", "weak", "none", "exploratory"]),
        *[st.none() | _number] * 8,
        *[st.none() | st.booleans()] * 2,
    )
)
def test_a_better_claim_is_never_refused_more(claim):
    before = {u.condition for u in unmet(claim, TERMS)}
    for field in ("excess_over_cash", "expectancy", "precision", "control_rank"):
        value = getattr(claim, field)
        better = claim._replace(**{field: 3.0 if value is None else value + 0.1})
        assert {u.condition for u in unmet(better, TERMS)} <= before
    assert {u.condition for u in unmet(claim, GateConfig(largest_drawdown=1))} <= before


def test_terms_that_mean_nothing_are_refused():
    with pytest.raises(ConfigError, match="largest_drawdown"):
        GateConfig.parse({"largest_drawdown": 25})


def test_every_condition_is_told_whether_met_or_not():
    rows = examined(GOOD, TERMS)
    assert {row.condition for row in rows} == {condition for _, condition in BAD.values()}
    assert all(row.met and row.sentence and not row.refuses for row in rows)
    for field, (value, condition) in BAD.items():
        changed = examined(GOOD._replace(**{field: value}), TERMS)
        assert [row.condition for row in changed if not row.met] == [condition]


def test_an_override_is_told_as_one_and_meets_nothing():
    rows = examined(GOOD._replace(verdict="none"), TERMS, override="the desk's own money")
    (first,) = [row for row in rows if not row.met]
    assert (first.condition, first.overridden, first.refuses) == ("verdict", True, False)
    assert not any(row.overridden for row in examined(GOOD, TERMS, override="not needed"))


@given(st.sampled_from(sorted({condition for _, condition in BAD.values()})), st.text(min_size=1))
def test_a_note_stands_behind_the_sentence_of_its_condition_alone(condition, note):
    plain = {row.condition: row.sentence for row in examined(GOOD, TERMS)}
    for row in examined(GOOD._replace(notes={condition: note}), TERMS):
        expected = plain[row.condition] + (f": {note}" if row.condition == condition else "")
        assert row.sentence == expected
        assert row.met
