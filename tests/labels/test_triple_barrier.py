"""triple_barrier: worked cases, a slow reference, and the law that only t + 1 .. exit matters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.reference import slow_triple_barrier
from touchstone.errors import ConfigError
from touchstone.labels import UNKNOWN, Labels
from touchstone.labels.triple_barrier import (
    Columns,
    Terms,
    TripleBarrierConfig,
    fill,
    triple_barrier,
    walk,
)
from touchstone.market import Bars, Calendar, Panel, Timeframe
from walks import HOUR_NS, START_NS, flat, panel_of, random_panel, random_walk

CONFIG = TripleBarrierConfig(take_profit=0.05, stop_loss=0.02, horizon=3)
CLASSIC = CONFIG.model_copy(update={"entry": "close", "horizon_exit": "close"})


@pytest.mark.parametrize(
    ("rows", "outcome", "exit_", "realised", "ambiguous"),
    [
        pytest.param({}, 0, 4, 0.0, False, id="nothing: out at the open after the horizon"),
        pytest.param({"high": {2: 105.01}}, 1, 2, 0.05, False, id="target traded through"),
        pytest.param({"high": {2: 105.0}}, 0, 4, 0.0, False, id="target touched only: no fill"),
        pytest.param({"low": {1: 98.0}}, -1, 1, -0.02, False, id="stop touched on the entry bar"),
        pytest.param({"low": {1: 98.01}}, 0, 4, 0.0, False, id="stop missed by a cent"),
        pytest.param({"high": {2: 106.0}, "low": {2: 97.0}}, -1, 2, -0.02, True, id="both: stop"),
        pytest.param({"high": {1: 106.0}, "low": {1: 97.0}}, -1, 1, -0.02, True, id="both at once"),
        pytest.param({"high": {0: 110.0}}, 0, 4, 0.0, False, id="the decision bar is not watched"),
        pytest.param({"high": {3: 106.0}}, 1, 3, 0.05, False, id="the horizon's bar is watched"),
        pytest.param({"high": {4: 106.0}}, 0, 4, 0.0, False, id="after the horizon is too late"),
        pytest.param({"open": {4: 103.0}, "high": {4: 103.0}}, 0, 4, 0.03, False, id="exit's open"),
        pytest.param({"open": {2: 95.0}, "low": {2: 95.0}}, -1, 2, -0.05, False, id="gap: stop"),
        pytest.param({"open": {2: 98.0}, "low": {2: 98.0}}, -1, 2, -0.02, False, id="opens at it"),
        pytest.param({"open": {2: 108.0}, "high": {2: 109.0}}, 1, 2, 0.08, False, id="gap: target"),
        pytest.param(
            {"open": {2: 108.0}, "high": {2: 109.0}, "low": {2: 90.0}, "close": {2: 95.0}},
            *(1, 2, 0.08, False),
            id="opened beyond the target, then fell through the stop: target came first",
        ),
        pytest.param(
            {"open": {2: 95.0}, "high": {2: 109.0}, "low": {2: 90.0}},
            *(-1, 2, -0.05, False),
            id="opened beyond the stop, then rose through the target: stop came first",
        ),
        pytest.param(
            {"open": {1: 102.0}, "high": {1: 102.0, 2: 106.0}},
            *(0, 4, 100 / 102 - 1, False),
            id="entry is the next open, not this close: 106 is 3.9 % over it",
        ),
    ],
)
def test_worked_case(rows, outcome, exit_, realised, ambiguous):
    labels = triple_barrier(panel_of(flat(9, **rows)), CONFIG)
    assert (labels.outcome[0], labels.exit[0]) == (outcome, exit_)
    assert labels.realised[0] == pytest.approx(realised, abs=1e-12)
    assert labels.ambiguous[0] == ambiguous


@pytest.mark.parametrize(
    ("rows", "outcome", "exit_", "realised"),
    [
        pytest.param({}, 0, 3, 0.0, id="out at the horizon's close"),
        pytest.param({"close": {3: 99.0}, "low": {3: 99.0}}, 0, 3, -0.01, id="that close counts"),
        pytest.param({"open": {1: 95.0}, "low": {1: 95.0}}, -1, 1, -0.05, id="gap after the close"),
        pytest.param({"open": {1: 107.0}, "high": {1: 107.0}}, 1, 1, 0.07, id="and the good gap"),
    ],
)
def test_worked_case_of_the_classic_definition(rows, outcome, exit_, realised):
    labels = triple_barrier(panel_of(flat(9, **rows)), CLASSIC)
    assert (labels.outcome[0], labels.exit[0]) == (outcome, exit_)
    assert labels.realised[0] == pytest.approx(realised, abs=1e-12)


def test_last_rows_are_unknown_not_negative():
    labels = triple_barrier(panel_of(flat(9)), CONFIG)
    np.testing.assert_array_equal(labels.exit[-5:], [8, *[UNKNOWN] * 4])
    assert np.isnan(labels.realised[-4:]).all()
    assert not labels.outcome[-4:].any()


def test_barrier_near_the_end_is_known_though_the_horizon_is_not():
    labels = triple_barrier(panel_of(flat(9, low={8: 90.0})), CONFIG)
    np.testing.assert_array_equal(labels.exit[4:], [8, 8, 8, 8, UNKNOWN])
    np.testing.assert_array_equal(labels.outcome[4:], [0, -1, -1, -1, 0])


def test_a_label_never_reads_the_next_instrument():
    crash = Bars("CRASH", flat(9).time, *(np.full(9, 1.0) for _ in range(5)))
    labels = triple_barrier(panel_of(flat(9), crash), CONFIG)
    np.testing.assert_array_equal(labels.exit[5:9], UNKNOWN)


def test_a_hole_in_the_bars_makes_the_label_unknown():
    far = 4 * CONFIG.horizon  # hours that an exit may lie after the decision
    for hours, known in ((far, True), (far + 1, False)):
        time = START_NS + HOUR_NS * np.array([0, 1, 2, 3, hours + 1, hours + 2, hours + 3])
        bars = flat(7)
        panel = panel_of(Bars("HOLE", time, *(getattr(bars, c) for c in COLUMNS)))
        assert (triple_barrier(panel, CONFIG).exit[0] == 4) == known


def test_nights_and_weekends_are_no_hole():
    """Row 0 is Friday 19:00 UTC, the exit on Monday afternoon: some trading hours later."""
    friday = np.datetime64("2024-01-05T19:00", "ns").astype(np.int64)
    monday = np.datetime64("2024-01-08T14:00", "ns").astype(np.int64)
    time = np.r_[friday + HOUR_NS * np.arange(2), monday + HOUR_NS * np.arange(7)]
    bars = flat(9)
    stock = Bars("STOCK", time, *(getattr(bars, c) for c in COLUMNS))
    config = CONFIG.model_copy(update={"horizon": 2})
    for calendar, known in (("XNYS", True), ("24/7", False)):
        assert (triple_barrier(panel_of(stock, calendar=calendar), config).exit[0] == 3) == known


def test_a_day_counts_a_session_of_trading_time():
    day = np.arange("2024-01-02", "2024-03-01", dtype="datetime64[D]")
    day = day[np.is_busday(day, holidays=["2024-01-15", "2024-02-19"])]
    time = day.astype("datetime64[ns]").astype(np.int64)
    stock = Bars("STOCK", time, *(getattr(flat(day.size), c) for c in COLUMNS))
    whole = Panel.from_bars([stock], Timeframe("1d"), Calendar("XNYS"))
    config = CONFIG.model_copy(update={"horizon": 1})
    for n_away, known in ((3, True), (4, False)):  # fills within 4 sessions of the decision
        panel = whole.where(~np.isin(np.arange(day.size), np.arange(2, 2 + n_away)))
        assert (triple_barrier(panel, config).exit[0] == 2) == known


COLUMNS = ("open", "high", "low", "close", "volume")
OPTION = st.sampled_from(("open", "close"))


@st.composite
def ragged_panels(draw):
    panel = random_panel(
        n_instruments=draw(st.integers(1, 4)),
        n_bars=draw(st.integers(1, 12) | st.sampled_from((100, 180, 300))),
        seed=draw(st.integers(0, 10_000)),
        missing=draw(st.sampled_from((0.0, 0.1, 0.6))),
    )
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    jump = np.exp(rng.normal(0, 0.03, len(panel)) * (rng.random(len(panel)) < 0.2))
    for name in COLUMNS[:4]:  # gaps at the open, beyond barriers
        getattr(panel, name)[:] *= jump
    return panel


@st.composite
def configs(draw):
    return TripleBarrierConfig(
        take_profit=draw(st.sampled_from((0.001, 0.02, 0.05, 2.0))),
        stop_loss=draw(st.sampled_from((0.001, 0.02, 1.5))),
        horizon=draw(st.integers(1, 21)),
        entry=draw(OPTION),
        horizon_exit=draw(OPTION),
        width=draw(st.sampled_from((None, "sd(log_return(close), 20)"))),
    )


def width_for(config, panel):
    if config.width is None:
        return None
    rng = np.random.default_rng(len(panel))
    width = rng.choice([np.nan, np.inf, 0.0, -1.0, 0.3, 1.0, 2.5, 1e-17], len(panel))
    return np.asarray(width)


@settings(max_examples=60, deadline=None)
@given(panel=ragged_panels(), config=configs())
def test_agrees_with_the_slow_reference(panel, config):
    width = width_for(config, panel)
    labels = triple_barrier(panel, config, width)
    expected = slow_triple_barrier(panel, config, width)
    for i, (outcome, exit_, realised, ambiguous) in enumerate(expected):
        assert (labels.outcome[i], labels.exit[i]) == (outcome, exit_), i
        assert labels.ambiguous[i] == ambiguous, i
        assert np.isnan(labels.realised[i]) if realised is None else labels.realised[i] == realised


@settings(max_examples=40, deadline=None)
@given(panel=ragged_panels(), config=configs())
def test_blocks_equal_the_walk_with_touch(panel, config):
    n = len(panel)
    width = width_for(config, panel)
    scale = np.ones(n) if width is None else np.abs(width)
    up, down = config.take_profit * scale, config.stop_loss * scale
    fast, slow = (
        Labels(
            np.zeros(n, np.int8), np.zeros(n, np.int64), np.zeros(n), up, down, np.zeros(n, bool)
        )
        for _ in range(2)
    )
    columns = Columns(panel.open, panel.high, panel.low, panel.close, panel.offsets)
    wait, rest = int(config.entry == "open"), int(config.horizon_exit == "open")
    terms = Terms(config.horizon, wait, rest, scaled=width is not None)
    fill(columns, fast, terms)
    for row in range(n):
        walk(columns, slow, terms, row, panel.offsets[panel.asset_id[row] + 1])
    for a, b in zip(fast, slow, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 199), config=configs())
def test_bars_after_exit_change_nothing(seed, cut, config):
    past = random_walk(200, seed, volatility=0.02)
    other = random_walk(200, seed + 1, volatility=0.05)
    time = past.time
    mixed = Bars(
        "WALK", time, *(np.r_[getattr(past, c)[:cut], getattr(other, c)[cut:]] for c in COLUMNS)
    )
    width = None if config.width is None else np.full(200, 0.7)
    whole, short, changed = (
        triple_barrier(panel_of(bars), config, None if width is None else width[: len(bars)])
        for bars in (past, past.head(cut), mixed)
    )
    known = short.known
    for other_labels in (whole, changed):
        for a, b in zip(short, other_labels, strict=True):
            np.testing.assert_array_equal(a[known], b[:cut][known])


def test_scaled_barriers_are_multiples_of_the_width():
    config = CONFIG.model_copy(update={"take_profit": 2.0, "stop_loss": 1.0, "width": "x"})
    width = np.full(9, 0.01)
    width[1] = np.nan
    labels = triple_barrier(panel_of(flat(9, high={3: 102.5})), config, width)
    np.testing.assert_array_equal(labels.exit[:3], [3, UNKNOWN, 3])
    np.testing.assert_array_equal(labels.up, 2 * width)
    np.testing.assert_array_equal(labels.down, width)


def test_width_without_a_column_says_the_way_out():
    config = CONFIG.model_copy(update={"width": "sd(close, 20)"})
    with pytest.raises(ConfigError, match=r"'sd\(close, 20\)', got no column: evaluate"):
        triple_barrier(panel_of(flat(9)), config)
    with pytest.raises(ConfigError, match="no width, got one"):
        triple_barrier(panel_of(flat(9)), CONFIG, np.ones(9))
    with pytest.raises(ConfigError, match=r"one value per row, \(9,\), got \(8,\)"):
        triple_barrier(panel_of(flat(9)), config, np.ones(8))


def test_ambiguous_share_counts_barrier_exits():
    labels = triple_barrier(panel_of(flat(9, high={2: 106.0, 6: 106}, low={2: 97.0})), CONFIG)
    np.testing.assert_array_equal(labels.outcome[:6], [-1, -1, 0, 1, 1, 1])
    assert labels.ambiguous_share == pytest.approx(2 / 5)
