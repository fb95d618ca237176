"""The hash that DVC's own files tell, read without DVC."""

from types import SimpleNamespace

import pytest

from small import write_bars
from touchstone.data.dvc import dvc_hash
from touchstone.pipelines.cards import data_card
from touchstone.pipelines.study import parse_study
from touchstone.pipelines.tables import load_folder
from walks import random_panel

MD5 = "0123456789abcdef0123456789abcdef.dir"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data/bars.dvc", "outs:\n- md5: {}\n  size: 10\n  nfiles: 2\n  path: bars\n"),
        ("data/other.dvc", "outs:\n- md5: {}\n  path: bars\n"),
        ("all.dvc", "wdir: data\nouts:\n- md5: {}\n  path: bars\n"),
        (
            "dvc.lock",
            "stages:\n  a:\n    cmd: x\n    outs:\n    - path: data/bars\n      md5: {}\n",
        ),
    ],
)
def test_found_beside_and_above(tmp_path, name, text):
    (tmp_path / "data" / "bars").mkdir(parents=True)
    (tmp_path / name).write_text(text.format(MD5))
    assert dvc_hash(tmp_path / "data" / "bars") == MD5


@pytest.mark.parametrize(
    "text",
    [
        "outs:\n- md5: 0123456789abcdef0123456789abcdef\n  path: others\n",
        "outs:\n- md5: nonsense\n  path: bars\n",
        "outs: 3\n",
        "outs:\n- 3\n- path: [bars]\n",
        "{",
        "- md5: x",
        "a: &a [1]\nb: *a\n",
    ],
)
def test_what_tells_nothing(tmp_path, text):
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars.dvc").write_text(text)
    assert dvc_hash(tmp_path / "bars") is None


def test_another_repository_above_is_not_asked(tmp_path):
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "bars").mkdir()
    (tmp_path / "all.dvc").write_text(f"outs:\n- md5: {MD5}\n  path: repo/bars\n")
    assert dvc_hash(tmp_path / "repo" / "bars") is None


@pytest.mark.parametrize("tracked", [True, False])
def test_a_study_tells_the_hash_of_its_bars(tmp_path, tracked):
    """In its result, beside the hash of their content."""
    write_bars(tmp_path / "bars", random_panel(2, 50))
    if tracked:
        (tmp_path / "bars.dvc").write_text(f"outs:\n- md5: {MD5}\n  path: bars\n")
    study = parse_study({"bars": {"source": "parquet", "path": "bars"}}, tmp_path, "study.yaml")
    loaded = load_folder(tmp_path / "bars", {})
    card = data_card(study, SimpleNamespace(loaded=loaded, panel=loaded.panel, data="0" * 64))
    assert card.dvc == (MD5 if tracked else None)


def test_bars_that_are_simulated_are_tracked_by_nobody(tmp_path):
    loaded = load_folder(write_bars(tmp_path / "bars", random_panel(2, 50)), {})
    (tmp_path / "x.dvc").write_text(f"outs:\n- md5: {MD5}\n  path: .\n")
    study = parse_study({"bars": {"source": "simulated"}}, tmp_path, "study.yaml")
    card = data_card(study, SimpleNamespace(loaded=loaded, panel=loaded.panel, data="0" * 64))
    assert card.dvc is None
