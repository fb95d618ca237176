"""A renamed instrument: actions that reach over the renaming, and news under its former name."""

import numpy as np
import polars as pl
import pytest

from touchstone.errors import ConfigError
from touchstone.market import Calendar
from touchstone.pipelines.prepare import load
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.study import parse_study

DAYS = Calendar("XNYS").trading_days[-1000:-900]
RENAMED, SPLIT = 50, 80
HEAD = "symbol,kind,ex_date,value,knowledge_time\n"


def on(i):
    return str(np.datetime64(int(DAYS[i]), "D"))


def bars(folder, symbol, first, last):
    """Raw: 100 until the split of 2:1, 50 from then on."""
    price = np.where(np.arange(first, last) < SPLIT, 100.0, 50.0)
    time = pl.Series(DAYS[first:last] * 86_400_000_000_000).cast(pl.Datetime("ns", "UTC"))
    columns = dict.fromkeys(("open", "high", "low", "close"), price)
    frame = pl.DataFrame({"timestamp": time, **columns, "volume": np.ones(last - first)})
    folder.mkdir(exist_ok=True)
    frame.write_parquet(folder / f"{symbol}.parquet")


def closes(tmp_path, actions, view):
    (tmp_path / "actions.csv").write_text(HEAD + actions)
    (tmp_path / "universe.yaml").write_text(
        f"instruments: [{{symbol: META, formerly: [{{symbol: FB, until: {on(RENAMED)}}}]}}]\n"
    )
    settings = {
        "bars": {
            "source": "parquet", "path": "bars", "timeframe": "1d", "calendar": "XNYS",
            "actions": "actions.csv", "adjust": view,
        },
        "universe": "universe.yaml",
    }  # fmt: skip
    return load(parse_study(settings, tmp_path, "renamed"), Silent())[0].panel.close


def two_files(tmp_path):
    bars(tmp_path / "bars", "FB", 0, RENAMED)
    bars(tmp_path / "bars", "META", RENAMED, 100)


@pytest.mark.parametrize("name", ["META", "FB"])
def test_a_split_behind_the_renaming_is_refused_not_half_applied(tmp_path, name):
    two_files(tmp_path)
    split = f"{name},split,{on(SPLIT)},2,{on(SPLIT - 5)}\n"
    with pytest.raises(ConfigError, match=rf"the split of {name} on {on(SPLIT)}.*FB and META"):
        closes(tmp_path, split, "splits")
    assert set(closes(tmp_path, split, "none")) == {50.0, 100.0}


def test_a_dividend_behind_it_matters_to_total_returns_alone(tmp_path):
    two_files(tmp_path)
    paid = f"META,dividend,{on(60)},1,{on(55)}\n"
    assert closes(tmp_path, paid, "splits")[0] == 100
    with pytest.raises(ConfigError, match="the dividend of META"):
        closes(tmp_path, paid, "total")


def test_what_happened_under_the_first_name_or_in_one_file_is_applied(tmp_path):
    two_files(tmp_path)
    before = closes(tmp_path, f"FB,split,{on(20)},4,{on(15)}\n", "splits")
    np.testing.assert_allclose(before[[0, 19, 20, 49]], [25, 25, 100, 100])
    (tmp_path / "bars" / "FB.parquet").unlink()
    bars(tmp_path / "bars", "META", 0, 100)
    split = f"META,split,{on(SPLIT)},2,{on(SPLIT - 5)}\n"
    assert set(closes(tmp_path, split, "splits")) == {50.0}


def test_what_is_told_under_a_former_name_is_told_of_the_instrument(tmp_path):
    two_files(tmp_path)
    bars(tmp_path / "bars", "N", 0, 100)
    when = pl.Series(DAYS[[10, 60, 11, 12]] * 86_400_000_000_000 + 1).cast(pl.Datetime("ns", "UTC"))
    symbol = ["FB", "META", "N", "OLD"]
    pl.DataFrame({
        "symbol": symbol, "created_at": when, "text": ["great", "bad", "good", "awful"],
    }).write_parquet(tmp_path / "news.parquet")  # fmt: skip
    pl.DataFrame({
        "symbol": symbol, "event_time": when, "knowledge_time": when, "mood": [1.0, 2.0, 3.0, 4.0],
    }).write_parquet(tmp_path / "mood.parquet")  # fmt: skip
    (tmp_path / "universe.yaml").write_text(
        f"instruments: [{{symbol: META, formerly: [{{symbol: FB, until: {on(RENAMED)}}}]}}, "
        f"{{symbol: N}}, {{symbol: X, formerly: [{{symbol: N, until: {on(1)}}}]}}]\n"
    )
    settings = {
        "bars": {"source": "parquet", "path": "bars", "timeframe": "1d", "calendar": "XNYS"},
        "universe": "universe.yaml",
        "side": {
            "sentiment": {"kind": "news", "path": "news.parquet"},
            "mood": {"kind": "table", "path": "mood.parquet"},
        },
    }
    panel = load(parse_study(settings, tmp_path, "renamed"), Silent())[0].panel
    at = {s: panel.offsets[panel.symbols.index(s)] for s in ("META", "N")}
    for name, (early, late) in {"sentiment": (0.6, -0.5), "mood": (1.0, 2.0)}.items():
        column = panel.side[name]
        assert np.isnan(column[at["META"] + 9])
        assert column[at["META"] + 10] == pytest.approx(early, abs=0.1)
        assert column[at["META"] + 60] == pytest.approx(late, abs=0.1)
        # a name that passed on is whose bars bear it: those of N begin on day 1
        assert np.isnan(column[at["N"] + 9])
        assert np.isfinite(column[at["N"] + 10])
