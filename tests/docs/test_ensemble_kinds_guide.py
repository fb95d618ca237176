"""The guide's Python runs, its settings are ensembles, and its table names every kind."""

import re
from pathlib import Path

import pytest
import yaml

from ensembles.gathered import gathered
from touchstone.ensembles import ENSEMBLES, recalibrates

GUIDE = (Path(__file__).parents[2] / "docs" / "ensemble-kinds.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", GUIDE, re.MULTILINE))


def test_its_python_runs():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        exec(compile(block, "docs/ensemble-kinds.md", "exec"), names)
    assert names["doubt"].shape == names["score"].shape
    assert names["when"].weight.shape == (10, 3)


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_its_settings_are_ensembles(block):
    configs = [ENSEMBLES.parse(told) for told in yaml.safe_load(block)["ensembles"]]
    members, outcomes = gathered(0)
    names = ("lstm", "lstm long", "gru", "lightgbm", "mlp")
    for config in configs:
        part = ENSEMBLES.part_of(config)
        assert part.fit(config, members._replace(name=names), outcomes, 0)


def test_its_table_names_every_kind_and_whose_weights_are_shares():
    assert set(ROWS) == set(ENSEMBLES.kinds())
    for kind, said in ROWS.items():
        assert said.startswith("coefficients") == recalibrates(ENSEMBLES.config(kind)())
