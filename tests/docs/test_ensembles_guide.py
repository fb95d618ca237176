"""The guide to ensembles is true because it runs, and names every setting."""

import re
from pathlib import Path

from small import touchstone
from touchstone.ensembles import ENSEMBLES
from touchstone.pipelines.ensemble_config import Distil, EnsembleConfig, Member, read_ensemble

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "ensembles.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("first.yaml").write_text(fences("yaml")[0])
    commands = [x[2:] for f in fences("console") for x in f.splitlines() if x.startswith("$ ")]
    assert len(commands) == 2
    for command in commands:
        code, out, err = touchstone(*command.split()[1:])
        assert code == 0, f"{command}\n{out}{err}"
    (folder,) = Path("ensembles").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "result.json", "student.yaml", "student-fold-2"} <= names


def told(head):
    """Keys of the table under a head, in order."""
    table = GUIDE.split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:]))


def test_every_setting_stands_there():
    assert told("key") == list(EnsembleConfig.model_fields)
    assert told("key of a member") == list(Member.model_fields)
    assert told("key of `distil`") == list(Distil.model_fields)


def test_the_examples_can_be_read_and_the_whole_one_has_every_kind(tmp_path):
    (tmp_path / "first.yaml").write_text(fences("yaml")[0])
    tiny = read_ensemble(ROOT / "examples" / "ensemble_tiny.yaml")
    first = read_ensemble(tmp_path / "first.yaml")
    assert tiny.members == first.members
    assert tiny.study.config == first.study.config.model_copy(update={"name": "tiny"})
    whole = read_ensemble(ROOT / "examples" / "ensemble.yaml")
    assert set(whole.combiners) == set(ENSEMBLES.kinds())
