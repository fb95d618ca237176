"""Nothing that the ledger's rows, runs and artifacts refer to may be missing from it."""

import itertools

import pytest

from touchstone.ledger import Candidate, Look, Span
from touchstone.validation.chain import Head
from touchstone.validation.completeness import Told, gaps
from touchstone.validation.ledger import SqliteLedger

SPAN = Span("market", ("BTC",), 100, 200)
LOOK = Look("data", "study", 7, "source", SPAN)
BEFORE = SPAN._replace(start=0, end=100)


@pytest.fixture
def book(tmp_path):
    clock = itertools.count()
    return SqliteLedger(tmp_path / "ledger.sqlite", "me", "none", lambda: f"t{next(clock)}")


def finish(book):
    """A study from its comparison to its promotion, and what its run says about it."""
    book.sweep("data", "study", BEFORE, (Candidate("a", 0.2, 40), Candidate("b", 0.1, 30)))
    book.look(LOOK, lambda: "answer")
    book.record("run", "study", "data", {"result": "r1", "artifact": "f1"})
    head = book.head()
    book.record("promotion", "study", "data", {"act": "promoted"})
    book.look(LOOK, lambda: "answer")
    return Told("run 1", "study", "data", head, "r1", "a", "f1")


def problems(book, *told):
    return [(f.row, f.problem) for f in gaps(book.rows(), told)]


def test_a_whole_ledger_lacks_nothing(book):
    told = finish(book)
    assert [row.kind for row in book.rows()] == ["sweep", "look", "run", "promotion", "repeat"]
    assert problems(book, told) == []
    assert problems(book, told._replace(head=None, result=None, candidate="b")) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"head": Head(3, "0" * 64)}, "its head of 3 rows"),
        ({"head": Head(9, "0" * 64)}, "its head of 9 rows"),
        ({"result": "r2"}, "result.json is not the one"),
        ({"artifact": "f2"}, "artifact is not the one"),
        ({"candidate": "c"}, "candidate c of its artifact was never compared"),
    ],
    ids=str,
)
def test_what_a_run_says_must_stand_there(book, change, said):
    told = finish(book)._replace(**change)
    ((row, problem),) = problems(book, told)
    assert row == 0
    assert problem.startswith("run 1: ")
    assert said in problem


@pytest.mark.parametrize("other", [{"study": "x"}, {"data": "x"}])
def test_a_run_of_another_study_or_of_other_data_is_not_vouched_for(book, other):
    told = finish(book)._replace(**other)
    assert len(problems(book, told)) == 3  # result, candidate, artifact


def test_a_look_needs_its_comparison_before_it(book):
    book.look(LOOK, lambda: "answer")
    book.sweep("data", "study", BEFORE, (Candidate("a", 0.2, 40),))
    book.sweep("other data", "study", BEFORE, ())
    assert problems(book) == [(1, "a look without a comparison of candidates before it")]


def test_a_failed_look_too(book):
    with pytest.raises(ZeroDivisionError):
        book.look(LOOK, lambda: str(1 / 0))
    assert problems(book) == [(1, "a failed_look without a comparison of candidates before it")]


def test_a_run_needs_its_comparison_and_a_promotion_its_run(book):
    book.record("run", "study", "data", {"result": "r", "artifact": None})
    book.record("promotion", "other", "data", {"act": "promoted"})
    book.record("promotion", "other", "data", {"act": "refused"})
    assert [row for row, _ in problems(book)] == [1, 2]
