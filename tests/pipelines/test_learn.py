"""Driving fits: what is kept of one, what is left of one that was stopped, and what follows."""

import itertools
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

from small import small_study
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.pipelines import drive
from touchstone.pipelines.checkpoints import listed, open_checkpoint
from touchstone.pipelines.learn import Resources, Task, fit_and_score, learn
from touchstone.pipelines.prepare import known_by, label_rows, load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import columns_of, shelve
from touchstone.pipelines.study import read_study
from touchstone.pipelines.trace_fits import WatchingLedger

GRU = {"kind": "gru", "hidden": 4}
EPOCHS = 8
EASY = {"kind": "triple_barrier", "take_profit": 4, "stop_loss": 4, "horizon": 48,
        "width": "std(close / lag(close, 1) - 1, 48)"}  # fmt: skip
CURRICULUM = [{"label": EASY, "epochs": 3}]


class Notes(Silent):
    """Keeps what was said."""

    def __init__(self):
        self.said = []

    def note(self, text):
        self.said.append(text)

    def done(self, text):
        self.said.append(text)


class World:
    """A prepared study, with a place for each drive of its fits."""

    def __init__(self, folder, **recipe):
        self.folder = folder
        recipe = {"rows": 400, "epochs": EPOCHS, "patience": EPOCHS} | recipe
        path = small_study(folder, models=[GRU, {"kind": "logistic"}], training=recipe)
        self.study = read_study(str(path), {})
        cache = StageCache(folder / "cache")
        self.prepared = prepare(self.study, *load(self.study, Silent(), cache), cache, Silent())

    def tasks(self, n=1):
        return [Task(self.study.config.models[0], fold, f"fold {i + 1}")
                for i, fold in enumerate(self.prepared.folds.folds[:n])]  # fmt: skip

    def learn(self, place, ledger=None, tasks=None, jobs=1):
        """(fits, what was said), with checkpoints and a cache of fits of `place`."""
        ledger, notes = ledger or MemoryLedger(), Notes()
        cache = StageCache(place / "cache")
        for stage in ("features", "labels"):
            (place / "cache").mkdir(parents=True, exist_ok=True)
            if not (place / "cache" / stage).exists():
                (place / "cache" / stage).symlink_to(self.folder / "cache" / stage)
        means = Resources(cache, lambda: ledger, notes, jobs, place / "checkpoints")
        return learn(self.study, self.prepared, tasks or self.tasks(), means), notes.said


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return World(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def phased(tmp_path_factory):
    return World(tmp_path_factory.mktemp("phased"), curriculum=CURRICULUM)


@pytest.fixture
def eager(monkeypatch):
    """Checkpoints after every epoch."""
    monkeypatch.setattr(drive, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(drive, "GAP_SECONDS", 0.0)
    monkeypatch.setattr(drive, "SHARE", 1.0)
    monkeypatch.setattr(drive, "_SHOWN_SECONDS", 0.0)


def same(one, two):
    """Whether two fits agree in every byte but the clock's."""
    for a, b in zip(one, two, strict=True):
        for name in a._fields:
            left, right = getattr(a, name), getattr(b, name)
            if name in ("validate", "test"):
                assert left.tobytes() == right.tobytes(), name
            elif name != "seconds":
                assert left == right, name


def test_every_epoch_of_a_fit_is_kept_with_it_and_told_from_the_cache(plain, tmp_path):
    ledger = MemoryLedger()
    tasks = [Task(m, plain.prepared.folds.folds[0], "fold 1") for m in plain.study.config.models]
    fresh, _ = plain.learn(tmp_path, ledger, tasks)
    again, _ = plain.learn(tmp_path, ledger, tasks)
    assert len(ledger.rows) == 2
    same(fresh, again)
    for fit in fresh:
        assert fit.looks == tuple((at, m[f"validate_{fit.metric}"]) for at, m in fit.history)
    gru, logistic = fresh
    assert [at for at, _ in gru.history] == list(range(1, EPOCHS + 1))
    assert all({"train_loss", "validate_loss"} <= told.keys() for _, told in gru.history)
    assert [at for at, _ in logistic.history] == [0]
    assert not list((tmp_path / "checkpoints").glob("*/*"))


class Stopping(MemoryLedger):
    """A ledger that stops the process, by a signal to itself, after so many epochs."""

    def __init__(self, after, number):
        super().__init__()
        self.after, self.number = after, number

    def watch(self, job, epoch):  # noqa: ARG002
        if epoch.index == self.after:
            os.kill(os.getpid(), self.number)
            time.sleep(30)


def stopped(world, place, ledger=None, moment=None):
    """How a process ended that fits in `place` and is stopped by a signal.

    By its ledger, or from here at a moment: (epoch, seconds after it).
    """
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=_fit, args=(world, place, ledger), daemon=True)
    process.start()
    if moment is not None:
        epoch, seconds = moment
        while process.is_alive() and not any(
            one.epoch >= epoch for one in drive.running((place / "checkpoints").glob("*"))
        ):
            time.sleep(0.001)
        time.sleep(seconds)
        process.kill()
    process.join(60)
    return process.exitcode


def _fit(world, place, ledger):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        world.learn(place, ledger)
    except KeyboardInterrupt:
        os._exit(130)
    os._exit(0)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, -15), (signal.SIGINT, 130)]
)
def test_a_stopped_fit_goes_on_and_ends_in_the_same_bytes(phased, tmp_path, number, code):
    """Stopped twice, in a curriculum's phase and after it; the rest is as if nothing had been."""
    whole, said = phased.learn(tmp_path / "whole")
    assert "checkpoint" not in said[-1]
    place = tmp_path / "stopped"
    for after in (2, 6):
        assert stopped(phased, place, Stopping(after + 1, number)) == code
        assert max(one.about.epoch for one in listed(place / "checkpoints")) == after
    ledger = WatchingLedger()
    rest, said = phased.learn(place, ledger)
    assert said[-1].endswith("went on from a checkpoint")
    assert ledger.seen(job_of(ledger).seed).epochs == tuple(range(7, len(whole[0].history) + 1))
    same(whole, rest)
    assert not list((place / "checkpoints").glob("*/*"))


