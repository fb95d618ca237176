"""The plan: spans that miss nothing, pages kept with their tokens, what a crash leaves."""

import itertools
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.data.downloads.plan import Kept, Plan, cut, missing
from touchstone.data.vendors import Chunk
from touchstone.errors import SourceError

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


@given(start=st.integers(0, 60), length=st.integers(0, 40), known=SPANS)
def test_missing_is_the_set_difference(start, length, known):
    found = missing(start, start + length, known)
    wanted = set(range(start, start + length)) - {i for a, b in known for i in range(a, b)}
    assert {i for a, b in found for i in range(a, b)} == wanted
    assert all(a < b for a, b in found)
    assert found == sorted(found)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(found))


@given(start=st.integers(0, 1000), length=st.integers(1, 500), span=st.integers(1, 300))
def test_chunks_tile_a_span_on_one_grid(start, length, span):
    chunks = cut("A", start, start + length, span)
    assert chunks[0].start == start
    assert chunks[-1].end == start + length
    assert all(one.end == two.start for one, two in itertools.pairwise(chunks))
    assert all(c.start // span == (c.end - 1) // span for c in chunks)


@pytest.fixture
def plan(tmp_path):
    plan = Plan(tmp_path / "plan.sqlite")
    plan.add("1h", [Chunk("A", 0, 10), Chunk("A", 10, 20), Chunk("B", 0, 10)])
    yield plan
    plan.close()


def test_a_page_and_its_token_are_kept_together(plan, tmp_path):
    first = plan.chunks("1h", "A")[0]
    one = plan.keep(first, Kept(b"one", 4, 3, "t1"), 100)
    two = plan.keep(one, Kept(b"two", 5, 9, None), 101)
    other = Plan(tmp_path / "plan.sqlite")
    again = other.chunks("1h", "A")[0]
    assert again == two
    assert (again.state, again.token, again.last, again.n_rows, again.n_pages) == (
        "done", None, 9, 9, 2,
    )  # fmt: skip
    assert other.pages(again) == [(100, b"one"), (101, b"two")]
    assert other.tokens(again) == {"t1"}
    other.close()


def test_a_write_that_fails_leaves_nothing_of_itself(plan):
    chunk = plan.chunks("1h", "B")[0]
    plan.keep(chunk, Kept(b"one", 1, 0, "t"), 1)
    before = plan.chunks()
    with pytest.raises(SourceError, match="cannot be used as the plan"):
        plan.keep(chunk, Kept(b"twice", 1, 0, "u"), 2)  # that page is there
    assert plan.chunks() == before


def test_failed_chunks_go_on_or_begin_afresh(plan):
    one, two, _ = plan.chunks()
    one = plan.keep(one, Kept(b"x", 1, 1, "t"), 1)
    two = plan.keep(two, Kept(b"x", 1, 11, "t"), 1)
    plan.fail(one, "busy", afresh=False)
    plan.fail(two, "lies", afresh=True)
    assert [(c.state, c.token, c.reason) for c in plan.chunks("1h", "A")] == [
        ("failed", "t", "busy"),
        ("failed", None, "lies"),
    ]
    plan.reopen("1h", ["A"])
    assert [(c.state, c.n_pages) for c in plan.chunks("1h", "A")] == [("open", 1), ("open", 0)]
    assert plan.pages(two) == []


def test_stored_neighbours_become_one(plan):
    plan.stored(plan.chunks("1h", "A"))
    for i in range(2, 30):
        plan.add("1h", [Chunk("A", 10 * i - 2, 10 * i + 10)])
        plan.stored([c for c in plan.chunks("1h", "A") if c.state == "open"])
    assert [(c.start, c.end, c.state) for c in plan.chunks("1h", "A")] == [(0, 300, "stored")]
    plan.add("1h", [Chunk("A", 400, 410)])
    plan.stored([c for c in plan.chunks("1h", "A") if c.state == "open"])
    assert len(plan.chunks("1h", "A")) == 2, "a hole stays a hole"


@pytest.mark.parametrize("content", [b"not a database, but long enough to be read as one" * 40])
def test_a_file_that_is_no_plan(tmp_path, content):
    (tmp_path / "plan.sqlite").write_bytes(content)
    with pytest.raises(SourceError, match="the stored bars stand"):
        Plan(tmp_path / "plan.sqlite")


def test_a_plan_of_another_format(tmp_path):
    database = sqlite3.connect(tmp_path / "plan.sqlite")
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(SourceError, match="format 9"):
        Plan(tmp_path / "plan.sqlite")
