"""The stage cache: what was saved is loaded, what is broken is a miss, writers may meet."""

import json
import multiprocessing
import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from touchstone.data.cache import StageCache, Written
from touchstone.errors import ConfigError

ARRAYS = {
    "features": np.arange(12, dtype=np.float32).reshape(4, 3),
    "mask": np.array([True, False]),
    "names of things": np.array(["a", "bb"]),
    "empty": np.zeros((0, 5)),
    "one": np.array(3.5),
    "time": np.array([1, 2], "datetime64[ns]"),
}


def equal(found, arrays):
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def test_what_is_saved_is_loaded_and_mapped(tmp_path):
    cache = StageCache(tmp_path / "cache")
    assert cache.load("features", "k1") is None
    assert cache.entries() == ()
    cache.save("features", "k1", ARRAYS)
    found = cache.load("features", "k1")
    equal(found, ARRAYS)
    assert isinstance(found["features"], np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found["features"][0] = 1


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    array=hnp.arrays(
        st.sampled_from(["f8", "f4", "i8", "i4", "i1", "?", "U3"]), hnp.array_shapes(min_dims=0)
    )
)
def test_any_array_comes_back(quick_folder, array):
    cache = StageCache(quick_folder, verify=True)
    for one in (array, array.T):
        cache.save("s", "k", {"x": one})
        equal(cache.load("s", "k"), {"x": one})


def test_bytes(tmp_path):
    cache = StageCache(tmp_path)
    for content in (b"", b"weights" * 1000):
        cache.save_bytes("fit", "k", content)
        assert cache.load_bytes("fit", "k") == content
    assert cache.load("fit", "k") is None, "bytes are no arrays"
    assert cache.load_bytes("fit", "k") is not None, "and asking so does not remove them"
    assert cache.load_bytes("fit", "none") is None


def test_the_last_save_counts(tmp_path):
    cache = StageCache(tmp_path)
    cache.save("s", "k", {"a": np.ones(3)})
    held = cache.load("s", "k")["a"]
    cache.save("s", "k", {"b": np.zeros(2)})
    equal(cache.load("s", "k"), {"b": np.zeros(2)})
    np.testing.assert_array_equal(held, np.ones(3))  # a mapped array outlives its entry
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_entries_sizes_and_clear(tmp_path):
    cache = StageCache(tmp_path)
    cache.save("features", "b", {"x": np.zeros(1000), "y": np.zeros(10)})
    cache.save("features", "a", {"x": np.zeros(10)})
    cache.save_bytes("labels", "c", b"12345")
    found = cache.entries()
    assert [(e.stage, e.key, e.names) for e in found] == [
        ("features", "a", ("x",)),
        ("features", "b", ("x", "y")),
        ("labels", "c", ()),
    ]
    assert found[2].size == 5
    assert 8000 < found[1].size < 9000
    assert cache.size() == sum(e.size for e in found)
    assert cache.clear("features") == 2
    assert [e.stage for e in cache.entries()] == ["labels"]
    assert cache.clear() == 1
    assert cache.size() == 0
    assert cache.clear("nothing") == 0


def cut(folder):
    path = folder / "0.npy"
    path.write_bytes(path.read_bytes()[:-1])


def garble_header(folder):
    path = folder / "0.npy"
    path.write_bytes(b"X" + path.read_bytes()[1:])


def lie_about_the_shape(folder):
    path = folder / "0.npy"
    path.write_bytes(path.read_bytes().replace(b"(100,)", b"(900,)"))


