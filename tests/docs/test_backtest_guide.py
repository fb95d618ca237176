"""The guides to backtests of one's own: commands, files and settings run as they are printed."""

import re
import shlex
from pathlib import Path

import pytest

from small import touchstone
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.pipelines.backtested import read_strategy
from touchstone.pipelines.study import parse_overrides, read_study
from touchstone.reports.reference import backtest_reference

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "backtest.md").read_text()
STORY = (DOCS / "predecessor.md").read_text()


def fences(text, label):
    return re.findall(rf"```{label}\n(.*?)```", text, re.DOTALL)


def commands(text, label="console"):
    return [x[2:] for f in fences(text, label) for x in f.splitlines() if x.startswith("$ ")]


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in fences(GUIDE, "python"):
        exec(compile(block, "docs/backtest.md", "exec"), {})
    [strategy], [orders] = fences(GUIDE, "yaml"), fences(GUIDE, "csv")
    Path("strategy.yaml").write_text(strategy)
    Path("orders.csv").write_text(orders)
    ran = commands(GUIDE)
    assert len(ran) == 6
    for command in ran:
        code, out, err = touchstone(*shlex.split(command)[1:])
        assert code == 0, f"{command}\n{out}{err}"
    assert {"fills.csv", "trades.parquet", "equity.csv", "figures"} <= {
        p.name for p in tmp_path.iterdir()
    }


def test_every_setting_stands_there_with_an_example_that_can_be_set():
    found = parse_overrides(re.findall(r"^\| `((?:account|costs)\.[^`]+)`", GUIDE, re.MULTILINE))
    known = {"account": AccountConfig, "costs": CostsConfig}
    assert set(found) == {f"{w}.{n}" for w, model in known.items() for n in model.model_fields}
    for key, value in found.items():
        where, name = key.split(".")
        config = getattr(read_strategy(None, {key: value}), where)
        assert getattr(config, name) == value
        assert getattr(config, name) != known[where].model_fields[name].default
        assert " ".join(known[where].model_fields[name].description.split()) in GUIDE


def test_the_documents_keys_are_those_of_the_models():
    assert GUIDE.endswith(backtest_reference())


@pytest.mark.parametrize("text", [GUIDE, STORY], ids=["backtest", "predecessor"])
def test_links_lead_somewhere(text):
    links = re.findall(r"\]\(((?!http)[^)#]+)", text)
    assert links
    for link in links:
        assert (DOCS / link).exists(), link


def test_the_predecessors_examples_differ_in_the_decision_alone():
    examples = DOCS.parent / "examples"
    blind, aware = (
        read_strategy(examples / f"predecessor_{side}.yaml") for side in ("f1", "cost_aware")
    )
    study = read_study(str(examples / "predecessor.yaml")).config
    assert blind.model_copy(update={"strategy": aware.strategy, "tune": None}) == aware
    assert (blind.tune, blind.strategy.sizing.fraction) == ("f1", 0.08)
    assert (study.label, study.costs) == (blind.label, blind.costs)
    told = commands(STORY, "console-long")  # `tests/proofs/predecessor.py` runs them
    assert len(told) == 4
    for word in " ".join(told).split():
        assert not word.startswith("examples/") or (DOCS.parent / word).is_file()
