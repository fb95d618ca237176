"""The guide to ensembles as models is true because it runs, from a comparison to a verdict."""

import json
import re
from glob import glob
from pathlib import Path

import yaml

from small import touchstone
from touchstone.models import MODELS
from touchstone.models.ensemble import EnsembleModelConfig
from touchstone.pipelines.study import read_study

GUIDE = (Path(__file__).parents[2] / "docs" / "ensemble-models.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_a_comparison_hands_its_ensembles_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("joint.yaml").write_text(fences("yaml")[0])
    compare, run = [x[2:].split()[1:] for x in fences("console")[0].splitlines()]
    code, said, err = touchstone(*compare)
    assert code == 0, err
    assert re.search(r"^touchstone run ensembles/joint-\w+/study-\w+\.yaml takes", said, re.M)
    (folder,) = Path("ensembles").iterdir()
    result = json.loads((folder / "result.json").read_text())
    notes = {e["figures"]["name"]: e["onward"] for e in result["ensembles"]}
    assert {name: one["study"] for name, one in notes.items()} == {
        name: f"study-{name}.yaml" for name in ("regime", "online", "pruned")
    }
    assert notes["pruned"]["note"] == ""
    assert "as each fold's validation rows left them" in notes["online"]["note"]
    assert "std(ret, 24), as features too" in notes["regime"]["note"]
    page = (folder / "report.html").read_text()
    for name, one in notes.items():
        (model,) = read_study(str(folder / one["study"])).config.models
        assert (model.kind, model.prune) == ("ensemble", name == "pruned")
        assert f'href="{one["study"]}"' in page

    code, said, err = touchstone(*(found for word in run for found in glob(word) or [word]))
    assert code == 0, err
    (ran,) = Path("runs").iterdir()
    market = json.loads((ran / "result.json").read_text())["market"]
    assert [c["model"] for c in market["candidates"]] == ["ensemble"]
    assert "combiner_1" in market["features"]


def test_an_ensemble_with_a_specialist_says_why_it_stays(tmp_path):
    from touchstone.pipelines.ensemble_config import read_ensemble
    from touchstone.pipelines.ensemble_onward import onward
    from touchstone.pipelines.prepare import load
    from touchstone.pipelines.progress import Silent

    told = yaml.safe_load(fences("yaml")[0])
    told["members"][1]["lookback"] = 4
    (tmp_path / "joint.yaml").write_text(yaml.safe_dump(told))
    asked = read_ensemble(tmp_path / "joint.yaml")
    found = onward(asked, load(asked.study, Silent())[0].panel)
    assert all(one.study is None for one in found.values())
    assert "member lightgbm has lookback of its own" in found["regime"].note


def test_every_setting_stands_there_and_the_example_is_a_model():
    rows = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert rows == [name for name in EnsembleModelConfig.model_fields if name != "kind"]
    models = yaml.safe_load(fences("yaml")[1])["models"]
    assert len(MODELS.parse(models[1]).members) == 3
