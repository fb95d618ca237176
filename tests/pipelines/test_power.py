"""The power curve: its truth is the artifact's own, a decoy earns nothing, the command resumes."""

import json

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from small import touchstone
from touchstone.pipelines.judged import judge_panel, rule_of, winner
from touchstone.pipelines.oracle import true_earnings
from touchstone.pipelines.power import DIES, Ask, PowerConfig, judge_known, power_study
from touchstone.seeding import generator
from touchstone.simulation import simulate
from touchstone.validation.deflated import expected_maximum

CONFIG = PowerConfig()
FEW = CONFIG.market.model_copy(update={"n_instruments": 4, "ic": 0.3})
SMALL = CONFIG.model_copy(update={"market": FEW, "years": 4.0})


def test_the_study_is_the_one_that_the_goal_speaks_of():
    study = power_study()
    n_models, n_margins = len(study.config.models), len(study.config.strategy.margin_bp)
    assert n_models * n_margins == 50
    assert (study.config.costs.commission_bp, study.config.costs.slippage_bp) == (10, 5)
    assert CONFIG.market.n_bars / (6 * 365.25) == pytest.approx(4)
    assert study.config.folds.sealed == "20%"


def test_its_days_can_show_what_the_goal_asks_for(judged):
    """0.8 is asked of evidence at a true Sharpe of 3.5; what normal returns would give, at best."""
    n_test, n_sealed = judged[2].before.shape[0], round(0.2 * 4 * 365.25)
    seen = 3.5 * np.sqrt(n_sealed / 365)
    more = (3.5 * np.sqrt(n_test / 365)) - expected_maximum(50)
    assert ndtr(seen + ndtri(0.05)) * ndtr(more + ndtri(0.05)) > 0.85


def test_the_early_decoy_dies_before_the_tests(judged):
    before_tests = 0.8 - judged[2].before.shape[0] / (4 * 365.25)
    assert float(DIES["dies before the tests"].rstrip("%")) / 100 < before_tests


@pytest.fixture(scope="module")
def judged():
    panel, truth = simulate(FEW, 11)
    study = power_study()
    return study, (panel, truth), judge_panel(study, panel, generator(1, "test"), winner)


def test_what_is_measured_on_fresh_years_is_what_looked_at_the_seal(judged):
    """The same wishes, row by row, and so the truth of the very artifact that was judged."""
    study, market, found = judged
    wish = rule_of(study, found.chosen, found.sealed)(*market)
    rows, looked = found.sealed.where.rows, found.sealed.intent
    scored = ~np.isnan(found.sealed.probability[:, -1])
    assert scored.sum() > 0.9 * scored.size
    assert looked.enter.sum() > 20
    for name in ("enter", "rank", "up", "down", "weight"):
        seen, own = getattr(wish, name)[rows][scored], getattr(looked, name)[scored]
        assert np.array_equal(seen, own, equal_nan=True), name


def test_the_truth_of_a_dead_edge_is_a_loss(judged):
    study, _, found = judged
    rule, terms = rule_of(study, found.chosen, found.sealed), (study.config.account,
                                                                study.config.costs)  # fmt: skip
    alive = true_earnings(rule, FEW, 11, terms, 4.0)
    dead = true_earnings(rule, FEW.model_copy(update={"edge_until": "80%"}), 11, terms, 4.0)
    assert alive.sharpe > 2 * alive.error
    assert dead.sharpe < 0


@pytest.fixture(scope="module")
def strong():
    return judge_known(SMALL, Ask("curve", 0.3, 0))


def test_a_strong_edge_is_evidence_and_a_decoy_is_not(strong):
    assert strong.word == "evidence"
    assert strong.true_sharpe > 3
    assert 0 < strong.true_return < 1.1 * strong.oracle_return
    assert strong.n_candidates == 50
    at_seal = judge_known(SMALL, Ask("dies at the seal", 0.3, 0))
    assert at_seal.deflated > 0.95  # before the seal it was all true
    assert at_seal.p > 0.05
    assert at_seal.word == "weak"
    assert judge_known(SMALL, Ask("dies before the tests", 0.3, 0)).word == "none"


def test_the_same_market_is_judged_the_same_again(strong):
    assert judge_known(SMALL, Ask("curve", 0.3, 0)) == strong


def test_the_command_resumes_and_writes_a_page(tmp_path):
    words = ("power", "--targets", "1", "--decoys", "0", "--pilot", "1", "--instruments", "3",
             "--jobs", "1", "--out", tmp_path)  # fmt: skip
    code, out, err = touchstone(*words, "--markets", "1")
    assert code == 0, err
    assert "true Sharpe 1 wanted" in out
    journal = tmp_path / ".touchstone" / "power.jsonl"
    assert len(journal.read_text().splitlines()) == 7
    code, out, err = touchstone(*words, "--markets", "2", "--json")
    found = json.loads(out)
    assert (code, found["points"][0]["n"], found["n_candidates"]) == (0, 2, 50)
    assert len(journal.read_text().splitlines()) == 8
    page = (tmp_path / "power" / "report.html").read_text()
    assert all(word not in page for word in ("http://", "https://", "<script", "NaN", "None"))


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        (("--targets", "1,x"), "needs annual Sharpes above 0"),
        (("--targets", "-1"), "needs annual Sharpes above 0"),
        (("--markets", "0"), "markets"),
        (("--pilot", "0"), "pilot"),
    ],
)
def test_bad_input_is_refused(tmp_path, words, needs):
    code, _, err = touchstone("power", "--out", tmp_path, *words)
    assert code == 2
    assert needs in err
