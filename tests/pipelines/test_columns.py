"""The cache of feature columns: one more costs one, the bits are those of no cache, deletable."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

import touchstone as package
from small import touchstone, write_bars
from touchstone.data.cache import StageCache
from touchstone.features import FeaturesConfig, compile_features, evaluate
from touchstone.features.catalogue import catalogue
from touchstone.pipelines.columns import count, gathered
from touchstone.pipelines.prepare import feature_matrix
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.workspace import PACKAGES
from walks import random_panel

PANEL = random_panel(4, 400, seed=3)
TEXTS = {
    "a": "close / lag(close, 1) - 1", "b": "cross_rank(ema(close, 9))",
    "c": "std(close, 20) / close", "d": "volume / mean(volume, 24)",
}  # fmt: skip


def plan_of(*names, **more):
    return compile_features(
        FeaturesConfig(set="none", extra={n: TEXTS[n] for n in names} | more), tuple(PANEL.side)
    )


@pytest.fixture
def cache(tmp_path):
    return StageCache(tmp_path)


def asked(cache, plan, panel=PANEL, data="data"):
    return gathered(plan, panel, (data, f"{data}-{plan.fingerprint[:24]}"), cache)


def test_one_more_feature_computes_one(cache):
    assert asked(cache, plan_of("a", "b")).n_computed == 2
    assert asked(cache, plan_of("a", "b")).n_computed == 0
    assert asked(cache, plan_of("a", "b", "c")).n_computed == 1
    assert asked(cache, plan_of("c", "a")).n_computed == 0
    assert asked(cache, plan_of("d")).n_computed == 1
    assert asked(cache, plan_of("d", "c", "b", "a")).n_computed == 0
    assert count(cache) == (2 + 3 + 2 + 1 + 4, 4)


def test_the_bits_are_those_of_no_cache_in_whatever_order_it_was_filled(cache):
    rng = np.random.default_rng(0)
    for _ in range(12):
        names = rng.permutation(list(TEXTS))[: rng.integers(1, 5)]
        plan = plan_of(*names)
        found = asked(cache, plan).features
        assert isinstance(found, np.memmap)
        np.testing.assert_array_equal(found, evaluate(plan, PANEL))


def test_a_column_is_what_it_computes_whatever_it_is_called(cache):
    asked(cache, plan_of("a"))
    other = plan_of(mine="close/lag(close,1) - 1", twice="close / lag(close, 1) - 1")
    found = asked(cache, other)
    assert found.n_computed == 0
    np.testing.assert_array_equal(found.features, evaluate(other, PANEL))


def test_two_names_for_one_new_column_compute_it_once(cache):
    plan = plan_of(one="lag(close, 3)", two="lag(close, 3)")
    found = asked(cache, plan)
    assert found.n_computed == 1
    np.testing.assert_array_equal(found.features, evaluate(plan, PANEL))


def test_every_subset_of_the_catalogue_is_the_same_bits(cache):
    """What a cached column rests on: it does not depend on the columns beside it."""
    names = [n for n, entry in catalogue().items() if not entry.side]
    whole = {n: catalogue()[n].text for n in names}
    plan = compile_features(FeaturesConfig(set="none", extra=whole))
    asked(cache, compile_features(FeaturesConfig(set="none", extra=dict([*whole.items()][::2]))))
    found = asked(cache, plan)
    assert found.n_computed == len(set(plan.fingerprints)) - len(set(plan.fingerprints[::2]))
    np.testing.assert_array_equal(found.features, evaluate(plan, PANEL))


def test_matrices_larger_than_a_piece_are_the_same_bits(cache, monkeypatch):
    monkeypatch.setattr("touchstone.pipelines.columns.ROWS", 123)
    asked(cache, plan_of("a", "c"))
    found = asked(cache, plan_of("d", "c", "b", "a"))
    assert found.n_computed == 2
    np.testing.assert_array_equal(found.features, evaluate(plan_of("d", "c", "b", "a"), PANEL))


def test_other_data_share_nothing(cache):
    asked(cache, plan_of("a"))
    other = random_panel(4, 400, seed=4)
    found = asked(cache, plan_of("a"), other, data="other")
    assert found.n_computed == 1
    np.testing.assert_array_equal(found.features, evaluate(plan_of("a"), other))


def test_side_columns_are_part_of_the_data(cache):
    plan = compile_features(FeaturesConfig(set="none", extra={"s": "mood * 2"}), ("mood",))
    panels = [PANEL.map_side({"mood": np.full(len(PANEL), x)}) for x in (1.0, 2.0)]
    for panel, said in zip(panels, (2, 4), strict=True):
        made_of = (panel.content_hash(), "source")
        assert (feature_matrix(plan, panel, made_of, cache, Silent()) == said).all()


def test_what_is_broken_or_deleted_is_computed_anew(cache, tmp_path):
    asked(cache, plan_of("a", "b"))
    (entry,) = (tmp_path / "features").iterdir()
    (entry / "0.npy").write_bytes(b"broken")
    found = asked(cache, plan_of("a", "b", "c"))
    assert found.n_computed == 3
    np.testing.assert_array_equal(found.features, evaluate(plan_of("a", "b", "c"), PANEL))
    cache.clear()
    assert asked(cache, plan_of("b")).n_computed == 1
    assert isinstance(found.features[0, 0], np.float32)  # still mapped


def test_the_command_tells_of_columns_and_takes_them(tmp_path):
    folder, space = write_bars(tmp_path / "bars", PANEL), tmp_path / "space"
    words = ("features", "--bars", folder, "--set", "none", "--extra", "a=close / lag(close, 1)")
    plain, kept, again = (tmp_path / f"{n}.csv" for n in ("plain", "kept", "again"))
    assert touchstone(*words, "--out", plain)[0] == 0
    for out, more in ((kept, ()), (again, ("--extra", "b=lag(close, 2)"))):
        code, _, err = touchstone(*words, *more, "--out", out, "--workspace", space)
        assert code == 0, err
    assert kept.read_bytes() == plain.read_bytes()
    code, text, _ = touchstone("cache", "show", "--out", space)
    assert code == 0
    assert "3 columns, 2 different" in text


ROOMS = ("market", "features", "labels", "dataset", "models", "training", "simulation",
         "strategies", "execution", "backtest", "metrics", "validation", "explain")  # fmt: skip
AROUND = {"onnx", "pydantic", "pydantic_core", "safetensors", "threadpoolctl"}
"""They check, store, hold back and hand on what is finished; no number comes of them."""


def test_every_package_that_a_room_computes_with_is_part_of_the_source():
    """A column of a calendar, or a fit, of another version of it is no longer that column."""
    used = set()
    root = Path(package.__file__).parent
    for path in (p for room in ROOMS for p in (root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            used |= {name.partition(".")[0] for name in names}
    used -= {"touchstone", *sys.stdlib_module_names, *AROUND}
    named = {name.replace("-", "_").replace("scikit_learn", "sklearn") for name in PACKAGES}
    assert {"exchange_calendars", "hmmlearn", "numba"} <= used
    assert used <= named
