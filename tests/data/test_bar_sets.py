"""A store's timeframes as one set, never of two adjustments."""

import numpy as np
import pytest

from touchstone.data.bar_sets import bar_set
from touchstone.data.store import BarStore, Origin
from touchstone.errors import SourceError
from touchstone.market import Bars, Calendar, Timeframe
from walks import random_walk

HERE = {"feed": "sip", "currency": "USD"}


def test_all_timeframes_of_an_instrument(quick_folder):
    store, origin = BarStore(quick_folder), Origin("alpaca", "split", 5)
    hours = random_walk(8, symbol="AAPL")
    half = np.arange(8) % 4 == 0
    four = Bars("AAPL", hours.time[half], *(np.ones((5, 2))))
    store.write(hours, Timeframe("1h"), origin)
    store.write(four, Timeframe("4h"), origin._replace(fetched_at=9))
    found = bar_set(store, "AAPL", Calendar("24/7"), **HERE)
    assert [t.name for t in found.timeframes] == ["1h", "4h"]
    assert found.provenance.fetched_at == 9
    assert (found.provenance.source, found.provenance.adjustment) == ("alpaca", "split")
    assert found.agreement("1h", "4h").share == 0.0, "flat bars that walks do not make"


def test_two_adjustments_are_never_one_set(quick_folder):
    store = BarStore(quick_folder)
    store.write(random_walk(4, symbol="A"), Timeframe("1h"), Origin("alpaca", "split", 5))
    store.write(random_walk(4, symbol="A"), Timeframe("4h"), Origin("alpaca", "raw", 5))
    with pytest.raises(SourceError, match=r"more than one adjustment: raw \(4h\), split \(1h\)"):
        bar_set(store, "A", Calendar("24/7"), **HERE)
    with pytest.raises(SourceError, match="no bars of 'B': the store has A"):
        bar_set(store, "B", Calendar("24/7"), **HERE)
