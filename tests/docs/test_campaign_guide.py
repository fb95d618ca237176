"""The guide to campaigns is true because it runs, and names every setting."""

from pathlib import Path

from guides import ROOT, guide
from touchstone.models import MODELS
from touchstone.pipelines.campaign_config import CampaignConfig, read_campaign

GUIDE = guide("campaign.md")


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    GUIDE.run("first.yaml", 3)
    (folder,) = Path("campaigns").iterdir()
    assert {"report.html", "result.json", "mlp.yaml"} <= {p.name for p in folder.iterdir()}


def test_every_setting_stands_there():
    assert GUIDE.keys() == list(CampaignConfig.model_fields)


def test_the_examples_can_be_read_and_the_whole_one_has_every_kind(tmp_path):
    (tmp_path / "first.yaml").write_text(GUIDE.fences("yaml")[0])
    tiny = read_campaign(ROOT / "examples" / "campaign_tiny.yaml")
    first = read_campaign(tmp_path / "first.yaml").study.config
    assert tiny.study.config == first.model_copy(update={"name": "tiny"})
    whole = read_campaign(ROOT / "examples" / "campaign.yaml")
    assert {m.kind for m in whole.study.config.models} == set(MODELS.kinds()) - {"ensemble"}
    assert len(whole.seeds) == 3
