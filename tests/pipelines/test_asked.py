"""The frame of long work: named by what is asked, made once, shown again, told to the tracking."""

import json
import multiprocessing
from typing import NamedTuple, get_args

import pytest

from touchstone.config import Config
from touchstone.pipelines import campaign, ensemble, track
from touchstone.pipelines.asked import Made, Work, answered, fingerprint_of
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import Ask
from touchstone.pipelines.study import Study, identified, read_study
from touchstone.pipelines.track_asked import asked_run
from touchstone.pipelines.workspace import Kind, Workspace
from touchstone.registry.tracking import Batch, Queue, TrackedRun
from touchstone.reports.contents import Contents

NOWHERE = "http://127.0.0.1:9"  # nobody listens: what is tracked waits
MARKET = {"bars.market.n_instruments": 2, "bars.market.n_bars": 200, "null_twin": False}


class SumConfig(Config):
    name: str = "sum"
    terms: tuple[int, ...] = (1, 2)

    @property
    def question(self):
        return self.model_copy(update={"name": ""}).canonical()

    @property
    def told(self):
        return self.canonical()


class Sum(NamedTuple):
    config: SumConfig
    study: Study


class SumResult(Contents):
    total: int


class Notes(Silent):
    """Keeps what is noted."""

    def __init__(self):
        self.noted = []

    def note(self, text):
        self.noted.append(text)


def work(calls=None, stop=False):
    """A fourth kind of work, whole; it keeps in `calls` how often it was made."""

    def make(asked, ask, market, progress, folder):
        del ask, progress
        if calls is not None:
            calls.append(fingerprint_of(folder))
        if stop:
            raise KeyboardInterrupt
        return Made(
            SumResult(total=sum(asked.config.terms)),
            {"again.yaml": (asked.study, "again")},
            lambda about: Batch("b", (asked_run(folder, asked, about, "sum", market[1]),)),
        )

    def page(result, command):
        return f"{result} {command}"

    def told(result):
        return [f"total {result.total}"]

    return Work("campaign", "sum", make, SumResult, page, told, "A study.")


def asked(study=None, **settings):
    return Sum(SumConfig(**settings), study or STUDY)


STUDY = read_study("quickstart", MARKET)


def answer(out, what=None, kind=None, progress=None, **changes):
    ask = Ask(Workspace(out), 1, "touchstone sum")._replace(**changes)
    return answered(kind or work(), what or asked(), ask, progress or Silent(), [])


def test_it_is_made_once_and_shown_again(tmp_path):
    calls = []
    first = answer(tmp_path, kind=work(calls))
    assert (first.shown, first.noun, first.lines) == (False, "sum", ("total 3",))
    assert first.folder == tmp_path / "campaigns" / f"sum-{calls[0]}"
    assert {p.name for p in first.folder.iterdir()} == {
        "result.json", "run.json", "report.html", "campaign.json", "again.yaml",
    }  # fmt: skip
    assert (first.folder / "report.html").read_text() == "total=3 touchstone sum"
    assert json.loads((first.folder / "campaign.json").read_text())["terms"] == [1, 2]
    assert (first.folder / "again.yaml").read_text().startswith("# A study.\n")
    again = answer(tmp_path, kind=work(calls))
    assert again == first._replace(shown=True)
    assert len(calls) == 1
    assert not answer(tmp_path, kind=work(calls), again=True).shown
    assert len(calls) == 2


def test_its_name_follows_from_question_study_and_data(tmp_path):
    def made(what):
        calls = []
        with pytest.raises(KeyboardInterrupt):
            answer(tmp_path, what, work(calls, stop=True))
        return calls[0]

    study = STUDY.config
    moved = identified(study, tmp_path)
    renamed = identified(study.model_copy(update={"name": "other"}), STUDY.root)
    assert made(asked()) == made(asked(name="b")) == made(asked(moved)) == made(asked(renamed))
    others = [
        asked(terms=(2, 1)),
        asked(identified(study.model_copy(update={"seed": 8}), STUDY.root)),
        asked(identified(study.model_copy(update={"lookback": 9}), STUDY.root)),
    ]
    assert len({made(what) for what in (asked(), *others)}) == 4


def test_what_was_stopped_is_no_result_and_the_same_call_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        answer(tmp_path, kind=work(stop=True))
    assert not list(tmp_path.glob("campaigns/*"))
    assert not answer(tmp_path).shown


