"""The guide to side data runs: its commands, its study, its Python."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from small import write_bars
from touchstone.files import parse_yaml
from touchstone.pipelines.study import StudyConfig, packaged_text
from walks import HOUR_NS, START_NS, random_panel

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "side-data.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bars, news, a series and a table, as the guide names them."""
    root = tmp_path_factory.mktemp("guide")
    panel = random_panel(3, 24 * 340, seed=9)
    write_bars(root / "my_bars", panel)
    (root / "news").mkdir()
    hours = START_NS + np.arange(0, 24 * 340, 7) * HOUR_NS
    time = pl.Series(hours).cast(pl.Datetime("ns", "UTC"))
    symbol = np.array(panel.symbols)[np.arange(hours.size) % 3]
    text = np.array(["great profit", "weak demand"])[np.arange(hours.size) % 2]
    pl.DataFrame({"symbol": symbol, "created_at": time, "headline": text}).write_parquet(
        root / "news" / "2022.parquet"
    )
    days = np.arange("2021-12-20", "2022-12-31", dtype="datetime64[D]")
    vix = 20 + np.sin(np.arange(days.size))
    dates = pl.Series(days).cast(pl.Date)
    pl.DataFrame({"DATE": dates, "VIXCLS": vix}).write_csv(root / "VIXCLS.csv")
    mood = {"event_time": time, "knowledge_time": time, "mood": np.sin(hours / 9e17)}
    pl.DataFrame(mood).write_parquet(root / "mood.parquet")
    study = packaged_text("template").replace("path: bars ", "path: my_bars ")
    (side,) = fences("yaml")
    added = parse_yaml(side, "the guide")
    (root / "study.yaml").write_text(re.sub(r"(?ms)^features:.*?(?=^lookback)", side + "\n", study))
    assert parse_yaml((root / "study.yaml").read_text(), "study")["side"] == added["side"]
    return root


def test_the_study_of_the_guide_is_sound():
    (side,) = fences("yaml")
    config = StudyConfig.parse(parse_yaml(side, "the guide"))
    assert list(config.side) == ["sentiment", "vix", "mood"]


def test_the_commands_of_the_guide_run(folder):
    commands = [line[2:] for fence in fences("console") for line in fence.splitlines()
                if line.startswith("$ ")]  # fmt: skip
    assert len(commands) >= 2
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=folder, capture_output=True, text=True, check=False,
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder),
                 "PYTHONPATH": str(ROOT / "src")}, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    names = pl.read_parquet(folder / "features.parquet").columns
    assert "sentiment" in names


def test_the_python_of_the_guide_runs():
    for block in fences("python"):
        exec(compile(block, "the guide", "exec"), {"__name__": "guide"})


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)#]+)\)", GUIDE))
def test_links_lead_somewhere(link):
    assert (ROOT / "docs" / link).exists(), link
