"""A study under audit: its own code, shrunken, gives the same trace twice, and is clean."""

from dataclasses import replace

import numpy as np
import pytest

from leaks.audited import audited
from leaks.corpus import paths, planted
from small import small_study
from touchstone.pipelines import audit as au
from touchstone.pipelines import prepare, trace
from touchstone.pipelines.audit_slice import N_BARS, N_SYMBOLS, sliced
from touchstone.pipelines.phases import phase_rows
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import read_study
from touchstone.pipelines.trace_fits import Kept
from touchstone.validation.audit import Effort
from touchstone.validation.audit.compare import first_difference

QUICK = Effort(n_stratified=4, n_whole=1, seconds=0.5, both=False)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    study = read_study(str(small_study(tmp_path_factory.mktemp("small"))))
    return study, au.bars_of(study)


def test_a_slice_keeps_the_kinds_and_shrinks_the_folds(small):
    study, loaded = small
    of = sliced(study, loaded)
    panel = of.loaded.panel
    assert np.unique(panel.time).size % N_BARS == 0
    assert panel.n_instruments <= N_SYMBOLS
    assert panel.time.max() == loaded.panel.time.max()
    assert type(of.study.config.folds) is type(study.config.folds)
    assert of.study.fingerprint == study.fingerprint
    assert of.study.config.training.epochs <= 2


def test_a_slice_fits_a_curriculum_and_a_card_on_the_cpu(small, tmp_path):
    """Phases are short, hold rows in the shrunken folds, and fp16 is for cards alone."""
    phase = {"label": {"kind": "forward_return", "horizon": 72}, "epochs": 30}
    recipe = {"epochs": 9, "precision": "fp16", "curriculum": [phase]}
    study = read_study(str(small_study(tmp_path, training=recipe)))
    of = sliced(study, small[1])
    training = of.study.config.training
    assert (training.precision, training.device) == ("float32", "cpu")
    assert training.epochs + sum(p.epochs for p in training.curriculum) <= 4
    given, cache = trace.on_bars(of.study, of.loaded), Kept()
    made = prepare.prepare(given, *prepare.load(given, Silent(), None), cache, Silent())
    rows = phase_rows(given.config, made, cache)
    assert all(rows(fold)[0].size for fold in (*made.folds.folds, made.folds.final))


def test_the_folds_and_fills_of_a_small_study_with_a_network_are_clean(small):
    found = au.audit(*small, au.Ask(("C", "C2"), 1, QUICK))
    assert found.word == "PASS", [f.sentence for f in found.findings]
    assert all(layer.n_checks for layer in found.layers)


def test_the_trace_holds_every_stage_and_is_the_same_twice(small):
    of = sliced(*small)
    one, other = (trace.whole_run(of.study, of.loaded).trace for _ in range(2))
    assert first_difference(one, other, 2**62) is None
    stages = {r.stage for r in one.rows} | {f.stage for f in one.facts}
    for part in ("bars", "features", "labels", "fold 1 train rows", "gru, fold 1: samples",
                 "gru, fold 1", "logistic: calibrated", "sealed: fills", "candidates"):  # fmt: skip
        assert part in stages
    assert sum("weights after" in f.name for f in one.facts) >= 4


def test_a_trace_moves_where_the_bars_do(small):
    of = sliced(*small)
    panel = of.loaded.panel
    close, last = panel.close.copy(), int(panel.time.argmax())
    close[last] = (panel.low[last] + panel.high[last]) / 2 + 1e-9
    bars = replace(panel, close=close)
    one = trace.rows_trace(of.study, of.loaded)
    other = trace.rows_trace(of.study, of.loaded._replace(panel=bars))
    known = int(panel.available_at[last])
    assert first_difference(one, other, known) is not None
    assert first_difference(one, other, known - 1) is None


def test_whole_runs_of_shorts_with_impact_and_actions_are_clean(tmp_path):
    """Volatility, ranks and accounts of one instrument know no bit of another one's later bars."""
    (path,) = (p for p in paths("controls") if "impact_and_actions" in p.stem)
    effort = Effort(n_stratified=2, n_whole=4, seconds=0.5, n_smaller=0, both=False)
    one = audited(planted(path), tmp_path, 7, effort, ("A", "B", "C2"))
    assert one.right, [f.sentence for f in one.found.findings]
    assert not [n for layer in one.found.layers for n in layer.notes if "failed" in n]
    assert all(layer.n_checks for layer in one.found.layers)
