"""The guide to populations is true because it runs, and names every setting."""

import re
from pathlib import Path

from small import touchstone
from touchstone.pipelines.population_space import STILL
from touchstone.pipelines.tune_config import read_tune
from touchstone.tuning.methods.population import PopulationConfig

GUIDE = (Path(__file__).parents[2] / "docs" / "population.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("grown.yaml").write_text(fences("yaml")[0])
    (command,) = (x[2:] for f in fences("console") for x in f.splitlines() if x.startswith("$ "))
    code, out, err = touchstone(*command.split()[1:])
    assert code == 0, f"{command}\n{out}{err}"
    assert "on test rows" in out
    (folder,) = Path("tunes").iterdir()
    assert {"report.html", "result.json", "mlp.yaml"} <= {p.name for p in folder.iterdir()}


def test_every_setting_stands_there():
    told = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert told == list(PopulationConfig.model_fields)


def test_what_stays_is_what_stays():
    (told,) = re.findall(r"where it runs \((.*?)\)", GUIDE.replace("\n", " "))
    assert sorted(re.findall(r"`(\w+)`", told)) == sorted(STILL)


def test_its_python_runs():
    (text,) = fences("python")
    exec(compile(text, "docs/population.md", "exec"), {})


def test_its_example_can_be_asked():
    """Read whole, as the command reads it; every refusal before the market is one of these."""
    (told,) = set(re.findall(r"examples/\w+\.yaml", GUIDE))
    asked = read_tune(Path(__file__).parents[2] / told)
    assert asked.config.method.kind == "population"
    assert asked.config.objectives == ("pr_auc",)
