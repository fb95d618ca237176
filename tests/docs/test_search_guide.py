"""The guide to searches is true because it runs, and names every setting."""

from pathlib import Path

from guides import guide
from touchstone.pipelines.tune_config import ConstraintsConfig, TuneConfig
from touchstone.tuning.methods import METHODS
from touchstone.tuning.pruners import PRUNERS
from touchstone.tuning.samplers import SAMPLERS

GUIDE = guide("search.md")


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    GUIDE.run("first.yaml", 2)
    (folder,) = Path("tunes").iterdir()
    assert {"report.html", "result.json", "lightgbm.yaml", "mlp.yaml", "winners"} <= {
        p.name for p in folder.iterdir()
    }


def test_every_setting_stands_there():
    assert GUIDE.keys() == list(TuneConfig.model_fields)


def test_every_part_stands_there():
    kinds = [*METHODS.kinds(), *SAMPLERS.kinds(), *PRUNERS.kinds()]
    missing = [k for k in (*kinds, *ConstraintsConfig.model_fields) if f"`{k}`" not in GUIDE.text]
    assert not missing
