"""higher(timeframe, x): the last finished longer bar, by hand, by reference, live, unforeseen."""

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, ExpressionError
from touchstone.features import Bar, Stream, compile_expression, compile_features, evaluate
from touchstone.features import FeaturesConfig as Config
from touchstone.features.language import parse
from touchstone.market import Bars, Calendar, Panel, Timeframe
from walks import HOUR_NS, START_NS, panel_of, random_panel, random_walk

FIELDS = ("open", "high", "low", "close", "volume")
TEXTS = {
    "gap": 'close / higher("1d", close) - 1',
    "trend": 'higher("1d", ema(close, 3)) * higher_known("1d", ema(close, 3))',
    "lagged": 'lag(higher("4h", std(ret, 3) + volume), 2)',
    "across": 'higher("1d", cross_mean(ret)) + cross_rank(higher("8h", ret))',
    "beside": 'higher("12h", vix + vix_known) - higher_known("2h", hour)',
    "same": 'higher("1h", close) - close',
}
PLAN = compile_features(Config(set="none", extra=TEXTS), {"vix"})


def column(text, panel, side=()):
    return evaluate(compile_expression("it", text, side), panel, np.float64)[:, 0]


def market(seed, n_bars=150, missing=0.2, calendar="24/7", n=4):
    panel = random_panel(n, n_bars, seed)
    bars = [panel.bars(i) for i in range(n)]
    panel = Panel.from_bars(bars, Timeframe("1h"), Calendar(calendar))
    rng = np.random.default_rng(seed)
    open_market = panel.calendar.overlaps_session(panel.time, HOUR_NS)
    panel = panel.where(open_market & (rng.random(len(panel)) >= missing))
    vix = rng.normal(size=len(panel))
    return panel.map_side({"vix": np.where(rng.random(len(panel)) < 0.4, np.nan, vix)})


def test_the_day_before_until_the_day_is_over():
    bars = random_walk(72)
    got = column('higher("1d", close)', panel_of(bars))
    assert got[:23].tolist() == [0.0] * 23  # no day is over yet
    assert (got[23:47] == bars.close[23]).all()  # known with the bar that ends the day
    assert (got[47:71] == bars.close[47]).all()
    assert got[71] == bars.close[71]
    known = column('higher_known("1d", lag(close, 1))', panel_of(bars))
    assert known.tolist() == [0.0] * 47 + [1.0] * 25


def test_what_is_inside_counts_longer_bars():
    bars = random_walk(24 * 9)
    got = column('higher("1d", mean(close, 3))', panel_of(bars))
    closes = bars.close[23::24]
    assert got[24 * 3 - 1] == pytest.approx(closes[:3].mean(), rel=1e-12)
    assert got[-2] == pytest.approx(closes[5:8].mean(), rel=1e-12)
    highs = bars.high.reshape(9, 24).max(axis=1)
    assert column('higher("1d", high)', panel_of(bars))[-1] == highs[-1]


def reference(panel, place):
    """The close of the last longer bar that was over, found by walking over the bars."""
    out, until = [], panel.available_at
    for row in range(len(panel)):
        mine = [
            r for r in range(len(panel)) if panel.asset_id[r] == panel.asset_id[row] and r <= row
        ]
        groups = {}
        for r in mine:
            groups.setdefault(place(int(panel.time[r])), []).append(r)
        over = [g for (_, end), g in sorted(groups.items()) if end <= until[row]]
        out.append(panel.close[over[-1][-1]] if over else 0.0)
    return out


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 99), st.floats(0, 0.6), st.sampled_from([2, 4, 8, 12, 24]))
def test_agrees_with_a_walk_over_the_bars(seed, missing, hours):
    frame = "1d" if hours == 24 else f"{hours}h"
    panel = market(seed, 60, missing, n=2)
    span = hours * HOUR_NS

    def place(time):
        return time // span * span, time // span * span + span

    expected = reference(panel, place)
    np.testing.assert_array_equal(column(f'higher("{frame}", close)', panel), expected)


def live(panel, plan, restart=None):
    feed, out = stream(panel, plan), np.full((len(panel), len(plan.names)), np.nan)
    time, rows = panel.blocks()
    for step, (now, row) in enumerate(zip(time.tolist(), rows, strict=True)):
        if step == restart:
            state, feed = feed.state(), stream(panel, plan)
            feed.restore(state)
        at = np.maximum(row, 0)
        side = {name: values[at] for name, values in panel.side.items()}
        values = feed.push(row >= 0, now, Bar(*(getattr(panel, f)[at] for f in FIELDS), side))
        out[row[row >= 0]] = values[row >= 0]
    return out


def stream(panel, plan):
    return Stream(plan, panel.n_instruments, panel.calendar, panel.timeframe)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 999), st.floats(0, 0.9), st.sampled_from(["24/7", "XNYS", "FX"]),
    st.integers(0, 60),
)  # fmt: skip
def test_live_is_bit_equal_under_every_calendar(seed, missing, calendar, restart):
    panel = market(seed, 240, missing, calendar)
    if len(panel):
        whole = evaluate(PLAN, panel, np.float64)
        np.testing.assert_array_equal(live(panel, PLAN, restart), whole)


