"""Worked folds: bounds, purged rows, and what the errors say."""

import numpy as np
import pytest

from dataset.timelines import DAY_NS, regular, timeline_of
from touchstone.dataset.blocks import blocks
from touchstone.dataset.blocks import cut as block_cut
from touchstone.dataset.folds import Spans, cut, fresh
from touchstone.dataset.splits import SPLITS, timeline
from touchstone.dataset.splits.chronological import ChronologicalConfig, chronological
from touchstone.dataset.splits.walk_forward import WalkForwardConfig, walk_forward
from touchstone.dataset.windows import complete
from touchstone.errors import ConfigError, TooFewBarsError
from touchstone.labels.triple_barrier import TripleBarrierConfig, triple_barrier
from touchstone.market import Bars
from walks import HOUR_NS, START_NS, flat, panel_of, random_panel

YEAR = regular(365 * 24)


def test_walk_forward_bounds_count_back_from_the_seal():
    config = WalkForwardConfig(train="100d", validate="30d", test="40d", sealed="20%")
    folds = walk_forward(config, YEAR)
    at = [[(ns - START_NS) / DAY_NS for ns in fold.spans] for fold in folds.folds]
    assert (folds.seal - START_NS) / DAY_NS == 292
    assert at == [
        [2, 102, 102, 132, 132, 172],
        [42, 142, 142, 172, 172, 212],
        [82, 182, 182, 212, 212, 252],
        [122, 222, 222, 252, 252, 292],
    ]
    assert [(ns - START_NS) / DAY_NS for ns in folds.final.spans] == [162, 262, 262, 292, 292, 365]


def test_walk_forward_purges_window_and_label_at_each_bound():
    """Lookback 24, exit known 9 h after the decision, end of the span's last window included."""
    fold = walk_forward(WalkForwardConfig(train="100d", validate="30d", test="40d"), YEAR).folds[1]
    # validation's first row is known 1 h after the bound and its window begins 24 h before that
    assert YEAR.begin[fold.validate[0]] == fold.spans.validate_start - 23 * HOUR_NS
    assert YEAR.end[fold.train[-1]] == fold.spans.validate_start - 23 * HOUR_NS
    assert fold.purged_train == fold.purged_validate == 23 + 9
    assert fold.train.size == 100 * 24 - 32
    assert fold.test.size == 40 * 24


def test_expanding_begins_with_the_first_bar():
    config = WalkForwardConfig(train="expanding", validate="30d", test="40d", sealed="73d")
    folds = walk_forward(config, YEAR)
    assert {fold.spans.train_start for fold in (*folds.folds, folds.final)} == {START_NS}
    assert len(folds.folds) == (292 - 30 - 70) // 40
    assert [f.train.size for f in folds.folds] == sorted(f.train.size for f in folds.folds)


def test_the_last_folds_are_taken():
    config = WalkForwardConfig(train="100d", validate="30d", test="40d")
    every, last = (
        walk_forward(config.model_copy(update={"folds": n}), YEAR).folds for n in (None, 2)
    )
    for one, other in zip(every[-2:], last, strict=True):
        np.testing.assert_array_equal(one.train, other.train)
        assert one.spans == other.spans


def test_no_seal_leaves_no_sealed_rows():
    for config, part in (
        (WalkForwardConfig(train="100d", sealed="0%"), walk_forward),
        (ChronologicalConfig(), chronological),
    ):
        folds = part(config, YEAR)
        assert folds.final.test.size == 0
        assert folds.seal == YEAR.known.max() == folds.final.spans.validate_end


