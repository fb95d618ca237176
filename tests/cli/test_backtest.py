"""`touchstone backtest`: orders against figures worked out by hand, and what `--json` promises."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from small import scores_frame, small_study, touchstone, write_bars
from touchstone.execution import REASONS
from touchstone.reports.backtested import BacktestResult, FillRow
from walks import flat, panel_of, random_panel


def orders(tmp_path, bars, text, *more):
    """The document of a backtest of orders: `hour symbol? kind quantity ...` as CSV."""
    write_bars(tmp_path / "bars", panel_of(bars))
    head = "timestamp,symbol,kind,quantity,price,number,expires_bars\n"
    rows = [line.strip().split(",") for line in text.strip().splitlines()]
    lines = [",".join([f"2022-01-01T{int(r[0]):02d}:00:00Z", "FLAT", *r[1:]]) for r in rows]
    (tmp_path / "orders.csv").write_text(head + "\n".join(lines) + "\n")
    code, out, err = touchstone(
        "backtest", "--bars", tmp_path / "bars", "--orders", tmp_path / "orders.csv", "--json",
        "--out", tmp_path, *more,
    )  # fmt: skip
    assert code == 0, err
    return json.loads(out)


def told(found, *names):
    return [tuple(fill[name] for name in names) for fill in found["fills"]]


def test_market_limit_stop_and_cancel_by_hand(tmp_path):
    bars = flat(20, open={3: 101.0, 5: 99.0}, high={3: 102.0, 9: 112.0}, low={5: 95.0, 12: 80.0})
    found = orders(tmp_path, bars, """
        2,market,10,,,
        3,limit,10,98,1,5
        6,limit,-5,110,2,
        7,stop,-5,90,3,
        8,limit,5,85,4,
        10,cancel,,,4,
    """, "--cash", 5000)  # fmt: skip
    hour = "2022-01-01T{:02d}:00:00Z".format
    assert told(found, "time", "ordered", "side", "quantity", "price", "commission") == [
        (hour(3), hour(2), "buy", 10, 101 * 1.0005, 1.01),  # the open, 5 bp worse
        (hour(5), hour(3), "buy", 10, 98, 0.98),  # a limit pays no slippage
        (hour(9), hour(6), "sell", 5, 110, 0.55),
        (hour(12), hour(7), "sell", 5, pytest.approx(89.955, rel=1e-14), 0.45),  # 44.9775 cents
    ]  # the bar of 12:00 went down to 80: the limit at 85 was cancelled at 10:00
    cash = 5000 - 1010.505 - 1.01 - 980 - 0.98 + 550 - 0.55 + 449.775 - 0.45
    assert found["final_cash"] == pytest.approx(cash, abs=1e-9)
    assert found["final_equity"] == pytest.approx(cash + 10 * 100, abs=1e-9)
    assert (found["n_orders"], found["trades"], len(found["holdings"])) == (6, [], 1)


def test_figures_are_drawn_into_a_folder(tmp_path):
    orders(tmp_path, flat(72), "2,market,10,,,\n5,market,-10,,,", "--figures", tmp_path / "drawn")
    found = {p.name: p.read_bytes() for p in (tmp_path / "drawn").iterdir()}
    assert {"equity.png", "costs.png", "instruments.png"} <= set(found)
    assert all(png.startswith(b"\x89PNG") for png in found.values())
    code, _, err = touchstone(
        "backtest", "--bars", tmp_path / "bars", "--orders", tmp_path / "orders.csv",
        "--figures", tmp_path / "orders.csv", "--out", tmp_path,
    )  # fmt: skip
    assert (code, "is a file" in err) == (2, True)


def test_whole_units_are_followed_at_other_deposits_too(tmp_path):
    text, whole = "2,market,7,,,\n9,market,-7,,,", "account.units=whole"
    bars = flat(72, high={5: 101.0}, close={5: 101.0})
    found = orders(tmp_path, bars, text, "--cash", 30_000, "--set", whole)
    assert [f["quantity"] for f in found["fills"]] == [7, 7]
    assert len(found["performance"]["analysis"]["capacity"]["points"]) > 5


def test_an_order_beyond_the_cash_is_cut_and_one_without_any_is_rejected(tmp_path):
    found = orders(tmp_path, flat(9), "2,market,100,,,\n3,market,100,,,", "--cash", 5000)
    [(quantity, price, commission)] = told(found, "quantity", "price", "commission")
    assert price == pytest.approx(100.05)
    spent = quantity * price + commission
    assert 4999.98 < spent <= 5000
    assert found["final_cash"] == pytest.approx(5000 - spent, abs=1e-9)
    assert (found["n_cut"], found["n_rejected"]) == (2, 1)


def test_a_cash_account_sells_what_it_has_and_a_margin_account_may_be_short(tmp_path):
    text = "2,market,3,,,\n4,market,-10,,,\n6,market,7,,,"
    free = ("--commission-bp", 0, "--slippage-bp", 0)
    found = orders(tmp_path, flat(9, open={7: 90.0}, low={7: 90.0}), text, *free)
    assert told(found, "side", "quantity", "position") == [
        ("buy", 3, 3), ("sell", 3, 0), ("buy", 7, 7),
    ]  # fmt: skip
    found = orders(tmp_path, flat(9, open={7: 90.0}, low={7: 90.0}), text, *free,
                   "--set", "account.short=true")  # fmt: skip
    assert told(found, "side", "quantity", "position") == [
        ("buy", 3, 3), ("sell", 10, -7), ("buy", 7, 0),
    ]  # fmt: skip
    assert [(t["side"], t["pnl"]) for t in found["trades"]] == [("long", 0.0), ("short", 70.0)]


@pytest.mark.parametrize(("bars", "n_fills"), [(2, 0), (3, 1)])
def test_an_order_works_as_many_bars_as_it_says(tmp_path, bars, n_fills):
    found = orders(tmp_path, flat(9, low={5: 90.0}), f"2,limit,1,95,1,{bars}")
    assert len(found["fills"]) == n_fills


def test_a_bar_without_volume_fills_nothing_and_a_tenth_of_it_at_most(tmp_path):
    found = orders(tmp_path, flat(9, volume={3: 0.0, 4: 50.0}), "2,market,7,,,")
    assert told(found, "time", "quantity") == [
        ("2022-01-01T04:00:00Z", 5), ("2022-01-01T05:00:00Z", 2),
    ]  # fmt: skip
    assert found["n_partial"] == 2
    found = orders(tmp_path, flat(9, volume={3: 0.0}), "2,market,7,,,",
                   "--set", "costs.volume_cap=null")  # fmt: skip
    assert told(found, "time", "quantity") == [("2022-01-01T03:00:00Z", 7)]


def test_orders_are_a_trial_and_their_order_in_the_file_is_not(tmp_path):
    one = orders(tmp_path, flat(9), "2,market,1,,,\n3,limit,1,99,,")
    (tmp_path / "orders.csv").write_text(
        "symbol,quantity,price,kind,timestamp\nFLAT,1,99,limit,2022-01-01T03:00:00+00:00\n"
        "FLAT,1,,market,2022-01-01T01:00:00-01:00\n"
    )
    words = ("--bars", tmp_path / "bars", "--orders", tmp_path / "orders.csv", "--out", tmp_path)
    code, out, _ = touchstone("backtest", *words, "--json", "--cash", 999)
    assert code == 0
    other = json.loads(out)
    assert told(other, "time", "quantity") == told(one, "time", "quantity")
    assert one["fingerprint"] != other["fingerprint"]  # other cash
    sweeps = touchstone("ledger", "list", "--out", tmp_path, "--json")[1]
    for found in (one, other):
        assert found["fingerprint"] in sweeps


def test_the_document_is_what_its_models_say_and_the_files_hold_the_same(tmp_path):
    panel = random_panel(3, 400, seed=3)
    bars = write_bars(tmp_path / "bars", panel)
    score = np.random.default_rng(0).random(len(panel))
    scores_frame(panel, score).write_csv(tmp_path / "scores.csv")
    files = [(w, tmp_path / f"{w}.{f}") for w, f in
             (("trades", "csv"), ("fills", "parquet"), ("equity", "csv"))]  # fmt: skip
    code, out, err = touchstone(
        "backtest", "--bars", bars, "--scores", tmp_path / "scores.csv", "--json",
        "--out", tmp_path, "--set", "strategy={kind: threshold, entry_threshold: 0.8}",
        *(w for name, file in files for w in (f"--{name}", file)),
    )  # fmt: skip
    assert code == 0, err
    assert "Infinity" not in out
    assert "NaN" not in out
    found = BacktestResult.model_validate_json(out)
    assert found.performance.n_trades == len(found.trades) > 20
    assert pl.read_csv(files[0][1])["pnl"].to_list() == [t.pnl for t in found.trades]
    fills, equity = pl.read_parquet(files[1][1]), pl.read_csv(files[2][1])
    assert fills["price"].to_list() == [f.price for f in found.fills]
    assert equity.height == 400
    assert equity["equity"][-1] == found.final_equity
    costs = sum(f.commission + f.slippage + f.spread + f.impact for f in found.fills)
    assert costs == pytest.approx(found.performance.cost_paid, rel=1e-12)
    assert "strategy" in found.config
    assert all(f"`{reason}`" in FillRow.model_fields["reason"].description for reason in REASONS)


def test_a_threshold_tuned_by_f1_is_the_one_that_finds_the_target_best(tmp_path):
    panel = random_panel(4, 900, seed=5)
    bars = write_bars(tmp_path / "bars", panel)
    label = "{kind: triple_barrier, take_profit: 0.03}"
    touchstone("labels", "--bars", bars, "--out", tmp_path / "labels.parquet", "--label", label)
    labels = pl.read_parquet(tmp_path / "labels.parquet")
    hit = (labels["outcome"] == 1).fill_null(value=False).to_numpy()
    score = np.round(np.random.default_rng(1).random(len(panel)) * 0.6 + 0.3 * hit, 2)
    scores_frame(panel, score).write_parquet(tmp_path / "scores.parquet")
    (tmp_path / "s.yaml").write_text(f"{{strategy: {{kind: threshold}}, tune: f1, label: {label}}}")
    code, out, err = touchstone(
        "backtest", "--bars", bars, "--scores", tmp_path / "scores.parquet", "--strategy",
        tmp_path / "s.yaml", "--calibrate-until", "2022-01-20", "--out", tmp_path, "--json",
    )  # fmt: skip
    assert code == 0, err
    ends = labels["exit_time"].dt.epoch("s").fill_null(2**40).to_numpy()
    known = ends < np.datetime64("2022-01-20", "s").astype(int)
    p, y = score[known], hit[known]

    def f1(threshold):
        taken = p >= threshold
        return 2 * (taken & y).sum() / (taken.sum() + y.sum())

    best = json.loads(out)["entry_threshold"]
    assert f1(best) == pytest.approx(max(f1(t) for t in np.unique(p)), abs=2e-3)
    assert json.loads(out)["trades"][0]["entry_time"] >= "2022-01-20"


def test_the_bars_of_a_study_may_be_meant(tmp_path):
    market = {"n_instruments": 2, "n_bars": 800}
    study = small_study(tmp_path, bars={"source": "simulated", "market": market})
    (tmp_path / "orders.csv").write_text(
        "timestamp,symbol,quantity\n2022-01-02T00:00:00Z,S00,5\n2022-01-09T00:00:00Z,S00,-5\n"
    )
    words = ("--bars", study, "--orders", tmp_path / "orders.csv", "--out", tmp_path)
    code, out, err = touchstone("backtest", *words, "--json", "--symbols", "S00,S01")
    assert code == 0, err
    assert [t["quantity"] for t in json.loads(out)["trades"]] == [5]
    code, _, err = touchstone("backtest", *words, "--timeframe", "1d")
    assert (code, "a study says itself" in err) == (2, True)


def test_help_has_examples_of_both():
    _, out, _ = touchstone("backtest", "--help")
    assert out.count("Example: touchstone backtest") == 2


def test_what_is_held_long_after_its_last_bar_is_told(tmp_path):
    short = panel_of(flat(300)).where(np.arange(300) < 60).bars(0)
    write_bars(tmp_path / "bars", panel_of(short, replace(flat(300), symbol="OTHER")))
    head = "timestamp,symbol,quantity\n"
    (tmp_path / "orders.csv").write_text(head + "2022-01-01T02:00:00Z,FLAT,3\n")
    asked = ("backtest", "--bars", tmp_path / "bars", "--orders", tmp_path / "orders.csv",
             "--out", tmp_path)  # fmt: skip
    code, out, err = touchstone(*asked)
    assert code == 0, err
    assert "warning         1\u00a0position (FLAT) held at the end" in out
    assert json.loads(touchstone(*asked, "--json")[1])["performance"]["stranded"] == ["FLAT"]
    (tmp_path / "orders.csv").write_text(head + "2022-01-01T02:00:00Z,OTHER,3\n")
    assert "warning" not in touchstone(*asked)[1]
    assert "stranded" not in json.loads(touchstone(*asked, "--json")[1])["performance"]


def test_a_list_of_whole_units_has_its_capacity_curve_too(tmp_path):
    text = "2,market,7,,,\n4,market,-7,,,"
    found = orders(tmp_path, flat(40), text, "--set", "account.units=whole", "--cash", 5000)
    assert told(found, "quantity") == [(7,), (7,)]
    assert found["performance"]["analysis"]["capacity"]["points"]
