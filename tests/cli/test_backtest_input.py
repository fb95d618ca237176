"""Scores and orders that cannot be right, through the command line: errors that say which row."""

import numpy as np
import polars as pl
import pytest

from small import scores_frame, touchstone, write_bars
from walks import random_panel

BUY = {"timestamp": "2022-01-01T05:00:00Z", "symbol": "S00", "kind": "market", "quantity": 1}
LIMIT = BUY | {"kind": "limit", "price": 90.0}
CANCEL = BUY | {"kind": "cancel", "quantity": None, "number": 1}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    panel = random_panel(2, 300)
    folder = tmp_path_factory.mktemp("world")
    (folder / "strategy.yaml").write_text("{kind: threshold, entry_threshold: 0.5}")
    return write_bars(folder / "bars", panel), panel, folder


def refused(code, *words, needs):
    got, out, err = touchstone("backtest", *words)
    assert got == code, (got, out, err)
    assert out == ""
    assert "Traceback" not in err
    for text in needs:
        assert text in err, f"{text!r} is not in: {err}"


def scores_of(world, spoil, name="scores.parquet"):
    path = world[2] / name
    table = spoil(scores_frame(world[1], np.full(len(world[1]), 0.5)))
    table.write_csv(path) if name.endswith(".csv") else table.write_parquet(path)
    return path


def words(world):
    return ("--bars", world[0], "--strategy", world[2] / "strategy.yaml", "--out", world[2])


def at(row, value, name="score"):
    """Another value in one row of a column."""
    return lambda t: t.with_columns(
        pl.when(pl.int_range(pl.len()) == row)
        .then(pl.lit(value))
        .otherwise(pl.col(name))
        .alias(name)
    )


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
@pytest.mark.parametrize(
    ("spoil", "needs"),
    [
        (at(3, "NOPE", "symbol"), ["row 3", "'NOPE' is not among the bars", "--symbols"]),
        (at(3, "SO1", "symbol"), ["did you mean 'S01'"]),
        (at(3, "", "symbol"), ["row 3", "symbol is missing"]),
        (lambda t: t.with_columns(pl.col("timestamp") + pl.duration(minutes=7)),
         ["row 0", "S00 has no bar that starts at 2022-01-01 00:07", "nearest", "600 rows"]),
        (lambda t: t.with_columns(pl.col("timestamp") + pl.duration(days=400)),
         ["no bar that starts at 2023-02-05", "nearest starts at 2022-01-13 11:00"]),
        (lambda t: t.with_columns(pl.col("timestamp").dt.replace_time_zone(None)),
         ["row 0", "naive", "2022-01-01T07:00:00Z"]),
        (at(4, float("nan")), ["row 4", "nan is not finite", "leave out"]),
        (at(4, float("inf")), ["row 4", "inf is not finite"]),
        (at(4, None), ["row 4", "not finite"]),
        (lambda t: pl.concat([t, t[5:6]]), ["row 600", "S00 at 2022-01-01 05:00 UTC stands twice",
                                            "also in row 5", "keep one"]),
        (lambda t: t.rename({"score": "scroe"}), ["no column 'score' (is it 'scroe'?)"]),
        (lambda t: t.drop("timestamp"), ["no column 'timestamp'"]),
        (lambda t: t.head(0), ["no rows"]),
    ],
    ids=["symbol", "near", "no symbol", "off the grid", "beyond", "naive", "nan", "inf", "null",
         "twice", "misspelt", "no time", "empty"],
)  # fmt: skip
def test_scores(world, spoil, needs, name):
    path = scores_of(world, spoil, name)
    refused(3, "--scores", path, *words(world), needs=[f"{name}: ", *needs])


