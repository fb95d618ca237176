"""Findings: what is planted is said, with the number and the worst; what is sound is not."""

import re

import numpy as np
import pytest

from touchstone.data import quality
from touchstone.market import Bars, Calendar
from touchstone.market.findings import EVERYONE, Severity
from walks import HOUR_NS, START_NS, flat, panel_of, random_panel, random_walk

DAY_NS = 24 * HOUR_NS


def typed(panel, dropped=None, bad=None):
    return quality.findings(panel, dropped or {}, bad or {})


def said(panel, dropped=None, bad=None):
    return quality.sentences(typed(panel, dropped, bad))


def changed(bars, **columns):
    """Bars with some columns replaced."""
    fields = {
        n: getattr(bars, n).copy() for n in ("time", "open", "high", "low", "close", "volume")
    }
    return Bars(bars.symbol, **{**fields, **columns})


def test_findings_are_typed_and_name_their_instruments():
    bars = random_walk(200, symbol="A")
    scale = np.ones(200)
    scale[50:] = 0.25
    prices = {n: getattr(bars, n) * scale for n in ("open", "high", "low", "close")}
    silent = random_walk(200, symbol="B")
    volume = silent.volume.copy()
    volume[:30] = 0.0
    panel = panel_of(changed(bars, **prices), changed(silent, volume=volume))
    found = {(f.symbol, f.check): f for f in typed(panel, {"B": 3})}
    assert set(found) == {
        (who, check)
        for own, check in (("A", "jumps"), ("B", "without_volume"), ("B", "outside_sessions"))
        for who in (EVERYONE, own)
    }
    jump = found["A", "jumps"]
    assert (jump.place.first_row, jump.place.first) == (50, bars.time[50])
    assert (jump.severity, jump.n_found) == (Severity.WARN, 1)
    assert jump.value == pytest.approx(np.log(4), abs=0.1)
    assert found["B", "without_volume"].n_found == 30
    assert found["B", "without_volume"].value == pytest.approx(0.15)


def test_a_sound_panel_has_no_findings():
    assert said(random_panel(4, 500)) == ()


def test_gaps_are_counted_per_instrument_between_its_own_ends():
    whole, holed = random_walk(100, symbol="A"), random_walk(100, symbol="B")
    late = random_walk(100, symbol="C")
    panel = panel_of(whole, holed, late)
    row = np.arange(100)
    keep = np.r_[row >= 0, (row < 20) | (row >= 30), row >= 50]
    panel = panel.where(keep)
    missing, wanted = quality.missing_bars(panel)
    np.testing.assert_array_equal(missing, [0, 10, 0])
    np.testing.assert_array_equal(wanted, [100, 100, 50])
    assert said(panel) == (
        "4.0 % of the bars expected between an instrument's first and last are missing "
        "(10 of 250); most in B (10.0 %).",
    )


def test_missing_bars_agree_with_a_slow_count():
    panel = random_panel(3, 300, seed=5, missing=0.3)
    missing, wanted = quality.missing_bars(panel)
    for i in range(3):
        have = set(panel.bars(i).time.tolist())
        want = range(min(have), max(have) + 1, HOUR_NS)
        assert wanted[i] == len(want)
        assert missing[i] == len(set(want) - have)


def test_a_market_that_closes_at_night_makes_one_doubt_the_calendar():
    panel = random_panel(2, 300)
    panel = panel.where((panel.time // HOUR_NS) % 24 < 8)
    (gaps,) = said(panel)
    assert gaps.endswith("Is calendar: 24/7 the right one?")


def test_jumps_name_the_worst_first():
    bars = random_walk(200, symbol="A")
    scale = np.ones(200)
    scale[50:] = 0.25
    scale[150:] = 2.5
    prices = {n: getattr(bars, n) * scale for n in ("open", "high", "low", "close")}
    (jumps,) = said(panel_of(changed(bars, **prices), random_walk(200, symbol="B")))
    assert jumps.startswith("2 closes move by a factor beyond 1.65")
    shown = re.findall(r"(\w) x(\S+) at (\S+ \S+) UTC", jumps)
    assert [(s, t) for s, _, t in shown] == [("A", "2022-01-07 06:00"), ("A", "2022-01-03 02:00")]
    assert [float(x) for _, x, _ in shown] == pytest.approx([10, 0.25], rel=0.05)


def test_no_jump_between_instruments():
    dear = random_walk(50, symbol="A")
    prices = {n: getattr(dear, n) * 1000 for n in ("open", "high", "low", "close")}
    assert said(panel_of(changed(dear, **prices), random_walk(50, symbol="B"))) == ()


@pytest.mark.parametrize(("n_still", "found"), [(24, False), (25, True)])
def test_frozen_prices(n_still, found):
    bars = random_walk(100, symbol="A")
    columns = {n: getattr(bars, n).copy() for n in ("open", "high", "low", "close")}
    for column in columns.values():
        column[40 : 41 + n_still] = 100.0
    columns["high"][40], columns["low"][40] = 100.1, 99.9  # a last real bar, then n still ones
    panel = panel_of(changed(bars, **columns), random_walk(100, symbol="B"))
    text = " ".join(said(panel))
    assert ("A (25 bars)" in text) == found


def test_silent_bars():
    bars = random_walk(100, symbol="A")
    volume = bars.volume.copy()
    volume[:30] = 0.0
    panel = panel_of(changed(bars, volume=volume), random_walk(100, symbol="B"))
    assert said(panel) == ("15.0 % of the bars have no volume (30 of 200); most in A (30.0 %).",)
    nothing = panel_of(changed(bars, volume=volume * 0))
    assert "No bar has any volume" in said(nothing)[0]


def test_what_was_left_out_is_counted():
    found = said(random_panel(2, 50), {"S00": 3, "S01": 1200}, {"S01": 1})
    assert found == (
        "1 impossible row was left out: S01 (1).",
        "1,203 bars outside the sessions of 24/7 were left out: S01 (1,200), S00 (3).",
    )


def test_findings_hold_with_an_instrument_that_is_empty_or_flat():
    assert said(panel_of(flat(3)))[0:] == ()
    panel = random_panel(2, 50)
    assert said(panel.where(panel.asset_id == 1)) == ()


@pytest.mark.parametrize(
    ("ends", "calendar", "banner"),
    [
        ([0, 0, 0], "24/7", True),
        ([0, -4, 0], "24/7", True),
        ([0, -6, 0], "24/7", False),
        ([0, -6, 0], "XNYS", True),  # six days are four sessions
        ([0, -9, 0], "XNYS", False),
        ([0], "24/7", True),
    ],
)
def test_survivorship(ends, calendar, banner):
    last = np.datetime64("2021-03-31T15", "ns").astype(np.int64)
    times = last + np.array(ends) * DAY_NS
    symbols = tuple("ABC"[: len(ends)])
    text = quality.survivorship(symbols, times, Calendar(calendar))
    assert (text is not None) == banner
    if banner:
        assert "every instrument survives to the end of the data" in text


def test_the_dead_count_even_where_a_request_ends_before_they_die(tmp_path):
    from bar_files import frame_of, load, save

    from touchstone.data.sources import Request

    save(tmp_path, "A.parquet", frame_of(random_walk(1000)))
    save(tmp_path, "DEAD.parquet", frame_of(random_walk(500)))
    assert load(tmp_path).survivorship is None
    assert load(tmp_path, Request(end=START_NS + 400 * HOUR_NS)).survivorship is None
    save(tmp_path, "DEAD.parquet", frame_of(random_walk(1000)))
    assert "All 2 instruments" in load(tmp_path).survivorship
