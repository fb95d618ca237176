"""Real bars load whole, quickly, and with what is wrong about them said."""

import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from touchstone.data.sources import SOURCES, Request
from touchstone.data.stamps import local

BARS = Path(__file__).parents[3] / "shared" / "data" / "bars"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not BARS.is_dir(), reason=f"no market data in {BARS}"),
]
HOUR_NS = 3_600_000_000_000


def load(path, **settings):
    config = SOURCES.parse({"source": "parquet", "path": str(BARS / path), **settings})
    started = time.perf_counter()
    loaded = SOURCES.part_of(config)(config, Request())
    seconds = time.perf_counter() - started
    sys.stdout.write(
        f"\n{path}: {loaded.panel.n_instruments} instruments, {len(loaded.panel):,} bars in "
        f"{seconds:.2f} s, {len(loaded.rejects)} rejects\n"
    )
    sys.stdout.writelines(f"  {sentence}\n" for sentence in loaded.findings)
    return loaded, seconds


def test_coins():
    loaded, seconds = load("crypto/1h")
    assert loaded.rejects == ()
    assert (loaded.panel.n_instruments, len(loaded.panel)) == (143, 2_596_150)
    assert seconds < 15, "a few seconds alone; generous beside other work"
    assert loaded.survivorship is None, "23 of them died"
    assert any("LUNAUSDT" in f for f in loaded.findings)
    assert loaded.namespace == "market"


def test_stocks_keep_the_bar_of_nine_and_lose_what_lies_outside():
    loaded, _ = load("equity/1h", calendar="XNYS")
    assert loaded.rejects == ()
    assert any("188 bars outside the sessions of XNYS" in f for f in loaded.findings)
    hour = local(loaded.panel.time, "America/New_York") // HOUR_NS % 24
    assert set(np.unique(hour)) == {9, 10, 11, 12, 13, 14, 15}


def test_currencies_end_their_week_at_17_new_york():
    loaded, _ = load("fx/1h", calendar="FX")
    assert loaded.rejects == ()
    assert any("3 bars outside the sessions of FX" in f for f in loaded.findings)
    assert "every instrument survives" in loaded.survivorship


def test_bars_at_half_past_and_a_class_of_shares():
    loaded, _ = load("equity_recent/1h", calendar="XNYS")
    assert loaded.rejects == ()
    assert "BRK.B" in loaded.panel.symbols


@pytest.mark.parametrize("group", ["equity", "equity_recent", "stocknet"])
def test_daily_bars(group):
    loaded, _ = load(f"{group}/1d", calendar="XNYS", timeframe="1d")
    assert loaded.rejects == ()
    assert (loaded.panel.available_at - loaded.panel.time >= 17 * HOUR_NS).all()


def test_many_daily_bars_and_their_rejects():
    loaded, _ = load("sp500/1d", calendar="XNYS", timeframe="1d")
    assert len(loaded.rejects) == 15
    by_row = [r for r in loaded.rejects if re.match(r"row \d+: .*set bad_rows: drop", r.reason)]
    by_name = [r for r in loaded.rejects if "rename it, as in NYSE." in r.reason]
    assert (len(by_row), len(by_name)) == (12, 3)
    whole, _ = load("sp500/1d", calendar="XNYS", timeframe="1d", bad_rows="drop")
    assert len(whole.rejects) == 3
    assert any("impossible rows were left out" in f for f in whole.findings)