def job_of(ledger):
    """The one job that a ledger watched."""
    (held,) = ledger._seen.values()
    return held[0]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("seed", range(2))
def test_a_fit_killed_at_any_moment_goes_on_and_ends_in_the_same_bytes(phased, tmp_path, seed):
    rng = np.random.default_rng(seed)
    whole, _ = phased.learn(tmp_path / "whole")
    place = tmp_path / "stopped"
    for epoch in sorted(rng.integers(1, len(whole[0].history), 3)):
        stopped(phased, place, moment=(epoch, rng.uniform(0, 0.02)))
    rest, said = phased.learn(place)
    same(whole, rest)
    assert not any("not used" in text for text in said)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("harm", ["bit", "cut", "listing", "foreign"])
def test_a_damaged_or_foreign_checkpoint_is_told_and_never_loaded(plain, tmp_path, harm):
    whole, _ = plain.learn(tmp_path / "whole")
    place, other = tmp_path / "stopped", tmp_path / "other"
    stopped(plain, place, Stopping(5, signal.SIGKILL))
    for one in listed(place / "checkpoints"):
        file = one.path / "checkpoint.safetensors"
        content = bytearray(file.read_bytes())
        if harm == "bit":
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
        elif harm == "cut":
            file.write_bytes(content[:-1])
        elif harm == "listing":
            (one.path / "files.json").write_text("{}")
    if harm == "foreign":
        (folder,) = (place / "checkpoints").iterdir()
        task = plain.tasks(2)[1]
        plain.learn(other, tasks=[task])  # for the name of its folder alone
        (key,) = StageCache(other / "cache").keys("models")
        folder.rename(folder.with_name(key))
        whole, _ = plain.learn(tmp_path / "second", tasks=[task])
        rest, said = plain.learn(place, tasks=[task])
    else:
        rest, said = plain.learn(place)
    assert "a checkpoint is not used" in said[0]
    assert not said[-1].endswith("went on from a checkpoint")
    same(whole, rest)


