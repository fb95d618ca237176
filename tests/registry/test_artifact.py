"""What is saved is loaded, and whatever was changed is refused."""

import hashlib
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as safetensors

from registry.artifacts import N_FEATURES, decider, draw_rows, gru, logistic, parts
from touchstone.dataset.windows import Windows
from touchstone.errors import ArtifactError
from touchstone.registry.artifact import load, reproduce, save
from touchstone.registry.golden import Golden, difference, enters, from_bytes, record, scores
from touchstone.registry.manifest import Manifest, parse
from touchstone.strategies import STRATEGIES
from touchstone.strategies.threshold import ThresholdConfig

MANIFEST = "manifest.json"


def n_columns():
    flat = np.zeros((6, N_FEATURES), np.float32)
    windows = Windows(flat, np.zeros(6, np.int32), 6, decider(gru()).scaler)
    return windows.tabular(np.array([5])).shape[1]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shelf") / "artifact"
    save(folder, parts())
    return folder


@pytest.fixture
def artifact(sound, tmp_path):
    """A sound artifact to spoil."""
    return Path(shutil.copytree(sound, tmp_path / "artifact"))


def rewrite(folder, change):
    """A hand that knows the format: changes the manifest and hashes it again."""
    settings_ = json.loads((folder / MANIFEST).read_bytes())
    for name, item in settings_["files"].items():
        content = (folder / name).read_bytes()
        item.update(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    change(settings_)
    rest = {key: value for key, value in settings_.items() if key != "identity"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    settings_["identity"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(settings_, indent=2))


KINDS = {
    "gru": lambda: decider(gru()),
    "gru, platt": lambda: decider(gru(), "platt"),
    "gru, buy": lambda: decider(gru("buy")),
    "logistic": lambda: decider(logistic(n_columns())),
    "logistic, buy": lambda: decider(logistic(n_columns(), "buy")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_is_loaded(tmp_path, kind):
    made = parts(KINDS[kind]())
    manifest = save(tmp_path / "a", made)
    found = load(tmp_path / "a", manifest.identity)
    assert found.manifest == manifest
    assert found.label == made.label
    assert found.manifest.origin == made.origin
    assert {f.name: f.expression for f in found.manifest.features} == made.features
    assert [f.name for f in found.manifest.features] == list(made.features)
    for before, after in zip(made.golden, found.golden, strict=True):
        assert before.dtype == after.dtype
        assert np.array_equal(before, after)
    assert reproduce(found) == 0.0
    assert 0 < made.golden.enter.sum() < made.golden.enter.size, "golden rows on one side only"
    fresh = draw_rows(200, seed=9)
    score = scores(made.decider, fresh.windows, fresh.asset_id)
    assert np.array_equal(score, scores(found.decider, fresh.windows, fresh.asset_id))
    before, after = (enters(d, score, fresh) for d in (made.decider, found.decider))
    assert np.array_equal(before, after)


def test_the_same_parts_give_the_same_bytes(tmp_path):
    first, second = (save(tmp_path / name, parts()) for name in "ab")
    assert first == second
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file():
            assert (
                path.read_bytes()
                == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
            )


def test_golden_rows_may_be_few_or_none(tmp_path):
    save(tmp_path / "one", parts(n_golden=1))
    assert reproduce(load(tmp_path / "one")) == 0.0
    save(tmp_path / "none", parts(n_golden=0))
    assert reproduce(load(tmp_path / "none")) == 0.0


def test_infinite_widths_are_kept(tmp_path):
    made = parts()
    strategy = ThresholdConfig(entry_threshold=(0.4,))
    made = made._replace(decider=made.decider._replace(strategy=strategy))
    rows = draw_rows(8)._replace(up=np.full(8, np.inf), down=np.full(8, np.inf))
    save(tmp_path / "a", made._replace(golden=record(made.decider, rows)))
    assert np.isinf(load(tmp_path / "a").golden.up).all()


ACROSS = {
    "kind": "regime_filter",
    "column": "trend",
    "strategy": {"kind": "top_k", "k": 1, "sizing": {"kind": "volatility_target"}},
}


def test_golden_rows_carry_instants_and_the_columns_that_the_strategy_asks_for(tmp_path):
    made = parts()
    made = made._replace(
        decider=made.decider._replace(strategy=STRATEGIES.parse(ACROSS), bars_per_year=8760.0)
    )
    named = np.random.default_rng(0).normal(0.005, 0.01, (32, 2))
    rows = draw_rows(32)._replace(instant=np.arange(32) // 8, named=named)
    save(tmp_path / "a", made._replace(golden=record(made.decider, rows)))
    found = load(tmp_path / "a")
    assert reproduce(found) == 0.0
    np.testing.assert_array_equal(found.golden.named, named)
    n_entered = np.bincount(found.golden.instant, found.golden.enter)
    assert n_entered.max() == 1, "of eight rows at a close the best"
    alone = found._replace(golden=found.golden._replace(instant=np.arange(32)))
    with pytest.raises(ArtifactError, match="got decision True, needed False"):
        reproduce(alone)
    forbidden = found._replace(golden=found.golden._replace(named=-np.abs(named)))
    with pytest.raises(ArtifactError, match="got decision False, needed True"):
        reproduce(forbidden)
    short = found.golden._replace(named=named[:, :1])
    with pytest.raises(
        ArtifactError, match=r"named: got float64 \(32, 1\), needed float64 \(32, 2"
    ):
        save(tmp_path / "b", made._replace(golden=short))


def test_golden_rows_of_an_older_artifact_have_no_instants():
    made = parts()
    arrays = made.golden._asdict()
    arrays.pop("instant"), arrays.pop("named")
    found = from_bytes(safetensors(arrays), made.decider, "here")
    assert difference(made.decider, found, "here") == 0.0
    np.testing.assert_array_equal(found.enter, made.golden.enter)


# Writing


def shelf(folder):
    return sorted(p.name for p in folder.iterdir())


def test_an_artifact_is_never_overwritten(artifact):
    before = (artifact / MANIFEST).read_bytes()
    with pytest.raises(ArtifactError, match="exists already"):
        save(artifact, parts())
    assert (artifact / MANIFEST).read_bytes() == before
    assert shelf(artifact.parent) == ["artifact"]


def test_a_link_is_not_written_through(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match="exists already"):
        save(tmp_path / "a", parts())
    assert shelf(tmp_path) == ["a"]


def test_golden_rows_of_another_model_leave_nothing_behind(tmp_path):
    wrong = parts()._replace(golden=record(decider(gru(seed=1)), draw_rows(8)))
    with pytest.raises(ArtifactError, match="golden row"):
        save(tmp_path / "a", wrong)
    assert shelf(tmp_path) == []


class Escaping:
    """A model whose file wants out of its folder."""

    def __init__(self, name):
        fitted = gru()
        self.config, self.shape, self.inputs, self.raw = (
            fitted.config,
            fitted.shape,
            "window",
            fitted.raw,
        )
        self.files = lambda: {name: b"x", **fitted.files()}


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "", ".hidden", "x\n", "x\0"])
def test_a_file_cannot_leave_its_folder(tmp_path, name):
    made = parts()
    made = made._replace(decider=made.decider._replace(fitted=Escaping(name)))
    with pytest.raises(ArtifactError, match="no file may be called"):
        save(tmp_path / "a", made)
    assert shelf(tmp_path) == []


def test_features_are_as_many_as_the_model_needs(tmp_path):
    with pytest.raises(ArtifactError, match="got 1 features, needed the 3"):
        save(tmp_path / "a", parts()._replace(features={"ret": "close"}))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_json_cannot_hold_is_refused(tmp_path, value):
    made = parts()
    made = made._replace(decider=made.decider._replace(rest=value))
    with pytest.raises((ArtifactError, ValueError)):
        save(tmp_path / "a", made)
    assert shelf(tmp_path) == []


# Reading


def everything(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_changed_byte_is_refused(sound, tmp_path_factory, data):
    name = data.draw(st.sampled_from(everything(sound)))
    content = bytearray((sound / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    folder = Path(shutil.copytree(sound, tmp_path_factory.mktemp("edit") / "a"))
    (folder / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=name.replace(".", r"\.")):
        load(folder)


@pytest.mark.parametrize("cut", [0, 1, 0.5])
def test_every_cut_file_is_refused(sound, tmp_path, cut):
    for i, name in enumerate(everything(sound)):
        folder = Path(shutil.copytree(sound, tmp_path / str(i)))
        content = (folder / name).read_bytes()
        keep = int(len(content) * cut) if cut < 1 else len(content) - 1
        (folder / name).write_bytes(content[:keep])
        with pytest.raises(ArtifactError, match=name):
            load(folder)
        (folder / name).write_bytes(content + b" ")
        with pytest.raises(ArtifactError, match=name):
            load(folder)


def test_every_missing_file_is_refused(sound, tmp_path):
    for i, name in enumerate(everything(sound)):
        folder = Path(shutil.copytree(sound, tmp_path / str(i)))
        (folder / name).unlink()
        with pytest.raises(ArtifactError, match=f"{name}: got none, needed a file"):
            load(folder)


@pytest.mark.parametrize("name", ["more", ".hidden", "model/more", "model/.x", "manifest.json.bak"])
def test_every_file_more_is_refused(artifact, name):
    (artifact / name).write_bytes(b"")
    with pytest.raises(ArtifactError, match=f"{name}: got a file, needed none"):
        load(artifact)


@pytest.mark.parametrize("name", ["inner", "model/inner", "manifest"])
def test_a_strange_folder_is_refused(artifact, name):
    (artifact / name).mkdir()
    with pytest.raises(ArtifactError, match=f"{name}: got no plain file"):
        load(artifact)


@pytest.mark.parametrize(
    "name", ["scaler.json", "manifest.json", "model/weights.safetensors", "model"]
)
def test_a_link_is_refused_even_to_the_same_content(artifact, name):
    (artifact / name).rename(artifact.parent / "elsewhere")
    (artifact / name).symlink_to(artifact.parent / "elsewhere")
    with pytest.raises(ArtifactError, match=f"{name}: got a link"):
        load(artifact)


def test_a_linked_folder_is_refused(artifact, tmp_path):
    (tmp_path / "link").symlink_to(artifact)
    with pytest.raises(ArtifactError, match="got a link, needed an artifact's folder"):
        load(tmp_path / "link")


def test_a_pipe_is_refused_without_waiting_for_it(artifact):
    (artifact / "scaler.json").unlink()
    os.mkfifo(artifact / "scaler.json")
    with pytest.raises(ArtifactError, match=r"scaler\.json: got no plain file"):
        load(artifact)


@pytest.mark.parametrize("exists", [False, True])
def test_no_artifact(tmp_path, exists):
    folder = tmp_path / "a"
    if exists:
        folder.mkdir()
    with pytest.raises(ArtifactError, match=r"got no folder|manifest\.json: got none"):
        load(folder)


def test_another_artifact_than_the_one_wanted_is_refused(artifact):
    with pytest.raises(ArtifactError, match="needed 0000"):
        load(artifact, "0000")


PATHS = [
    "../secret",
    "/etc/passwd",
    "model/../../secret",
    "model//x",
    "model/a/b",
    "..",
    "",
    "a\0b",
    MANIFEST,
]


@pytest.mark.parametrize("name", PATHS)
def test_a_path_outside_is_refused_before_it_is_read(artifact, name):
    (artifact.parent / "secret").write_bytes(b"")
    empty = {"sha256": hashlib.sha256(b"").hexdigest(), "size": 0}
    rewrite(artifact, lambda manifest: manifest["files"].update({name: empty}))
    with pytest.raises(ArtifactError, match=r"manifest\.json lists"):
        load(artifact)


TEXTS = {
    "nan": ('"rest": 0.004', '"rest": NaN'),
    "infinity": ('"rest": 0.004', '"rest": -Infinity'),
    "overflow": ('"rest": 0.004', '"rest": 1e999'),
    "key twice": ('"rest": 0.004', '"rest": 0.004, "rest": 0.005'),
    "huge integer": ('"seed": 7', '"seed": ' + "7" * 5000),
    "deep": ('"rest": 0.004', '"rest": ' + "[" * 100_000),
    "format": ('"format": 1', '"format": 2'),
    "unknown key": ('"rest": 0.004', '"rest": 0.004, "code": "import os"'),
    "text": ('"hold_bars": 8', '"hold_bars": "many"'),
    "negative": ('"size": ', '"size": -'),
}


@pytest.mark.parametrize("case", TEXTS)
def test_hostile_manifests_are_refused(artifact, case):
    text, (old, new) = (artifact / MANIFEST).read_text(), TEXTS[case]
    assert old in text
    (artifact / MANIFEST).write_text(text.replace(old, new))
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        load(artifact)


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"7", b"\xff\xfe", b"{", b"\x80\x04."])
def test_what_is_no_manifest_is_refused(artifact, content):
    (artifact / MANIFEST).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        load(artifact)


def test_a_giant_manifest_is_not_read(artifact):
    with (artifact / MANIFEST).open("r+b") as file:
        file.truncate(10**12)  # sparse: takes no space
    with pytest.raises(ArtifactError, match="more than the 4000000 bytes"):
        load(artifact)


def test_a_giant_file_is_not_read(artifact):
    with (artifact / "scaler.json").open("r+b") as file:
        file.truncate(10**12)
    with pytest.raises(ArtifactError, match=r"scaler\.json: got more than"):
        load(artifact)


SETTINGS = {
    "unknown model": lambda m: m["model"].update(kind="os"),
    "unknown strategy": lambda m: m["strategy"].update(kind="../x"),
    "unknown label": lambda m: m["label"].update(kind="none"),
    "model's key": lambda m: m["model"].update(layers_="x"),
    "another model": lambda m: m.update(model={"kind": "logistic"}),
    "another size": lambda m: m["model"].update(hidden=16),
    "another head": lambda m: m["model"].update(head="buy"),
    "lookback": lambda m: m["shape"].update(lookback=7),
    "huge lookback": lambda m: m["shape"].update(lookback=10**15),
    "features": lambda m: m["features"].pop(),
    "golden": lambda m: m.update(n_golden=31),
    "a part less": lambda m: m["files"].pop("golden.safetensors"),
    "margins": lambda m: m["strategy"].update(margin_bp=[0, 5]),
    "costs": lambda m: m["costs"].update(commission_bp=-5),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_do_not_fit_the_files_are_refused(artifact, case):
    rewrite(artifact, SETTINGS[case])
    with pytest.raises(ArtifactError):
        reproduce(load(artifact))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["strategy"].update(margin_bp=[300]),
        lambda m: m["costs"].update(commission_bp=200),
        lambda m: m.update(rest=-0.05),
    ],
)
def test_another_decision_does_not_reproduce_the_golden_rows(artifact, change):
    rewrite(artifact, change)
    with pytest.raises(ArtifactError, match=r"golden row \d+: got decision"):
        reproduce(load(artifact))


def test_other_weights_do_not_reproduce_the_golden_rows(artifact):
    for name, content in gru(seed=3).files().items():
        (artifact / "model" / name).write_bytes(content)
    rewrite(artifact, lambda _: None)
    with pytest.raises(ArtifactError, match=r"golden row \d+: got score"):
        reproduce(load(artifact))


class Gadget:
    """Unpickled, it leaves a trace."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def test_a_pickle_by_any_name_is_refused_and_not_run(sound, tmp_path):
    trace = tmp_path / "ran"
    for i, name in enumerate(everything(sound)):
        if name != MANIFEST:
            folder = Path(shutil.copytree(sound, tmp_path / str(i)))
            (folder / name).write_bytes(pickle.dumps(Gadget(trace)))
            rewrite(folder, lambda _: None)
            with pytest.raises(ArtifactError):
                load(folder)
    assert not trace.exists()


GOLDEN = {
    "too many": lambda g: Golden(*(np.concatenate([part, part, part]) for part in g)),
    "not finite": lambda g: g._replace(windows=np.full_like(g.windows, np.nan)),
    "other shape": lambda g: g._replace(windows=g.windows[:, 1:]),
    "other type": lambda g: g._replace(windows=g.windows.astype(np.float64)),
    "fewer": lambda g: g._replace(enter=g.enter[1:]),
    "width": lambda g: g._replace(up=-g.up),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_what_are_no_golden_rows_is_refused(tmp_path, case):
    made = parts()
    with pytest.raises(ArtifactError, match="golden rows"):
        save(tmp_path / "a", made._replace(golden=GOLDEN[case](made.golden)))


def test_a_manifest_is_its_text(sound):
    content = (sound / MANIFEST).read_bytes()
    manifest = parse(content, "here")
    assert manifest.to_json() == content
    assert manifest.sealed() == manifest
    assert isinstance(manifest, Manifest)
