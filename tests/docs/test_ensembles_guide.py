"""The guide to ensembles is true because it runs, and names every setting."""

from pathlib import Path

from guides import ROOT, guide
from touchstone.ensembles import ENSEMBLES
from touchstone.pipelines.ensemble_config import Distil, EnsembleConfig, Member, read_ensemble

GUIDE = guide("ensembles.md")


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    GUIDE.run("first.yaml", 2)
    (folder,) = Path("ensembles").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "result.json", "student.yaml", "student-fold-2"} <= names


def test_every_setting_stands_there():
    assert GUIDE.keys() == list(EnsembleConfig.model_fields)
    assert GUIDE.keys("key of a member") == list(Member.model_fields)
    assert GUIDE.keys("key of `distil`") == list(Distil.model_fields)


def test_the_examples_can_be_read_and_the_whole_one_has_every_kind(tmp_path):
    (tmp_path / "first.yaml").write_text(GUIDE.fences("yaml")[0])
    tiny = read_ensemble(ROOT / "examples" / "ensemble_tiny.yaml")
    first = read_ensemble(tmp_path / "first.yaml")
    assert tiny.members == first.members
    assert tiny.study.config == first.study.config.model_copy(update={"name": "tiny"})
    whole = read_ensemble(ROOT / "examples" / "ensemble.yaml")
    assert set(whole.combiners) == set(ENSEMBLES.kinds())
