"""The printed diagnostics are what their functions say, or the reason why there is no number."""

import json
import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, t

import touchstone as ts
from small import small_study, touchstone
from touchstone.data.cache import StageCache
from touchstone.ledger import MemoryLedger
from touchstone.pipelines.diagnostics import KEYS, Sealed, SealedIntervals, diagnostics
from touchstone.pipelines.market import search_market
from touchstone.pipelines.prepare import load
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.seal import Answer
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import read_study
from touchstone.reports.result import Performance
from touchstone.validation.ledger import SqliteLedger
from touchstone.validation.overfitting import overfitting
from touchstone.validation.stretches import stretches
from touchstone.validation.superior_ability import superior_ability

CHANGES = {"models": [{"kind": "logistic"}, {"kind": "logistic", "l2": 0.3}], "lookback": 1}
SEALED = ("better_than_buy_and_hold", "control_rank", "expectancy_lower")


def searched(folder, **changes):
    """A study's search and its comparison."""
    study = read_study(str(small_study(folder, **(CHANGES | changes))))
    bars = load(study, Silent())
    resources = Resources(StageCache(folder / "cache"), MemoryLedger, Silent(), 1)
    return study, search_market(study, bars, resources)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("diagnostics")
    return ts.run(str(small_study(out, **CHANGES)), out=out, jobs=1), out


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("search"))


def answer_of(out):
    book = SqliteLedger(out / ".touchstone" / "ledger.sqlite", "test", "none", lambda: "now")
    row = next(row for row in book.rows() if row.kind == "look")
    return Answer.model_validate_json(json.loads(row.facts)["answer"])


def test_every_diagnostic_stands_in_the_result_with_a_gloss(finished):
    run, _ = finished
    found = run.result.market.diagnostics
    assert set(found) == set(KEYS)
    assert all(d.gloss and d.value is not None and d.reason is None for d in found.values())
    page = run.report.read_text()
    for term in ("Overfitting of the search (PBO)", "Sharpe above buy-and-hold, at least",
                 "Random controls beaten", "Net return a trade, at least"):  # fmt: skip
        assert term in page


def test_those_before_the_seal_are_of_all_candidates(finished, small):
    run, _ = finished
    found = run.result.market.diagnostics
    _, (_, _, comparison) = small
    table = np.column_stack([s.returns for s in comparison.scored])
    n_days = table.shape[0]
    blocks = max(s for s in range(2, 17, 2) if 4 * s <= n_days)
    assert found["pbo"].value == overfitting(table, blocks).probability
    exact = superior_ability(table, np.random.default_rng(1), 20_000).p
    error = math.sqrt(exact * (1 - exact) / 2_000)
    assert found["superior_ability_p"].value == pytest.approx(exact, abs=4 * error + 0.001)


def test_those_behind_the_seal_are_the_answers(finished):
    """The interval of the Sharpe difference holds the plain difference; trades' means agree."""
    run, out = finished
    found, money = run.result.market.diagnostics, run.result.market.sealed
    answer = answer_of(out)
    assert found["better_than_buy_and_hold"].value == answer.over_buy_and_hold[0]
    assert found["expectancy_lower"].value == answer.expectancy_interval[0]
    assert found["control_rank"].value == money.controls_rank
    held = next(b.sharpe for b in money.baselines if b.name == "buy_and_hold")
    low, high = answer.over_buy_and_hold
    assert (low + high) / 2 == pytest.approx(money.sharpe - held)  # symmetric about it
    trades = run.trades.filter(pl.col("segment") == "sealed")
    net = (trades["pnl"] / (trades["quantity"] * trades["entry_price"])).to_numpy()
    assert net.mean() == pytest.approx(money.expectancy)
    days = [trades[c].dt.date().to_numpy().astype(np.int64) for c in ("entry_time", "exit_time")]
    held = stretches(*days)
    of_stretch = [net[held == k] for k in np.unique(held)]
    n, rng = len(of_stretch), np.random.default_rng(5)
    drawn = [
        np.concatenate([of_stretch[k] for k in rng.integers(n, size=n)]).mean()
        for _ in range(20_000)
    ]
    tail = norm.sf(t.ppf(0.975, n - 1) * math.sqrt(n / (n - 1)))
    expected = np.quantile(drawn, [tail, 1 - tail])
    np.testing.assert_allclose(answer.expectancy_interval, expected, atol=0.1 * np.ptp(expected))


def test_a_repeat_has_the_same_bytes_and_no_second_look(finished):
    run, out = finished
    before = (run.folder / "result.json").read_bytes()
    code, _, err = touchstone("run", small_study(out, **CHANGES), "--out", out, "--again")
    assert code == 0
    assert "differs" not in err
    assert (run.folder / "result.json").read_bytes() == before


CASES = {
    "one candidate": ({"models": [{"kind": "logistic"}], "strategy": {
        "kind": "cost_aware", "margin_bp": [0], "max_positions": 4}},
        {"pbo": "fewer than two candidates traded"}),
    "no trade": ({"strategy": {"kind": "cost_aware", "margin_bp": [9000, 9500],
                               "max_positions": 4}},
        {"pbo": "fewer than two candidates traded", "superior_ability_p": "no candidate traded",
         "deflated_sharpe": "no candidate was chosen", "expected_max": "no candidate was chosen",
         "min_backtest_years": "no candidate was chosen",
         "min_track_record_days": "no candidate was chosen"}),
    "few days": ({"folds": {"kind": "walk_forward", "train": "expanding", "validate": "30d",
                            "test": "15d", "folds": 2, "sealed": "65d"}},
        {"pbo": "30 test days, 32 are needed"}),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "reasons"), CASES.values(), ids=CASES)
def test_what_is_not_defined_has_a_reason_and_no_number(changes, reasons, tmp_path):
    study, (_, _, comparison) = searched(tmp_path, **changes)
    found = diagnostics(comparison, None, None, 65, study.config.seed)
    assert tuple(found) == KEYS
    told = {key: d.reason for key, d in found.items() if d.reason is not None}
    assert all(found[key].value is None for key in told)
    of_the_choice = {k for k in KEYS if told.get(k) == "no candidate was chosen"}
    assert {k: r for k, r in told.items() if k not in (*SEALED, *of_the_choice)} == {
        k: r for k, r in reasons.items() if r != "no candidate was chosen"
    }
    assert all(told[key] == "no look was taken" for key in SEALED)
    assert len(of_the_choice) == 4  # no deflated Sharpe was handed over
    assert all("{" not in d.gloss and d.gloss for d in found.values())


def test_a_sealed_segment_without_trades_has_reasons(small):
    """A candidate that trades before the seal and is out of the market behind it."""
    study, (_, _, comparison) = small
    sealed = Sealed(Performance(n_trades=0), SealedIntervals(None, None))
    found = diagnostics(comparison, None, sealed, 65, study.config.seed)
    assert {found[key].reason for key in SEALED} == {
        "no trade closed on the sealed days",
        "the returns of one of the two have no variance there",
    }
    few = Sealed(Performance(n_trades=3, controls_rank=0.4), SealedIntervals((-1, 2), None))
    found = diagnostics(comparison, None, few, 65, study.config.seed)
    assert [found[key].value for key in SEALED] == [-1, 0.4, None]
    assert found["expectancy_lower"].reason == "trades on fewer than 10 sealed days"
