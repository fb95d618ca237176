"""The calibration of the whole pipeline: it resumes anywhere, repeats itself, and sees a leak."""

from contextlib import contextmanager

import numpy as np
import pytest

from touchstone.errors import DataError
from touchstone.pipelines import columns
from touchstone.pipelines.calibrate import CalibrateConfig, asks, calibrate
from touchstone.pipelines.progress import Silent
from touchstone.simulation.nulls import NullConfig
from touchstone.validation.calibration import ALPHA

CONFIG = CalibrateConfig(markets=3, market=NullConfig(n_instruments=2, n_bars=8040), seed=5)
TODO = asks(CONFIG, "product", ("iid", "garch", "regimes"))
LEAKY = TODO[:2]


class Heard(Silent):
    """Keeps what was said of each market."""

    def __init__(self):
        self.notes = []

    @contextmanager
    def stage(self, name, total=1):  # noqa: ARG002
        yield self

    def advance(self, note=""):
        self.notes.append(note)


def calibrated(journal, todo=TODO, jobs=1, config=CONFIG):
    """The trials, and how many came from the journal."""
    heard = Heard()
    trials = calibrate(config, todo, None, journal, jobs, heard)
    return trials, heard.notes.count("from the journal")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Trials of a run that nothing disturbed, and its journal."""
    journal = tmp_path_factory.mktemp("whole") / "deep" / "journal.jsonl"
    trials, n_known = calibrated(journal)
    assert n_known == 0
    return trials, journal.read_bytes()


def test_it_goes_on_from_wherever_it_was_cut(finished, tmp_path):
    trials, whole = finished
    journal = tmp_path / "journal.jsonl"
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    cuts = {0, 1, 7, *ends, *(e - 1 for e in ends), *(e - 2 for e in ends), *(e + 1 for e in ends)}
    for cut in sorted(c for c in cuts if c <= len(whole)):
        journal.write_bytes(whole[:cut])
        n_done = sum(cut >= end - 1 for end in ends)  # all but the line's end is a whole line
        found, n_known = calibrated(journal, TODO[:n_done])
        assert (found, n_known) == (trials[:n_done], n_done), cut
        assert journal.read_bytes() == whole[:cut]  # nothing was left to do
    journal.write_bytes(whole[: ends[1] + 40])
    assert calibrated(journal) == (trials, 2)
    assert calibrated(journal) == (trials, 3)  # the line cut short harms nothing behind it


def test_other_processes_find_the_same(finished, tmp_path):
    trials, whole = finished
    found, n_known = calibrated(tmp_path / "journal.jsonl", jobs=2)
    assert (found, n_known) == (trials, 0)
    lines = (tmp_path / "journal.jsonl").read_bytes().splitlines()
    assert sorted(lines) == sorted(whole.splitlines())


def test_a_look_ahead_is_what_makes_rejections_rise(finished, tmp_path, monkeypatch):
    honest = finished[0][: len(LEAKY)]
    assert all(t.n_candidates == 10 and 0 < t.search_p <= 1 for t in honest)
    assert not any(t.p <= ALPHA or t.word == "evidence" for t in honest)
    true = columns.evaluate

    def peeking(plan, panel, **how):
        features = np.array(true(plan, panel, **how))
        for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
            features[a : b - 8, 0] = panel.close[a + 8 : b] / panel.close[a : b - 8] - 1
        return features

    monkeypatch.setattr(columns, "evaluate", peeking)
    leaky, _ = calibrated(tmp_path / "journal.jsonl", LEAKY)
    assert all(t.p <= ALPHA and t.search_p <= ALPHA and t.word == "evidence" for t in leaky)


def test_a_journal_of_something_else_is_neither_counted_nor_written_to(finished, tmp_path):
    trials, whole = finished
    journal = tmp_path / "journal.jsonl"
    for text in (b"# Notes\n", b'{"a": 1', b"\xff\xfe\n", b'{"of": "x"}\n' + whole, b"a,b\n1,2\n"):
        journal.write_bytes(text)
        with pytest.raises(DataError, match=r"journal.jsonl: line 1 is no trial"):
            calibrated(journal, TODO[:1])
        assert journal.read_bytes() == text
    other = whole.replace(b'"of": "', b'"of": "other ')
    journal.write_bytes(other)
    assert calibrated(journal, TODO[:1]) == (trials[:1], 0)  # judged anew, beside what was there
    assert journal.read_bytes() == other + whole.splitlines(keepends=True)[0]
