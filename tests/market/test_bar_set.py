"""One instrument in several timeframes: worked agreement, planted faults, real vendors."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_data import DATA, needs
from touchstone.errors import BarsError, ConfigError
from touchstone.market import Bars, Calendar
from touchstone.market.bar_set import BarSet, Disagreement, Provenance
from touchstone.market.bars import FIELDS
from walks import HOUR_NS, START_NS, random_walk

FROM = Provenance("made", "none", "raw", "USD", 0)
ALWAYS = Calendar("24/7")


def coarse(bars, factor):
    """By hand: one bar of `factor` bars after another, from the clock."""
    rows = {}
    for i in range(len(bars)):
        rows.setdefault(int(bars.time[i]) // (factor * HOUR_NS), []).append(i)
    out = [
        (
            key * factor * HOUR_NS, bars.open[r[0]], max(bars.high[r]), min(bars.low[r]),
            bars.close[r[-1]], sum(bars.volume[r]),
        )
        for key, r in rows.items()
    ]  # fmt: skip
    time, *columns = (np.array(c) for c in zip(*out, strict=True))
    return Bars(bars.symbol, time, *columns)


def some(bars, keep):
    return Bars(bars.symbol, bars.time[keep], *(getattr(bars, n)[keep] for n in FIELDS))


def bar_set(calendar=ALWAYS, **bars):
    return BarSet(calendar, FROM, {k.removeprefix("t"): b for k, b in bars.items()})


def test_worked_agreement():
    fine = random_walk(8)
    both = bar_set(t1h=fine, t4h=coarse(fine, 4))
    assert both.symbol == "WALK"
    assert [t.name for t in both.timeframes] == ["1h", "4h"]
    assert both.agreement("1h", "4h") == (2, 0, ())
    high = both.bars("4h").high.copy()
    high[1] += 1.0
    wrong = bar_set(t1h=fine, t4h=replace(both.bars("4h"), high=high))
    (told,) = wrong.agreement("1h", "4h").disagreements
    assert told == Disagreement(START_NS + 4 * HOUR_NS, "high", high[1], high[1] - 1.0)
    assert wrong.agreement("1h", "4h").share == 0.5


def test_the_last_finished_bar():
    fine = random_walk(9)
    both = bar_set(t1h=fine, t4h=coarse(fine, 4))
    # at the close of 03:00 the first four-hour bar is known; not a minute before
    assert both.last_finished("1h", "4h").tolist() == [-1, -1, -1, 0, 0, 0, 0, 1, 1]


def test_a_session_ends_its_last_bars_together():
    # 2021-01-04: sessions of New York, 14:30 to 21:00 UTC; bars at 14:00 and 20:00 are short
    day = int(np.datetime64("2021-01-04", "ns").astype(np.int64))
    hours = Bars("A", day + np.arange(14, 21) * HOUR_NS, *np.ones((5, 7)))
    daily = Bars("A", np.array([day]), *np.ones((4, 1)), np.array([7.0]))
    both = bar_set(Calendar("XNYS"), t1h=hours, t1d=daily)
    assert both.agreement("1h", "1d") == (1, 0, ())
    assert both.last_finished("1h", "1d").tolist() == [-1] * 6 + [0]


def test_what_cannot_be_one_set():
    with pytest.raises(BarsError, match="a set of bars holds one instrument, got A, B"):
        bar_set(t1h=random_walk(3, symbol="A"), t4h=random_walk(3, symbol="B"))
    with pytest.raises(BarsError, match="got none"):
        bar_set()
    with pytest.raises(ConfigError, match="timeframe 'hourly'"):
        bar_set(hourly=random_walk(3))
    one = bar_set(t1h=random_walk(3), t4h=random_walk(3))
    with pytest.raises(BarsError, match="4h is not finer than 1h"):
        one.agreement("4h", "1h")
    with pytest.raises(BarsError, match="no bars of 1d: the set has 1h, 4h"):
        one.bars("1d")


def test_bars_that_do_not_meet():
    fine = random_walk(4)
    later = Bars("WALK", fine.time + 100 * HOUR_NS, *(getattr(fine, n) for n in FIELDS))
    assert bar_set(t1h=fine, t4h=later).agreement("1h", "4h") == (0, 0, ())
    assert bar_set(t1h=fine, t4h=fine.head(0)).agreement("1h", "4h").share == 1.0
    assert bar_set(t1h=fine.head(0), t4h=fine).agreement("1h", "4h").n_compared == 0


@settings(max_examples=40)
@given(seed=st.integers(0, 999), n=st.integers(1, 60), factor=st.sampled_from([2, 4, 24]))
def test_what_is_made_of_finer_bars_agrees_with_them(seed, n, factor):
    rng = np.random.default_rng(seed)
    fine = some(random_walk(n, seed), rng.random(n) < 0.7)
    if not len(fine):
        return
    name = "1d" if factor == 24 else f"{factor}h"
    high = coarse(fine, factor)
    both = bar_set(**{"t1h": fine, f"t{name}": high})
    done = both.agreement("1h", name)
    assert done.disagreements == ()
    assert done.n_compared == len(high)
    # nothing of a coarse bar is known before its last fine one
    at = both.last_finished("1h", name)
    for i, row in enumerate(at.tolist()):
        ended = [
            k for k in range(len(high)) if high.time[k] + factor * HOUR_NS <= fine.time[i] + HOUR_NS
        ]
        assert row == (ended[-1] if ended else -1)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999), field=st.sampled_from(FIELDS), row=st.integers(0, 4),
    up=st.floats(1e-6, 0.5),
)  # fmt: skip
def test_every_planted_fault_is_found_and_named(seed, field, row, up):
    fine = random_walk(20, seed)
    high = coarse(fine, 4)
    columns = {n: getattr(high, n).copy() for n in FIELDS}
    columns[field][row] *= 1 + up
    columns["high"] = np.maximum(columns["high"], np.maximum(columns["open"], columns["close"]))
    columns["low"] = np.minimum(columns["low"], np.minimum(columns["open"], columns["close"]))
    wrong = Bars(high.symbol, high.time, **columns)
    told = bar_set(t1h=fine, t4h=wrong).agreement("1h", "4h").disagreements
    assert {d.time for d in told} == {int(high.time[row])}
    assert field in {d.field for d in told}


def test_every_content_changes_the_hash_but_when_it_was_fetched():
    fine = random_walk(8)
    one = bar_set(t1h=fine, t4h=coarse(fine, 4))
    others = [
        bar_set(t1h=fine),
        bar_set(t2h=fine, t4h=coarse(fine, 4)),
        bar_set(t1h=fine.head(7), t4h=coarse(fine, 4)),
        replace(one, calendar=Calendar("FX")),
        *(
            replace(one, provenance=replace(FROM, **{name: "other"}))
            for name in ("source", "feed", "adjustment", "currency")
        ),
    ]
    assert len({one.content_hash, *(o.content_hash for o in others)}) == 1 + len(others)
    later = replace(one, provenance=replace(FROM, fetched_at=5))
    assert later.content_hash == one.content_hash


class TestReal:
    pytestmark = needs("bars")

    def read(self, symbol, **folders):
        bars = {}
        for name, folder in folders.items():
            frame = pl.read_parquet(DATA / "bars" / folder / f"{symbol}.parquet")
            time = frame["timestamp"].dt.epoch("ns").to_numpy()
            bars[name] = Bars(symbol, time, *(frame[n].to_numpy() for n in FIELDS))
        return bar_set(Calendar("XNYS"), **bars)

    def test_minutes_make_the_hours(self):
        for symbol in ("AAPL", "AMZN"):
            both = self.read(symbol, t1m="equity_minute/1m", t1h="equity_wide/1h")
            done = both.agreement("1m", "1h")
            assert done.n_compared > 300
            assert done.disagreements == ()

    def test_hours_make_the_days_but_for_short_sessions(self):
        done = self.read("IBM", t1h="equity_raw/1h", t1d="equity_raw/1d").agreement("1h", "1d")
        assert done.n_compared == 5849
        assert done.n_without == 0
        assert done.share > 0.995

    def test_a_mixture_of_adjustments_is_found(self):
        # hours adjusted for splits alone, days for dividends too: no two closes agree
        both = self.read("AAPL", t1h="equity_recent/1h", t1d="equity_recent/1d")
        done = both.agreement("1h", "1d", rounding=1e-3)
        assert done.n_compared > 400
        assert done.share < 0.1
        again = self.read("AAPL", t5m="equity_recent/5m", t1h="equity_recent/1h")
        assert again.agreement("5m", "1h").share > 0.99
