"""The guide to surrogate markets: its Python runs, and its study can be asked."""

import re
from pathlib import Path

from touchstone.files import parse_yaml
from touchstone.pipelines.study import StudyConfig

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "surrogates.md").read_text()


def test_its_python_runs_as_written():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) == 1
    exec(blocks[0], {"__name__": "guide"})


def test_its_budgets_are_budgets():
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert StudyConfig.parse(parse_yaml(text, "guide")).surrogates == 19
    named = re.search(r"multiple of 20: ([\d, ]+);", text).group(1).split(", ")
    assert [StudyConfig.parse({"surrogates": int(n)}).surrogates for n in named] == [
        int(n) for n in named
    ]
    assert StudyConfig().surrogates == 0
