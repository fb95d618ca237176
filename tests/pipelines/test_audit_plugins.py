"""A user's own part that raises, guesses, refuses or remembers: named, and never passed."""

import time

import pytest
import yaml

from leaks.base import BASE
from touchstone.errors import DataError, TrainingError
from touchstone.pipelines import audit as au
from touchstone.pipelines import prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import read_study
from touchstone.validation.audit import Effort

PART = """
import functools
import numpy as np
from typing import Literal
from touchstone.config import Config
from touchstone.data.side import SIDES, Joined

SEEN = {{}}
CALLS = [0]


class {name}Config(Config):
    kind: Literal["{name}"] = "{name}"


class Store:
    seen = {{}}


@functools.cache
def ahead(symbol):
    return {{}}


@SIDES.register({name}Config)
def part(config, panel, place):
    def column(bars):
{body}

    return Joined({{"": panel.per_instrument(column)}}, np.zeros(len(panel)))
"""
LEAK = """
        if not {seen}:
            {seen}.update(zip(bars.time.tolist(), np.r_[bars.close[1:], bars.close[-1:]]))
        return np.array([{seen}.get(t, 0.0) for t in bars.time.tolist()])
"""
HALTS = {
    "global_cache": LEAK.format(seen="SEEN.setdefault(bars.symbol, {})"),
    "class_cache": LEAK.format(seen="Store.seen.setdefault(bars.symbol, {})"),
    "cached_function": LEAK.format(seen="ahead(bars.symbol)"),
    "guesses": "        return bars.close * np.random.default_rng().normal(size=len(bars))",
    "counts_calls": "        CALLS[0] += 1\n        return bars.close * CALLS[0]",
    "by_symbol_alone": "        return SEEN.setdefault(bars.symbol, bars.close.copy()).copy()",
    "long_only": """
        if len(bars) < 700:
            raise ValueError("needs more bars")
        return bars.close
""",
}
CLEAN = {
    "keyed_by_all": """
        key = bars.symbol, bars.close.tobytes()
        return SEEN.setdefault(key, bars.close * 2)
""",
    "plain": "        return bars.close",
}


def study_of(place, name, body):
    (place / f"{name}.py").write_text(PART.format(name=name, body=body))
    market = {"n_instruments": 2, "n_bars": 700, "ic": 0.4}
    features = {"set": "none", "extra": {"x": "close / own - 1"}}
    settings = {
        **BASE, "bars": {"source": "simulated", "market": market}, "features": features,
        "plugins": [f"{name}.py"], "side": {"own": {"kind": name}},
        "folds": {**BASE["folds"], "validate": "4d", "test": "4d", "sealed": "5d"},
        "models": [{"kind": "logistic"}],
    }  # fmt: skip
    (place / "study.yaml").write_text(yaml.safe_dump(settings))
    return read_study(str(place / "study.yaml"))


def audited(study):
    effort = Effort(n_stratified=6, n_whole=0, seconds=0.5, n_smaller=2)
    return au.audit(study, au.bars_of(study), au.Ask(("A",), 1, effort), None, time.process_time)


@pytest.mark.parametrize("name", HALTS)
def test_a_part_that_guesses_remembers_or_refuses_is_halted(name, tmp_path):
    found = audited(study_of(tmp_path, name, HALTS[name]))
    assert found.word == "HALT", found.facts
    said = found.findings[0]
    assert said.column == ("runs" if name == "long_only" else "own"), said.sentence


@pytest.mark.parametrize("name", CLEAN)
def test_a_part_that_does_not_is_clean(name, tmp_path):
    found = audited(study_of(tmp_path, name, CLEAN[name]))
    assert found.word == "PASS", [f.sentence for f in found.findings]


def test_a_part_that_raises_is_named_with_its_line(tmp_path):
    study = study_of(tmp_path, "raises", "        raise KeyError('no such thing')")
    with pytest.raises(DataError, match=r"side.own: KeyError: 'no such thing' .*raises.py, line 2"):
        prepare.load(study, Silent())


def test_an_edge_of_nothing_is_judged_by_chance(tmp_path):
    """Where the study's own market has no edge, its own scores are at chance too."""
    study = study_of(tmp_path, "null", CLEAN["plain"])
    market = study.config.bars.market.model_copy(update={"ic": 0.0, "n_bars": 1500})
    study = study.with_bars(study.config.bars.model_copy(update={"market": market}))
    ask = au.Ask(("F",), 1, Effort())
    (layer,) = au.audit(study, au.bars_of(study), ask).layers
    assert au.is_null(study.config.bars)
    assert layer.finding is None
    assert layer.n_checks == 400, "its own scores, and those of a surrogate"


def test_a_surrogate_that_cannot_be_learned_from_is_told_and_is_no_error(tmp_path):
    study = study_of(tmp_path, "smoke", CLEAN["plain"])
    label = study.config.label.model_copy(update={"take_profit": 6.0, "horizon": 2})
    study = study._replace(config=study.config.model_copy(update={"label": label}))
    with pytest.raises(TrainingError):
        au.audit(study, au.bars_of(study), au.Ask(("B",), 1, Effort()))
    (layer,) = au.audit(study, au.bars_of(study), au.Ask(("F",), 1, Effort())).layers
    assert "was not looked at" in layer.notes[0]
