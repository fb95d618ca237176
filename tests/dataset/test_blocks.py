"""Blocks against row-by-row references, embargo in trading time, paths, scikit-learn."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from dataset.timelines import DAY_NS, HOUR_NS, START_NS, ragged, regular, timeline_of
from touchstone.dataset.blocks import MOST_BLOCKS, blocks, even_edges
from touchstone.dataset.cross_validator import CrossValidator
from touchstone.dataset.folds import Folds
from touchstone.dataset.paths import pooled, recombined
from touchstone.dataset.splits import SPLITS, timeline
from touchstone.dataset.windows import complete
from touchstone.errors import ConfigError, DataError
from touchstone.labels.triple_barrier import TripleBarrierConfig, triple_barrier
from touchstone.market import Calendar
from walks import flat, panel_of


def reference(line, edges, test, validate, embargo):
    """Row by row, from the page: train rows whose interval meets a test block's are dropped."""

    def block(i):
        return next((b for b in range(edges.size - 1) if edges[b] < line.known[i] <= edges[b + 1]),
                    None)  # fmt: skip

    def last(i):
        return line.end[i] if line.has_label[i] else line.known[i]

    rows = range(line.known.size)
    homes = [block(i) for i in rows]
    reach = {}
    for b in {*test, validate}:
        members = [i for i in rows if homes[i] == b]
        if members:
            first = min(int(edges[b]), *(line.begin[i] for i in members))
            reach[b] = (first, max(last(i) for i in members))

    def meets(i, others):
        return any(
            line.begin[i] < reach[b][1] + embargo and reach[b][0] < last(i)
            for b in others
            if b in reach
        )

    usable = line.has_window & line.has_label
    train = [i for i in rows if usable[i] and homes[i] not in {*test, validate, None}]
    chosen = [i for i in rows if usable[i] and homes[i] == validate]
    kept_train = [i for i in train if not meets(i, {*test, validate})]
    kept = [i for i in chosen if not meets(i, test)]
    tested = [i for i in rows if line.has_window[i] and homes[i] in test]
    return kept_train, kept, tested, len(train) - len(kept_train), len(chosen) - len(kept)


@settings(max_examples=25, deadline=None)
@given(
    ragged(),
    st.integers(3, 9),
    st.sampled_from([0, 1, 7, 40]),
    st.integers(0, 1000),
)
def test_is_the_row_by_row_reference(line, n_blocks, embargo_hours, seed):
    rng = np.random.default_rng(seed)
    keep = np.sort(rng.permutation(line.known.size)[:250])
    line = line._replace(**{n: getattr(line, n)[keep] for n in line._fields[:5]})
    begin, end = line.begin.min(), line.known.max() - 5 * DAY_NS
    edges = even_edges(int(begin), int(max(end, begin + n_blocks)), n_blocks)
    embargo = embargo_hours * HOUR_NS
    test = rng.choice(n_blocks, rng.integers(1, n_blocks - 1), replace=False)
    validate = int(rng.choice(np.setdiff1d(np.arange(n_blocks), test)))
    found = blocks(line, edges, embargo).split(test, validate)
    expected = reference(line, edges, {int(b) for b in test}, validate, embargo)
    for ours, theirs in zip(found[:3], expected[:3], strict=True):
        np.testing.assert_array_equal(ours.rows(), theirs)
        assert ours.size == len(theirs)
    assert tuple(found[3:]) == expected[3:]


def test_a_planted_overlap_is_caught():
    """One far exit of another instrument in the test block purges what it meets, no more."""
    line = regular(240, lookback=1, horizon=1)
    edges = even_edges(START_NS, START_NS + 240 * HOUR_NS, 4)
    plain = blocks(line, edges, 0).split([1], 3)
    end = line.end.copy()
    end[100] = START_NS + 150 * HOUR_NS  # decided at 101 h, in block 1 of (60, 120]
    far = blocks(line._replace(end=end), edges, 0).split([1], 3)
    lost = np.setdiff1d(plain.train.rows(), far.train.rows())
    assert plain.train.rows()[np.searchsorted(plain.train.rows(), 119)] == 122
    np.testing.assert_array_equal(lost, np.arange(122, 150))


