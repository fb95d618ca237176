"""`data check` as a user types it: grades, exit codes, JSON alone, alarms, what it infers."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from small import bars_frame, touchstone, write_bars
from touchstone.data.store import BarStore, Origin
from touchstone.files import symbol_to_stem
from touchstone.market import Bars, Calendar, Timeframe
from touchstone.market.bars import FIELDS
from walks import HOUR_NS, random_panel, random_walk

BARS = Path(__file__).parents[3] / "shared" / "data" / "bars"
REAL = [
    pytest.mark.real_data,
    pytest.mark.skipif(not BARS.is_dir(), reason=f"no market data in {BARS}"),
]


@pytest.fixture
def folder(tmp_path):
    return write_bars(tmp_path / "bars", random_panel(5, 600, seed=3))


def change(folder, symbol, **columns):
    path = folder / f"{symbol}.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(*(f(frame[n]).alias(n) for n, f in columns.items())).write_parquet(path)


def test_help_teaches():
    code, out, _ = touchstone("data", "check", "--help")
    assert code == 0
    for word in ("--fail-at", "--alarm", "--now", "refused"):
        assert word in out
    assert "check" in touchstone("data", "--help")[1]


def test_clean_bars_pass(folder):
    code, out, err = touchstone("data", "check", folder)
    assert (code, err) == (0, "")
    assert "5 symbols, 3,000 bars of 1h (24/7)" in out
    assert "5 good" in out
    assert touchstone("data", "check", folder, "--fail-at", "usable")[0] == 0


def test_adjusted_closes_beside_raw_highs_and_lows_are_refused(folder):
    for k in range(5):
        change(folder, f"S0{k}", close=lambda c: c * np.linspace(0.8, 1.0, 600))
    code, out, err = touchstone("data", "check", folder)
    assert code == 3
    assert "mixed_adjustment" in out
    assert "5 refused" in out
    assert "failed: refused or worse: S00, S01, S02, S03, S04" in err


def test_json_stands_alone_and_is_whole(folder):
    change(folder, "S02", close=lambda c: c.set(pl.Series(np.arange(600) == 300), float("nan")))
    code, out, _ = touchstone("data", "check", folder, "--json")
    assert code == 3
    told = json.loads(out)
    assert (told["passed"], told["failed"], told["grade"]) == (False, ["S02"], "refused")
    assert {s["symbol"]: s["grade"] for s in told["symbols"]}["S02"] == "refused"
    (finding,) = told["findings"]
    assert (finding["check"], finding["severity"]) == ("impossible_values", "refuse")
    assert finding["place"]["first_row"] == 300
    assert (told["timeframe"], told["calendar"]) == ("1h", "24/7")


def test_the_threshold_decides_and_thresholds_can_be_set(folder):
    path = folder / "S01.parquet"
    frame = pl.read_parquet(path)
    pl.concat([frame[:300], frame[303:]]).write_parquet(path)
    assert touchstone("data", "check", folder)[0] == 0
    code, out, err = touchstone("data", "check", folder, "--fail-at", "usable")
    assert code == 3
    assert "S01" in err
    assert "3 bars in a row are missing" in " ".join(out.split())
    strict = ("--fail-at", "usable", "--set", "gaps.alpha=1e-30")
    assert touchstone("data", "check", folder, *strict)[0] == 0


def test_the_worst_comes_first(folder):
    change(folder, "S03", volume=lambda v: -v)
    path = folder / "S01.parquet"
    frame = pl.read_parquet(path)
    pl.concat([frame[:300], frame[303:]]).write_parquet(path)
    out = touchstone("data", "check", folder)[1]
    assert out.index("S03") < out.index("S01")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fail-at", "bad"], "needs one of good, usable, doubtful, refused"),
        (["--set", "gap.alpha=1"], "Did you mean 'gaps'?"),
        (["--set", "gaps.alhpa=1"], "Did you mean 'alpha'?"),
        (["--alarm", "pager"], "Known: log, webhook"),
        (["--alarm", "webhook"], "TOUCHSTONE_WEBHOOK"),
        (["--alarm", "webhook:nowhere"], "needs an address"),
        (["--now", "soon"], "needs a time"),
        (["--now", "NaT"], "needs a time"),
        (["--now", "9999-01-01"], "needs a time"),
        (["--symbols", ","], "no symbols"),
        (["--set", "gaps=1"], "gaps.KEY=VALUE"),
        (["--set", "gaps.kind=frozen"], "gaps.KEY=VALUE"),
        (["--set", "gaps.alpha=nan"], "alpha"),
        (["--set", "spikes.alpha=0"], "greater than 0"),
        (["--set", "stale_end.minimum=-3"], "greater than or equal to 0"),
        (["--bars-set", "source=alpaca"], "reads no folder as it is"),
        (["--timeframe", "1w"], "needs a number and m, h or d"),
    ],
)
def test_what_cannot_be_is_told_with_the_way_out(folder, words, told, monkeypatch):
    monkeypatch.delenv("TOUCHSTONE_WEBHOOK", raising=False)
    code, _, err = touchstone("data", "check", folder, *words)
    assert code == 2
    assert told in err


@pytest.mark.parametrize(
    ("asked", "told"),
    [("S09", "did you mean 'S0"), ("XYZ", "it has 6 others"), ("BTC/USD", "parquet:")],
)
def test_a_symbol_that_is_not_there_is_no_pass(folder, asked, told):
    """Neither one that has no file, nor one whose file, named with a dash, cannot be read."""
    (folder / "BTC-USD.parquet").write_bytes(b"torn")
    code, out, err = touchstone("data", "check", folder, "--symbols", f"S01,{asked}")
    assert code == 3
    assert told in " ".join(out.split())
    assert f"refused or worse: {asked}\n" in err


def test_now_may_name_its_zone(folder):
    end = int(random_panel(5, 600, seed=3).available_at.max())
    last = np.datetime64(end, "ns").astype("datetime64[s]")
    for now, code in ((f"{last}Z", 0), (f"{last}+09:00", 3), (f"{last}-09:00", 0)):
        assert touchstone("data", "check", folder, "--now", now)[0] == code, now


def test_a_file_without_a_volume_says_so(folder):
    """A study would leave it out: it cannot be called good."""
    path = folder / "S01.parquet"
    pl.read_parquet(path).drop("volume").write_parquet(path)
    (finding,) = json.loads(touchstone("data", "check", folder, "--json")[1])["findings"]
    assert (finding["symbol"], finding["check"], finding["severity"]) == (
        "S01", "impossible_values", "warn",
    )  # fmt: skip
    assert "S01" in touchstone("inspect", folder)[1]
    told = ("--bars-set", "without_volume=true", "--json")
    assert json.loads(touchstone("data", "check", folder, *told)[1])["findings"] == []


def test_rows_out_of_order_are_told_as_that_alone(folder):
    for symbol, order in (("S01", slice(None, None, -1)), ("S02", np.argsort(np.arange(600) % 7))):
        path = folder / f"{symbol}.parquet"
        pl.read_parquet(path)[order].write_parquet(path)
    told = json.loads(touchstone("data", "check", folder, "--json")[1])
    assert {(f["symbol"], f["check"]) for f in told["findings"]} == {
        ("S01", "time_order"),
        ("S02", "time_order"),
    }


def test_no_folder_no_file(tmp_path):
    code, _, err = touchstone("data", "check", tmp_path / "nowhere")
    assert code == 3
    assert "no such folder" in err
    (tmp_path / "empty").mkdir()
    assert touchstone("data", "check", tmp_path / "empty")[0] == 3


def test_now_finds_the_future_and_the_unfinished(folder):
    last = random_panel(5, 600, seed=3).time.max()
    now = str(np.datetime64(int(last) + 60 * 10**9, "ns"))
    code, out, _ = touchstone("data", "check", folder, "--now", now)
    assert code == 0
    assert "partial_bar" in out
    code, out, _ = touchstone("data", "check", folder, "--now", "2022-01-02T00:00Z")
    assert code == 3
    assert "future_stamps" in out
    assert touchstone("data", "check", folder, "--now", "machine")[0] == 0


def test_an_alarm_rings_once(folder, tmp_path, caplog):
    change(folder, "S02", high=lambda h: h * np.where(np.arange(600) == 300, 5.0, 1.0))
    words = ("data", "check", folder, "--alarm", "log", "--out", tmp_path)
    assert touchstone(*words)[0] == 0
    (record,) = [r for r in caplog.records if r.name == "touchstone.alarms"]
    told = json.loads(record.getMessage().removeprefix("alarm "))
    assert (told["subject"], told["kind"]) == ("S02", "spikes")
    touchstone(*words)
    assert len([r for r in caplog.records if r.name == "touchstone.alarms"]) == 1


def test_a_look_at_one_symbol_forgets_no_alarm_of_another(folder, tmp_path, caplog):
    for symbol in ("S01", "S02"):
        change(folder, symbol, high=lambda h: h * np.where(np.arange(600) == 300, 5.0, 1.0))
    words = ("data", "check", folder, "--alarm", "log", "--out", tmp_path)
    for more in ((), ("--symbols", "S01"), ("--symbols", "S03"), ()):
        touchstone(*words, *more)
    assert len([r for r in caplog.records if r.name == "touchstone.alarms"]) == 2


def test_a_dead_webhook_is_told_and_changes_no_grade(folder, tmp_path):
    change(folder, "S02", high=lambda h: h * np.where(np.arange(600) == 300, 5.0, 1.0))
    words = ("--alarm", "webhook:http://127.0.0.1:1/secret", "--out", tmp_path)
    code, _, err = touchstone("data", "check", folder, *words)
    assert code == 0
    assert "alarm not sent: webhook at 127.0.0.1" in err
    assert "secret" not in err


def test_a_store_is_checked_by_its_manifest(tmp_path):
    store = BarStore(tmp_path / "store")
    for k, adjustment in enumerate(["raw", "raw", "all"]):
        bars = random_walk(300, k, symbol=f"S{k}")
        store.write(bars, Timeframe("1h"), Origin("test", adjustment, 0))
    code, out, _ = touchstone("data", "check", tmp_path / "store")
    assert code == 3
    assert "its adjustment is all, that of 2 other files raw" in " ".join(out.split())


def test_what_a_store_holds_tells_timeframe_and_hours(tmp_path):
    """As of any folder: stocks that were fetched are not judged by the hours of coins."""
    store, held = BarStore(tmp_path), Origin("test", "all", 0)
    for k in range(3):
        bars = random_walk(24 * 120, k, symbol=f"S{k}")
        inside = Calendar("XNYS").overlaps_session(bars.time, HOUR_NS)
        columns = (getattr(bars, n)[inside] for n in ("time", *FIELDS))
        store.write(Bars(f"S{k}", *columns), Timeframe("1h"), held)
    told = json.loads(touchstone("data", "check", tmp_path, "--json")[1])
    assert (told["timeframe"], told["calendar"], told["grade"]) == ("1h", "XNYS", "good")

    walk = random_walk(90, symbol="COIN")
    days = dataclasses.replace(walk, time=walk.time[0] + np.arange(90) * 24 * HOUR_NS)
    store.write(days, Timeframe("1d"), held)
    code, _, err = touchstone("data", "check", tmp_path)
    assert (code, "has bars of 1d and 1h: say which" in err) == (2, True)
    told = json.loads(touchstone("data", "check", tmp_path, "--timeframe", "1d", "--json")[1])
    assert (told["timeframe"], told["calendar"], len(told["symbols"])) == ("1d", "24/7", 1)


def test_csv_and_one_file_with_many_symbols(tmp_path):
    frames = [
        bars_frame(random_walk(300, k)).with_columns(symbol=pl.lit(symbol_to_stem(f"S{k}")))
        for k in range(3)
    ]
    pl.concat(frames).write_csv(tmp_path / "all.csv")
    code, out, _ = touchstone("data", "check", tmp_path / "all.csv", "--json")
    assert code == 0
    assert [s["symbol"] for s in json.loads(out)["symbols"]] == ["S0", "S1", "S2"]


def test_symbols_alone(folder):
    out = touchstone("data", "check", folder, "--symbols", "S01,S03", "--json")[1]
    assert [s["symbol"] for s in json.loads(out)["symbols"]] == ["S01", "S03"]


@pytest.mark.parametrize(
    ("name", "timeframe", "calendar"),
    [
        pytest.param("equity/1d", "1d", "XNYS", marks=REAL),
        pytest.param("fx/1h", "1h", "FX", marks=REAL),
        pytest.param("equity_minute/1m", "1m", "XNYS", marks=REAL),
    ],
)
def test_timeframe_and_calendar_are_told_by_the_bars(name, timeframe, calendar):
    told = json.loads(touchstone("data", "check", BARS / name, "--json")[1])
    assert (told["timeframe"], told["calendar"]) == (timeframe, calendar)


@pytest.mark.real_data
@pytest.mark.skipif(not BARS.is_dir(), reason=f"no market data in {BARS}")
def test_real_daily_bars_pass_with_what_is_known_of_them_listed():
    code, out, _ = touchstone("data", "check", BARS / "equity/1d", "--json")
    assert code == 0
    found = {(f["symbol"], f["check"]): f for f in json.loads(out)["findings"]}
    hole = found["QQQ", "gaps"]
    first, last = (np.datetime64(hole["place"][k], "ns") for k in ("first", "last"))
    assert (str(first)[:7], str(last)[:7]) == ("2004-12", "2011-03")
    assert hole["severity"] == "doubt"
    assert ("AAPL", "spikes") in found


@pytest.mark.real_data
@pytest.mark.skipif(not BARS.is_dir(), reason=f"no market data in {BARS}")
def test_raw_bars_show_their_splits():
    found = json.loads(touchstone("data", "check", BARS / "equity_raw/1d", "--json")[1])["findings"]
    splits = {
        (f["symbol"], str(np.datetime64(f["place"]["first"], "ns"))[:10])
        for f in found
        if f["check"] == "unmarked_split"
    }
    assert {("AAPL", "2014-06-09"), ("AAPL", "2020-08-31"), ("AIG", "2009-07-01")} <= splits