def scrambled(panel, until, seed=77):
    """Every bar after a time is another."""
    other = market(seed, 240, 0.0, panel.calendar.name)
    bars, vix = [], []
    for i in range(panel.n_instruments):
        old, new = panel.bars(i), other.bars(i)
        past, future = old.time <= until, new.time > until
        columns = [np.r_[getattr(old, f)[past], getattr(new, f)[future]] for f in ("time", *FIELDS)]
        bars.append(Bars(old.symbol, *columns))
        rows = [slice(p.offsets[i], p.offsets[i + 1]) for p in (panel, other)]
        vix.append(np.r_[panel.side["vix"][rows[0]][past], other.side["vix"][rows[1]][future]])
    mixed = Panel.from_bars(bars, panel.timeframe, panel.calendar)
    return mixed.map_side({"vix": np.concatenate(vix)})


def foresight(panel):
    """How many values until a time change when what comes after it does, over several times."""
    values, changed = evaluate(PLAN, panel, np.float64), 0
    for until in np.unique(panel.time)[15:-5:7]:
        other = scrambled(panel, until)
        past = evaluate(PLAN, other, np.float64)[other.time <= until]
        changed += int((~np.isclose(past, values[panel.time <= until], 0, 0, True)).sum())
    return changed


@pytest.mark.parametrize("calendar", ["24/7", "XNYS", "FX"])
def test_the_future_moves_nothing(calendar):
    assert foresight(market(5, 240, 0.2, calendar)) == 0


def test_a_bar_that_counted_as_over_too_early_would_be_seen(monkeypatch):
    """Planted fault: the law above catches a day that ends an hour before it does."""
    module = importlib.import_module("touchstone.market.resample")
    honest = module.spans

    def hasty(time, timeframe, calendar):
        start, end = honest(time, timeframe, calendar)
        return start, end - HOUR_NS

    monkeypatch.setattr(module, "spans", hasty)
    assert foresight(market(5, 240, 0.2)) > 0


def test_it_is_read_printed_and_fingerprinted():
    tree = parse("it", "higher('1d', close - 1)")
    assert str(tree) == 'higher("1d", (close - 1))'
    assert parse("it", str(tree)) == tree

    def same(one, other):
        plans = [compile_expression("it", text) for text in (one, other)]
        return plans[0].fingerprint == plans[1].fingerprint

    assert same('higher("1d", close/lag(close,1) - 1.0)', 'higher("1d", ret)')
    assert not same('higher("1d", close)', 'higher("4h", close)')
    assert not same('higher("1d", close)', 'higher("1d", open)')
    assert not same('higher("1d", close)', 'higher_known("1d", close)')
    both = compile_features(Config(set="none", extra={
        "a": 'higher("1d", mean(close, 5)) + close', "b": 'close * higher("1d", sum(close, 5) / 5)'
    }))  # fmt: skip
    assert len(both.higher["1d"].outputs) == 1
    assert compile_expression("it", 'higher("1d", vix)', {"vix"}).side == ("vix",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'higher("1 d", close)',
            r'column 8: higher takes a timeframe first, as in higher\("1d", x',
        ),
        ("higher(close, close)", r"column 8: higher takes a timeframe first"),
        ('higher("5min", close)', r'Did you mean "?\'?5m'),
        ('higher("1d")', r'column 1: 1 arguments, needs 2: higher\("1d", x\)'),
        ("higher_known", r"column 1: higher_known is a function"),
        ('higher("1d", higher("4h", close))', r"column 14: higher inside higher"),
        ('higher("1d", clsoe)', r"column 14: no input named 'clsoe'. Did you mean 'close'"),
        ('lag("1d", 2)', r"column 5: '1d' is not a number"),
        ('highr("1d", close)', r"column 7: '1d' is not a number"),
        ('higher(f"{close}", close)', r"column 8: higher takes a timeframe first"),
    ],
)
def test_anything_else_is_refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        compile_expression("mine", text)


def test_bars_that_make_none_of_the_timeframe_are_refused():
    plan = compile_expression("it", 'higher("30m", close)')
    with pytest.raises(ConfigError, match="bars of 1h make no bars of 30m"):
        evaluate(plan, panel_of(random_walk(30)))
    with pytest.raises(ConfigError, match="bars of 1h make no bars of 30m"):
        Stream(plan, 1, timeframe=Timeframe("1h"))
    with pytest.raises(ConfigError, match=r"looks at bars of 30m: a stream of it needs the timef"):
        Stream(plan, 1)


def test_instruments_without_bars_and_panels_without_rows():
    plan = compile_expression("it", 'higher("1d", close)')
    panel = panel_of(random_walk(30, symbol="A"), random_walk(30, symbol="B"))
    assert evaluate(plan, panel.where(np.zeros(60, bool))).shape == (0, 1)
    only = evaluate(plan, panel.where(panel.asset_id == 1), np.float64)
    assert only[-1, 0] == panel.close[53]
    assert START_NS % (24 * HOUR_NS) == 0
