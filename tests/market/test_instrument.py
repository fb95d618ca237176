"""Instruments: what a class implies, and what only a future may say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.market.instrument import Instrument

ES = {"symbol": "ESZ24", "kind": "future", "multiplier": 50, "expiry": "2024-12-20", "tick": 0.25}


@pytest.mark.parametrize(
    ("told", "calendar", "currency", "tick", "step"),
    [
        ({"symbol": "AAPL"}, "XNYS", "USD", 0.01, 1),
        ({"symbol": "SPY", "kind": "etf"}, "XNYS", "USD", 0.01, 1),
        ({"symbol": "EURUSD", "kind": "forex"}, "FX", "USD", 0.00001, 1),
        ({"symbol": "USDJPY", "kind": "forex"}, "FX", "JPY", 0.001, 1),
        ({"symbol": "BTC/USDT", "kind": "crypto"}, "24/7", "USDT", None, 1e-8),
        ({"symbol": "BTCUSDT", "kind": "crypto", "currency": "USDT"}, "24/7", "USDT", None, 1e-8),
        (ES, "CME", "USD", 0.25, 1),
    ],
)
def test_a_class_implies(told, calendar, currency, tick, step):
    one = Instrument.parse(told)
    assert (one.hours.name, one.quote) == (calendar, currency)
    assert (one.tick_at(100.0), one.step) == (tick, step)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"symbol": "aapl"}, "symbol 'aapl': needs"),
        ({"symbol": "ESZ24", "kind": "future"}, "a future needs its multiplier and its expiry"),
        (
            {"symbol": "ESZ24", "kind": "future", "multiplier": 50, "expiry": "2024-13-40"},
            "ESZ24: expiry '2024-13-40': there is no such date",
        ),
        ({"symbol": "AAPL", "multiplier": 5}, "only a future has a multiplier"),
        ({"symbol": "AAPL", "expiry": "2024-12-20"}, "only a future has"),
        ({"symbol": "AAPL", "kind": "share"}, "kind: Input should be"),
        ({"symbol": "AAPL", "tik": 1}, "tik: no such key. Did you mean 'tick'"),
    ],
)
def test_what_cannot_be(told, said):
    with pytest.raises(ConfigError, match=said):
        Instrument.parse(told)


def test_a_coin_whose_symbol_does_not_tell_its_currency():
    with pytest.raises(ConfigError, match="write currency"):
        _ = Instrument(symbol="BTCUSDT", kind="crypto").quote


def test_worked_roundings():
    stock, future = Instrument(symbol="AAPL"), Instrument.parse(ES)
    assert stock.rounded_price(0.12345) == 0.1235  # below a dollar: four decimals
    assert stock.rounded_price(1.005) == 1.01
    assert future.rounded_price(6000.13) == 6000.25
    assert stock.rounded_quantity(10.9) == 10
    assert stock.rounded_quantity(-10.9) == -10
    assert future.notional(6000.0, -1) == -300_000


@given(quantity=st.floats(-1e6, 1e6), lot=st.sampled_from([1e-8, 0.001, 0.1, 1.0, 100.0]))
def test_a_rounded_quantity_is_lots_and_never_more(quantity, lot):
    one = Instrument(symbol="BTC/USD", kind="crypto", lot=lot)
    n = one.rounded_quantity(quantity)
    lots = Decimal(repr(n)) / Decimal(repr(lot))
    assert lots == lots.to_integral_value()
    assert abs(n) <= abs(quantity) < abs(n) + lot * (1 + 1e-6)
    assert one.rounded_quantity(n) == n
