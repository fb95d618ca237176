"""Planted defects: the right check names the right symbol and place; clean bars are left alone."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from defects.corpus import DEFECTS, plant
from defects.markets import BARS, real, save, simulated
from defects.trial import flags, lay_out, outage_of_all, settings, trials

from touchstone.data.checking import check_cohort, check_folder
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.raw_bars import RawBars
from touchstone.market import Calendar, Timeframe
from touchstone.market.findings import EVERYONE, Severity

MARKETS = ("coins 1h", "stocks 1d")
"""All four kinds, real bars and more seeds are in the long proof."""


@pytest.fixture(scope="module", params=MARKETS)
def laid_out(request):
    market = simulated(request.param, n_symbols=6, n_bars=1000)
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        lay_out(Path(name), market)
        yield Path(name), market


def test_the_corpus_is_broad():
    assert len(DEFECTS) >= 45
    meant = {check for d in DEFECTS.values() for check in d.checks}
    assert meant == set(CHECKS.kinds()), "a defect for every check, and a check for every defect"


def test_every_defect_is_found_where_it_lies(laid_out):
    folder, market = laid_out
    found = list(trials(folder, market))
    assert len(found) >= 60
    assert [t.defect for t in found if not t.found] == []


def test_an_outage_of_all_is_told_as_one(laid_out):
    assert outage_of_all(*laid_out)


@pytest.mark.parametrize("kind", ["coins 1h", "stocks 1h", "stocks 1d", "currencies 1h"])
def test_nothing_is_found_where_nothing_is_wrong(kind, quick_folder):
    wrong = set()
    for seed in (1, 2):
        market = simulated(kind, seed=seed, n_symbols=6, n_bars=1500)
        lay_out(quick_folder, market)
        wrong |= {(seed, *f) for f in flags(check_folder(settings(market, quick_folder)))}
    assert len(wrong) <= 0.01 * 2 * 6 * len(CHECKS.kinds()), wrong


def cohort(frames, timeframe="1h", calendar="24/7", now=None):
    raw = [
        RawBars(s, "", np.arange(c["time"].size), c["time"], c["open"], c["high"], c["low"],
                c["close"], c["volume"])
        for s, c in sorted(frames.items())
    ]  # fmt: skip
    return Cohort(raw, Timeframe(timeframe), Calendar(calendar), now)


def test_a_crash_of_all_is_no_outlier_and_the_same_fall_alone_is():
    market = simulated("coins 1h", seed=3, n_symbols=8, n_bars=1200)
    t = 700

    def fallen(symbols):
        frames = {s: {k: v.copy() for k, v in c.items()} for s, c in market.frames.items()}
        for symbol in symbols:
            for name in ("open", "high", "low", "close"):
                frames[symbol][name][t:] *= 0.42
        return {(f.symbol, f.check) for f in check_cohort(cohort(frames)).findings
                if f.severity > Severity.NOTE}  # fmt: skip

    assert fallen(market.frames) == set()
    assert fallen(["S02"]) == {("S02", "outliers")}


def test_news_has_volume_and_is_no_outlier():
    market = simulated("stocks 1d", seed=3, n_symbols=8, n_bars=1200)
    stock, t = market.frames["S04"], 700
    for name in ("open", "high", "low", "close"):
        stock[name][t:] *= 0.42
    assert ("S04", "outliers") in flags(check_cohort(cohort(market.frames, "1d", "XNYS")))
    stock["volume"][t] *= 20
    assert flags(check_cohort(cohort(market.frames, "1d", "XNYS"))) == set()


def test_a_thin_instrument_may_be_silent_and_a_liquid_one_may_not():
    market = simulated("coins 1h", seed=5, n_symbols=4, n_bars=1500)
    rng = np.random.default_rng(0)
    thin = market.frames["S01"]
    keep = rng.random(1500) > 0.3
    market.frames["S01"] = {k: v[keep] for k, v in thin.items()}
    row = np.arange(1500)
    for symbol in ("S00", "S01"):
        c = market.frames[symbol]
        hole = slice(*np.searchsorted(c["time"], thin["time"][[600, 603]]))
        market.frames[symbol] = {k: np.delete(v, row[: v.size][hole]) for k, v in c.items()}
    found = [f for f in check_cohort(cohort(market.frames)).findings if f.check == "gaps"]
    assert {(f.symbol, f.severity) for f in found} == {
        ("S00", Severity.WARN),
        ("S01", Severity.NOTE),
    }


def test_a_finding_is_typed_and_placed():
    market = simulated("coins 1h", seed=0, n_symbols=5, n_bars=1000)
    planted = plant("bad_row", market, "S03", seed=1)
    frames = {**market.frames, "S03": planted.columns}
    (found,) = [f for f in check_cohort(cohort(frames)).findings if f.severity > Severity.NOTE]
    assert (found.symbol, found.check, found.severity) == ("S03", "spikes", Severity.DOUBT)
    assert found.place.first == planted.first
    row = found.place.first_row
    assert frames["S03"]["time"][row] == planted.first
    assert found.value > found.threshold
    assert "S03, 2018-0" in found.sentence


def test_empty_and_tiny_files_are_graded_not_crashed_on(quick_folder):
    market = simulated("coins 1h", n_symbols=3, n_bars=1000)
    for n in (0, 1, 2, 3, 5):
        save(quick_folder, f"T{n}", {k: v[:n] for k, v in market.frames["S00"].items()})
    checked = check_folder(settings(market, quick_folder))
    assert checked.grades["T0"].name == "REFUSED"
    assert set(checked.grades) == {"T0", "T1", "T2", "T3", "T5"}
    alone = simulated("coins 1h", n_symbols=1, n_bars=3)
    assert check_cohort(cohort(alone.frames)).findings == ()
    assert check_cohort(cohort({})).findings == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e308, 5e-324])
def test_hostile_numbers_never_crash_a_check(value):
    market = simulated("coins 1h", n_symbols=3, n_bars=300)
    with np.errstate(all="raise", under="ignore"):
        for name in ("open", "high", "low", "close", "volume"):
            frames = {s: {k: v.copy() for k, v in c.items()} for s, c in market.frames.items()}
            frames["S01"][name][::7] = value
            frames["S02"][name][:] = value
            check_cohort(cohort(frames))


def test_findings_do_not_depend_on_the_order_of_files():
    market = simulated("coins 1h", seed=0, n_symbols=5, n_bars=800)
    market.frames["S03"] = plant("two_bad_rows", market, "S03", seed=1).columns
    forward = check_cohort(cohort(market.frames)).findings
    names = list(market.frames)
    renamed = dict(zip(names[::-1], market.frames.values(), strict=True))
    there = {(names[::-1][names.index(f.symbol)] if f.symbol != EVERYONE else EVERYONE, f.check,
              f.place, f.n_found) for f in forward}  # fmt: skip
    back = {(f.symbol, f.check, f.place, f.n_found) for f in check_cohort(cohort(renamed)).findings}
    assert back == there


@pytest.mark.real_data
@pytest.mark.skipif(not BARS.is_dir(), reason=f"no market data in {BARS}")
@pytest.mark.parametrize("name", ["equity_recent/1h", "stocknet/1d"])
def test_clean_real_bars_are_left_alone(name, quick_folder):
    market = real(name)
    lay_out(quick_folder, market)
    wrong = flags(check_folder(settings(market, quick_folder)))
    assert len(wrong) <= 0.01 * len(market.frames) * len(CHECKS.kinds()), wrong


def test_the_folder_is_untouched(quick_folder):
    market = simulated("coins 1h", n_symbols=2, n_bars=200)
    lay_out(quick_folder, market)
    before = {p.name: p.read_bytes() for p in quick_folder.iterdir()}
    copy = quick_folder / "copy"
    shutil.copytree(quick_folder, copy)
    check_folder(settings(market, copy))
    assert {p.name: p.read_bytes() for p in copy.iterdir()} == before