def test_chronological_shares():
    fold = chronological(ChronologicalConfig(), YEAR).folds[0]
    at = [(ns - START_NS) / (365 * DAY_NS) for ns in fold.spans]
    assert at == pytest.approx([0, 0.7, 0.7, 0.85, 0.85, 1])
    sealed = chronological(ChronologicalConfig(sealed="20%"), YEAR)
    at = [(ns - START_NS) / (365 * DAY_NS) for ns in sealed.folds[0].spans]
    assert at == pytest.approx([0, 0.56, 0.56, 0.68, 0.68, 0.8])
    at = [(ns - START_NS) / (365 * DAY_NS) for ns in sealed.final.spans]
    assert at == pytest.approx([0, 0.68, 0.68, 0.8, 0.8, 1])


def test_time_not_row_count_sets_the_bounds():
    """Most rows lie in the last tenth of the time; they do not pull the bounds there."""
    dense = np.r_[np.arange(0, 900, 30), 900 + np.arange(0, 100, 0.5)] * 10
    rows = timeline_of(dense + 1, dense, dense + 2)
    fold = chronological(ChronologicalConfig(), rows).folds[0]
    assert (fold.train.size, fold.validate.size) == pytest.approx((23, 5), abs=1)


def test_too_little_history_says_how_much_there_is_and_is_needed():
    with pytest.raises(TooFewBarsError, match=r"292.0 days lie before.*20%\), 1 fold needs 485.0"):
        walk_forward(WalkForwardConfig(), YEAR)
    with pytest.raises(TooFewBarsError, match=r"3 folds need .*at most 2 `folds`"):
        walk_forward(WalkForwardConfig(train="100d", folds=3), YEAR)
    with pytest.raises(TooFewBarsError, match=r"31 purged.*lengthen `validate`"):
        walk_forward(WalkForwardConfig(train="100d", validate="31h"), YEAR)


def test_a_seal_in_front_of_all_history_is_too_little_history():
    for kind in SPLITS.kinds():
        with pytest.raises(TooFewBarsError, match="sealed"):
            SPLITS.part(kind)(SPLITS.parse({"kind": kind, "sealed": "400d"}), YEAR)


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        ("walk_forward", {"train": "1y"}, "h, d or w, as in 365d, or expanding; got '1y'"),
        ("walk_forward", {"test": "0d"}, "as in 60d; got '0d'"),
        ("walk_forward", {"sealed": "100%"}, "below 100, as in 20%; got '100%'"),
        ("chronological", {"train": "90%"}, "leave a part below 100%"),
        ("chronological", {"validate": "0%"}, "must be above 0%"),
    ],
)
def test_a_wrong_setting_is_answered(kind, keys, message):
    with pytest.raises(ConfigError, match=message):
        SPLITS.parse({"kind": kind, **keys})


