"""Bad input: a clear error with file, row or key and the way out, and nothing half-written."""

import numpy as np
import polars as pl
import pytest
import yaml

from small import SMALL, bars_frame, scores_frame, small_study, touchstone, write_bars
from walks import random_panel, random_walk


def refused(code, *words, needs):
    got, out, err = touchstone(*words)
    assert got == code, (got, out, err)
    for text in needs:
        assert text in err, f"{text!r} is not in: {err}"
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({"modles": []}, ["modles", "Did you mean 'models'"]),
        ({"strategy": {"kind": "cost_aware", "max_position": 3}},
         ["strategy.max_position", "Did you mean 'max_positions'"]),
        ({"models": [{"kind": "gruu"}]}, ["models.0", "Did you mean 'gru'"]),
        ({"models": [{"kind": "gru", "hiden": 3}]}, ["models.0.hiden", "Did you mean 'hidden'"]),
        ({"models": []}, ["models"]),
        ({"features": {"set": "baseline", "extra": {"x": "rsii(close, 14)"}}}, ["x", "rsii"]),
        ({"features": {"set": "baseline", "extra": {"x": "lag(close, -1)"}}}, ["x", "lag"]),
        ({"label": {"kind": "triple_barrier", "take_profit": -1}}, ["label.take_profit", "-1"]),
        ({"costs": {"commission_bp": 10_000}}, ["costs.commission_bp"]),
        ({"seed": -1}, ["seed"]),
        ({"name": "No Spaces"}, ["name"]),
        ({"start": "2022-13-01"}, ["2022-13-01"]),
        ({"null_twin": True, "bars": {"source": "parquet", "path": "."}}, ["null_twin"]),
        ({"plugins": ["nowhere.py"]}, ["nowhere.py", "no such file"]),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_config(tmp_path, changes, needs):
    study = small_study(tmp_path, **changes)
    refused(2, "run", study, "--out", tmp_path, needs=needs)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("a: [", ["not YAML"]),
        ("- 1\n- 2", ["keys and values"]),
        ("seed: 1\nseed: 2", ["line 2", "stands twice"]),
        ("a: &x 1\nb: *x", ["alias"]),
        ("bars: !!python/object/apply:os.system [ls]", ["not YAML"]),
    ],
)
def test_yaml(tmp_path, text, needs):
    (tmp_path / "s.yaml").write_text(text)
    refused(2, "run", tmp_path / "s.yaml", "--out", tmp_path, needs=["s.yaml", *needs])


def test_no_such_study(tmp_path):
    refused(2, "run", tmp_path / "none.yaml", needs=["none.yaml", "no such file"])


def study_of(tmp_path, folder):
    bars = {"source": "parquet", "path": str(folder)}
    return small_study(tmp_path, bars=bars, models=[{"kind": "logistic"}])


def test_empty_folder(tmp_path):
    (tmp_path / "bars").mkdir()
    study = study_of(tmp_path, tmp_path / "bars")
    refused(3, "run", study, "--out", tmp_path, needs=["bars", "empty"])


def test_too_short_a_history_says_how_much_is_needed(tmp_path):
    folder = write_bars(tmp_path / "bars", random_panel(2, 600))
    refused(3, "run", study_of(tmp_path, folder), "--out", tmp_path, needs=["25", "sealed"])
    assert not list((tmp_path / "runs").glob("*/result.json"))


