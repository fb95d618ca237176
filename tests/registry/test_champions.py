"""One champion at a time, artifacts kept, a history that cannot be edited, and a way back."""

import itertools
import json
import os
import shutil
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.artifacts import decider, gru, logistic, parts
from touchstone.errors import ArtifactError, ConfigError, DataError, RefusedError
from touchstone.registry import artifact as shelf
from touchstone.registry.champions import Champions, Origin, Stamp, names

ORIGIN = Origin("run", "study", "data", "candidate", "evidence")
FITTED = {"a": gru, "b": lambda: gru(seed=1), "c": lambda: logistic(9)}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """Three real artifacts."""
    folder = tmp_path_factory.mktemp("artifacts")
    for name, make in FITTED.items():
        shelf.save(folder / name, parts(decider(make())))
    return folder


@pytest.fixture
def desk(tmp_path, artifacts):
    return Desk(tmp_path / "registry", artifacts)


class Desk:
    """Somebody who promotes, with a clock that counts and a ledger that is a list."""

    def __init__(self, root, artifacts):
        self.root, self.artifacts = root, artifacts
        self.champions = Champions(root, "hourly")
        self.clock, self.ledger = itertools.count(), []

    def stamp(self):
        return Stamp("me", f"t{next(self.clock)}")

    def promote(self, which, override=None):
        born = self.champions.register(
            self.artifacts / which, ORIGIN._replace(run=which), self.stamp()
        )
        write_down = lambda: self.ledger.append(("promoted", born.version))  # noqa: E731
        return self.champions.promote(born.version, self.stamp(), write_down, override)

    def roll_back(self):
        def write_down(born):
            self.ledger.append(("rolled back", born.version))

        return self.champions.roll_back(self.stamp(), write_down)

    def champion(self):
        return self.champions.version("champion").run


def test_promotions_and_the_way_back(desk):
    assert desk.champions.aliases() == {}
    desk.promote("a")
    assert desk.champions.aliases() == {"champion": 1}
    desk.promote("b", override="a trial")
    desk.promote("c")
    assert desk.champions.aliases() == {"champion": 3, "previous": 2}
    back = desk.roll_back()
    assert (back.version, back.override) == (2, "a trial")
    assert desk.champions.aliases() == {"champion": 2, "previous": 3}
    assert desk.champion() == "b"
    assert [e.act for e in desk.champions.history()] == [
        "registered", "promoted", "registered", "promoted", "registered", "promoted",
        "rolled back",
    ]  # fmt: skip
    assert desk.ledger == [("promoted", 1), ("promoted", 2), ("promoted", 3), ("rolled back", 2)]
    assert names(desk.root) == ("hourly",)


def test_what_stands_on_the_shelf_is_the_artifact(desk, artifacts):
    desk.promote("a")
    found = desk.champions.load("champion")
    assert found.manifest == shelf.load(artifacts / "a").manifest
    assert shelf.reproduce(found) == 0.0


def test_a_registered_artifact_is_challenger_and_registered_once(desk, artifacts):
    desk.promote("a")
    first = desk.champions.register(artifacts / "b", ORIGIN, desk.stamp())
    again = desk.champions.register(artifacts / "b", ORIGIN, desk.stamp())
    assert first == again
    assert desk.champions.aliases() == {"champion": 1, "challenger": 2}
    assert desk.champion() == "a"
    desk.promote("c")  # a newer challenger takes its place
    assert desk.champions.aliases() == {"champion": 3, "previous": 1}


def test_a_champion_is_not_promoted_twice_and_the_first_has_none_before_it(desk):
    desk.promote("a")
    with pytest.raises(RefusedError, match="version 1 is champion already"):
        desk.promote("a")
    with pytest.raises(DataError, match="no champion before this one"):
        desk.roll_back()
    with pytest.raises(DataError, match="no version 7"):
        desk.champions.promote(7, desk.stamp(), lambda: None)
    with pytest.raises(DataError, match="no previous"):
        desk.champions.load("previous")
    assert desk.ledger == [("promoted", 1)]


@pytest.mark.parametrize("name", ["", "../up", "A", "a/b", ".a", "a\n", "x" * 41, "-a"])
def test_a_name_is_a_folder_of_its_own(tmp_path, name):
    with pytest.raises(ConfigError, match="needs lower-case letters"):
        Champions(tmp_path, name)


