"""The model card: whole, closed, escaped; what keeps a model out is seen before anything else."""

import json
import re

import pytest

from reports.example_result import example
from touchstone.reports.card import render_card
from touchstone.reports.card_contents import (
    Card,
    CardAudit,
    CardCondition,
    CardEvent,
    CardGolden,
    CardModel,
    CardOverride,
    to_json,
)
from touchstone.validation.gate import Claim, GateConfig, examined

HOSTILE = '<script>alert("x")</script> & \u202e "quoted"'
CLAIM = Claim("evidence", 0.04, 0.3, 0.0004, 0.41, 0.329, 0.08, 0.02, 0.99, True, True)
MODEL = CardModel(
    model={"kind": "gru", "hidden": 64, "loss": {"kind": "focal", "gamma": 2.0}},
    strategy={"kind": "cost_aware", "margin_bp": [20]},
    label={"kind": "triple_barrier", "take_profit": 0.05, "width": None},
    costs={"commission_bp": 10.0},
    features={"ret": "log(close / lag(close, 1))"},
    symbols=("BTC", "ETH"),
    timeframe="1h",
    calendar="24/7",
    lookback=24,
    hold_bars=8,
    trained=("2022-01-01T00:00Z", "2022-06-01T00:00Z"),
)


def card(claim=CLAIM, override=None, **changes):
    rows = examined(claim, GateConfig(), override)
    refused = any(row.refuses for row in rows)
    conditions = tuple(
        CardCondition(
            name=r.condition, found=r.found, needed=r.needed, sentence=r.sentence,
            status="met" if r.met else "overridden" if r.overridden else "not met",
        )
        for r in rows
    )  # fmt: skip
    event = CardEvent(
        number=2, act="promoted", at="2024-03-01T10:00:00+00:00", who="me", version=1,
        run="study-0a1b", verdict=claim.verdict, override=override,
    )  # fmt: skip
    told = {
        "name": "hourly", "version": None if refused else 1,
        "standing": "refused" if refused else "champion", "at": "2024-03-01T10:00:00+00:00",
        "run": "study-0a1b", "study": "0a1b", "verdict": claim.verdict, "conditions": conditions,
        "override": override and CardOverride(reason=override, who="me", at="2024-03-01T10:00Z"),
        "n_candidates": 12, "n_looks": 1, "model": MODEL,
        "golden": CardGolden(reproduced=True, n_rows=64, difference=0.0),
        "audit": CardAudit(result="PASS"), "intended": ("Paper trading.",),
        "forbidden": ("Real money.",), "limits": ("It shows the past.",),
        "hashes": {"artifact": "f" * 64}, "history": () if refused else (event,),
    }  # fmt: skip
    return Card(**(told | changes))


CARDS = {
    "champion": card,
    "refused": lambda: card(
        CLAIM._replace(expectancy=None, audit_clean=False, verdict="none"),
        audit=CardAudit(result="HALT", findings=("feature x moved",)),
    ),
    "override": lambda: card(CLAIM._replace(verdict="weak"), "the desk's own money"),
    "nothing": lambda: card(
        CLAIM._replace(golden_reproduced=None), model=None, audit=None, hashes={},
        golden=CardGolden(reproduced=False, n_rows=0, problem="there is no artifact"),
    ),
    "hostile": lambda: card(
        CLAIM._replace(verdict="none", notes={"leak audit": HOSTILE}), HOSTILE, name=HOSTILE,
        run=HOSTILE, intended=(HOSTILE,), forbidden=(HOSTILE * 9,), limits=(HOSTILE,),
        hashes={HOSTILE: "f" * 900}, audit=CardAudit(result=HOSTILE, findings=(HOSTILE,)),
        model=MODEL.model_copy(update={"features": {HOSTILE: HOSTILE}, "symbols": (HOSTILE,)}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CARDS)
def test_a_page_of_every_card_is_whole_and_closed(name):
    made = CARDS[name]()
    page = render_card(made, example())
    assert len(page) < 3_000_000
    assert not re.search(r"""(src|href)\s*=\s*["']https?:""", page)
    assert "<script" not in page
    assert page.count("<section") == page.count("</section>") == 7
    for condition in made.conditions:
        assert condition.name[1:] in page
    assert Card.model_validate_json(to_json(made)) == made


def test_what_keeps_it_out_stands_in_the_title_and_is_marked():
    page = render_card(CARDS["refused"](), example())
    assert "May not trade: 3 of 10 conditions are not met" in page
    assert page.count('class="is-not-met"') == 3
    assert page.count('class="is-met"') == 7
    assert "Nothing yet: it was refused." in page


def test_an_override_is_red_on_the_first_screen():
    page = render_card(CARDS["override"](), example())
    first = page[: page.index('id="gate"')]
    assert "May trade, against its verdict" in first
    assert re.search(
        r'class="banner broken"[^>]*><b>Override\.</b>.*the desk&#39;s own money', first
    )
    assert page.count('class="is-overridden"') == 1


def test_json_holds_the_conditions_and_no_figure_is_lost():
    told = json.loads(to_json(CARDS["champion"]()))
    assert told["schema_version"] == 1
    found = {c["name"]: c["found"] for c in told["conditions"]}
    assert found["net expectancy"] == 0.0004
    assert found["verdict"] == "evidence"
