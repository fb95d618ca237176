"""The guide to the statistics runs, names only what exists, and leaves nothing out."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "statistics.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
NOT_STATISTICS = {"resampling", "stretches"}  # what they are made of


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_runs(block):
    exec(block, {"__name__": "guide"})


def test_every_function_named_exists():
    named = re.findall(r"`([a-z_]+)\.([a-z_]+)`", GUIDE)
    assert len(named) >= 12
    for module, function in named:
        there = importlib.import_module(f"touchstone.validation.{module}")
        assert callable(getattr(there, function))


def test_every_statistic_is_in_the_guide():
    """A file of the room that names a source is a statistic, or says here what else it is."""
    named = {module for module, _ in re.findall(r"`([a-z_]+)\.([a-z_]+)`", GUIDE)}
    folder = ROOT / "src" / "touchstone" / "validation"
    sourced = {p.stem for p in folder.glob("[a-z]*.py") if "Source:" in p.read_text()}
    assert sourced - NOT_STATISTICS <= named
