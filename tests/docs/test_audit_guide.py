"""The guide to the audit is true because it runs: its leak is found where it says."""

import json
import re
import sqlite3
from pathlib import Path

from small import touchstone

GUIDE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()


def test_its_leak_is_found_and_written_to_the_ledger(tmp_path, monkeypatch):
    for _, name, text in re.findall(r"```(python|yaml) (\S+)\n(.*?)```", GUIDE, re.DOTALL):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    code, out, err = touchstone("audit", "leaky.yaml", "--layers", "A", "--json")
    assert code == 4, err
    found = json.loads(out)
    assert (found["result"], found["findings"][0]["stage"]) == ("HALT", "side")
    assert found["findings"][0]["column"] == "smooth"
    assert found["findings"][0]["slice"]["bars"] < 100
    assert "HALT" in err
    rows = sqlite3.connect(".touchstone/ledger.sqlite").execute("SELECT kind, facts FROM rows")
    (kind, facts), *more = rows.fetchall()
    assert (kind, json.loads(facts)["result"], more) == ("audit", "HALT", [])


def test_every_layer_that_it_names_is_one():
    from touchstone.validation.audit import LAYERS

    assert re.findall(r"^\| ([A-F]2?) \|", GUIDE, re.MULTILINE) == list(LAYERS)


def test_its_commands_run(tmp_path, monkeypatch):
    text = re.search(r"```yaml leaky.yaml\n(.*?)```", GUIDE, re.DOTALL)[1]
    clean = text.replace("plugins: [plugin.py]\nside: {smooth: {kind: smooth}}\n", "")
    (tmp_path / "study.yaml").write_text(clean.replace("close / smooth - 1", "close / open - 1"))
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ (.*)", GUIDE, re.MULTILINE)
    assert len(commands) == 2
    code, out, err = touchstone(*commands[1].split()[1:])
    assert code == 0, err
    assert json.loads(out)["result"] == "PASS"
    assert touchstone("audit", "study.yaml", "--layers", "Z")[0] == 2
