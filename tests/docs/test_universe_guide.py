"""The guide to universes and actions is true because it runs."""

import re
from pathlib import Path

import numpy as np
import polars as pl

from small import touchstone
from touchstone.data.actions import read_actions
from touchstone.data.universe import read_universe

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "universe.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_universe_commands_and_python_run(tmp_path, monkeypatch):
    (tmp_path / "universe.yaml").write_text(fences("yaml")[0])
    assert read_universe(tmp_path / "universe.yaml").left == ("SIVB",)
    days = pl.date_range(pl.date(2021, 1, 4), pl.date(2021, 6, 30), eager=True)
    rows = [(s, d, 100.0 + i) for s, n in (("A", 99), ("B", 60)) for i, d in enumerate(days[:n])]
    frame = pl.DataFrame(rows, ("symbol", "timestamp", "close"), orient="row")
    frame.write_parquet(tmp_path / "panel.parquet")
    ended = pl.DataFrame({"symbol": ["A", "B"], "ended_before_panel": [False, True]})
    ended.write_parquet(tmp_path / "lifetimes.parquet")
    time = pl.Series(np.arange(900) * 10**9).cast(pl.Datetime("ns", "UTC"))
    one = np.ones(900)
    pl.DataFrame({"timestamp": time, "price": 100 + one * 0.01, "size": one}).write_parquet(
        tmp_path / "IBM_trade.parquet"
    )
    pl.DataFrame({"timestamp": time, "bid": 99.99 * one, "ask": 100.01 * one}).write_parquet(
        tmp_path / "IBM_quote.parquet"
    )
    commands = [x[2:] for f in fences("console") for x in f.splitlines() if x.startswith("$ ")]
    assert len(commands) == 4
    monkeypatch.chdir(tmp_path)
    for command in commands:
        code, out, err = touchstone(*command.split()[1:])
        assert code == 0, f"{command}\n{out}{err}"
    assert (tmp_path / "universe.ids.json").is_file()
    for block in fences("python"):
        exec(compile(block, "docs/universe.md", "exec"), {})


def test_its_table_of_actions_can_be_read(tmp_path):
    (tmp_path / "actions.csv").write_text(fences("text")[0])
    found = read_actions(tmp_path / "actions.csv")
    assert list(found) == ["AAPL", "NDAQ", "SIVB"]
    assert found["AAPL"].value.tolist() == [3.29, 7.0]
    assert np.isclose(found["SIVB"].value[0], 1.0)