@pytest.mark.parametrize(
    ("broken", "content"),
    [("result.json", ""), ("result.json", '{"total": "many"}'), ("result.json", "[]"),
     ("run.json", "{"), ("run.json", "[]")],
)  # fmt: skip
def test_what_cannot_be_read_is_made_anew(tmp_path, broken, content):
    (answer(tmp_path).folder / broken).write_text(content)
    notes = Notes()
    assert not answer(tmp_path, progress=notes).shown
    assert notes.noted[0].startswith("an earlier sum cannot be read and is made anew: ")
    assert answer(tmp_path).shown


@pytest.mark.parametrize("lost", ["result.json", "run.json"])
def test_what_was_killed_before_its_last_file_is_made_anew(tmp_path, lost):
    (answer(tmp_path).folder / lost).unlink()
    assert not answer(tmp_path).shown


def test_what_other_code_made_is_shown_and_that_is_said(tmp_path):
    folder = answer(tmp_path).folder
    about = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(about | {"source": "of yesterday"}))
    notes = Notes()
    assert answer(tmp_path, progress=notes).shown
    assert notes.noted == ["this sum was made by another version of the code: --again repeats it"]


class Lets(Notes):
    """Lets the other process go on as soon as we wait for it."""

    def __init__(self, go):
        super().__init__()
        self.go = go

    def note(self, text):
        super().note(text)
        self.go.set()


def _first(out, begun, go):
    """Another process, which makes it and takes its time."""
    slow = work()

    def make(*given):
        begun.set()
        assert go.wait(60)
        return slow.make(*given)

    answer(out, kind=slow._replace(make=make))


def test_of_two_processes_the_second_waits_and_shows_what_the_first_made(tmp_path):
    fork, calls = multiprocessing.get_context("fork"), []
    begun, go = fork.Event(), fork.Event()
    first = fork.Process(target=_first, args=(tmp_path, begun, go), daemon=True)
    first.start()
    assert begun.wait(60)
    notes = Lets(go)
    ended = answer(tmp_path, kind=work(calls), progress=notes)
    first.join()
    assert notes.noted == ["another process is making this sum: waiting for it"]
    assert (ended.shown, calls, first.exitcode) == (True, [], 0)


def test_what_is_no_address_is_refused_before_anything_is_made(tmp_path):
    calls = []
    with pytest.raises(ValueError, match="needs off, or an address"):
        answer(tmp_path, kind=work(calls), tracking="nowhere")
    assert calls == []


def test_it_waits_for_its_server_and_is_tried_again_when_it_is_shown(tmp_path):
    notes = Notes()
    folder = answer(tmp_path, progress=notes, tracking=NOWHERE).folder
    assert "1 events wait" in notes.noted[-1]
    ((run,),) = [batch.runs for batch in Queue(folder).waiting()]
    assert (run.name, run.tags["touchstone.kind"]) == (folder.name, "sum")
    assert run.params["terms.1"] == "2"
    assert {f.path for f in run.files} == {
        "result.json", "run.json", "report.html", "campaign.json", "again.yaml",
    }  # fmt: skip
    again = Notes()
    assert answer(tmp_path, progress=again, tracking=NOWHERE).shown
    assert "1 events wait" in again.noted[-1]


def test_what_was_never_put_down_for_tracking_says_so_when_it_is_shown(tmp_path):
    notes = Notes()
    answer(tmp_path)
    assert answer(tmp_path, progress=notes, tracking=NOWHERE).shown
    assert notes.noted == ["this sum was made, but not put down for tracking: --again does both"]


def test_what_waits_is_found_wherever_work_lies(tmp_path):
    """Searches and ensembles were put into queues that nobody looked at."""
    run = TrackedRun(key="k", group="g", name="n", started_ms=0, ended_ms=1)
    for n, kind in enumerate(get_args(Kind), start=1):
        queue = Queue(Workspace(tmp_path).folder(kind) / "a-1")
        queue.folder.mkdir(parents=True)
        queue.put(Batch("b", (run,)))
        assert track.standing(Workspace(tmp_path), track.OFF).waiting == n
    assert {campaign.WORK.kind, ensemble.WORK.kind, "tune", "run"} == set(get_args(Kind))
