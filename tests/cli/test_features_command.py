"""`touchstone features`: the whole catalogue over a folder, in pieces, whole or not at all."""

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from small import touchstone, write_bars
from touchstone.errors import DataError
from touchstone.features import FeaturesConfig, compile_features, evaluate, evaluation
from touchstone.pipelines import tables
from touchstone.pipelines.progress import Silent
from walks import random_panel

COINS = Path(__file__).parents[3] / "shared" / "data" / "bars" / "crypto" / "1h"
PANEL = random_panel(5, 260, seed=7)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_full_set_in_pieces(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(evaluation, "LANES", 2)  # parts of 520, 520 and 260 rows
    monkeypatch.setattr(tables, "_ROWS", 200)
    write_bars(tmp_path / "bars", PANEL)
    out = tmp_path / f"f.{suffix}"
    words = ("features", "--bars", tmp_path / "bars", "--set", "full", "--out", out)
    code, _, err = touchstone(*words)
    assert code == 0, err
    plan = compile_features(FeaturesConfig(set="full"))
    assert f"{len(PANEL):,} rows, {len(plan.names) + 3} columns" in err
    table = pl.read_parquet(out) if suffix == "parquet" else pl.read_csv(out)
    assert table.columns == ["symbol", "timestamp", "available_at", *plan.names]
    assert table["symbol"].to_list() == [PANEL.symbols[i] for i in PANEL.asset_id]
    values = evaluate(plan, PANEL)
    for name, column in zip(plan.names, values.T, strict=True):
        got = table[name].cast(pl.Float32, strict=False).to_numpy()
        np.testing.assert_allclose(got, column, rtol=1e-6, atol=1e-12, err_msg=name)
    if suffix == "parquet":
        assert table.schema["timestamp"] == pl.Datetime("ns", "UTC")
        assert pq.ParquetFile(out).metadata.num_row_groups == 3 + 3 + 2


def test_what_a_reader_must_know_of_the_bars_is_told(tmp_path):
    """With the wrong calendar most rows go, and not without a word."""
    write_bars(tmp_path / "bars", PANEL)
    (tmp_path / "bars" / "BROKEN.parquet").write_bytes(b"no table")
    words = ("--bars", tmp_path / "bars", "--calendar", "XNYS", "--out", tmp_path / "f.parquet")
    for command in ("features", "labels"):
        code, _, err = touchstone(command, *words)
        assert code == 0, err
        assert "bars outside the sessions of XNYS were left out" in err
        assert "BROKEN" in err


def test_a_name_given_twice_is_refused(tmp_path):
    write_bars(tmp_path / "bars", PANEL)
    words = ("features", "--bars", tmp_path / "bars", "--out", tmp_path / "f.parquet")
    code, _, err = touchstone(*words, "--extra", "x=close", "--extra", "x=open")
    assert code == 2
    assert "'x' is given twice" in err


def test_another_suffix_is_refused_before_anything_is_read(tmp_path):
    code, _, err = touchstone("features", "--bars", tmp_path / "none", "--out", tmp_path / "f.xlsx")
    assert code == 2
    assert "needs csv or parquet, got 'xlsx'" in err


def test_a_break_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    out = tmp_path / "f.parquet"
    out.write_bytes(b"old")
    monkeypatch.setattr(evaluation, "LANES", 2)

    def broken(plan, panel):
        yield next(evaluation.evaluate_in_parts(plan, panel))
        raise DataError("the disk is gone")

    monkeypatch.setattr(tables, "evaluate_in_parts", broken)
    with pytest.raises(DataError):
        tables.write_features(PANEL, {"set": "baseline"}, out, Silent())
    assert out.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f.parquet"]


@pytest.mark.real_data
@pytest.mark.skipif(not COINS.is_dir(), reason=f"no market data in {COINS}")
def test_real_coins(tmp_path):
    """A quiet one, one that died, one that was renamed: finite after the warm-up, each column."""
    out, symbols = tmp_path / "f.parquet", "SUSDUSDT,FTTUSDT,BTCSTUSDT,NUUSDT"
    words = ("features", "--bars", COINS, "--symbols", symbols, "--set", "full", "--out", out)
    code, _, err = touchstone(*words)
    assert code == 0, err
    table = pl.read_parquet(out)
    plan = compile_features(FeaturesConfig(set="full"))
    age = table.select(pl.int_range(pl.len()).over("symbol")).to_series().to_numpy()
    for name, warmup in zip(plan.names, plan.warmup.tolist(), strict=True):
        column = table[name].to_numpy()
        assert np.isfinite(column[age >= warmup]).all(), name
        assert np.isnan(column[age < warmup]).all(), name