def test_embargo_counts_trading_time():
    """Friday's last hour is followed by Monday's first; a night and a weekend are no embargo."""
    calendar = Calendar("XNYS")
    friday = np.datetime64("2024-03-01T20:00", "ns").astype(np.int64)
    one_hour = calendar.later(np.array([friday]), HOUR_NS)
    assert one_hour[0] == np.datetime64("2024-03-01T21:00", "ns").astype(np.int64)
    two = calendar.later(np.array([friday]), 2 * HOUR_NS)
    assert two[0] == np.datetime64("2024-03-04T15:30", "ns").astype(np.int64)


@pytest.mark.parametrize("name", ["24/7", "XNYS", "FX"])
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 40_000), st.integers(1, 2000))
def test_later_inverts_trading_time(name, hour, trading_hours):
    calendar = Calendar(name)
    at = np.array([START_NS + hour * HOUR_NS // 4])
    length = trading_hours * HOUR_NS // 4
    then = calendar.later(at, length)
    assert calendar.trading_time(then) - calendar.trading_time(at) == length
    assert calendar.trading_time(then - 1) - calendar.trading_time(at) < length
    assert calendar.later(at, 0) == at


def test_the_embargo_of_a_timeline_is_the_longer_of_lookback_and_horizon():
    panel = panel_of(flat(60))
    labels = triple_barrier(panel, TripleBarrierConfig(horizon=8))
    for lookback, bars in ((24, 24), (3, 9)):  # an exit is filled one bar behind the horizon
        whole = complete(np.zeros((60, 1), np.float32), panel.offsets, lookback)
        assert timeline(panel, labels, whole, lookback).embargo == bars * HOUR_NS


def test_purged_kfold_worked_by_hand():
    """100 days of hours, 5 blocks of 20 days, lookback 24, exits 9 h on, embargo 24 h."""
    line = regular(100 * 24)._replace(embargo=24 * HOUR_NS)
    config = SPLITS.parse({"kind": "purged_kfold", "folds": 5, "sealed": "0%"})
    folds = SPLITS.part_of(config)(config, line)
    assert len(folds.folds) == 5
    fold = folds.folds[1]
    day = [[(b - START_NS) / DAY_NS for b in piece] for piece in fold.stretches.train]
    assert day == [[0, 20], [40, 80]]
    at = (line.known[fold.train] - START_NS) // HOUR_NS
    assert at[at <= 480].max() == 481 - 24 - 9  # exits where the first test window begins
    # the last exit is known at 960 + 9; windows begin 24 h behind it, and are known 24 h later
    assert at[at > 480].min() == 960 + 9 + 24 + 24
    assert folds.folds[4].stretches.validate == ((START_NS + 60 * DAY_NS, START_NS + 80 * DAY_NS),)
    assert sorted(np.concatenate([fold.test for fold in folds.folds])) == list(range(23, 2400))


def test_paths_are_the_books():
    """López de Prado (2018), figure 12.2: 6 groups, 2 at once, 15 splits, 5 paths."""
    line = regular(60 * 24)
    config = SPLITS.parse({"kind": "combinatorial", "sealed": "0%"})
    folds = SPLITS.part_of(config)(config, line)
    assert len(folds.folds) == 15
    scores = [np.full(fold.test.size, float(i + 1)) for i, fold in enumerate(folds.folds)]
    paths = recombined(folds, scores, line.known.size)
    noon = paths[:, [12 + 24 * (10 * g + 5) for g in range(6)]]
    book = [
        [1, 1, 2, 3, 4, 5],
        [2, 6, 6, 7, 8, 9],
        [3, 7, 10, 10, 11, 12],
        [4, 8, 11, 13, 13, 14],
        [5, 9, 12, 14, 15, 15],
    ]
    np.testing.assert_array_equal(noon, book)
    assert np.isnan(paths[:, :23]).all()
    assert np.isfinite(paths[:, 23:]).all()


@pytest.mark.parametrize(("n_groups", "n_tests"), [(5, 1), (6, 3), (8, 2)])
def test_every_path_is_whole_and_every_fold_is_used(n_groups, n_tests):
    line = regular(n_groups * 10 * 24)
    config = SPLITS.parse({"kind": "combinatorial", "groups": n_groups, "tests": n_tests})
    folds = SPLITS.part_of(config)(config, line)
    assert len(folds.folds) == math.comb(n_groups, n_tests)
    sums = [np.full(fold.test.size, 1.0) for fold in folds.folds]
    paths = recombined(folds, sums, line.known.size)
    assert paths.shape[0] == math.comb(n_groups - 1, n_tests - 1)
    assert np.nansum(paths) == sum(fold.test.size for fold in folds.folds)
    order = [tuple(p for p, _ in itertools.groupby(f.stretches.test)) for f in folds.folds]
    assert len(set(order)) == len(order)
    with pytest.raises(DataError, match="one score for each test row"):
        recombined(folds, sums[:-1], line.known.size)


def test_a_study_refuses_tests_that_overlap():
    line = regular(100 * 24)
    for kind, fits in (("walk_forward", True), ("purged_kfold", True), ("chronological", True),
                       ("combinatorial", False), ("monte_carlo", False)):  # fmt: skip
        short = {"train": "20d", "validate": "5d", "test": "5d"} if kind == "walk_forward" else {}
        config = SPLITS.parse({"kind": kind, **short})
        folds = SPLITS.part_of(config)(config, line)
        if fits:
            assert isinstance(pooled(folds, line.known.size), Folds)
        else:
            with pytest.raises(ConfigError, match=r"pooled.*cross_validator"):
                pooled(folds, line.known.size)


def test_monte_carlo_draws_moments_by_its_seed():
    line = regular(200 * 24)
    one, same, other = (
        SPLITS.part("monte_carlo")(SPLITS.parse({"kind": "monte_carlo", "seed": s}), line)
        for s in (1, 1, 2)
    )
    moments = [fold.spans.train_start for fold in one.folds]
    assert moments == sorted(moments) == [fold.spans.train_start for fold in same.folds]
    assert moments != [fold.spans.train_start for fold in other.folds]
    assert len(set(moments)) == 10
    for fold in one.folds:
        lengths = np.diff(fold.spans)[::2] / DAY_NS
        assert lengths == pytest.approx([96, 16, 16])


def test_scikit_learn_scores_with_it():
    """Labels overlap 50 bars: shuffled rows let a nearest neighbour cheat, purged do not."""
    rng, hour = np.random.default_rng(5), np.arange(3000)
    noise = rng.normal(size=3000 + 50)
    hit = np.convolve(noise, np.ones(50))[50 : 50 + 3000] > 0
    line = timeline_of(hour + 1, hour, hour + 51)
    nearest, time = KNeighborsClassifier(1), hour[:, None].astype(float)
    shuffled = KFold(6, shuffle=True, random_state=0)
    assert cross_val_score(nearest, time, hit, cv=shuffled).mean() > 0.85
    for kind in ("purged_kfold", "combinatorial", "monte_carlo"):
        validator = CrossValidator({"kind": kind, "sealed": "0%"}, line)
        scores = cross_val_score(nearest, time, hit, cv=validator)
        assert scores.size == validator.get_n_splits()
        assert 0.35 < scores.mean() < 0.65
    assert "purged_kfold" in repr(CrossValidator("purged_kfold", line))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "combinatorial", "groups": 4, "tests": 3}, "at most 2 `tests`"),
        ({"kind": "combinatorial", "groups": 20, "tests": 10}, "184,756 folds, at most 1,000"),
        ({"kind": "monte_carlo", "train": "90%"}, "below 100%"),
        ({"kind": "purged_kfold", "folds": 2}, "greater than or equal to 3"),
        ({"kind": "purged_kfold", "embargo": "3x"}, "h, d or w"),
    ],
)
def test_a_wrong_setting_is_answered(keys, message):
    with pytest.raises(ConfigError, match=message):
        SPLITS.parse(keys)


def test_edges_of_a_century_are_even():
    end = 100 * 366 * DAY_NS
    steps = np.diff(even_edges(5, end, MOST_BLOCKS))
    assert (np.abs(steps - (end - 5) / MOST_BLOCKS) <= 1).all()


def test_more_blocks_than_bits_are_refused():
    with pytest.raises(ConfigError, match="at most 62"):
        blocks(regular(100), even_edges(0, 100, MOST_BLOCKS + 1))
