"""The guide's YAML is a study, and its tables name every loss, task and augmentation."""

import re
from pathlib import Path

import pytest
import yaml

from small import SMALL
from touchstone.models import TASKS
from touchstone.pipelines.study import parse_study
from touchstone.training.augmentations import AUGMENTATIONS
from touchstone.training.losses import LOSSES

GUIDE = (Path(__file__).parents[2] / "docs" / "losses-and-augmentation.md").read_text()


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_its_settings_are_those_of_a_study(block, tmp_path):
    parse_study(SMALL | yaml.safe_load(block), tmp_path, "study.yaml")


def test_its_tables_name_every_part():
    named = re.findall(r"^\| `?(\w+)`? \|", GUIDE, re.MULTILINE)
    headings = {"loss", "task", "kind"}
    assert set(named) - headings == {*LOSSES.kinds(), *TASKS, *AUGMENTATIONS.kinds()}


def test_what_it_calls_proper_is():
    for kind in LOSSES.kinds():
        (row,) = re.findall(rf"^\| `{kind}` \|.*\| (\w+)[^|]*\|$", GUIDE, re.MULTILINE)
        assert (row == "no") is not LOSSES.config(kind)().proper