def spoiled(kind):
    frame = bars_frame(random_walk(400, seed=5, symbol="BAD"))
    close = frame["close"].to_numpy().copy()
    if kind == "one row":
        return frame.head(1)
    if kind == "duplicate time":
        return pl.concat([frame, frame.tail(1)])
    if kind == "NaN price":
        close[7] = np.nan
        return frame.with_columns(close=close)
    if kind == "high below low":
        return frame.with_columns(high=frame["low"] * 0.5)
    if kind == "naive times":
        return frame.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    if kind == "no volume":
        return frame.drop("volume")
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        ("one row", "BAD.parquet"),
        ("duplicate time", "row 400"),
        ("NaN price", "row 7"),
        ("high below low", "row 0"),
        ("naive times", "timezone"),
        ("no volume", "volume"),
    ],
)
def test_a_bad_file_is_left_out_by_name_and_the_rest_goes_on(tmp_path, kind, needs):
    folder = write_bars(tmp_path / "bars", random_panel(2, 400))
    spoiled(kind).write_parquet(folder / "BAD.parquet")
    code, out, err = touchstone("features", "--bars", folder, "--out", tmp_path / "f.parquet")
    assert code == 0, err
    assert "BAD.parquet: " in err
    assert needs in err
    assert set(pl.read_parquet(tmp_path / "f.parquet")["symbol"]) == {"S00", "S01"}
    assert out == ""


@pytest.mark.parametrize(
    ("spoil", "needs"),
    [
        (lambda t: t.with_columns(symbol=pl.lit("NOPE")), ["NOPE", "row 0"]),
        (lambda t: t.with_columns(pl.col("timestamp") + pl.duration(minutes=7)),
         ["no bar", "row 0"]),
        (lambda t: t.with_columns(score=pl.lit(float("nan"))), ["not finite"]),
        (lambda t: t.with_columns(score=pl.lit(float("inf"))), ["not finite"]),
        (lambda t: pl.concat([t, t.tail(1)]), ["twice"]),
        (lambda t: t.drop("score"), ["no column 'score'"]),
        (lambda t: t.with_columns(pl.col("timestamp").dt.replace_time_zone(None)), ["naive"]),
    ],
    ids=["symbol", "off the grid", "nan", "inf", "twice", "no score", "naive"],
)  # fmt: skip
def test_scores(tmp_path, spoil, needs):
    panel = random_panel(2, 300)
    folder = write_bars(tmp_path / "bars", panel)
    spoil(scores_frame(panel, np.full(len(panel), 0.5))).write_parquet(tmp_path / "scores.parquet")
    (tmp_path / "strategy.yaml").write_text("{kind: threshold, entry_threshold: 0.5}")
    words = ("--bars", folder, "--strategy", tmp_path / "strategy.yaml", "--out", tmp_path)
    refused(
        3,
        "backtest",
        "--scores",
        tmp_path / "scores.parquet",
        *words,
        needs=["scores.parquet", *needs],
    )


def test_cost_aware_needs_a_meaning_for_foreign_scores(tmp_path):
    panel = random_panel(2, 300)
    folder = write_bars(tmp_path / "bars", panel)
    scores_frame(panel, np.full(len(panel), 0.5)).write_parquet(tmp_path / "scores.parquet")
    (tmp_path / "strategy.yaml").write_text("{kind: cost_aware, margin_bp: [0]}")
    words = ("--bars", folder, "--strategy", tmp_path / "strategy.yaml", "--out", tmp_path)
    refused(2, "backtest", "--scores", tmp_path / "scores.parquet", *words,
            needs=["--calibrate-until", "threshold"])  # fmt: skip


def test_no_such_run(tmp_path):
    refused(3, "runs", "show", "nothing", "--out", tmp_path, needs=["nothing", "none yet"])


@pytest.mark.parametrize("command", ["run", "audit", "check"])
@pytest.mark.parametrize("code", ["0", "4", "'bye'"])
def test_a_plugin_that_ends_the_process_is_no_success(tmp_path, command, code):
    (tmp_path / "mine.py").write_text(f"import sys\nsys.exit({code})\n")
    study = small_study(tmp_path, plugins=["mine.py"])
    out = () if command == "check" else ("--out", tmp_path)
    refused(3, command, study, *out, needs=["ended the process", code])


def test_usage():
    code, _, err = touchstone("run", "--nonsense")
    assert code == 2
    assert "--nonsense" in err


def test_small_study_is_sound():
    assert yaml.safe_load(yaml.safe_dump(SMALL)) == SMALL
