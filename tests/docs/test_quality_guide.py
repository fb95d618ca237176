"""The guide to data quality is true because it runs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from small import touchstone, write_bars
from touchstone.data.checks import CHECKS
from touchstone.market.findings import Grade
from walks import random_panel

GUIDE = (Path(__file__).parents[2] / "docs" / "quality.md").read_text()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_bars(tmp_path / "my_bars", random_panel(4, 400, seed=9, missing=0.01))
    return tmp_path


def blocks(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.usefixtures("folder")
def test_commands_run():
    ran = [line[2:] for block in blocks("console") for line in block.splitlines()]
    assert len(ran) >= 4
    for command in ran:
        code, out, err = touchstone(*shlex.split(command)[1:])
        assert code == 0, f"{command}\n{out}{err}"


@pytest.mark.usefixtures("folder")
def test_python_runs(capsys):
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)
    assert "bars were never printed" in (told := capsys.readouterr().out)
    assert "display only" in told
    assert np.asarray(names["filled"].is_filled).any()


def test_every_check_and_grade_is_told():
    for kind in CHECKS.kinds():
        assert f"`{kind}`" in GUIDE, kind
    for grade in Grade:
        assert f"`{grade.name.lower()}`" in GUIDE
