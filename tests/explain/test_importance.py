"""Permutation importance: its definition, written slowly, and what it must and must not do."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from explain.subjects import (
    BARS_A_DAY,
    DRIVER,
    FLAT,
    HORIZON,
    HOUR_NS,
    KINDS,
    LOOKBACK,
    N_ASSETS,
    NAMES,
    NETWORKS,
    some,
    subject,
)
from touchstone.dataset.windows import Windows
from touchstone.errors import ConfigError, DataError
from touchstone.explain import Subject, agreed_names, in_order, margin_of, plus
from touchstone.explain.day_blocks import DayBlocks, day_blocks, lenders
from touchstone.explain.parts import (
    Part,
    exchanged,
    inputs_of,
    parts_of_features,
    parts_of_groups,
    parts_of_lags,
    relatives_of,
    summarised,
)
from touchstone.explain.permutation import importance, unmoved
from touchstone.metrics import classification
from touchstone.models import Shape
from touchstone.models.scoring import score, score_inputs
from touchstone.seeding import generator
from touchstone.validation.stretches import stretches

DAY_NS = 24 * HOUR_NS
FEATURES = parts_of_features(NAMES)


class Blind:
    """A fitted model that provably cannot use one feature: it is zero before the model sees it."""

    def __init__(self, fitted, column):
        self.fitted, self.column = fitted, column

    def __getattr__(self, name):
        return getattr(self.fitted, name)

    def raw(self, inputs, asset_id):
        inputs = inputs.copy()
        inputs[..., self.column :: len(NAMES)] = 0  # of a tabular row: each of its summaries
        return self.fitted.raw(inputs, asset_id)


@functools.cache
def found(kind):
    third = some(subject(kind), slice(None, None, 3))
    return importance([third], FEATURES, n_permutations=2, n_resamples=99)


@pytest.mark.parametrize("kind", [*KINDS, "ensemble"])
def test_a_planted_feature_comes_first_and_an_empty_one_is_exactly_nothing(kind):
    drops = [one.drop for one in found(kind).found]
    assert int(np.argmax(drops)) == DRIVER
    low, high = found(kind).found[DRIVER].interval
    assert 0 < low < drops[DRIVER] < high
    flat = found(kind).found[FLAT]
    assert (flat.drop, flat.interval, flat.spread, set(flat.each)) == (0.0, (0.0, 0.0), 0.0, {0.0})


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_model_cannot_see_is_exactly_nothing(kind):
    this = subject(kind, n=400)
    blind = this._replace(fitted=Blind(this.fitted, DRIVER))
    for metric in ("pr_auc", "roc_auc", "log_loss", "brier"):
        got = importance([blind], [FEATURES[DRIVER]], metric, n_permutations=2, n_resamples=19)
        assert got.found[0].each == (0.0, 0.0), metric


@pytest.mark.parametrize("kind", ["gru", "lightgbm"])
def test_equal_in_every_bit_whatever_the_order_of_rows_and_each_time(kind):
    this = subject(kind, n=300)
    parts = [FEATURES[DRIVER], Part("newest", (0, 1), (2, 0))]
    first = importance([this], parts, "log_loss", n_permutations=2, n_resamples=49)
    assert importance([this], parts, "log_loss", n_permutations=2, n_resamples=49) == first
    mixed = np.random.default_rng(0).permutation(this.rows.size)
    shuffled = some(this, mixed)._replace(train=this.train[::-1])
    assert importance([shuffled], parts, "log_loss", n_permutations=2, n_resamples=49) == first


@pytest.mark.parametrize("kind", ["mlp", "logistic"])
@pytest.mark.parametrize("metric", ["pr_auc", "roc_auc", "log_loss", "brier"])
def test_equals_its_definition(kind, metric):
    """Scores of windows put together by hand, judged by the slow metrics."""
    this = subject(kind, n=240)
    part = Part("two", (DRIVER, 3), (3, 1))
    got = importance([this], [part], metric, n_permutations=3, n_resamples=19)
    blocks, ids = day_blocks(this), this.windows.ids(this.rows)
    hit, measure = this.outcome == 1, getattr(classification, metric)
    base = measure(plus(score(this.fitted, this.windows, this.rows)), hit)
    assert got.base == pytest.approx(base, abs=1e-12)
    sign = 1 if metric in ("pr_auc", "roc_auc") else -1
    for k in range(3):
        rng = generator(this.seed, "importance", this.name, k)
        lent = this.rows[lenders(blocks, ids, rng)]
        windows = this.windows.gather(this.rows).copy()
        for i, row in enumerate(lent):
            other = this.windows.gather(np.array([row]))[0]
            for age in (1, 2, 3):
                for j in (DRIVER, 3):
                    windows[i, LOOKBACK - 1 - age, j] = other[LOOKBACK - 1 - age, j]
        inputs = windows if this.fitted.inputs == "window" else summarised(windows)
        worse = measure(plus(score_inputs(this.fitted, inputs, ids)), hit)
        assert got.found[0].each[k] == pytest.approx(sign * (base - worse), abs=1e-12)
    assert got.found[0].drop == pytest.approx(np.mean(got.found[0].each))
    assert got.found[0].spread == pytest.approx(np.std(got.found[0].each, ddof=1))


def lender_by_definition(this, rng):
    """Row by row: its block's successor on the cycle, the same day and hour there."""
    blocks = day_blocks(this)
    key, ids = rng.permutation(blocks.n), this.windows.ids(this.rows)
    out = []
    for i in range(this.rows.size):
        own = [r for r in range(this.rows.size) if ids[r] == ids[i]]
        there = sorted({int(blocks.at[r]) for r in own}, key=lambda b: key[b])
        block = there[(there.index(blocks.at[i]) + 1) % len(there)]
        inside = [r for r in own if blocks.at[r] == block]
        wanted = (blocks.day[i] % blocks.sizes[block], blocks.clock[i])
        before = [r for r in inside if (blocks.day[r], blocks.clock[r]) <= wanted]
        out.append(max(before) if before else min(inside))
    return np.array(out)


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_lenders_are_what_they_are_said_to_be(share):
    this = subject("logistic", n=500)
    keep = np.flatnonzero(np.random.default_rng(1).random(this.rows.size) < share)
    this = some(this, keep)
    got = lenders(day_blocks(this), this.windows.ids(this.rows), generator(3, "x"))
    np.testing.assert_array_equal(got, lender_by_definition(this, generator(3, "x")))


