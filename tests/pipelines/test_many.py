"""Many markets and their journal: it resumes anywhere, counts nothing twice and nothing foreign."""

import json
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.pipelines.many import Journal, Work, many, read
from touchstone.pipelines.progress import Silent


class Ask(NamedTuple):
    kind: str
    number: int


class Found(NamedTuple):
    value: float
    said: str | None


TODO = tuple(Ask(kind, n) for n in range(3) for kind in ("a", "b"))


def judge(ask):
    return Found(ask.number / 3, None if ask.kind == "a" else ask.kind)


class Heard(Silent):
    """Keeps what was said of each market."""

    def __init__(self):
        self.notes = []

    @contextmanager
    def stage(self, name, total=1):  # noqa: ARG002
        yield self

    def advance(self, note=""):
        self.notes.append(note)


def judged(path, todo=TODO, jobs=1, of="x", by=judge):
    """What was found, and how many came from the journal."""
    heard = Heard()
    done = many("these", todo, Journal(path, of, Ask, Found), Work(by, jobs, heard))
    assert len(heard.notes) == len(todo)
    return [d.found for d in done], heard.notes.count("from the journal")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The journal of a run that nothing disturbed."""
    path = tmp_path_factory.mktemp("whole") / "deep" / "journal.jsonl"
    assert judged(path) == ([judge(ask) for ask in TODO], 0)
    return path.read_bytes()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return tmp_path_factory.mktemp("desk")


@given(cut=st.integers(0, 2000), split=st.booleans())
def test_it_goes_on_from_wherever_it_was_cut(whole, desk, cut, split):
    cut = min(cut, len(whole))
    path = desk / "journal.jsonl"
    path.write_bytes(whole[:cut])
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    n_whole = sum(cut >= end - 1 for end in ends)  # all but the line's end is a whole line
    if split:
        judged(path, TODO[:4])
        n_whole = max(n_whole, 4)
    assert judged(path) == ([judge(ask) for ask in TODO], n_whole)
    assert path.read_bytes().startswith(whole[:cut])  # nothing is rewritten
    assert judged(path) == ([judge(ask) for ask in TODO], 6)


def test_an_interrupt_keeps_what_was_done(tmp_path):
    def interrupted(ask):
        if ask == TODO[2]:
            raise KeyboardInterrupt
        return judge(ask)

    path = tmp_path / "journal.jsonl"
    with pytest.raises(KeyboardInterrupt):
        judged(path, by=interrupted)
    assert judged(path) == ([judge(ask) for ask in TODO], 2)


def test_other_processes_find_the_same(whole, tmp_path):
    path = tmp_path / "journal.jsonl"
    assert judged(path, jobs=2) == ([judge(ask) for ask in TODO], 0)
    told = [
        sorted((line["of"], line["ask"]["kind"], line["ask"]["number"], line["found"]["value"])
               for line in map(json.loads, text.splitlines()))
        for text in (path.read_bytes(), whole)
    ]  # fmt: skip
    assert told[0] == told[1]


def test_a_journal_of_something_else_is_neither_counted_nor_written_to(whole, tmp_path):
    path = tmp_path / "journal.jsonl"
    torn = b'{"of": "x", "ask": {}, "found": {}, "seconds": 1}\n'
    for text in (b"# Notes\n", b'{"a": 1', b"\xff\xfe\n", torn, b'{"of": "x"}\n' + whole, b"1,2\n"):
        path.write_bytes(text)
        with pytest.raises(DataError, match=r"journal.jsonl: line 1 is no market"):
            judged(path, TODO[:1])
        assert path.read_bytes() == text
    path.write_bytes(whole)
    assert judged(path, TODO[:1], of="y") == ([judge(TODO[0])], 0)  # beside what was there
    assert path.read_bytes().startswith(whole)
    assert len(read(Journal(path, "x", Ask, Found))) == 6
