"""The guide to calibration and power runs."""

import re
from pathlib import Path

from small import touchstone

GUIDE = (Path(__file__).parents[2] / "docs" / "calibration.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [x[2:] for f in fences("console") for x in f.splitlines() if x.startswith("$ ")]
    assert len(commands) == 2
    for command in commands:
        code, out, err = touchstone(*command.split()[1:])
        assert code == 0, f"{command}\n{out}{err}"
    for folder in ("calibration", "power"):
        assert {p.name for p in (tmp_path / folder).iterdir()} == {"report.html", "result.json"}


def test_its_python_runs(capsys):
    for block in fences("python"):
        exec(compile(block, "docs/calibration.md", "exec"), {})
    assert "primary p: " in capsys.readouterr().out
