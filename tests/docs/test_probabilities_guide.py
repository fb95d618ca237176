"""docs/probabilities.md runs: its Python, and its command on a small artifact."""

import re
from pathlib import Path

import pytest

from registry.artifacts import N_FEATURES, decider, logistic, parts
from reports.example_result import example
from small import touchstone
from touchstone.models.calibrators import CALIBRATORS
from touchstone.pipelines.thresholds import GRID
from touchstone.registry.artifact import save
from touchstone.reports.result import to_json

GUIDE = (Path(__file__).parents[2] / "docs" / "probabilities.md").read_text()
FIRST, SECOND = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def test_the_first_example_misses_the_bar_and_then_meets_it(capsys):
    exec(compile(FIRST, "probabilities.md", "exec"), {})
    assert capsys.readouterr().out == "missed met\n"


def test_the_command_writes_what_the_second_example_reads(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "runs" / "desk"
    save(folder / "artifact", parts(decider(logistic(3 * N_FEATURES))))
    (folder / "result.json").write_bytes(to_json(example()))
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"^\$ touchstone (.*)$", GUIDE, re.MULTILINE)
    code, out, err = touchstone(*command.split())
    assert code == 0, err
    assert out.startswith("model.onnx: ")
    exec(compile(SECOND, "probabilities.md", "exec"), {})
    assert re.fullmatch(r"\{-1: .*, 0: .*, 1: .*\}\n", capsys.readouterr().out)


@pytest.mark.parametrize("kind", CALIBRATORS.kinds())
def test_every_calibrator_is_in_the_guide(kind):
    assert f"{{kind: {kind}}}" in GUIDE


def test_the_grid_is_the_one_of_the_code():
    assert "0.01, 0.02, 0.05, 0.1, 0.2, ..., 0.9" in GUIDE
    assert GRID[:5] == (0.01, 0.02, 0.05, 0.1, 0.2)
    assert GRID[-1] == 0.9