DAMAGE = {
    "cut": cut,
    "header": garble_header,
    "shape": lie_about_the_shape,
    "gone": lambda f: (f / "0.npy").unlink(),
    "no manifest": lambda f: (f / "manifest.json").unlink(),
    "half a manifest": lambda f: (f / "manifest.json").write_text('{"kind": "arr'),
    "a manifest of another sort": lambda f: (f / "manifest.json").write_text("[1]"),
    "a manifest without rows": lambda f: (f / "manifest.json").write_text('{"kind": "arrays"}'),
    "a manifest that leads outside": lambda f: (f / "manifest.json").write_text(
        json.dumps(
            {
                "kind": "arrays",
                "contents": [{"name": "x", "file": "../../x", "size": 1, "sha256": ""}],
            }
        )
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_entry_is_a_miss_and_is_removed(tmp_path, damage):
    cache = StageCache(tmp_path)
    cache.save("s", "k", {"x": np.arange(100.0)})
    cache.save("s", "other", {"x": np.arange(3.0)})
    DAMAGE[damage](tmp_path / "s" / "k")
    assert cache.load("s", "k") is None
    assert not (tmp_path / "s" / "k").exists()
    assert cache.load("s", "other") is not None
    cache.save("s", "k", {"x": np.ones(1)})
    equal(cache.load("s", "k"), {"x": np.ones(1)})


def test_a_flipped_bit_is_found_by_the_hash(tmp_path):
    cache = StageCache(tmp_path, verify=True)
    cache.save("s", "k", {"x": np.arange(100.0)})
    path = tmp_path / "s" / "k" / "0.npy"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    assert StageCache(tmp_path).load("s", "k") is not None, "the size alone cannot tell"
    assert cache.load("s", "k") is None
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b", "x" * 200, "a\n"])
def test_names_that_are_no_folders(tmp_path, name):
    cache = StageCache(tmp_path)
    for stage, key in ((name, "k"), ("s", name)):
        with pytest.raises(ConfigError, match="of the cache needs letters"):
            cache.save(stage, key, {})
        with pytest.raises(ConfigError, match="of the cache needs letters"):
            cache.load(stage, key)


def test_objects_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="'x' holds Python objects"):
        StageCache(tmp_path).save("s", "k", {"x": np.array([{}])})


def test_a_file_smuggled_in_as_objects_is_a_miss(tmp_path):
    cache = StageCache(tmp_path)
    cache.save("s", "k", {"x": np.zeros(3)})
    path = tmp_path / "s" / "k" / "0.npy"
    np.save(path, np.array([{"a": 1}]), allow_pickle=True)
    manifest = path.parent / "manifest.json"
    content = json.loads(manifest.read_text())
    content["contents"][0]["size"] = path.stat().st_size
    manifest.write_text(json.dumps(content))
    assert cache.load("s", "k") is None


def _save_for_ever(root, who):
    cache = StageCache(Path(root))
    for i in range(10**6):
        cache.save("s", f"k{i % 3}", {"x": np.full(3000, who + i), "y": np.full(5, who + i)})


def test_writers_and_a_reader_at_once(quick_folder):
    fork = multiprocessing.get_context("fork")
    writers = [
        fork.Process(target=_save_for_ever, args=(str(quick_folder), w), daemon=True)
        for w in (0, 10**6)
    ]
    for writer in writers:
        writer.start()
    cache, n_hits, end = StageCache(quick_folder, verify=True), 0, time.monotonic() + 1.0
    while time.monotonic() < end:
        for key in ("k0", "k1", "k2"):
            found = cache.load("s", key)
            if found is not None:
                n_hits += 1
                assert np.unique(np.r_[found["x"], found["y"]]).size == 1
    assert all(writer.is_alive() for writer in writers)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    assert n_hits > 10


def test_kill_9_leaves_whole_entries_and_clear_sweeps_the_rest(quick_folder):
    fork = multiprocessing.get_context("fork")
    rng = np.random.default_rng(7)
    cache = StageCache(quick_folder, verify=True)
    for _ in range(20):
        writer = fork.Process(target=_save_for_ever, args=(str(quick_folder), 0), daemon=True)
        writer.start()
        time.sleep(rng.uniform(0.01, 0.05))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        for path in (quick_folder / "s").glob("*"):
            found = cache.load("s", path.name)
            assert found is not None, "an entry that can be seen is whole"
            assert np.unique(np.r_[found["x"], found["y"]]).size == 1
    making = quick_folder / f".making-{os.getpid()}-mine"
    making.mkdir()
    cache.clear()
    assert sorted(p.name for p in quick_folder.iterdir()) == [making.name, "s"]


def test_an_array_may_come_in_pieces_and_is_the_same_entry(tmp_path):
    cache, whole = StageCache(tmp_path), np.arange(21.0).reshape(7, 3)
    buffer = np.empty((2, 3))

    def pieces():
        for first in range(0, 7, 2):
            piece = buffer[: min(2, 7 - first)]
            piece[:] = whole[first : first + 2]
            yield piece  # one buffer, overwritten each time

    cache.save("s", "whole", {"x": whole})
    cache.save("s", "pieces", {"x": Written(whole.shape, whole.dtype, pieces())})
    files = [(tmp_path / "s" / k / "0.npy").read_bytes() for k in ("whole", "pieces")]
    assert files[0] == files[1]
    np.testing.assert_array_equal(cache.load("s", "pieces")["x"], whole)


@pytest.mark.parametrize("given", [(np.zeros(3),), (np.zeros(5),), (np.zeros(4, np.float32),)])
def test_pieces_that_are_not_what_was_announced_leave_nothing(tmp_path, given):
    cache = StageCache(tmp_path)
    with pytest.raises(ValueError, match=r"piece|not given"):
        cache.save("s", "k", {"x": Written((4,), np.dtype(float), given)})
    assert cache.load("s", "k") is None
    assert cache.entries() == ()
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_too_many_open_files_are_told_and_cost_no_entry(tmp_path):
    cache = StageCache(tmp_path)
    cache.save("stage", "key", {"x": np.arange(4)})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)  # the lowest number that is free
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            cache.load("stage", "key")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    np.testing.assert_array_equal(cache.load("stage", "key")["x"], np.arange(4))