def test_an_edited_artifact_is_neither_promoted_nor_gone_back_to(desk):
    desk.promote("a")
    desk.promote("b")
    golden = desk.champions.place(1) / "golden.safetensors"
    content = bytearray(golden.read_bytes())
    content[-1] ^= 1
    golden.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"golden\.safetensors"):
        desk.roll_back()
    assert desk.champion() == "b"
    assert len(desk.ledger) == 2


def test_another_sound_artifact_in_its_place_is_refused(desk, artifacts):
    desk.promote("a")
    shutil.rmtree(desk.champions.place(1))
    shutil.copytree(artifacts / "b", desk.champions.place(1))
    with pytest.raises(ArtifactError, match="needed"):
        desk.champions.load("champion")


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_edited_event_is_found(tmp_path_factory, artifacts, data):
    """Every byte of an event that another one follows; of the newest, the ledger knows."""
    source = history_of_three(tmp_path_factory, artifacts)
    root = shutil.copytree(source, tmp_path_factory.mktemp("edit") / "registry")
    files = sorted((root / "hourly" / "history").iterdir())[:-1]
    path = data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(RefusedError, match="history"):
        Champions(root, "hourly").aliases()


MADE = {}


def history_of_three(tmp_path_factory, artifacts):
    if artifacts not in MADE:
        desk = Desk(tmp_path_factory.mktemp("three") / "registry", artifacts)
        for which in "abc":
            desk.promote(which)
        MADE[artifacts] = desk.root
    return MADE[artifacts]


@pytest.mark.parametrize("gone", [1, 3, 5])
def test_a_missing_event_is_found(tmp_path, tmp_path_factory, artifacts, gone):
    root = shutil.copytree(history_of_three(tmp_path_factory, artifacts), tmp_path / "registry")
    (root / "hourly" / "history" / f"{gone:06}.json").unlink()
    with pytest.raises(RefusedError, match=f"event {gone} is gone"):
        Champions(root, "hourly").history()


def test_a_key_that_no_event_has_is_refused(tmp_path, tmp_path_factory, artifacts):
    root = shutil.copytree(history_of_three(tmp_path_factory, artifacts), tmp_path / "registry")
    path = root / "hourly" / "history" / "000006.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"more": 1}))
    with pytest.raises(RefusedError, match="no event of a registry"):
        Champions(root, "hourly").history()


class Crash(BaseException):
    """The machine stops here."""


@pytest.mark.parametrize("call", ["fsync", "replace", "rename"])
@pytest.mark.parametrize("nth", range(1, 12))
def test_a_crash_at_any_step_leaves_one_champion_and_can_be_repeated(desk, monkeypatch, call, nth):
    """At every flush and every rename of a promotion: before it the old one trades, after it the
    new one, the ledger knows of every champion, and the same command again ends it."""
    desk.promote("a")
    left, real = itertools.count(1), getattr(os, call)

    def crash(*args, **named):
        if next(left) == nth:
            raise Crash
        return real(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, crash)
        try:
            desk.promote("b")
        except Crash:
            assert next(left) > nth
    assert desk.champion() in ("a", "b")
    if desk.champion() == "b":
        assert ("promoted", 2) in desk.ledger
    else:
        desk.promote("b")
    assert desk.champions.aliases() == {"champion": 2, "previous": 1}
    assert shelf.reproduce(desk.champions.load("champion")) == 0.0
    desk.roll_back()
    assert desk.champion() == "a"


def test_two_that_promote_at_once_stand_in_one_history(desk, artifacts):
    barrier = threading.Barrier(2)

    def promote(which):
        mine = Desk(desk.root, artifacts)
        barrier.wait(timeout=30)
        mine.promote(which)

    threads = [threading.Thread(target=promote, args=(which,)) for which in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = desk.champions.history()
    assert [e.number for e in history] == [1, 2, 3, 4]
    assert sorted(e.version for e in history) == [1, 1, 2, 2]
    promoted = [e.version for e in history if e.act == "promoted"]
    assert desk.champions.aliases()["champion"] == promoted[-1]
    assert desk.champions.aliases()["previous"] == promoted[0]
