"""Documents are true because they run: the README's commands, and the reference of result.json."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from small import write_bars
from touchstone.features.catalogue import catalogue, groups
from touchstone.reports.reference import result_reference
from walks import random_panel

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def commands(label):
    """Lines after `$ ` in the README's fences of one label: `console` runs here, `console-long`
    by `make prove-readme`."""
    fences = re.findall(rf"```{label}\n(.*?)```", README, re.DOTALL)
    return [line[2:] for fence in fences for line in fence.splitlines() if line.startswith("$ ")]


def test_result_reference_is_what_the_models_say():
    assert (ROOT / "docs" / "result.md").read_text() == result_reference()


def test_readme_commands_run(tmp_path):
    write_bars(tmp_path / "my_bars", random_panel(3, 700, seed=9))
    bin_ = Path(sys.executable).parent
    ran = commands("console")
    assert len(ran) >= 5
    for command in ran:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False,
            env={"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(tmp_path)}, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!http)[^)#]+)\)", README))
def test_readme_links_lead_somewhere(link):
    assert (ROOT / link).exists(), link


def test_counts_of_features_in_documents_are_the_catalogues():
    n, like_talib = len(catalogue()), sum(bool(e.talib) for e in catalogue().values())
    assert f"There are {n} features" in README
    told = " ".join((ROOT / "CHANGELOG.md").read_text().split())
    assert len(groups()) == 11
    assert f"Features: {n} in eleven groups, {like_talib} equal to TA-Lib" in told
