"""The guide of the engine: its Python runs, and gives what it says."""

import re
from pathlib import Path

import numpy as np

from touchstone.features.language import TIMEFRAMES
from walks import HOUR_NS, random_panel

PAGE = (Path(__file__).parents[2] / "docs" / "engine.md").read_text()


def test_its_python_runs_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = random_panel(3, 100)
    fields = {name: np.full(3, 100.0) for name in ("open_", "high", "low", "close", "volume")}
    names = {"panel": panel, "present": np.ones(3, bool), **fields}
    names["next_time"] = int(panel.time.max()) + HOUR_NS
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
    assert names["gap"].shape == (300, 1)
    assert len(names["days"]) == 15
    assert names["values"].shape == (3, 1)
    assert np.isfinite(names["values"]).all()


def test_it_names_the_timeframes_there_are():
    assert f"`{' '.join(TIMEFRAMES)}`" in PAGE
