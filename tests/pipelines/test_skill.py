"""Volatility is no direction: coverage on markets that have the one without the other."""

import numpy as np
import pytest

from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.metrics.classification import direction_auc
from touchstone.pipelines.aucs import Auc, Ranks, aucs, shows
from touchstone.pipelines.decide import calibrate, outlook, segment
from touchstone.pipelines.learn import Task, learn
from touchstone.pipelines.naive import yardsticks
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.skill import _thresholds, best_f1_threshold, judged, skill
from touchstone.pipelines.study import parse_study
from touchstone.reports.sections import skill as section
from touchstone.seeding import generator
from validation.bands import band

SEEDS = range(18)  # 0, 1, ...: none was chosen
MARKET = {
    "n_instruments": 4, "n_bars": 4700, "volatility": 0.01, "garch_alpha": 0.1,
    "garch_beta": 0.88, "regime_strength": 1.0,
}  # fmt: skip


def prepared_on(folder, seed, **market):
    study = parse_study(
        {
            "bars": {"source": "simulated", "market": MARKET | market},
            "label": {"kind": "triple_barrier", "take_profit": 0.05, "stop_loss": 0.02,
                      "horizon": 8},
            "features": {"set": "none", "extra": {
                "volume": "volume / mean(volume, 24)",
                "moved": "log(std(close / lag(close, 1) - 1, 24))",
            }},
            "folds": {"kind": "walk_forward", "train": "60d", "validate": "30d", "test": "100d",
                      "folds": 1, "sealed": "0%"},
            "models": [{"kind": "logistic"}],
            "lookback": 2,
            "seed": seed,
        },
        folder,
        "here",
    )  # fmt: skip
    loaded, data = load(study, Silent())
    prepared = prepare(study, loaded, data, StageCache(folder / f"cache{seed}"), Silent())
    return (
        study,
        prepared,
        segment(prepared.panel, prepared.folds.folds[0].spans.test_start, prepared.folds.seal),
    )


def rows_of(prepared, where, probability):
    return judged(prepared, where, probability, np.zeros(where.rows.size, bool))


def ranks(rows):
    return Ranks(rows.probability, rows.outcome, rows.symmetric, rows.stretch)


def test_volatility_alone_lifts_the_touch_auc_and_not_the_direction_auc(tmp_path):
    holds_half, above, words = 0, 0, []
    for seed in SEEDS:
        study, prepared, where = prepared_on(tmp_path, seed, ic=0.0)
        alone, _ = yardsticks(study.config, prepared, prepared.folds.folds, where)
        found = aucs(ranks(rows_of(prepared, where, alone.probability)), generator(seed, "law"))
        holds_half += found.direction.interval[0] <= 0.5 <= found.direction.interval[1]
        above += found.touch.interval[0] > 0.5
        words.append(shows(found.direction, found.touch))
    n = len(SEEDS)
    assert holds_half >= band(n, 0.95)[0]
    assert above >= 0.8 * n
    assert words.count("volatility") >= 0.7 * n


def test_a_bar_that_met_both_symmetric_barriers_tells_no_direction(tmp_path):
    """The label's careful guess, the stop, would punish whoever foresees the wild bars."""
    _, prepared, where = prepared_on(tmp_path, 3, ic=0.0)
    at = where.rows[prepared.symmetric.outcome[where.rows] != 0]
    wild = at[::7]
    symmetric = prepared.symmetric
    outcome, ambiguous = symmetric.outcome.copy(), symmetric.ambiguous.copy()
    ambiguous[at] = False
    outcome[wild], ambiguous[wild] = -1, True
    planted = prepared._replace(symmetric=symmetric._replace(outcome=outcome, ambiguous=ambiguous))
    knows_wild = np.full((where.rows.size, 3), 0.2)
    knows_wild[np.isin(where.rows, wild), 2] = 0.6
    rows = rows_of(planted, where, knows_wild)
    assert not rows.symmetric[np.isin(where.rows[rows.at], wild)].any()
    assert direction_auc(rows.probability, rows.symmetric) == 0.5


def model_rows(study, prepared, where, folder):
    resources = Resources(StageCache(folder), MemoryLedger, Silent(), 1)
    fold = prepared.folds.folds[0]
    fit = learn(study, prepared, [Task(study.config.models[0], fold, "fold 1")], resources)[0]
    pieces = [(fold.test, fit.test, calibrate(study.config, prepared, fold, fit))]
    view = outlook(study.config, prepared, where, pieces)
    return rows_of(prepared, where, view.probability)


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_edge_is_direction_which_no_yardstick_has(tmp_path, seed):
    study, prepared, where = prepared_on(tmp_path, seed, ic=0.3)
    rows = model_rows(study, prepared, where, tmp_path / f"cache{seed}")
    beside = yardsticks(study.config, prepared, prepared.folds.folds, where)
    found = skill(study.config, rows, "walk_forward", generator(seed, "law"), beside)
    assert found.direction_auc_interval[0] > 0.5
    assert found.shows == "direction"
    for yardstick in found.baselines:
        assert yardstick.direction_auc < found.direction_auc_interval[0]
        assert yardstick.pr_auc < found.pr_auc
    assert {y.name for y in found.baselines} == {"volatility", "symbol_and_hour"}


