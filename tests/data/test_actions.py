"""Tables of actions: read whole or refused by row, and applied where a folder of bars is loaded."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from bar_files import load, save

from touchstone.data.actions import read_actions
from touchstone.data.sources import Request
from touchstone.errors import ConfigError, SourceError
from touchstone.market.actions import DIVIDEND, HALT, SPLIT
from touchstone.pipelines.study import parse_study

DAY = 86_400_000_000_000
HEAD = "symbol,kind,ex_date,ratio,amount,end,knowledge_time\n"


def ns(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


def table(tmp_path, *lines, head=HEAD):
    path = tmp_path / "actions.csv"
    path.write_text(head + "".join(f"{line}\n" for line in lines))
    return path


def test_a_table_as_people_write_it(tmp_path):
    path = table(
        tmp_path,
        "AAPL,dividend,2014-05-08,,3.29,,2014-04-23",
        "AAPL,split,2014-06-09,7:1,,,2014-04-23T20:30:00Z",
        "AIG,split,2009-07-01,1:20,,,2009-07-01",
        "NDAQ,halt,2013-08-22T16:14:00Z,,,2013-08-22T19:25:00Z,2013-08-22T16:14:00Z",
    )
    got = read_actions(path)
    assert list(got) == ["AAPL", "AIG", "NDAQ"]
    apple = got["AAPL"]
    assert apple.kind.tolist() == [DIVIDEND, SPLIT]
    assert apple.value.tolist() == [3.29, 7.0]
    assert apple.ex_time.tolist() == [ns("2014-05-08"), ns("2014-06-09")]
    assert apple.known_at.tolist() == [ns("2014-04-24"), ns("2014-04-23T20:30")]
    assert got["AIG"].value.tolist() == [0.05]
    assert got["AIG"].known_at.tolist() == [ns("2009-07-01")], "known when it holds"
    assert got["NDAQ"].kind.tolist() == [HALT]
    assert got["NDAQ"].end.tolist() == [ns("2013-08-22T19:25")]


def test_parquet_says_the_same(tmp_path):
    frame = pl.DataFrame(
        {
            "symbol": ["AAPL"],
            "kind": ["split"],
            "ex_date": [date(2014, 6, 9)],
            "value": [7.0],
            "knowledge_time": pl.Series([ns("2014-04-23T20:30")]).cast(pl.Datetime("ns", "UTC")),
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    one = read_actions(tmp_path / "a.parquet")["AAPL"]
    line = "AAPL,split,2014-06-09,7,,,2014-04-23T20:30:00Z"
    other = read_actions(table(tmp_path, line))["AAPL"]
    for name in ("kind", "ex_time", "end", "value", "known_at"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("aapl,split,2014-06-09,7,,,2014-04-23", "row 0: 'aapl' is no symbol"),
        ("AAPL,merger,2014-06-09,7,,,2014-04-23", "row 0: AAPL: kind 'merger': needs split"),
        ("AAPL,split,09.06.2014,7,,,2014-04-23", "ex_date '09.06.2014': needs a date as in"),
        ("AAPL,split,2014-02-30,7,,,2014-04-23", "there is no such time"),
        ("AAPL,split,2014-06-09,seven,,,2014-04-23", "ratio 'seven': needs as in 7 or 7:1"),
        ("AAPL,split,2014-06-09,7:0,,,2014-04-23", "ratio '7:0'"),
        ("AAPL,split,2014-06-09,-7,,,2014-04-23", "a split needs a ratio"),
        ("AAPL,dividend,2014-06-09,,,,2014-04-23", "amount ''"),
        ("AAPL,split,2014-06-09,7,,,", "knowledge_time ''"),
        ("AAPL,split,2014-06-09,7,,,2014-04-23T10:00", "knowledge_time '2014-04-23T10:00'"),
        ("AAPL,halt,2014-06-09T10:00:00Z,,,2014-06-09T09:00:00Z,2014-06-09", "a halt ends after"),
    ],
)
def test_rows_that_cannot_be(tmp_path, line, said):
    with pytest.raises(SourceError, match=said):
        read_actions(table(tmp_path, line))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("split,2014-06-09,7,,,2014-04-23", "split,2014-06-09,7:1,,,2014-05-01"),
        ("split,2014-06-09,7,,,2014-04-23", "split,2014-06-09,2,,,2014-04-23"),
        ("dividend,2014-06-09,,0.5,,2014-04-23", "dividend,2014-06-09,,0.50,,2014-04-24"),
    ],
)
def test_an_action_that_stands_twice_is_not_applied_twice(tmp_path, first, second):
    kind = first.split(",")[0]
    path = table(tmp_path, f"AAPL,{first}", f"IBM,{second}", f"AAPL,{second}")
    with pytest.raises(SourceError, match=f"row 2: AAPL: the {kind} of 2014-06-09 stands twice"):
        read_actions(path)


def test_a_regular_and_a_special_dividend_share_a_day(tmp_path):
    row = "AAPL,dividend,2014-06-09,,{},,2014-04-23"
    both = read_actions(table(tmp_path, row.format(0.5), row.format(2)))["AAPL"]
    assert both.value.tolist() == [0.5, 2.0]


def test_a_table_without_knowledge_time_is_refused(tmp_path):
    path = table(tmp_path, "AAPL,split,2014-06-09,7", head="symbol,kind,ex_date,value\n")
    with pytest.raises(SourceError, match=r"no column knowledge_time \(when each action became"):
        read_actions(path)
    with pytest.raises(SourceError, match="no column kind, ex_date, knowledge_time, value"):
        read_actions(table(tmp_path, "AAPL", head="symbol\n"))
    with pytest.raises(SourceError, match=r"nothing\.csv: no such file"):
        read_actions(tmp_path / "nothing.csv")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(SourceError, match="cannot be read as a table of actions"):
        read_actions(tmp_path / "bad.parquet")


def daily(close, first="2022-01-03"):
    time = pl.Series(ns(first) + np.arange(len(close)) * DAY).cast(pl.Datetime("ns", "UTC"))
    price = {name: np.asarray(close, float) for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"timestamp": time, **price, "volume": np.full(len(close), 100.0)})


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "bars", "A.parquet", daily([100, 100, 50, 49]))
    save(tmp_path / "bars", "B.parquet", daily([10, 10, 10, 10]))
    table(
        tmp_path,
        "A,split,2022-01-05,2:1,,,2021-12-01",
        "A,dividend,2022-01-06,,1,,2021-12-01",
        "A,split,2022-02-01,3:1,,,2022-01-01",
    )
    return tmp_path


def bars_of(folder, **settings):
    config = {"timeframe": "1d", "actions": "actions.csv", **settings}
    return load(folder / "bars", Request(root=folder), **config)


def test_a_folder_in_each_view(folder):
    raw = bars_of(folder)
    assert raw.panel.bars(0).close.tolist() == [100, 100, 50, 49]
    splits = bars_of(folder, adjust="splits")
    assert splits.panel.bars(0).close.tolist() == [50, 50, 50, 49]
    assert splits.panel.bars(0).volume.tolist() == [200, 200, 100, 100]
    total = bars_of(folder, adjust="total")
    np.testing.assert_allclose(total.panel.bars(0).close, [49, 49, 49, 49])
    assert total.panel.bars(1).close.tolist() == [10] * 4
    assert total.findings[-1] == (
        "Prices are total-return, from raw bars and 2 corporate actions of 1 instruments; "
        "1 hold or were known only after the last bar."
    )


def test_what_the_table_says_and_nobody_did_is_told(folder):
    with (folder / "actions.csv").open("a") as file:
        file.write("B,halt,2022-01-04T10:00:00Z,,,2022-01-04T11:00:00Z,2022-01-04T10:00:00Z\n")
        file.write("B,delisting,2022-01-06,,,,2022-01-06\nA,delisting,2023-01-06,,,,2023-01-06\n")
    raw, splits = bars_of(folder), bars_of(folder, adjust="splits")
    assert "1 splits in the table of actions stand in them as gains or losses" in raw.findings[-1]
    assert "splits in" not in " ".join(splits.findings)
    for loaded in (raw, splits):
        happened = loaded.panel.happened
        assert np.flatnonzero(happened.halted).tolist() == [5]
        assert np.flatnonzero(~np.isnan(happened.recovery)).tolist() == [6]
    assert np.flatnonzero(raw.panel.happened.ratio != 1).tolist() == [2]
    assert (splits.panel.happened.ratio == 1).all()


def test_a_study_that_ends_before_the_split_does_not_know_it(folder):
    request = Request(root=folder, end=ns("2022-01-05"))
    early = load(folder / "bars", request, timeframe="1d", actions="actions.csv", adjust="splits")
    assert early.panel.bars(0).close.tolist() == [100, 100]


def test_an_instrument_whose_actions_cannot_be_is_left_out_by_name(folder):
    table(folder, "A,dividend,2022-01-05,,500,,2021-12-01")
    loaded = bars_of(folder, adjust="total")
    assert loaded.panel.symbols == ("B",)
    (reject,) = loaded.rejects
    assert reject.symbol == "A"
    assert "times the close before" in reject.reason


def test_adjusting_needs_a_table(folder):
    with pytest.raises(ConfigError, match="adjust: splits needs a table of actions"):
        bars_of(folder, adjust="splits", actions=None)


def test_where_the_table_lies_is_no_part_of_the_question(tmp_path):
    one, two = (
        parse_study(
            {"bars": {"source": "parquet", "actions": name, "adjust": "total"}}, tmp_path, "study"
        )
        for name in ("a.csv", "b.csv")
    )
    assert one.fingerprint == two.fingerprint
    assert (
        one.fingerprint != parse_study({"bars": {"source": "parquet"}}, tmp_path, "s").fingerprint
    )