@pytest.mark.usefixtures("eager")
def test_what_keep_every_asks_for_stays_and_scores_as_the_fit_does(tmp_path):
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world", keep_every=3)
    (fit,), _ = world.learn(tmp_path)
    found = {one.about.epoch: one for one in listed(tmp_path / "checkpoints")}
    assert set(found) == {3, 6, fit.best_epoch}
    assert found[3].path.name.startswith("epoch0003_gru_pr_auc_0.")
    assert found[fit.best_epoch].about.best
    prepared, fold = world.prepared, world.prepared.folds.folds[0]
    for epoch in (6, fit.best_epoch):
        opened = open_checkpoint(found[epoch].path)
        about = opened.about
        said = opened.score(prepared.features, prepared.asset_id, fold.test)
        if about.best_epoch == fit.best_epoch:
            assert said.tobytes() == fit.test.tobytes()
    of_three = open_checkpoint(found[3].path, best=False)
    said = of_three.score(prepared.features, prepared.asset_id, fold.test)
    assert np.abs(said - fit.test).max() > 1e-4
    assert listed(tmp_path / "checkpoints", "another study") == []


def test_writing_takes_its_time_and_no_more(plain, tmp_path):
    """By a clock of ours: first after a second, then seconds apart, none in short fits."""
    cache = StageCache(plain.folder / "cache")
    columns = columns_of(shelve(plain.study.config, plain.prepared, cache))
    for tick, most in ((0.01, 0), (0.6, 4), (2.0, 8)):
        written, ticks = [], itertools.count(0.0, tick / 2)
        place = drive.Place(tmp_path / f"{tick}", "s", "f", None, ticks.__next__)
        ledger = Looking(place.folder, written)

        def driven(job, beside, ledger=ledger, place=place):
            return drive.drive(job, ledger, place, beside)

        fit_and_score(plain.study.config, plain.tasks()[0], columns, "data", driven)
        assert len(written) <= most
        assert bool(written) == bool(most)


class Looking(MemoryLedger):
    """A ledger that lists a folder after every epoch."""

    def __init__(self, folder, seen):
        super().__init__()
        self.folder, self.seen = folder, seen

    def watch(self, job, epoch):  # noqa: ARG002
        names = {p.name for p in self.folder.glob("epoch*")}
        self.seen += sorted(names - set(self.seen))


def mapped(array):
    """Whether an array is a view of a file, not a copy of it."""
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return array is not None


def test_a_phase_learns_only_from_what_its_own_label_tells_before_the_fold_ends(phased):
    """The same windows, no copy of the matrix, rows of the fold's train that both labels know."""
    study, prepared = phased.study, phased.prepared
    cache = StageCache(phased.folder / "cache")
    ledger, fold = WatchingLedger(), prepared.folds.folds[0]
    learn(study, prepared, phased.tasks(), Resources(cache, lambda: ledger, Silent(), 1))
    job = job_of(ledger)
    (phase,) = job.phases
    labels = label_rows(study.config.training.curriculum[0].label, prepared.panel,
                        (prepared.data, prepared.source), cache)  # fmt: skip
    rows = phase.train.rows
    assert known_by(labels, prepared.panel, fold.spans.train_end)[rows].all()
    assert set(rows) < set(fold.train)
    dropped = np.setdiff1d(fold.train, rows)
    reach = prepared.panel.available_at[np.maximum(labels.exit, 0)]
    assert reach[rows].max() < reach[dropped].min()
    first_read = prepared.panel.time[fold.validate - study.config.lookback + 1].min()
    assert reach[rows].max() <= first_read
    assert (phase.train.outcome == labels.outcome[rows]).all()
    assert (phase.train.outcome != prepared.labels.outcome[rows]).any()
    assert phase.train.windows is job.train.windows
    features = columns_of(shelve(study.config, prepared, cache)).features
    assert isinstance(features, np.memmap)
    assert mapped(job.train.windows.features)
    assert not mapped(np.array(job.train.windows.features))
    assert job.round_trip == 0.0
