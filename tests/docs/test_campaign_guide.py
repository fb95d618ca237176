"""The guide to campaigns is true because it runs, and names every setting."""

import re
from pathlib import Path

from small import touchstone
from touchstone.pipelines.campaign_config import CampaignConfig, read_campaign

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "campaign.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("first.yaml").write_text(fences("yaml")[0])
    commands = [x[2:] for f in fences("console") for x in f.splitlines() if x.startswith("$ ")]
    assert len(commands) == 3
    for command in commands:
        words = [
            str(next(Path().glob(word))) if "*" in word else word for word in command.split()[1:]
        ]
        code, out, err = touchstone(*words)
        assert code == 0, f"{command}\n{out}{err}"
    (folder,) = Path("campaigns").iterdir()
    assert {"report.html", "result.json", "mlp.yaml"} <= {p.name for p in folder.iterdir()}


def test_every_setting_stands_there():
    told = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert told == list(CampaignConfig.model_fields)


def test_the_examples_can_be_read_and_the_whole_one_has_every_kind():
    tiny = read_campaign(ROOT / "examples" / "campaign_tiny.yaml")
    assert tiny.study.config == read_text(fences("yaml")[0]).study.config.model_copy(
        update={"name": "tiny"}
    )
    whole = read_campaign(ROOT / "examples" / "campaign.yaml")
    from touchstone.models import MODELS

    assert {m.kind for m in whole.study.config.models} == set(MODELS.kinds()) - {"ensemble"}
    assert len(whole.seeds) == 3


def read_text(text):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "campaign.yaml"
        path.write_text(text)
        return read_campaign(path)