def test_rows_are_counted_in_the_file_though_some_are_passed_over(world):
    path = scores_of(world, at(450, float("nan")), "some.csv")  # in the second instrument
    refused(3, "--scores", path, "--symbols", "S01", *words(world),
            needs=["row 450 (line 452)", "nan"])  # fmt: skip


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("", ["empty"]),
        ("timestamp,symbol,score\n", ["no rows"]),
        ("timestamp,symbol,score\n2022-01-01T00:00:00Z,S00,high\n",
         ["row 0 (line 2)", "'high' is no number"]),
        ("timestamp,symbol,score\nyesterday,S00,0.5\n", ["'yesterday' cannot be read"]),
        ("timestamp,symbol,score\n,S00,0.5\n", ["time is missing"]),
        ("timestamp,symbol,score\n2022-01-01,S00,0.5\n", ["naive"]),
        ("\x00\x01\x02", ["scores.csv"]),
    ],
)  # fmt: skip
def test_text_of_scores(world, text, needs):
    path = world[2] / "scores.csv"
    path.write_text(text)
    refused(3, "--scores", path, *words(world), needs=["scores.csv: ", *needs])


def test_files_that_are_none(world):
    refused(3, "--scores", world[2] / "scorse.parquet", *words(world), needs=["no such file"])
    refused(3, "--scores", world[0], *words(world), needs=["folder"])
    (world[2] / "scores.xlsx").write_text("x")
    refused(3, "--scores", world[2] / "scores.xlsx", *words(world), needs=[".parquet", "convert"])
    (world[2] / "broken.parquet").write_text("PAR1 but not really")
    refused(3, "--scores", world[2] / "broken.parquet", *words(world), needs=["cannot be read"])


def test_options_that_do_not_belong_together(world):
    path = scores_of(world, lambda t: t)
    bars = ("--bars", world[0], "--out", world[2])
    refused(2, *bars, needs=["--scores FILE or --orders FILE", "neither"])
    refused(2, *bars, "--scores", path, "--orders", path, needs=["both"])
    refused(2, *bars, "--scores", path, needs=["need a strategy", "--set strategy.kind"])
    refused(2, *bars, "--orders", path, "--calibrate-until", "2022-01-05", needs=["--scores"])
    refused(2, *bars, "--orders", path, "--cash", "5", "--set", "account.cash=6", needs=["twice"])
    refused(2, *bars, "--orders", path, "--fills", "fills.xlsx", needs=["csv or parquet"])
    refused(2, *bars, "--orders", path, "--cash", "much", needs=["--cash"])


@pytest.mark.parametrize(
    ("change", "needs"),
    [
        ("--commission-bp=10000", ["costs.commission_bp", "1000", "10000"]),  # 100 %
        ("--commission-bp=-1", ["costs.commission_bp", "greater than or equal to 0"]),
        ("--commission-bp=nan", ["costs.commission_bp", "finite"]),
        ("--cash=0", ["account.cash", "greater than 0"]),
        ("--cash=-5", ["account.cash"]),
        ("--cash=inf", ["account.cash", "finite"]),
        ("--set=costs.comission_bp=3", ["costs.comission_bp", "Did you mean 'commission_bp'"]),
        ("--set=costs.volume_cap=2", ["costs.volume_cap"]),
        ("--set=tune=f2", ["tune"]),
        ("--set=account.max_gross=2", ["max_gross", "short: true"]),
    ],
)
def test_terms_that_cannot_be(world, change, needs):
    refused(2, "--scores", scores_of(world, lambda t: t), *words(world), change,
            needs=["strategy.yaml: ", *needs])  # fmt: skip


