"""Other studies than the quickstart: each head, strategy, label and split, the whole path."""

import numpy as np
import pytest

import touchstone as ts
from small import SMALL, bars_frame, small_study, touchstone, write_bars
from touchstone.errors import ConfigError
from touchstone.pipelines.study import null_bars, read_study
from touchstone.simulation import MarketConfig, simulate

QUICK = {"models": [{"kind": "logistic"}], "strategy": {"kind": "cost_aware", "margin_bp": [20]}}


@pytest.mark.parametrize(
    "changes",
    [
        {"models": [{"kind": "logistic", "head": "buy"}]},
        {"models": [{"kind": "logistic", "head": "buy"}],
         "label": {"kind": "forward_return", "horizon": 6}},
        {"strategy": {"kind": "threshold", "entry_threshold": [0.1, 0.2], "exit_threshold": 0.05}},
        {"strategy": {"kind": "threshold", "entry_threshold": [0.4]},
         "label": {"kind": "forward_return", "horizon": 6}},
        {"folds": {"kind": "chronological", "sealed": "65d"}},
        {"folds": {"kind": "purged_kfold", "folds": 3, "sealed": "65d"}},
        {"scaler": "robust", "calibrator": "platt", "weights": {"balance": False}},
        {"models": [{"kind": "logistic"}, {"kind": "logistic", "l2": 1.0}]},
        {"models": [{"kind": "mlp", "hidden": [8]}],
         "training": {"rows": 1000, "epochs": 1, "loss": "focal"}},
    ],
    ids=["buy", "buy forward", "threshold", "threshold forward", "chronological",
         "purged k-fold", "robust platt", "two of a kind", "focal"],
)  # fmt: skip
def test_runs_to_a_verdict(tmp_path, changes):
    run = ts.run(str(small_study(tmp_path, **(QUICK | changes))), out=tmp_path)
    market = run.result.market
    assert market.verdict.word in {"evidence", "weak", "none"}
    assert market.folds[-1].name == "final"
    assert len({(c.model, c.label) for c in market.candidates}) == len(market.candidates)
    assert set(market.folds[0].rows_used) == {c.model for c in market.candidates}
    assert ts.load(run.name, out=tmp_path).result == run.result


def test_a_null_market_trades_nothing_or_proves_nothing(tmp_path):
    study = read_study(str(small_study(tmp_path, **QUICK)))
    null = null_bars(study.config.bars).model_dump(mode="json")
    run = ts.run(str(small_study(tmp_path, **QUICK, bars=null)), out=tmp_path)
    assert run.verdict == "none"


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({"folds": SMALL["folds"] | {"sealed": "0%"}}, "folds.sealed"),
        ({"label": {"kind": "forward_return", "horizon": 6}}, "threshold"),
        ({"folds": {"kind": "combinatorial", "sealed": "65d"}}, "purged_kfold"),
        ({"folds": {"kind": "monte_carlo", "sealed": "65d"}}, "cross_validator"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused_before_anything_is_fitted(
    tmp_path, changes, needs
):
    code, _, err = touchstone("run", small_study(tmp_path, **(QUICK | changes)), "--out", tmp_path)
    assert code == 2, err
    assert needs in err
    assert "models" not in err.split("error:")[0]


def panel_of_coins(n_instruments=6, n_bars=4500):
    return simulate(MarketConfig(n_instruments=n_instruments, n_bars=n_bars, ic=0.4), 3)[0]


def on_files(tmp_path, folder, **changes):
    settings = QUICK | {"bars": {"source": "parquet", "path": str(folder)}} | changes
    folds = {"kind": "walk_forward", "train": "expanding", "validate": "20d", "test": "20d",
             "folds": 2, "sealed": "62d"}  # fmt: skip
    return str(small_study(tmp_path, **({"folds": folds} | settings)))


def test_each_universe_is_a_look_and_makes_candidates_of_its_own(tmp_path):
    panel = panel_of_coins()
    folder = write_bars(tmp_path / "bars", panel)
    first = ts.run(on_files(tmp_path, tmp_path), out=tmp_path, bars=folder).result.market
    (folder / "S05.parquet").unlink()
    second = ts.run(on_files(tmp_path, folder), out=tmp_path).result.market
    assert first.ledger.n_candidates == 1
    assert second.ledger.n_candidates == 2
    assert (first.verdict.word, second.verdict.word) == ("evidence", "exploratory")
    assert second.ledger.n_looks_studies == 2


def test_comparing_candidates_on_sealed_rows_is_a_look_too(tmp_path):
    folder = write_bars(tmp_path / "bars", panel_of_coins())
    ts.run(on_files(tmp_path, folder), out=tmp_path)  # tests candidates until its own seal
    earlier = ts.run(on_files(tmp_path, folder, end="2022-06-20"), out=tmp_path)
    assert earlier.result.market.ledger.n_looks_studies == 2
    assert earlier.verdict in {"exploratory", "none"}


def test_late_and_bad_files_do_not_stop_a_study_and_are_told(tmp_path):
    panel = panel_of_coins()
    folder = write_bars(tmp_path / "bars", panel)
    bars_frame(panel.bars(0)).tail(900).write_parquet(folder / "LATE.parquet")
    bars_frame(panel.bars(1)).with_columns(high=1e-9).write_parquet(folder / "BAD.parquet")
    study = on_files(tmp_path, folder, features={"set": "none", "extra": {
        "v": "volume / mean(volume, 24)", "r": "close / lag(close, 1) - 1"}})  # fmt: skip
    market = ts.run(study, out=tmp_path).result.market
    assert market.data.n_instruments == 7
    (reject,) = market.data.rejects
    assert (reject.symbol, reject.file) == ("BAD", "BAD.parquet")
    assert str(tmp_path) not in reject.reason
    assert market.verdict.word == "evidence"


def test_symbols_and_dates_narrow_the_universe(tmp_path):
    folder = write_bars(tmp_path / "bars", panel_of_coins())
    study = on_files(tmp_path, folder)
    words = ("check", study, "--symbols", "S00,S03", "--from", "2022-01-10", "--to", "2022-06-20")
    code, out, err = touchstone(*words, "--json")
    assert code == 0, err
    assert '"instruments": 2' in out
    assert '"first": "2022-01-10"' in out
    assert '"last": "2022-06-20"' in out
    code, _, err = touchstone("check", study, "--symbols", "NOPE")
    assert code == 3
    assert "NOPE" in err


def test_a_twin_needs_a_simulated_market(tmp_path):
    study = read_study(on_files(tmp_path, tmp_path))
    with pytest.raises(ConfigError, match="null_twin"):
        null_bars(study.config.bars)


def test_results_of_another_version_are_made_anew(tmp_path):
    study = str(small_study(tmp_path, **QUICK))
    run = ts.run(study, out=tmp_path)
    (run.folder / "result.json").write_text('{"schema_version": 99}')
    assert touchstone("runs", "list", "--out", tmp_path)[0] == 0
    again = ts.run(study, out=tmp_path)
    assert again.result == run.result
    np.testing.assert_array_equal(again.equity["equity"], run.equity["equity"])
