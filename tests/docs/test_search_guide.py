"""The guide to searches is true because it runs, and names every setting."""

import re
from pathlib import Path

from small import touchstone
from touchstone.pipelines.tune_config import ConstraintsConfig, TuneConfig
from touchstone.tuning.methods import METHODS
from touchstone.tuning.pruners import PRUNERS
from touchstone.tuning.samplers import SAMPLERS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "search.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("first.yaml").write_text(fences("yaml")[0])
    commands = [x[2:] for f in fences("console") for x in f.splitlines() if x.startswith("$ ")]
    assert len(commands) == 2
    for command in commands:
        words = [
            str(next(Path().glob(word))) if "*" in word else word for word in command.split()[1:]
        ]
        code, out, err = touchstone(*words)
        assert code == 0, f"{command}\n{out}{err}"
    (folder,) = Path("tunes").iterdir()
    assert {"report.html", "result.json", "lightgbm.yaml", "mlp.yaml", "winners"} <= {
        p.name for p in folder.iterdir()
    }


def test_every_setting_stands_there():
    told = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert told == list(TuneConfig.model_fields)


def test_every_part_stands_there():
    kinds = [*METHODS.kinds(), *SAMPLERS.kinds(), *PRUNERS.kinds()]
    missing = [k for k in (*kinds, *ConstraintsConfig.model_fields) if f"`{k}`" not in GUIDE]
    assert not missing
