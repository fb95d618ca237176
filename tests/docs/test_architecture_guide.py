"""The guide to architecture searches is true because it runs, and names every setting."""

import re
from pathlib import Path

import yaml

from guides import ROOT, guide
from touchstone.models import MODELS
from touchstone.models.darts import DartsConfig
from touchstone.models.layers.operations import OPERATIONS
from touchstone.pipelines.tune_config import read_tune
from touchstone.tuning.methods.darts import ArchitectureConfig

GUIDE = guide("architecture-search.md")


def test_its_command_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = GUIDE.run("cells.yaml", 1)
    assert re.search(r"The found cell .* a random cell of the same size", said)
    (folder,) = Path("tunes").iterdir()
    assert {"report.html", "result.json", "found.yaml"} <= {p.name for p in folder.iterdir()}


def test_every_setting_and_operation_stands_there():
    assert GUIDE.keys("operation") == list(OPERATIONS)
    own = [name for name in ArchitectureConfig.model_fields if name != "kind"]
    assert GUIDE.keys() == own


def test_its_wiring_is_the_default():
    (model,) = yaml.safe_load(GUIDE.fences("yaml")[1])["models"]
    assert MODELS.parse(model) == DartsConfig()


def test_its_example_can_be_asked():
    """Read whole, as the command reads it; every refusal before the market is one of these."""
    (told,) = set(re.findall(r"examples/\w+\.yaml", GUIDE.text))
    asked = read_tune(ROOT / told)
    assert asked.config.method.kind == "darts"
    assert asked.config.objectives == ("pr_auc",)
