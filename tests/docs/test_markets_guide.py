"""The guide to simulated markets: its Python runs, its study is one, and it names every state."""

import re
from pathlib import Path

import yaml

from touchstone.pipelines.study import parse_study
from touchstone.simulation.states import STATES

PAGE = (Path(__file__).parents[2] / "docs" / "markets.md").read_text()


def test_its_python_runs_as_written():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    names = {"__name__": "guide"}
    for block in blocks:
        exec(block, names)


def test_its_settings_are_a_study(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    study = parse_study(yaml.safe_load(block), tmp_path, "guide")
    market = study.config.bars.market
    assert market.edge_until == "80%"
    assert market.planted.kind == "burst"
    for kind in STATES.kinds():
        assert f"kind: {kind}" in PAGE