def test_timeline_of_a_panel():
    panel = panel_of(flat(9, low={5: 90.0}), Bars("OTHER", *columns_of(flat(5))))
    labels = triple_barrier(panel, TripleBarrierConfig(horizon=2))
    whole = complete(np.zeros((14, 1), np.float32), panel.offsets, 3)
    line = timeline(panel, labels, whole, 3)
    hour = (line.begin - START_NS) // HOUR_NS
    np.testing.assert_array_equal(hour, [0, 1, 0, 1, 2, 3, 4, 5, 6, 0, 1, 0, 1, 2])
    np.testing.assert_array_equal(line.has_window, [0, 0, *[1] * 7, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(line.has_label, [1] * 6 + [0] * 3 + [1, 1, 0, 0, 0])
    end = (line.end[line.has_label] - START_NS) // HOUR_NS
    np.testing.assert_array_equal(end, [4, 5, 6, 6, 6, 9, 4, 5])
    np.testing.assert_array_equal(line.known, panel.available_at)


def test_a_window_over_a_long_hole_is_none():
    """Else one restarted instrument would purge the training rows of all others."""
    hour = np.r_[np.arange(30), 500 + np.arange(30)]
    bars = flat(60)
    panel = panel_of(Bars("BACK", START_NS + hour * HOUR_NS, *columns_of(bars)[1:]))
    np.testing.assert_array_equal(np.flatnonzero(~fresh(panel, 10)), np.arange(30, 39))
    labels = triple_barrier(panel, TripleBarrierConfig())
    whole = complete(np.zeros((60, 1), np.float32), panel.offsets, 10)
    line = timeline(panel, labels, whole, 10)
    np.testing.assert_array_equal(np.flatnonzero(line.has_window), np.r_[9:30, 39:60])
    np.testing.assert_array_equal(line.begin[30:39], panel.time[30:39])


def test_fresh_does_not_look_ahead():
    panel = random_panel(3, 200, seed=3, missing=0.7)
    end = int(panel.available_at[40])
    early = panel.available_at <= end
    np.testing.assert_array_equal(fresh(panel, 8)[early], fresh(panel.until(end), 8))


def columns_of(bars):
    return bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume


def test_a_test_window_that_reaches_over_validation_purges_train_rows():
    """Lookback 24 over a validation range of 24 h: bars of train are read by test windows."""
    spans = Spans(*(START_NS + h * HOUR_NS for h in (0, 200, 200, 224, 224, 400)))
    rows = regular(400, lookback=40, horizon=1)
    only_test = rows._replace(begin=np.where(rows.known > spans.test_start, rows.begin, rows.known))
    fold = cut(only_test, spans)
    first_read = only_test.begin[fold.test].min()
    assert first_read < spans.train_end
    assert rows.end[fold.train].max() == first_read
    assert fold.validate.size == 0  # each lies under a test window
    assert fold.purged_validate == 24


def test_a_label_that_ends_behind_the_bound_is_purged_though_no_window_reads_its_exit():
    """The bound is published: what was fitted until then knows nothing later, hole or no hole."""
    hour = np.r_[0:100, 150:200, 250:300]
    end = hour + 2
    end[99], end[149] = 140, 240  # each exit falls into the hole behind its range
    rows = timeline_of(hour + 1, hour, end)
    spans = Spans(*(START_NS + h * HOUR_NS for h in (0, 100, 100, 200, 200, 300)))
    fold = cut(rows, spans)
    assert (fold.train[-1], fold.purged_train) == (98, 1)
    assert (fold.validate[-1], fold.purged_validate) == (148, 1)


@pytest.mark.parametrize("kind", ["spans", "blocks"])
def test_who_goes_on_behind_a_bound_moves_no_row_before_it(kind):
    """An outage before the bound, and what ends there, purge what they would if all went on."""
    moved = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        panel = random_panel(4, 400, seed=seed, missing=float(rng.choice([0.1, 0.6])))
        bound = START_NS + int(rng.integers(150, 250)) * HOUR_NS
        away = (panel.available_at <= bound) & (panel.available_at > bound - 9 * HOUR_NS)
        panel = panel.where(~(away & (panel.asset_id < 2)))
        ends = rng.permutation(panel.n_instruments)[: int(rng.integers(1, panel.n_instruments))]
        fewer = panel.where(~((panel.available_at > bound) & np.isin(panel.asset_id, ends)))
        one, other = (kept_before(kind, p, bound) for p in (panel, fewer))
        assert one == other, seed
        moved += len(fewer) < len(panel)
    assert moved > 30


def kept_before(kind, panel, bound):
    """(symbol, time) of the rows that may train before a bound that a test stands behind."""
    labels = triple_barrier(panel, TripleBarrierConfig())
    whole = complete(np.zeros((len(panel), 1), np.float32), panel.offsets, 6)
    line = timeline(panel, labels, whole, 6)
    end = START_NS + 400 * HOUR_NS
    if kind == "spans":
        rows = cut(line, Spans(START_NS, bound, bound, bound, bound, end)).train
    else:
        rows = block_cut(blocks(line, np.array([START_NS, START_NS, bound, end])), [2]).validate
    return set(zip(panel.asset_id[rows].tolist(), panel.time[rows].tolist(), strict=True))
