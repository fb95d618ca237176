"""Agreement with TA-Lib to 1e-9 of max(|value|, the column's median), from its first row on.

On simulated bars and on real coins, one of which hardly moved. Rows on which TA-Lib has no value
(no range, no movement) are left out, counted, and must be few.
"""

import inspect
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import talib

import talib_calls
from talib_calls import EXPRESSIONS, FEATURES, LATER, NOT_COMPARABLE, TIES, columns
from touchstone.features import evaluate
from touchstone.features.catalogue import catalogue
from touchstone.features.graph import plan
from touchstone.market import Bars
from walks import panel_of, random_walk

COINS = Path(__file__).parents[3] / "shared" / "data" / "bars" / "crypto" / "1h"
CALLS = FEATURES | EXPRESSIONS
CATALOGUE = catalogue()
PLAN = plan({name: CATALOGUE[name].text if name in FEATURES else name for name in CALLS}, ())


def coin(symbol, first):
    frame = pl.read_parquet(COINS / f"{symbol}.parquet")[first : first + 2500]
    time = frame["timestamp"].cast(pl.Datetime("ns")).to_numpy().astype(np.int64)
    prices = (frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume"))
    return Bars(symbol, time, *prices)


MARKETS = {
    "a walk": lambda: random_walk(2500, seed=21),
    "a quiet walk": lambda: random_walk(2500, seed=22, volatility=0.001),
    "BTCUSDT": lambda: coin("BTCUSDT", 0),
    "SUSDUSDT": lambda: coin("SUSDUSDT", 0),
    "FTTUSDT": lambda: coin("FTTUSDT", 12_000),
}
needs_coins = [
    pytest.mark.real_data,
    pytest.mark.skipif(not COINS.is_dir(), reason=f"no market data in {COINS}"),
]
markets = [pytest.param(m, marks=needs_coins if m.isupper() else ()) for m in MARKETS]


def tied(name, b):
    """Rows whose deciding value stands in the window more than once."""
    if name not in TIES:
        return np.zeros(b.c.size, bool)
    column, deciding, n = TIES[name]
    windows = np.lib.stride_tricks.sliding_window_view(column(b), n)
    value = deciding(windows, axis=1)[:, None]
    twice = (np.abs(windows - value) <= 1e-12 * np.abs(value)).sum(axis=1) > 1
    return np.r_[np.zeros(n - 1, bool), twice]


@pytest.mark.parametrize("market", markets)
def test_agrees_with_talib(market):
    bars = MARKETS[market]()
    b, values = columns(bars), evaluate(PLAN, panel_of(bars), np.float64)
    rows, left_out, wrong = np.arange(values.shape[0]), {}, {}
    for ours, warmup, (name, call) in zip(values.T, PLAN.warmup, CALLS.items(), strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            theirs = np.asarray(call(b), float)
        due = rows >= max(LATER.get(name, 0), warmup + 2, np.isnan(theirs).argmin())
        both = due & np.isfinite(theirs) & ~tied(name, b)
        left_out[name] = int((due & ~both).sum())
        scale = np.maximum(np.abs(theirs[both]), np.median(np.abs(theirs[both])))
        error = np.abs(ours[both] - theirs[both])
        if not (error <= 1e-9 * scale).all() or both.sum() < 500:
            wrong[name] = f"{int((error > 1e-9 * scale).sum())} of {both.sum()} rows"
    assert not wrong, wrong
    some = {name: n for name, n in left_out.items() if n}
    sys.stdout.write(f"\n{market}: {len(CALLS)} columns agree; rows left out: {some or 'none'}\n")
    many = {n: k for n, k in some.items() if k > (0.4 if n in TIES else 0.02) * rows.size}
    assert not many


def test_the_table_holds_every_feature_that_says_so():
    assert {name for name, entry in CATALOGUE.items() if entry.talib} == FEATURES.keys()
    assert len(FEATURES) >= 60
    assert CALLS.keys() >= LATER.keys() | TIES.keys()


def test_every_function_of_talib_is_compared_or_it_is_said_why_not():
    compared = {f for entry in CATALOGUE.values() for f in entry.talib.split(", ") if f}
    compared |= {f for call in EXPRESSIONS.values() for f in call.__code__.co_names}
    not_compared = {f for names in NOT_COMPARABLE for f in names.split()}
    patterns = {f for f in talib.get_functions() if f.startswith("CDL")}
    missing = set(talib.get_functions()) - patterns - compared - not_compared
    assert not missing, f"say of these what they are here, or why they are not: {missing}"
    assert not compared & not_compared


def functions_in(code):
    """TA-Lib functions that a call uses, itself, in its helpers or through the shared columns."""
    columns_of = {"tr": "TRANGE", "tp": "TYPPRICE", "mid": "MEDPRICE", "money": "TYPPRICE",
                  "x": "LN"}  # fmt: skip
    found = set()
    for name in code.co_names:
        helper = getattr(talib_calls, name, None)
        found |= functions_in(helper.__code__) if inspect.isfunction(helper) else set()
        found.add(columns_of.get(name, name))
    for inner in filter(inspect.iscode, code.co_consts):
        found |= functions_in(inner)
    return found & set(talib.get_functions())


def test_a_feature_names_the_functions_it_is_compared_with():
    for name, call in FEATURES.items():
        named = set(CATALOGUE[name].talib.split(", "))
        assert named <= functions_in(call.__code__), name


def test_warmup_is_that_of_talib_where_the_seed_is():
    b = columns(MARKETS["a walk"]())
    same = ("rsi_14", "kama_gap_10", "atr_14", "cci_20", "trix_15", "t3_gap_8", "mfi_14",
            "aroon_up_25", "stochastic_slow_14", "stochastic_rsi_14", "ultimate_7_14_28",
            "trend_48", "bandwidth", "hull_gap_16", "tsi_25_13", "mass_25")  # fmt: skip
    warmup = dict(zip(PLAN.names, PLAN.warmup.tolist(), strict=True))
    assert {n: int(np.isnan(FEATURES[n](b)).sum()) for n in same} == {n: warmup[n] for n in same}
