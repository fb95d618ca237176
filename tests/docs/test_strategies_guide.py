"""The guide's YAML is a study, its Python a plugin, and its tables name every part truly."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from small import SMALL
from strategies.outlooks import random_outlook
from touchstone.execution import AccountConfig
from touchstone.pipelines.study import parse_study
from touchstone.strategies import STRATEGIES
from touchstone.strategies.sizing import SIZINGS

GUIDE = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text()


def row(kind):
    (found,) = re.findall(rf"^\| `{kind}` \|.*$", GUIDE, re.MULTILINE)
    return found


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_its_yaml_is_part_of_a_study(text, tmp_path):
    assert parse_study(SMALL | yaml.safe_load(text), tmp_path, "guide").config


@pytest.mark.parametrize("family", [STRATEGIES, SIZINGS], ids=lambda f: f.noun)
def test_its_tables_have_every_part_with_its_defaults(family):
    for kind in family.kinds():
        config = family.config(kind)()
        pairs = re.findall(r"`(\w+)` \((-?\d[\d.]*)\)", row(kind))
        for key, value in pairs:
            assert getattr(config, key) == float(value), (kind, key)
        known = type(config).model_fields.keys() | {"expected_net", "proportional"}
        assert set(re.findall(r"`([a-z]\w*)`", row(kind))[1:]) <= known, kind


def test_it_says_who_can_be_short():
    for kind in STRATEGIES.kinds():
        can = "short" in STRATEGIES.config(kind).model_fields
        cell = row(kind).split("|")[-2].strip()
        assert (cell != "no") == (can or kind == "regime_filter"), kind


def test_its_limits_are_the_accounts():
    (text,) = re.findall(r"## Limits\n(.*?)## ", GUIDE, re.DOTALL)
    named = set(re.findall(r"`([a-z]\w*)`", text))
    assert named <= AccountConfig.model_fields.keys()
    assert named == AccountConfig.model_fields.keys() - {"cash", "short", "units", "ambiguity"}


def test_its_plugin_works(tmp_path):
    (text,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "calm.py").write_text(text)
    settings = SMALL | {"plugins": ["calm.py"], "strategy": {"kind": "calm"}}
    config = parse_study(settings, tmp_path, "guide").config.strategy
    outlook = random_outlook(config, 1)
    intent = STRATEGIES.part_of(config)(config, outlook, 8)
    calm = outlook.named[config.volatility] < 0.01
    np.testing.assert_array_equal(intent.enter, (outlook.hit > 0.5) & calm)
