"""Promises that every check of bars keeps. A new file in data/checks/ is tested here."""

import numpy as np
import pytest

from touchstone.config import Config
from touchstone.data.checks import CHECKS
from touchstone.data.doubt.cohort import Cohort
from touchstone.data.loading import Reject
from touchstone.data.raw_bars import RawBars
from touchstone.errors import ConfigError
from touchstone.market import Calendar, Timeframe
from touchstone.market.findings import EVERYONE, Finding, Severity
from walks import flat, random_panel, random_walk

HOUR = Timeframe("1h")


@pytest.fixture(params=CHECKS.kinds())
def check(request):
    config = CHECKS.parse(request.param)
    part = CHECKS.part(request.param)
    return lambda cohort: tuple(part(config, cohort))


def raw(*bars):
    return [RawBars.of(b) for b in bars]


def cohort(bars, **more):
    return Cohort(bars, HOUR, Calendar("24/7"), **more)


def broken(seed=0):
    """Raw rows with a little of everything, so that most checks have something to say."""
    rng = np.random.default_rng(seed)
    out = []
    for i, bars in enumerate(raw(*(random_walk(600, i, symbol=f"S{i}") for i in range(5)))):
        columns = [c.copy() for c in (bars.time, *bars.prices, bars.volume)]
        for column in columns[1:]:
            column[rng.integers(0, 600, 6)] *= rng.choice([-1, 0, 0.1, 5, np.nan], 6)
        columns[0][rng.integers(1, 600, 2)] -= HOUR.ns * 2
        columns[5][100:140] = 0
        keep = np.r_[0:300, 300 + 10 * i : 600]
        out.append(RawBars(f"S{i}", "", np.arange(keep.size), *(c[keep] for c in columns)))
    return out


@pytest.mark.parametrize("kind", CHECKS.kinds())
def test_is_named_like_its_file_and_configured_closed(kind):
    config = CHECKS.config(kind)
    assert config.model_fields["kind"].default == kind
    assert issubclass(config, Config)
    with pytest.raises(ConfigError, match="no such key"):
        CHECKS.parse({"kind": kind, "lenght": 3})


def test_says_nothing_of_clean_bars(check):
    panel = random_panel(6, 600)
    assert check(Cohort.of(panel)) == ()
    assert check(Cohort.of(panel, int(panel.available_at.max()))) == ()


@pytest.mark.parametrize(
    "bars",
    [
        [],
        raw(flat(1)),
        raw(flat(2)),
        raw(flat(300)),
        raw(random_walk(3, symbol="A"), random_walk(1, symbol="B"), random_walk(700, symbol="C")),
    ],
    ids=["none", "one bar", "two bars", "flat", "of all lengths"],
)
def test_stands_any_size(check, bars):
    check(cohort(bars))


def test_findings_are_typed_sorted_in_time_and_name_the_way_out(check, request):
    kind = request.node.callspec.params["check"]
    bars = broken()
    now = int(bars[0].time.max()) - 50 * HOUR.ns
    rejects = [Reject("X", "x.parquet", "is no file of bars: download it again")]
    known = {b.symbol for b in bars} | {EVERYONE, "X"}
    for found in check(cohort(bars, now=now, unreadable=rejects)):
        assert isinstance(found, Finding)
        assert found.check == kind
        assert found.symbol in known
        assert isinstance(found.severity, Severity)
        assert found.n_found >= 0
        assert len(found.sentence) >= 40
        assert "\n" not in found.sentence
        assert found.as_dict()["severity"] == found.severity.name.lower()
        if found.place is not None and found.place.first_row >= 0:
            bar = next(b for b in bars if b.symbol == found.symbol)
            assert bar.time[found.place.first_row] == found.place.first
            assert bar.time[found.place.last_row] == found.place.last


def test_changes_no_bar_and_says_the_same_twice(check):
    bars = broken(3)
    before = [[c.copy() for c in (b.time, *b.prices, b.volume)] for b in bars]
    first, second = check(cohort(bars)), check(cohort(bars))
    assert repr(first) == repr(second)
    for b, columns in zip(bars, before, strict=True):
        for now, then in zip((b.time, *b.prices, b.volume), columns, strict=True):
            np.testing.assert_array_equal(now, then)
