"""`touchstone backtest --json` on files of scores and orders, beside the slow engine: to the cent.

The slow engine (`reference.slow`) was written from the rules of the market and shares no code with
the kernel; what it is told here is read from the files alone. EXACT_SEEDS=300 tries as many.
"""

import json
import os
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from real_data import DATA, needs
from reference.slow.engine import Engine
from reference.slow.nouns import NEVER, Asked, Bar, Decisions, Terms, Wish, exact
from small import scores_frame, touchstone, write_bars
from walks import random_panel

SEEDS = range(int(os.environ.get("EXACT_SEEDS", "5")))
BP = Decimal("0.0001")
UP, DOWN, HORIZON = 0.05, 0.02, 8


def terms_of_chance(rng):
    """Costs and account as YAML, and the same as the slow engine has them."""
    costs = {
        "commission_bp": float(rng.choice([0, 2.5, 10, 30])),
        "slippage_bp": float(rng.choice([0, 5, 12.5])),
        "half_spread_bp": float(rng.choice([0, 3])),
        "volume_cap": rng.choice([None, 0.1, 1e-6]),
        "commission_minimum": float(rng.choice([0, 1])),
        "commission_per_unit": float(rng.choice([0, 0.005])),
        "sell_fee_bp": float(rng.choice([0, 0.278])),
        "round_to_cents": bool(rng.random() < 0.8),
    }
    account = {
        "cash": float(rng.choice([3_000, 50_000, 1_000_000])),
        "units": str(rng.choice(["fractional", "whole"])),
        "ambiguity": str(rng.choice(["pessimistic", "optimistic"])),
        "cool_down": int(rng.choice([0, 5])),
        "max_weight": float(rng.choice([1, 0.3])),
    }
    told = Terms(
        commission=exact(costs["commission_bp"]) * BP,
        per_unit=exact(costs["commission_per_unit"]),
        minimum=exact(costs["commission_minimum"]),
        sell_fee=exact(costs["sell_fee_bp"]) * BP,
        half_spread=exact(costs["half_spread_bp"]) * BP,
        slippage=exact(costs["slippage_bp"]) * BP,
        cap=NEVER if costs["volume_cap"] is None else exact(costs["volume_cap"]),
        to_cents=costs["round_to_cents"],
        whole=account["units"] == "whole",
        ambiguity=account["ambiguity"],
        cool_down=account["cool_down"],
        max_weight=exact(account["max_weight"]),
    )
    return costs, account, told


def market_of(folder):
    """Instant -> symbol -> bar, and each instant's bars' rows, from the files alone."""
    market, row = {}, 0
    for file in sorted(folder.glob("*.parquet")):
        table = pl.read_parquet(file).sort("timestamp")
        times = table["timestamp"].dt.epoch("ns").to_list()
        columns = [table[n].to_list() for n in ("open", "high", "low", "close", "volume")]
        for time, *prices in zip(times, *columns, strict=True):
            market.setdefault(time, {})[file.stem] = Bar(row, *(exact(p) for p in prices))
            row += 1
    return dict(sorted(market.items()))


