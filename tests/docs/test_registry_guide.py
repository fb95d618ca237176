"""The guide to the gate and the registry is true because it runs."""

import re
from pathlib import Path

from promotions import audited, book_of, measured, run_of, with_diagnostics
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
    for _, *words in commands():
        code, out, err = touchstone(*words)
        assert code == (4 if words[0] == "promote" else 0), f"{words}\n{out}{err}"
        if words[0] == "promote":
            assert fences("text")[0].strip() in err
    for block in fences("python"):
        exec(compile(block, "docs/registry.md", "exec"), {})
    run = run_of(tmp_path, "hourly")
    known = run.result.market.diagnostics
    with_diagnostics(tmp_path, run, **{k: v for k, v in measured(run).items() if k not in known})
    audited(tmp_path, run)
    assert touchstone("promote", "hourly")[0] == 0
    for line in fences("text")[2].splitlines():
        assert Path(line.split()[0]).exists(), line
    assert Champions(Path("registry"), "hourly").aliases() == {"champion": 1}
    kinds = {row.kind for row in book_of(tmp_path).rows()}
    assert kinds <= set(re.findall(r"`([a-z_]+)`", GUIDE[GUIDE.index("| kind |") :]))


def test_it_tells_every_condition_and_every_counted_kind():
    rows = [r.split("|")[1].strip() for r in GUIDE.splitlines() if r.startswith("| ")]
    conditions = [row.condition for row in examined(CLAIM, GateConfig())]
    assert rows[1 : 1 + len(conditions)] == conditions
    for kind in COUNTED:
        assert f"`{kind}`" in GUIDE
    assert f"{GateConfig().largest_drawdown:.0%}".rstrip("%") + " %" in GUIDE
