"""The guide's commands run, its YAML is a study, and its table names every rule."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from small import SMALL, touchstone
from touchstone.dataset.selection import SELECTION
from touchstone.pipelines.study import parse_study

GUIDE = (Path(__file__).parents[2] / "docs" / "regimes-and-selection.md").read_text()
COMMANDS = re.findall(r"^\$ touchstone (.*)$", GUIDE, re.MULTILINE)


def test_it_has_commands():
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)
    if words[0] == "check":  # the quickstart's market, smaller
        words += ["--set", "bars.market.n_instruments=3"]
    code, _, err = touchstone(*words)
    assert code == 0, err


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_its_yaml_is_part_of_a_study(text, tmp_path):
    assert parse_study(SMALL | yaml.safe_load(text), tmp_path, "guide").config


def test_its_table_has_every_rule_with_its_defaults():
    for kind in SELECTION.kinds():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", GUIDE, re.MULTILINE)
        config = SELECTION.config(kind)()
        for key, value in re.findall(r"`(\w+)` \((\d[\d.]*)", row):
            assert getattr(config, key) == float(value)