def test_yardsticks_see_no_row_after_their_train_and_validation(tmp_path):
    """Other outcomes in the test range: the same probabilities, to the bit."""
    study, prepared, where = prepared_on(tmp_path, 1, ic=0.0)
    fold = prepared.folds.folds[0]
    changed = prepared.labels.outcome.copy()
    changed[fold.test] = np.random.default_rng(1).permutation(changed[fold.test])
    other = prepared._replace(labels=prepared.labels._replace(outcome=changed))
    for one, two in zip(
        yardsticks(study.config, prepared, [fold], where),
        yardsticks(study.config, other, [fold], where),
        strict=True,
    ):
        np.testing.assert_array_equal(one.probability, two.probability)
        assert np.isfinite(one.probability).sum() == 3 * fold.test.size


def test_symbol_and_hour_learns_a_rate_that_hangs_on_the_hour(tmp_path):
    study, prepared, where = prepared_on(tmp_path, 2, ic=0.0)
    hour = prepared.panel.available_at // 3_600_000_000_000 % 24
    outcome = np.where(hour < 12, 1, -1).astype(np.int8)
    planted = prepared._replace(
        labels=prepared.labels._replace(outcome=outcome),
        symmetric=prepared.symmetric._replace(outcome=outcome),
    )
    _, by_hour = yardsticks(study.config, planted, planted.folds.folds, where)
    found = aucs(ranks(rows_of(planted, where, by_hour.probability)), generator(1, "law"))
    assert found.direction.value > 0.99


def test_the_page_refuses_to_call_volatility_an_edge(tmp_path):
    study, prepared, where = prepared_on(tmp_path, 2, ic=0.0)
    beside = yardsticks(study.config, prepared, prepared.folds.folds, where)
    rows = rows_of(prepared, where, beside[0].probability)
    found = skill(study.config, rows, "walk_forward", generator(2, "law"), beside)
    assert found.shows == "volatility"
    title, said = section._TITLES[found.shows], section._finding(found)
    assert title.endswith("At volatility, not at direction")
    assert said.startswith("This is no edge.")
    assert "a coin" in said


@pytest.mark.parametrize(
    ("direction", "touch", "word"),
    [
        ((0.51, 0.55), (0.6, 0.7), "direction"),
        ((0.49, 0.55), (0.6, 0.7), "volatility"),
        ((0.45, 0.49), (0.6, 0.7), "against"),
        ((0.49, 0.55), (0.48, 0.7), "nothing"),
        ((0.49, 0.55), None, "nothing"),
        (None, (0.6, 0.7), None),
    ],
)
def test_words_by_the_intervals_alone(direction, touch, word):
    assert shows(Auc(0.5, direction), Auc(0.6, touch)) == word


@pytest.mark.parametrize(
    ("highest", "step"), [(1.0, 0.05), (0.52, 0.05), (0.22, 0.02), (0.065, 0.005), (0.0, 0.001)]
)
def test_thresholds_are_told_where_probabilities_are(highest, step):
    """At a base rate of 1 % all of them lie below 10 %: two steps of 5 % would tell nothing."""
    source = np.random.default_rng(4)
    p = np.append(source.uniform(0, highest, 500), highest)
    told = _thresholds(p)
    assert (told <= highest).all()
    if highest:
        assert told.size >= 8
        np.testing.assert_allclose(np.diff(told), step)
        assert told[-1] + step > highest
    else:
        assert told.size == 0


@pytest.mark.parametrize("n", [0, 1, 5])
def test_the_best_f1_threshold_without_a_positive_row_is_no_rows_highest_score(n):
    score = np.linspace(0.1, 0.9, n)
    assert best_f1_threshold(score, np.zeros(n, bool)) == 0.5


def test_the_best_f1_threshold_is_that_of_a_walk_over_all():
    rng = np.random.default_rng(4)
    for _ in range(20):
        score, hit = np.round(rng.random(40), 1), rng.random(40) < 0.3
        hit[0] = True
        found = {t: 2 * hit[score >= t].sum() / (hit.sum() + (score >= t).sum()) for t in score}
        best = best_f1_threshold(score, hit)
        assert found[best] == pytest.approx(max(found.values()))
