"""The guide to the gate and the registry is true because it runs."""

import re
from pathlib import Path

from promotions import book_of
from small import touchstone
from touchstone.ledger import COUNTED
from touchstone.registry.champions import Champions
from touchstone.validation.gate import Claim, GateConfig, examined

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "registry.md").read_text()
CLAIM = Claim("evidence", *[None] * 10)


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def commands():
    return [x[2:].split() for f in fences("console") for x in f.splitlines() if x.startswith("$ ")]


def test_it_runs_from_the_study_to_a_champion(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hourly.yaml").write_text(fences("yaml")[0])
    refused, promoted = (text.strip() for text in fences("text")[:2])
    audited = False
    for _, *words in commands():
        code, out, err = touchstone(*words)
        audited |= words[0] == "audit"
        told = f"{words}\n{out}{err}"
        assert code == (4 if words[0] == "promote" and not audited else 0), told
        if words[0] == "promote":
            assert (promoted in out) if audited else (refused in err), told
    for block in fences("python"):
        exec(compile(block, "docs/registry.md", "exec"), {})
    for line in fences("text")[3].splitlines():
        assert Path(line.split()[0]).exists(), line
    assert Champions(Path("registry"), "hourly").aliases() == {"champion": 1}
    kinds = {row.kind for row in book_of(tmp_path).rows()}
    assert {"audit", "look", "promotion", "run"} <= kinds
    assert kinds <= set(re.findall(r"`([a-z_]+)`", GUIDE[GUIDE.index("| kind |") :]))
    code, _, err = touchstone("promote", "--rollback", "hourly")
    assert (code, "no champion before this one" in err) == (3, True)


def test_it_tells_every_condition_and_every_counted_kind():
    rows = [r.split("|")[1].strip() for r in GUIDE.splitlines() if r.startswith("| ")]
    conditions = [row.condition for row in examined(CLAIM, GateConfig())]
    assert rows[1 : 1 + len(conditions)] == conditions
    for kind in COUNTED:
        assert f"`{kind}`" in GUIDE
    assert f"{GateConfig().largest_drawdown:.0%}".rstrip("%") + " %" in GUIDE
