"""The guide to populations is true because it runs, and names every setting."""

import re
from pathlib import Path

from guides import ROOT, guide
from touchstone.pipelines.population_space import STILL
from touchstone.pipelines.tune_config import read_tune
from touchstone.tuning.methods.population import PopulationConfig

GUIDE = guide("population.md")


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "on test rows" in GUIDE.run("grown.yaml", 1)
    (folder,) = Path("tunes").iterdir()
    assert {"report.html", "result.json", "mlp.yaml"} <= {p.name for p in folder.iterdir()}


def test_every_setting_stands_there():
    assert GUIDE.keys() == list(PopulationConfig.model_fields)


def test_what_stays_is_what_stays():
    (told,) = re.findall(r"where it runs \((.*?)\)", GUIDE.text.replace("\n", " "))
    assert sorted(re.findall(r"`(\w+)`", told)) == sorted(STILL)


def test_its_python_runs():
    (text,) = GUIDE.fences("python")
    exec(compile(text, "docs/population.md", "exec"), {})


def test_its_example_can_be_asked():
    """Read whole, as the command reads it; every refusal before the market is one of these."""
    (told,) = set(re.findall(r"examples/\w+\.yaml", GUIDE.text))
    asked = read_tune(ROOT / told)
    assert asked.config.method.kind == "population"
    assert asked.config.objectives == ("pr_auc",)
