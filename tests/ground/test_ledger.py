"""The ledger's records: which spans overlap, and what an answer to a look costs."""

from hypothesis import given
from hypothesis import strategies as st

from touchstone.ledger import Candidate, Ledger, Look, MemoryLedger, Span

SPANS = st.builds(
    Span,
    st.sampled_from(["market", "simulated:a"]),
    st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, unique=True).map(tuple),
    st.integers(0, 5),
    st.integers(1, 6),
).filter(lambda s: s.start < s.end)


def cells(span):
    """Every (world, symbol, time) of a span."""
    times = range(span.start, span.end)
    return {(span.namespace, s, t) for s in span.symbols for t in times}


@given(one=SPANS, two=SPANS)
def test_spans_overlap_where_they_share_a_row(one, two):
    assert one.overlaps(two) == bool(cells(one) & cells(two))
    assert one.overlaps(two) == two.overlaps(one)


def test_candidates_are_distinct_and_the_newest_score_counts():
    ledger: Ledger = MemoryLedger()
    here = Span("market", ("A",), 0, 10)
    ledger.sweep("d", "search", here, (Candidate("x", 0.1, 5), Candidate("y", None, 0)))
    ledger.sweep("d", "search", here, (Candidate("x", 0.2, 5),))
    ledger.sweep("d", "search", Span("market", ("B",), 0, 10), (Candidate("z", 0.3, 5),))
    assert set(ledger.candidates(here)) == {Candidate("x", 0.2, 5), Candidate("y", None, 0)}
    assert ledger.candidates(Span("market", ("A",), 10, 12)) == ()


def test_a_look_is_answered_once_and_then_repeated():
    ledger = MemoryLedger()
    look = Look("d", "study", 7, "src", Span("market", ("A",), 0, 10))
    answers = iter(["first", "second"])
    assert ledger.look(look, lambda: next(answers)) == "first"
    assert ledger.look(look, lambda: next(answers)) == "first"
    assert ledger.look(look._replace(seed=8), lambda: next(answers)) == "second"
    assert [row[0] for row in ledger.rows] == ["look", "repeat", "look"]
    assert ledger.studies_that_looked(Span("market", ("A", "B"), 9, 12)) == {"study d"}
    assert ledger.studies_that_looked(Span("market", ("A",), 10, 12)) == frozenset()
