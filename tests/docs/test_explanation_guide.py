"""The guide to explanations is true because it runs, and names every option and part."""

import re
from contextlib import redirect_stdout
from io import StringIO

from explained import GUIDE, fences
from small import touchstone
from touchstone.pipelines.explain_counterfactuals import MOST_ASKED
from touchstone.pipelines.explain_folds import Which
from touchstone.pipelines.explain_methods import MOST_ATTACKED, MOST_ATTRIBUTED
from touchstone.reports.explain import PARTS


def test_its_commands_and_its_python_run(explained_workspace, monkeypatch):
    monkeypatch.chdir(explained_workspace)
    commands = [x[2:] for f in fences("console") for x in f.splitlines() if x.startswith("$ ")]
    assert len(commands) == 4
    for command in commands:
        code, out, err = touchstone(*command.split()[1:])
        assert code == 0, f"{command}\n{out}{err}"
    said = StringIO()
    with redirect_stdout(said):
        exec(compile(fences("python")[0], "explanation.md", "exec"), {})
    assert "The score goes by volume" in said.getvalue()


def test_it_names_every_option_every_part_and_the_budgets():
    told = re.findall(r"^\| `(--\w+|RUN)` \|", GUIDE, re.MULTILINE)
    assert told == ["RUN", "--model", "--rows", "--threshold", "--only", "--again"]
    for part in PARTS:
        assert f"`{part}`" in GUIDE
    for n in (f"{Which().rows:,}", MOST_ATTRIBUTED, MOST_ATTACKED, MOST_ASKED):
        assert str(n) in GUIDE
