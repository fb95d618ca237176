"""The guide to architecture searches is true because it runs, and names every setting."""

import re
from pathlib import Path

import yaml

from small import touchstone
from touchstone.models import MODELS
from touchstone.models.darts import DartsConfig
from touchstone.models.layers.operations import OPERATIONS
from touchstone.pipelines.tune_config import read_tune
from touchstone.tuning.methods.darts import ArchitectureConfig

GUIDE = (Path(__file__).parents[2] / "docs" / "architecture-search.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_command_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("cells.yaml").write_text(fences("yaml")[0])
    (command,) = [x[2:] for x in fences("console")[0].splitlines() if x.startswith("$ ")]
    code, out, err = touchstone(*command.split()[1:], "-q")
    assert code == 0, f"{command}\n{out}{err}"
    assert re.search(r"The found cell .* a random cell of the same size", out)
    (folder,) = Path("tunes").iterdir()
    assert {"report.html", "result.json", "found.yaml"} <= {p.name for p in folder.iterdir()}


def test_every_setting_and_operation_stands_there():
    told = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    own = [name for name in ArchitectureConfig.model_fields if name != "kind"]
    assert told == [*OPERATIONS, *own]


def test_its_wiring_is_the_default():
    (model,) = yaml.safe_load(fences("yaml")[1])["models"]
    assert MODELS.parse(model) == DartsConfig()


def test_its_example_can_be_asked():
    """Read whole, as the command reads it; every refusal before the market is one of these."""
    (told,) = set(re.findall(r"examples/\w+\.yaml", GUIDE))
    asked = read_tune(Path(__file__).parents[2] / told)
    assert asked.config.method.kind == "darts"
    assert asked.config.objectives == ("pr_auc",)