def test_what_tunes_needs_rows_and_a_threshold(world):
    path = scores_of(world, lambda t: t)
    refused(2, "--scores", path, *words(world), "--set=tune=f1", needs=["--calibrate-until"])
    refused(3, "--scores", path, *words(world), "--calibrate-until", "2022-01-02",
            needs=["200 are needed"])  # fmt: skip
    refused(3, "--scores", path, *words(world), "--calibrate-until", "2022-03-01",
            needs=["no score lies on the bars"])  # fmt: skip
    other = ("--set=tune=f1", "--set=strategy={kind: cost_aware, margin_bp: 0}")
    refused(2, "--scores", path, *words(world), "--calibrate-until", "2022-01-09", *other,
            needs=["cost_aware", "threshold"])  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "needs"),
    [
        ([BUY, BUY | {"kind": "mkt"}],
         ["row 1 (line 3)", "'mkt' is unknown", "market, limit, stop"]),
        ([BUY | {"kind": None}], ["kind is empty"]),
        ([BUY | {"quantity": 0}], ["row 0", "quantity 0", "kind cancel"]),
        ([BUY | {"quantity": None}], ["quantity nan"]),
        ([BUY | {"quantity": "inf"}], ["quantity inf"]),
        ([BUY | {"quantity": 1e300}], ["quantity 1e+300"]),
        ([BUY | {"quantity": "ten"}], ["'ten' is no number"]),
        ([BUY | {"side": "long"}], ["side 'long' is unknown", "buy or sell"]),
        ([BUY | {"side": "sell", "quantity": -1}], ["sign", "above 0"]),
        ([BUY | {"kind": "limit"}], ["a limit order without a price"]),
        ([LIMIT | {"price": None}], ["a limit order without a price"]),
        ([LIMIT | {"price": -3}], ["price -3 of a limit order", "above 0"]),
        ([LIMIT | {"price": 0, "kind": "stop"}], ["price 0 of a stop order"]),
        ([LIMIT | {"price": "nan"}], ["without a price"]),
        ([BUY | {"price": 100}], ["a market order has no price, got 100"]),
        ([LIMIT | {"number": 1}, LIMIT | {"number": 1}], ["row 1", "number 1 stands at two"]),
        ([LIMIT | {"number": 1.5}], ["number 1.5", "whole"]),
        ([LIMIT | {"expires_bars": 0}], ["expires_bars 0", "1 at least"]),
        ([BUY | {"number": 1}, CANCEL | {"expires_bars": 3}], ["row 1", "only orders expire"]),
        ([LIMIT | {"number": 1}, CANCEL | {"number": 2}],
         ["row 1", "number 2, which no order"]),
        ([LIMIT | {"number": 1}, CANCEL | {"quantity": 1}],
         ["a cancel has no quantity"]),
        ([LIMIT | {"number": 1}, CANCEL | {"number": None}],
         ["a cancel without a number"]),
        ([CANCEL, LIMIT | {"number": 1}],
         ["row 0", "before that order is given"]),
        ([LIMIT | {"number": 1}, CANCEL | {"symbol": "S01"}], ["an order of S00, under S01"]),
        ([BUY | {"expire_bars": 3}], ["'expire_bars': is it 'expires_bars'?"]),
        ([BUY | {"symbol": "NOPE"}], ["'NOPE' is not among the bars"]),
        ([BUY | {"timestamp": "2022-01-01T05:30:00Z"}], ["no bar that starts at 2022-01-01 05:30"]),
        ([BUY | {"timestamp": "2022-01-01T05:00:00"}], ["naive"]),
    ],
    ids=str,
)  # fmt: skip
def test_orders(world, rows, needs):
    path = world[2] / "orders.csv"
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join("" if row.get(n) is None else str(row.get(n)) for n in names) for row in rows]
    path.write_text("\n".join([",".join(names), *lines, ""]))
    refused(3, "--orders", path, "--bars", world[0], "--out", world[2],
            needs=["orders.csv: ", *needs])  # fmt: skip


def test_whole_units_take_whole_orders(world):
    path = world[2] / "orders.csv"
    path.write_text("timestamp,symbol,quantity\n2022-01-01T05:00:00Z,S00,1.5\n")
    refused(3, "--orders", path, "--bars", world[0], "--set=account.units=whole",
            needs=["quantity 1.5", "whole units", "fractional"])  # fmt: skip


def test_bars_of_negative_prices_are_no_bars(world, tmp_path):
    folder = write_bars(tmp_path / "bars", world[1])
    bad = pl.read_parquet(folder / "S00.parquet").with_columns(pl.col("low") * -1)
    bad.write_parquet(folder / "S00.parquet")
    path = scores_of(world, lambda t: t.filter(pl.col("symbol") == "S00"))
    _, *more = words(world)[1:]
    refused(3, "--scores", path, "--bars", folder, *more,
            needs=["S00.parquet: row 0: low is -", "no score lies on the bars"])  # fmt: skip
