"""Strategies that compare instruments, ask for columns, name weights or sell short, in a study."""

import json

import numpy as np
import pytest

from small import small_study, touchstone
from touchstone.data.sources import SOURCES, Request
from touchstone.errors import ConfigError
from touchstone.pipelines.judged import judge_panel
from touchstone.pipelines.prepare import resolve
from touchstone.pipelines.study import read_study
from touchstone.registry.artifact import load, reproduce
from touchstone.strategies import Targets

QUICK = {
    "bars": {"source": "simulated", "market": {"n_instruments": 6, "n_bars": 1500, "ic": 0.4}},
    "folds": {
        "kind": "walk_forward", "train": "expanding", "validate": "9d", "test": "9d",
        "folds": 1, "sealed": "14d",
    },
    "models": [{"kind": "logistic"}],
}  # fmt: skip
ACROSS = {
    "kind": "regime_filter",
    "column": "close / mean(close, 100) - 1",
    "least": -0.05,
    "strategy": {
        "kind": "top_k", "k": 2, "band": 1, "floor": [0.0, 0.001],
        "sizing": {"kind": "volatility_target", "annual": 0.2},
    },
}  # fmt: skip


def panel_of(study):
    return SOURCES.part_of(study.config.bars)(study.config.bars, Request(seed=7)).panel


def test_a_study_of_the_best_of_each_close_runs_and_its_artifact_decides_the_same(tmp_path):
    path = small_study(tmp_path, **QUICK, strategy=ACROSS)
    code, _, err = touchstone("run", path, "--out", tmp_path / "runs")
    assert code in (0, 3), err
    (result,) = (tmp_path / "runs").rglob("result.json")
    labels = [c["label"] for c in json.loads(result.read_text())["market"]["candidates"]]
    assert sorted(labels) == ["floor 0", "floor 0.001"]
    (manifest,) = (p for p in result.parent.rglob("manifest.json") if "fold" not in str(p))
    artifact = load(manifest.parent)
    assert reproduce(artifact) == 0.0
    n_rows = np.unique(artifact.golden.instant, return_counts=True)[1]
    assert n_rows.max() == 6, "whole closes, so that there is something to compare"
    assert artifact.golden.named.shape[1] == 2


def test_weights_on_both_sides_are_judged_like_any_decision(tmp_path):
    strategy = {"kind": "score_weighted", "short": True, "buffer": 0.05}
    path = small_study(tmp_path, **QUICK, strategy=strategy, account={"short": True})
    study = read_study(str(path))
    found = judge_panel(
        study, panel_of(study), np.random.default_rng(0), lambda c: c.winner or c.scored[0]
    )
    sealed = found.sealed
    assert isinstance(sealed.intent, Targets)
    assert (sealed.intent.weight < 0).any()
    assert sealed.run.invested.min() < 0 < sealed.run.invested.max()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "top_k", "short": True}, r"top_k: short: true sells.*set account.short: true"),
        (
            {"kind": "regime_filter", "strategy": {"kind": "hysteresis", "short": True}},
            "account.short is false",
        ),
        ({"kind": "regime_filter", "column": "cloze / 2"}, "cloze"),
        (
            {"kind": "cost_aware", "sizing": {"kind": "volatility_target", "volatility": "std(1"}},
            r"std\(1",
        ),
    ],
)
def test_what_cannot_be_traded_is_refused_before_anything_is_computed(tmp_path, settings, said):
    study = read_study(str(small_study(tmp_path, **QUICK, strategy=settings)))
    with pytest.raises(ConfigError, match=said):
        resolve(study, panel_of(study))
