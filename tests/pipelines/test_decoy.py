"""A decoy's edge is real until the seal and dies there: labels pay nothing, no study believes."""

import numpy as np
import pytest

import touchstone as ts
from small import SMALL, small_study
from touchstone.labels import LABELS
from touchstone.simulation import MarketConfig, simulate

TESTED = "2022-05-06"
SEAL = "2022-07-05"  # 65 of 250 days before the end
LABELLED = (
    {"kind": "triple_barrier", "take_profit": 0.03, "stop_loss": 0.03, "horizon": 12},
    {"kind": "triple_barrier", "take_profit": 0.05, "stop_loss": 0.02, "horizon": 8},
    {"kind": "forward_return", "horizon": 8},
)


@pytest.fixture(scope="module")
def markets():
    settings = {"n_instruments": 40, "n_bars": 15_000, "correlation": 0, "edge_until": "20%"}
    decoy = MarketConfig.parse(settings)
    return simulate(decoy, 21), simulate(decoy.model_copy(update={"edge_until": None}), 21)


@pytest.mark.parametrize("label", LABELLED, ids=["wide", "classic", "forward"])
def test_after_the_death_the_mean_realised_is_nothing_whatever_the_state(markets, label):
    found = []
    for panel, truth in markets:
        config = LABELS.parse(label)
        labels = LABELS.part_of(config)(panel, config, None)
        dead = panel.time >= panel.time[3000]
        bought = labels.known & dead & (truth.hidden > 0.5)  # what paid before
        # a bar that met both barriers counts as the worse, which is the label's rule, no drift
        rows = bought & ~labels.ambiguous
        each = [labels.realised[rows & (panel.asset_id == i)].mean() for i in range(40)]
        found.append((np.mean(each), np.std(each, ddof=1) / np.sqrt(40)))  # each moves on its own
    (decoy, error), (alive, other) = found
    assert abs(decoy) < 3 * error
    assert alive > 10 * other


@pytest.mark.parametrize(
    ("dies", "words"),
    [(TESTED, {"none"}), (SEAL, {"none", "weak"})],
    ids=["at the first test", "at the seal"],
)
def test_no_study_of_a_decoy_finds_evidence(tmp_path, dies, words):
    """Of an edge that dies at the first test nothing is believed. One that dies at the seal was
    real in every test before it, which is all that `weak` says; the look refutes it."""
    market = SMALL["bars"]["market"] | {"edge_until": dies}
    changed = {"bars": {"source": "simulated", "market": market}, "models": [{"kind": "logistic"}]}
    run = ts.run(str(small_study(tmp_path, **changed)), out=tmp_path, jobs=1)
    market = run.result.market
    assert market.folds[0].test_span[0][:10] == TESTED
    assert market.folds[-1].test_span[0][:10] == SEAL
    assert run.verdict in words
    assert market.verdict.primary_p is None or market.verdict.primary_p > 0.05
    assert f"until {dies}, nothing later" in market.data.simulated_truth