def by_hand(market, terms, cash, decided):
    """The slow engine after the market, and cash and equity after each bar."""
    slow = Engine(exact(cash), terms, {})
    path = [
        slow.step(time, time // 86_400_000_000_000, bars, (), decided(time, bars))
        for time, bars in market.items()
    ]
    return slow, path


def wishes_by_hand(file, rule):
    """What the strategy `threshold` wishes at an instant, from the file of scores."""
    table = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(
        file, try_parse_dates=True
    )  # fmt: skip
    stamps = table["timestamp"].dt.epoch("ns").to_list()
    score = dict(zip(zip(stamps, table["symbol"], strict=True), table["score"], strict=True))
    weight = 1 / Decimal(rule["max_positions"])

    def decided(time, bars):
        here = {s: score[time, s] for s in bars if (time, s) in score}
        wishes = tuple(
            Wish(s, bars[s].row, p, 1, weight, exact(UP), exact(DOWN), HORIZON)
            for s, p in sorted(here.items(), key=lambda x: (-x[1], x[0]))
            if p >= rule["entry_threshold"]
        )
        leave = rule["exit_threshold"]
        out = frozenset(s for s, p in here.items() if leave is not None and p <= leave)
        return Decisions(wishes=wishes, leave=out)

    return decided


def ran(folder, *words):
    code, out, err = touchstone(
        "backtest", "--json", "--out", folder, "--equity", folder / "equity.parquet",
        "--fills", folder / "fills.csv", "--trades", folder / "trades.parquet", *words
    )  # fmt: skip
    assert code == 0, err
    return json.loads(out), pl.read_parquet(folder / "equity.parquet")


def is_same(got, equity, market, slow, path):
    """Every fill, every trade and every bar of the account."""
    start = {bar.row: time for time, bars in market.items() for bar in bars.values()}

    def at(row):
        return f"{np.datetime64(start[row], 'ns').astype('datetime64[s]')}Z"

    for fill, hand in zip(got["fills"], slow.fills, strict=True):
        side = "buy" if hand.quantity > 0 else "sell"
        assert (fill["symbol"], fill["time"], fill["ordered"], fill["side"], fill["reason"]) == (
            hand.symbol, at(hand.row), at(hand.order_row), side, hand.reason
        )  # fmt: skip
        for name in ("quantity", "price", "reference"):
            assert fill[name] == pytest.approx(abs(float(getattr(hand, name))), rel=1e-9)
        assert fill["commission"] == pytest.approx(float(hand.commission), rel=1e-9, abs=1e-6)
    right = np.array([[float(x) for x in point] for point in path])
    assert np.abs(equity["cash"].to_numpy() - right[:, 0]).max() <= 0.005
    assert np.abs(equity["equity"].to_numpy() - right[:, 1]).max() <= 0.005
    assert got["final_equity"] == pytest.approx(right[-1, 1], abs=0.005)
    assert [(t["symbol"], t["entry_time"], t["reason"], t["pnl"]) for t in got["trades"]] == [
        (s, at(row), reason, pytest.approx(pnl, abs=0.005)) for s, row, reason, pnl in trips(slow)
    ]


def trips(slow):
    """Symbol, row of the entry, reason of the exit and P&L of each round trip, by their exits."""
    held, flow, entered = {}, {}, {}
    for fill in slow.fills:
        who = fill.symbol
        entered.setdefault(who, fill.row)
        held[who] = held.get(who, 0) + fill.quantity
        flow[who] = flow.get(who, 0) - fill.quantity * fill.price - fill.commission
        if abs(held[who]) < Decimal("1e-12"):
            yield who, entered.pop(who), fill.reason, float(flow.pop(who))
            held.pop(who)


def scores_alike(folder, bars, table, seed, form, *more):
    rng = np.random.default_rng([seed, 11])
    costs, account, terms = terms_of_chance(rng)
    rule = {
        "entry_threshold": float(rng.uniform(0.5, 0.9)),
        "exit_threshold": None if rng.random() < 0.5 else 0.1,
        "max_positions": int(rng.integers(1, 5)),
    }
    config = {"strategy": {"kind": "threshold", **rule}, "costs": costs, "account": account}
    (folder / "strategy.yaml").write_text(json.dumps(config))  # JSON is YAML
    file = folder / f"scores.{form}"
    table.write_csv(file) if form == "csv" else table.write_parquet(file)
    got, equity = ran(folder, "--bars", bars, "--scores", file,
                      "--strategy", folder / "strategy.yaml", *more)  # fmt: skip
    market = market_of(bars)
    terms = terms.__class__(**{**vars(terms), "max_positions": rule["max_positions"]})
    decided = wishes_by_hand(file, rule)
    slow, path = by_hand(market, terms, account["cash"], decided)
    is_same(got, equity, market, slow, path)
    return len(slow.fills)


@pytest.mark.parametrize("seed", SEEDS)
def test_scores_on_simulated_bars(tmp_path, seed):
    panel = random_panel(3, 150, seed, missing=0.1)
    table = scores_frame(panel, np.random.default_rng(seed).random(len(panel)))
    table = table.sample(fraction=0.9, seed=seed, shuffle=True)
    bars = write_bars(tmp_path / "bars", panel)
    n = scores_alike(tmp_path, bars, table, seed, ("csv", "parquet")[seed % 2])
    assert n > 10


@pytest.mark.parametrize(
    ("folder", "calendar", "first", "symbols"),
    [  # a coin that dies, and sessions of an exchange
        pytest.param("crypto/1h", "24/7", "2022-11-07", ("AAVEUSDT", "BTCUSDT", "FTTUSDT"),
                     marks=needs("bars", "crypto", "1h")),
        pytest.param("equity_wide/1h", "XNYS", "2018-02-16", ("AAL", "AAPL"),
                     marks=needs("bars", "equity_wide", "1h")),
    ],
)  # fmt: skip
def test_scores_on_real_bars(tmp_path, folder, calendar, first, symbols):
    bars, tables = tmp_path / "bars", []
    bars.mkdir()
    for k, symbol in enumerate(symbols):
        table = pl.read_parquet(DATA / "bars" / folder / f"{symbol}.parquet")
        table = table.filter(pl.col("timestamp").dt.date() >= pl.lit(first).str.to_date()).head(220)
        table.write_parquet(bars / f"{symbol}.parquet")
        score = pl.Series("score", np.random.default_rng(k).random(table.height))
        tables.append(table.select("timestamp", pl.lit(symbol).alias("symbol"), score))
    more = ("--calendar", calendar)
    assert scores_alike(tmp_path, bars, pl.concat(tables), 1, "csv", *more) > 10


def orders_of_chance(panel, rng, whole):
    """A file of orders at random bars: market, limit, stop, and cancels of some of them."""
    rows = np.sort(rng.choice(len(panel) - 1, 40, replace=False))
    listed = []
    for number, row in enumerate(rows.tolist()):
        kind = str(rng.choice(["market", "limit", "stop"]))
        size = rng.integers(1, 200) if whole else round(float(rng.uniform(0.5, 200)), 3)
        price = round(float(panel.close[row] * rng.uniform(0.97, 1.03)), 2)
        listed.append({
            "timestamp": int(panel.time[row]), "symbol": panel.symbols[panel.asset_id[row]],
            "kind": kind, "quantity": float(size * rng.choice([1, 1, -1])),
            "price": None if kind == "market" else price,
            "number": number,
            "expires_bars": rng.choice([None, 1, 4]),
        })  # fmt: skip
        later = min(row + int(rng.integers(1, 12)), len(panel) - 1)
        is_same_symbol = panel.asset_id[later] == panel.asset_id[row]
        if rng.random() < 0.3 and is_same_symbol:
            cancel = {"timestamp": int(panel.time[later]), "kind": "cancel", "quantity": None}
            listed.append(listed[-1] | cancel | {"price": None, "expires_bars": None})
    table = pl.DataFrame(listed, infer_schema_length=None).sort("timestamp", maintain_order=True)
    return table.with_columns(pl.col("timestamp").cast(pl.Datetime("ns", "UTC")))


def orders_by_hand(table, market):
    """What is asked at an instant, from the file of orders."""
    place = {time: t for t, time in enumerate(market)}
    listed = {}
    for k, row in enumerate(table.with_columns(pl.col("timestamp").dt.epoch("ns")).to_dicts()):
        time, expires = row["timestamp"], row["expires_bars"]
        last = 9223372036854775807 if expires is None else place[time] + 1 + expires
        number = 1000 + k if row["number"] is None else row["number"]
        is_cancel = row["kind"] == "cancel"
        listed.setdefault(time, []).append(Asked(
            number, row["symbol"], "market" if is_cancel else row["kind"],
            Decimal(0) if is_cancel else exact(row["quantity"]), exact(row["price"] or 0), last,
        ))  # fmt: skip
    return lambda time, bars: Decisions(asked=tuple(listed.get(time, ())))  # noqa: ARG005


@pytest.mark.parametrize("seed", SEEDS)
def test_orders_on_simulated_bars(tmp_path, seed):
    rng = np.random.default_rng([seed, 13])
    panel = random_panel(3, 150, seed, missing=0.1)
    bars = write_bars(tmp_path / "bars", panel)
    costs, account, terms = terms_of_chance(rng)
    terms = terms.__class__(**{**vars(terms), "max_positions": 3})
    table = orders_of_chance(panel, rng, account["units"] == "whole")
    form = ("parquet", "csv")[seed % 2]
    file = tmp_path / f"orders.{form}"
    table.write_csv(file) if form == "csv" else table.write_parquet(file)
    (tmp_path / "terms.yaml").write_text(json.dumps({"costs": costs, "account": account}))
    got, equity = ran(
        tmp_path, "--bars", bars, "--orders", file, "--strategy", tmp_path / "terms.yaml"
    )
    market = market_of(bars)
    slow, path = by_hand(market, terms, account["cash"], orders_by_hand(table, market))
    is_same(got, equity, market, slow, path)
    assert slow.fills