def test_a_row_borrows_from_another_day_at_the_same_hour_of_its_own_instrument():
    this = subject("logistic")
    blocks, ids = day_blocks(this), this.windows.ids(this.rows)
    got = lenders(blocks, ids, generator(5, "x"))
    assert blocks.n_days == 1  # 6 + 4 bars of 12 a day
    np.testing.assert_array_equal(ids[got], ids)
    np.testing.assert_array_equal(this.instant[got] % DAY_NS, this.instant % DAY_NS)
    assert (this.instant[got] // DAY_NS != this.instant // DAY_NS).all()
    # All instruments borrow from the same days, and every row lends once.
    moves = (this.instant[got] - this.instant).reshape(N_ASSETS, -1)
    assert (moves == moves[0]).all()
    assert np.unique(got).size == got.size


def test_blocks_are_as_long_as_a_window_and_its_outcome():
    this = subject("logistic")
    assert day_blocks(this._replace(horizon=20)).n_days == 3  # 26 bars of 12 a day
    blocks = day_blocks(this._replace(horizon=90))
    assert (blocks.n_days, blocks.n) == (8, 3)
    assert blocks.sizes.tolist() == [8, 8, 13]
    assert (blocks.day < blocks.sizes[blocks.at]).all()


def test_rows_drawn_from_the_test_borrow_at_their_own_hour():
    this = subject("logistic")
    at = np.sort(np.random.default_rng(2).choice(this.rows.size, 90, replace=False))
    drawn = some(this, at)._replace(test=this.rows, test_instant=this.instant)
    whole = importance([this], [FEATURES[DRIVER]], n_permutations=1, n_resamples=19)
    part = importance([drawn], [FEATURES[DRIVER]], n_permutations=1, n_resamples=19)
    assert part.n_rows == 90
    assert part.kept == whole.kept == 0
    assert part.found[0].drop == pytest.approx(whole.found[0].drop, abs=0.25)
    with pytest.raises(DataError, match="none of its test rows"):
        day_blocks(this._replace(test=this.rows[1:], test_instant=this.instant[1:]))


@settings(max_examples=40)
@given(st.data())
def test_any_gaps_leave_every_row_a_lender_of_its_own_instrument(data):
    n_days = data.draw(st.integers(2, 9))
    size = data.draw(st.integers(1, 3))
    n = n_days // size
    if n < 2:
        return
    cells = [(a, d, h) for a in range(2) for d in range(n_days) for h in range(3)]
    there = data.draw(st.lists(st.sampled_from(cells), min_size=1, unique=True).map(sorted))
    asset, day, hour = (np.array(c) for c in zip(*there, strict=True))
    at = np.minimum(day // size, n - 1)
    sizes = np.full(n, size)
    sizes[-1] = n_days - (n - 1) * size
    blocks = DayBlocks(n, size, at, day - at * size, hour * HOUR_NS, sizes)
    got = lenders(blocks, asset.astype(np.int32), np.random.default_rng(data.draw(st.integers(0))))
    np.testing.assert_array_equal(asset[got], asset)
    for a in (0, 1):
        own = asset == a
        alone = np.unique(at[own]).size < 2
        assert ((at[got] == at)[own] == alone).all()


@pytest.mark.parametrize("kind", ["gru", "lightgbm"])
def test_a_part_over_all_bars_is_that_part_bar_by_bar(kind):
    this = subject(kind, n=100)
    lent = this.rows[::-1]
    whole = exchanged(this, this.rows, lent, Part("a", (0, 3)))
    np.testing.assert_array_equal(
        whole, exchanged(this, this.rows, lent, Part("a", (0, 3), (LOOKBACK - 1, 0)))
    )
    every = Part("all", tuple(range(len(NAMES))))
    np.testing.assert_array_equal(exchanged(this, this.rows, lent, every), inputs_of(this, lent))


def test_the_only_feature_that_counts_is_worth_what_all_are_worth():
    this = subject("logistic")
    every = Part("all", tuple(range(len(NAMES))))
    got = importance([this], [FEATURES[DRIVER], every], n_permutations=4, n_resamples=19)
    assert got.found[0].drop == pytest.approx(got.found[1].drop, abs=0.03)
    rate = float(np.mean(this.outcome == 1))
    assert got.base - got.found[1].drop == pytest.approx(rate, abs=0.06)


def test_what_says_the_same_on_other_days_at_its_hour_cannot_be_tested():
    """A feature of the hour, one that never changes, and one of the hour with a group's other."""
    this = worthless(0)
    features = this.windows.features.copy()
    hour = np.sin(np.arange(len(features)) % 12).astype(np.float32)
    features[:, 1], features[:, 2] = hour, 3.5
    clock = this._replace(windows=Windows(features, this.windows.asset_id, 4))
    parts = (*parts_of_features(("a", "b", "c")), Part("b + a", (1, 0)), Part("b + c", (1, 2)))
    assert unmoved([this], parts[:3]) == (False, False, False)
    assert unmoved([clock], parts) == (False, True, True, False, True)
    features[:, 2] = np.arange(len(features)) % 97 == 0  # a flag that is seldom up
    flag = this._replace(windows=Windows(features, this.windows.asset_id, 4))
    assert unmoved([flag], parts[:3]) == (False, True, False)


def test_folds_are_judged_together():
    this = subject("logistic")
    halves = np.array_split(np.arange(this.rows.size), 2)
    folds = [some(this, at)._replace(name=f"fold {k}") for k, at in enumerate(halves)]
    got = importance(folds, FEATURES, n_permutations=1, n_resamples=19)
    assert got.n_rows == this.rows.size
    assert got.base == importance([this], FEATURES, n_permutations=1, n_resamples=19).base


def test_features_that_say_the_same_are_lost_together():
    this = subject("logistic")
    relatives = relatives_of([this])
    np.testing.assert_allclose(relatives.correlation, relatives.correlation.T)
    rank = lambda x: np.argsort(np.argsort(x))  # noqa: E731  short
    train = this.windows.features[this.train]
    slow = np.corrcoef(rank(train[:, 3]), rank(train[:, 4]))[0, 1]
    assert relatives.correlation[3, 4] == pytest.approx(slow, abs=1e-6)
    assert parts_of_groups(NAMES, relatives) == (Part("moves + double", (3, 4)),)
    assert parts_of_groups(NAMES, relatives_of([this], 0.9999)) == ()


def test_bars_are_parted_without_rest():
    parts = parts_of_lags(NAMES, 24, 5)
    seen = [age for part in parts for age in range(part.lags[0], part.lags[1] - 1, -1)]
    assert seen == list(range(23, -1, -1))
    assert parts[-1].name.endswith("to 0")
    assert [part.name for part in parts_of_lags(NAMES, 2, 9)] == ["bar -1", "bar 0"]


def test_one_class_has_no_areas_and_few_days_no_intervals():
    this = subject("logistic", n=300)
    none = this._replace(outcome=np.zeros_like(this.outcome))
    got = importance([none], [FEATURES[DRIVER]], n_permutations=1, n_resamples=19)
    assert (got.base, got.found[0].drop, got.found[0].interval, got.found[0].each) == (
        None, None, None, ()
    )  # fmt: skip
    assert importance([none], [FEATURES[DRIVER]], "log_loss", n_permutations=1).base is not None
    few = subject("logistic", n=5 * BARS_A_DAY)
    assert importance([few], [FEATURES[DRIVER]], n_permutations=1).found[0].interval is None


def test_refuses_what_it_cannot_do():
    this = subject("logistic", n=300)
    with pytest.raises(DataError, match="2 are needed"):
        importance([this._replace(horizon=10_000)], FEATURES)
    with pytest.raises(DataError, match="no rows"):
        importance([some(this, slice(0))], FEATURES)
    with pytest.raises(ConfigError, match="no fold"):
        importance([], FEATURES)
    with pytest.raises(ConfigError, match="metric 'auc'"):
        importance([this], FEATURES, "auc")
    with pytest.raises(ConfigError, match="at least one"):
        importance([this], [])
    for bad in (Part("x", (9,)), Part("x", ()), Part("x", (0,), (LOOKBACK, 0))):
        with pytest.raises(ConfigError, match="part 'x'"):
            importance([this], [bad])
    with pytest.raises(ConfigError, match="other columns"):
        agreed_names([this, this._replace(name="fold 2", names=("a", *NAMES[1:]))])
    windows = this.windows.features.copy()
    windows[this.rows[7], 0] = np.nan
    spoilt = type(this.windows)(windows, this.windows.asset_id, LOOKBACK, this.windows.scaler)
    with pytest.raises(DataError, match="not finite"):
        importance([this._replace(windows=spoilt)], FEATURES)


@settings(max_examples=60)
@given(st.lists(st.floats(-6, 6), min_size=3, max_size=3), st.floats(-3, 3))
def test_the_margin_is_that_of_the_raw_margins_whatever_softmax_leaves_open(raw, shift):
    z = np.array(raw) + shift
    p = np.exp(z) / np.exp(z).sum()
    assert margin_of(p[None])[0] == pytest.approx(raw[2] - np.mean(raw), abs=1e-6)
    one = 1 / (1 + np.exp(-z[:1]))
    assert margin_of(one[None])[0] == pytest.approx(z[0], abs=1e-6)


class Line:
    """A logistic line through the summaries, of weights that were given."""

    inputs, shape = "tabular", Shape(4, 3, 2, 1)

    def __init__(self, weights):
        self.weights = weights

    def raw(self, inputs, asset_id):
        """p(+1), (n, 1)."""
        assert len(asset_id) == len(inputs)
        return (1 / (1 + np.exp(-inputs @ self.weights)))[:, None].astype(np.float32)


def slow(rng, n_assets, n, half_life):
    """A state of unit variance that instruments share by half, and that forgets, (n_assets, n)."""
    keep = 0.5 ** (1 / half_life)
    noise = (rng.standard_normal((n_assets, n)) + rng.standard_normal(n)) / 2**0.5
    noise[:, 1:] *= (1 - keep**2) ** 0.5
    return lfilter([1.0], [1.0, -keep], noise)


def worthless(seed, n_days=40, bars=12, n_assets=2):
    """A model that uses three features, of which only the first has to do with the outcome.

    Features and volatility forget half of themselves in a day; outcomes overlap, and instruments
    share all of it, as in a market.
    """
    rng, n = np.random.default_rng(seed), n_days * bars
    features = np.stack([slow(rng, n_assets, n, bars) for _ in range(3)], -1).astype(np.float32)
    shock = rng.standard_normal((n_assets, n)) + rng.standard_normal(n)
    ahead = [np.convolve(own, np.ones(HORIZON) / 8**0.5)[:n] for own in shock]
    value = features[:, :, 0] + np.exp(slow(rng, n_assets, n, bars) / 2) * ahead
    outcome = np.where(value > np.quantile(value, 0.7), 1, -1).astype(np.int8).ravel()
    ids = np.repeat(np.arange(n_assets, dtype=np.int32), n)
    windows = Windows(features.reshape(-1, 3), ids, 4)
    rows = np.flatnonzero(np.arange(ids.size) % n >= 3)
    instant = np.tile(20_000 * DAY_NS + np.arange(n) * DAY_NS // bars, n_assets)
    day = stretches(instant // DAY_NS, (instant + HORIZON * DAY_NS // bars) // DAY_NS)
    weights = np.zeros(9)
    weights[:3] = 1.0, 0.5, -0.5
    return Subject(
        "fold 1", Line(weights), windows, ("a", "b", "c"), rows, rows[:50], outcome[rows],
        np.zeros(rows.size), instant[rows], day[rows], HORIZON, seed,
    )  # fmt: skip


def test_what_is_worth_nothing_is_seldom_told_from_nothing():
    """Of 80 used and worthless features about one in forty is; what has worth always is."""
    told = np.zeros(3)
    for seed in range(40):
        got = importance([worthless(seed)], parts_of_features(("a", "b", "c")), n_resamples=199)
        told += [one.interval[0] > 0 for one in got.found]
    assert told[0] == 40
    assert told[1] + told[2] <= 6  # more than that have a chance below 1 %


def test_a_blind_model_is_one():
    this = subject(NETWORKS[0], n=20)
    inputs, ids = inputs_of(this, this.rows), this.windows.ids(this.rows)
    other = inputs.copy()
    other[..., DRIVER] += 1
    blind = Blind(this.fitted, DRIVER)
    np.testing.assert_array_equal(blind.raw(inputs, ids), blind.raw(other, ids))
    assert not np.array_equal(this.fitted.raw(inputs, ids), this.fitted.raw(other, ids))
    assert in_order(this).rows.size == 20
