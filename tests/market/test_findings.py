"""Grades follow from the gravest finding; a finding is JSON-able and has one key."""

import json

import pytest

from touchstone.errors import ConfigError
from touchstone.market.findings import EVERYONE, Finding, Grade, Place, Severity, grade, grades


def found(symbol="A", severity=Severity.WARN, value=1.0, place=None):
    return Finding(symbol, "gaps", severity, place, 1, value, 0.0, f"{symbol}: a hole; fetch it")


@pytest.mark.parametrize(("severity", "word"), list(zip(Severity, Grade, strict=True)))
def test_the_gravest_finding_decides(severity, word):
    assert grade([found(severity=Severity.NOTE), found(severity=severity)]) == word
    assert grade([found(severity=severity)] * 100) == word, "many do not add up"


def test_a_finding_about_everyone_counts_for_everyone():
    some = [found("A", Severity.DOUBT), found(EVERYONE, Severity.WARN)]
    assert grades(("B", "A"), some) == {"A": Grade.DOUBTFUL, "B": Grade.USABLE}
    assert grades(("B",), []) == {"B": Grade.GOOD}


def test_names():
    assert Grade.named("Usable") == Grade.USABLE
    with pytest.raises(ConfigError, match="needs one of good, usable, doubtful, refused"):
        Grade.named("fine")


def test_as_json_and_key():
    one = found(value=float("inf"), place=Place(3, 4, 10, 20))
    told = json.loads(json.dumps(one.as_dict()))
    assert told["place"] == {"first_row": 3, "last_row": 4, "first": 10, "last": 20}
    assert (told["value"], told["severity"]) == (None, "warn")
    assert found(value=float("nan")).as_dict()["value"] is None
    assert one.key == ("A", "gaps", 10)
    assert found().key == ("A", "gaps", -1)
