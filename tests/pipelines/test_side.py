"""Side data through a whole study, and as a table of features: by name, hashed, told, causal."""

import json
import shutil

import numpy as np
import polars as pl
import pytest
import yaml

import touchstone as ts
from small import SMALL, small_study, touchstone, write_bars
from touchstone.data.cache import StageCache
from touchstone.errors import ConfigError, DataError
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import run_fingerprint
from touchstone.pipelines.study import StudyConfig, read_study
from touchstone.simulation import MarketConfig, simulate

BARS = {"source": "simulated", "market": {**SMALL["bars"]["market"], "n_instruments": 3}}
PANEL = simulate(MarketConfig(**BARS["market"]), 7)[0]
WORDS = ["great profit", "terrible loss", "new order", "good growth", "weak demand"]
SIDE = {
    "sentiment": {"kind": "news", "path": "side/news.parquet"},
    "vix": {"kind": "macro", "path": "side/vix.csv", "release_lag": "1d", "timezone": "UTC"},
    "mood": {"kind": "table", "path": "side/mood.parquet"},
}


def write_side(folder, panel=PANEL, seed=0, after=None):
    """Three files; with `after`, everything known later than that moment is drawn anew."""
    rng, again = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    folder.mkdir(parents=True, exist_ok=True)
    first, last = int(panel.time.min()), int(panel.available_at.max())
    when = np.sort(rng.integers(first, last, 1500))
    text, mood = rng.integers(0, len(WORDS), 1500), rng.normal(size=1500)
    days = np.arange(first // 86_400_000_000_000, last // 86_400_000_000_000)
    vix = 15 + rng.normal(size=days.size).cumsum() * 0.1
    if after is not None:
        text = np.where(when + 60 * 10**9 > after, again.permutation(text), text)
        mood = np.where(when > after, again.normal(size=1500), mood)
        vix = np.where((days + 2) * 86_400_000_000_000 > after, vix + 3, vix)
    symbol = rng.choice(panel.symbols, 1500)
    time = pl.Series(when).cast(pl.Datetime("ns", "UTC"))
    pl.DataFrame({
        "symbol": symbol, "created_at": time, "headline": [WORDS[i] for i in text],
    }).write_parquet(folder / "news.parquet")  # fmt: skip
    pl.DataFrame({
        "symbol": symbol, "event_time": time, "knowledge_time": time, "value": mood,
    }).write_parquet(folder / "mood.parquet")  # fmt: skip
    dates = pl.Series(days.astype("datetime64[D]")).cast(pl.Date)
    pl.DataFrame({"DATE": dates, "VIXCLS": vix}).write_csv(folder / "vix.csv")
    return folder


def study_in(folder, **changes):
    return small_study(
        folder, bars=BARS, side=SIDE, models=[{"kind": "logistic"}],
        features={"set": "baseline", "extra": {"fear": "vix / 100 - 0.15", "mood": "mood"}},
        **changes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("side")
    write_side(out / "side")
    return ts.run(str(study_in(out)), out=out), out


def test_a_study_sees_side_columns_by_name_and_its_report_tells_of_them(finished):
    run, out = finished
    market = run.result.market
    assert {"sentiment", "fear", "mood"} <= set(market.features)
    told = " ".join(market.data.findings)
    assert "Side input sentiment: known at" in told
    assert "Side input vix: latest vintage, not point in time" in told
    page = (run.folder / "report.html").read_text()
    assert "latest vintage, not point in time" in page
    result = json.loads((run.folder / "result.json").read_text())
    assert result["config"]["side"]["vix"]["release_lag"] == "1d"
    assert "path" not in result["config"]["side"]["vix"], "its place is no part of the question"
    kept = [e for e in StageCache(out / ".touchstone" / "cache").entries() if e.stage == "scores"]
    assert len(kept) == 1, "every text was scored once"
    assert ts.run(str(out / "small.yaml"), out=out).result == run.result
    table = out / "features.parquet"
    code, _, err = touchstone(
        "export", run.folder, "--what", "features", "--file", table, "--out", out
    )
    assert code == 0, err
    assert {"sentiment", "fear", "mood"} <= set(pl.read_parquet(table).columns)


def told_of(folder):
    study = read_study(str(folder / "small.yaml"))
    loaded, data = load(study, Silent())
    return study, loaded, data


def test_the_hash_of_the_data_follows_what_was_known_and_not_where_it_lies(finished, tmp_path):
    _, out = finished
    study, loaded, data = told_of(out)
    moved = tmp_path / "moved"
    shutil.copytree(out / "side", moved / "other")
    side = {n: {**s, "path": s["path"].replace("side/", "other/")} for n, s in SIDE.items()}
    (moved / "small.yaml").write_text(
        yaml.safe_dump({**yaml.safe_load((out / "small.yaml").read_text()), "side": side})
    )
    same, _, still = told_of(moved)
    assert (same.fingerprint, still) == (study.fingerprint, data)
    frame = pl.read_parquet(moved / "other" / "mood.parquet")
    late = frame[-1:].with_columns(pl.col("event_time", "knowledge_time").dt.offset_by("900d"))
    pl.concat([frame, late]).write_parquet(moved / "other" / "mood.parquet")
    assert told_of(moved)[2] == data, "known after the last bar: no bar sees it"
    frame.with_columns(value=pl.col("value") + 1).write_parquet(moved / "other" / "mood.parquet")
    _, changed, other = told_of(moved)
    assert other != data
    assert run_fingerprint(same, changed, other) != run_fingerprint(study, loaded, data)
    lag = {**side, "vix": {**side["vix"], "release_lag": "2d"}}
    (moved / "small.yaml").write_text(yaml.safe_dump({**SMALL, "side": lag}))
    assert told_of(moved)[0].fingerprint != study.fingerprint


def test_what_is_known_after_the_seal_moves_nothing_before_it(finished, tmp_path):
    _, out = finished
    study, *bars = told_of(out)
    one = prepare(study, *bars, StageCache(tmp_path / "one"), Silent())
    seal = one.folds.seal
    other = tmp_path / "other"
    write_side(other / "side", after=seal)
    study, *bars = told_of_copy(out, other)
    two = prepare(study, *bars, StageCache(tmp_path / "two"), Silent())
    after = one.panel.available_at > seal
    np.testing.assert_array_equal(one.features[~after], two.features[~after])
    assert (one.features[after] != two.features[after]).any()
    assert one.folds.seal == two.folds.seal


def told_of_copy(out, other):
    shutil.copy(out / "small.yaml", other / "small.yaml")
    return told_of(other)


def test_features_alone_take_side_inputs_on_the_command_line(tmp_path, monkeypatch):
    panel = PANEL.where(np.arange(len(PANEL)) % 6000 < 400)
    write_bars(tmp_path / "bars", panel)
    write_side(tmp_path / "side", panel)
    monkeypatch.chdir(tmp_path)
    code, _, err = touchstone(
        "features", "--bars", "bars", "--out", "out.parquet",
        "--side", "sentiment={kind: news, path: side/news.parquet, half_life: 12h}",
        "--side", "vix={kind: macro, path: side/vix.csv, release_lag: 1d}",
        "--extra", "fear=vix / 100", "--extra", "told=sentiment_known",
    )  # fmt: skip
    assert code == 0, err
    assert "Side input sentiment: known at" in err
    assert "latest vintage, not point in time" in err
    table = pl.read_parquet("out.parquet")
    assert {"sentiment", "fear", "told"} <= set(table.columns)
    assert table["told"].n_unique() == 2
    code, _, err = touchstone("features", "--bars", "bars", "--out", "x.csv", "--side", "vix")
    assert code == 2
    assert "needs NAME=YAML" in err
    two = ("--side", "vix={kind: macro, path: a}", "--side", "vix={kind: macro, path: b}")
    code, _, err = touchstone("features", "--bars", "bars", "--out", "x.csv", *two)
    assert code == 2
    assert "is given twice" in err
    code, _, err = touchstone("features", "--bars", "bars", "--out", "x.csv",
                              "--side", "vix={kind: macro, path: side/vix.csv}")  # fmt: skip
    assert code == 3
    assert "side.vix: side/vix.csv: no column tells when" in err
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ({"Vix": {"kind": "macro", "path": "x"}}, r"side.*Vix.*lower-case"),
        ({"vix_known": {"kind": "macro", "path": "x"}}, "no _known at its end"),
        ({"vix": {"kind": "makro", "path": "x"}}, r"side\.vix.*Did you mean 'macro'"),
        ({"vix": {"kind": "macro", "path": "x", "max_aeg": "1d"}}, r"Did you mean 'max_age'"),
        ({"vix": {"kind": "macro"}}, "path"),
    ],
)
def test_a_study_whose_side_cannot_be(side, message):
    with pytest.raises(ConfigError, match=message):
        StudyConfig.parse({"side": side})


def test_errors_name_the_input_and_the_file(tmp_path):
    small_study(tmp_path, side={"vix": {"kind": "macro", "path": "no/vix.csv"}})
    with pytest.raises(DataError, match=r"side\.vix: .*no/vix\.csv: no such file"):
        told_of(tmp_path)
    small_study(tmp_path, side={"close": {"kind": "table", "path": "mood.parquet"}})
    write_side(tmp_path)
    study, loaded, _ = told_of(tmp_path)
    with pytest.raises(ConfigError, match="may not carry this name"):
        prepare(study, loaded, "x", StageCache(tmp_path / "c"), Silent())
