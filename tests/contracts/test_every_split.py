"""Promises that every split keeps. A new file in dataset/splits/ is tested here."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataset.timelines import DAY_NS, HOUR_NS, ragged, regular
from touchstone.dataset.cross_validator import CrossValidator
from touchstone.dataset.folds import duration_ns
from touchstone.dataset.splits import SPLITS, Folds
from touchstone.errors import ConfigError, DataError, TooFewBarsError

SMALL = {
    "walk_forward": (
        {"train": "20d", "validate": "7d", "test": "5d"},
        {"train": "expanding", "validate": "144h", "test": "6d", "sealed": "6d"},
        {"train": "10d", "validate": "1w", "test": "2d", "sealed": "0%", "folds": 2},
    ),
    "purged_kfold": ({"folds": 3}, {"folds": 5, "sealed": "0%", "embargo": "30h"}),
    "combinatorial": ({"groups": 4}, {"groups": 5, "tests": 3, "embargo": "12h", "sealed": "48h"}),
    "monte_carlo": (
        {"draws": 4},
        {"train": "30%", "validate": "20%", "test": "20%", "draws": 3, "sealed": "0%"},
    ),
    "chronological": ({}, {"sealed": "20%"}, {"train": "40%", "validate": "30%", "sealed": "48h"}),
}
SETTINGS = [(kind, i) for kind in SPLITS.kinds() for i in range(len(SMALL.get(kind, ({},))))]


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda p: f"{p[0]}-{p[1]}")
def split(request):
    kind, i = request.param
    config = SPLITS.parse({"kind": kind, **SMALL.get(kind, ({},))[i]})
    return Cut(config)


class Cut:
    def __init__(self, config):
        self.config = config
        embargo = getattr(config, "embargo", None)
        self.embargo_ns = embargo and duration_ns(embargo)

    def __call__(self, timeline):
        return SPLITS.part_of(self.config)(self.config, timeline)


def cut_or_skip(split, timeline) -> Folds:
    try:
        return split(timeline)
    except TooFewBarsError:
        assume(False)
        raise


def every_fold(folds):
    return (*folds.folds, folds.final)


def inside(timeline, pieces):
    """Rows decided in any of these stretches of time."""
    return sum((timeline.known > start) & (timeline.known <= end) for start, end in pieces) > 0


def meet(timeline, one, other):
    """Whether any row of one has an interval that meets that of any row of the other."""
    a, b = one[:, None], other[None, :]
    return bool(
        ((timeline.begin[a] < timeline.end[b]) & (timeline.begin[b] < timeline.end[a])).any()
    )


@settings(max_examples=40, deadline=None)
@given(timeline=ragged())
def test_intervals_of_parts_never_meet(split, timeline):
    folds = cut_or_skip(split, timeline)
    for fold in every_fold(folds):
        assert not meet(timeline, fold.train, fold.validate)
        assert not meet(timeline, fold.train, fold.test)
        assert not meet(timeline, fold.validate, fold.test)


@settings(max_examples=30, deadline=None)
@given(timeline=ragged())
def test_parts_hold_what_they_promise(split, timeline):
    folds = cut_or_skip(split, timeline)
    usable = timeline.has_window & timeline.has_label
    for fold in every_fold(folds):
        assert usable[fold.train].all()
        assert usable[fold.validate].all()
        assert timeline.has_window[fold.test].all()
        for part, pieces in zip(fold[:3], fold.stretches, strict=True):
            assert (np.diff(part) > 0).all()
            assert inside(timeline, pieces)[part].all()
        outermost = [bound for pieces in fold.stretches for bound in (pieces[0][0], pieces[-1][1])]
        assert list(fold.spans) == outermost
    for fold in folds.folds:
        assert fold.spans.test_end <= folds.seal
    for part in (folds.final.train, folds.final.validate):
        assert (timeline.end[part] <= folds.seal).all()
    sealed = np.flatnonzero((timeline.known > folds.seal) & timeline.has_window)
    np.testing.assert_array_equal(folds.final.test, sealed)


@settings(max_examples=15, deadline=None)
@given(timeline=ragged())
def test_rows_after_a_test_block_begin_behind_its_embargo(split, timeline):
    folds = cut_or_skip(split, timeline._replace(embargo=50 * HOUR_NS))
    embargo = split.embargo_ns or 50 * HOUR_NS
    for fold in folds.folds:
        for start, end in fold.stretches.test:
            tested = (timeline.known > start) & (timeline.known <= end)
            last = np.where(timeline.has_label, timeline.end, timeline.known)[tested].max()
            for part in (fold.train, fold.validate):
                later = part[timeline.known[part] > end]
                assert (timeline.begin[later] >= last + embargo).all()


@settings(max_examples=15, deadline=None)
@given(timeline=ragged())
def test_serves_scikit_learn(split, timeline):
    validator = CrossValidator(split.config, timeline)
    folds = cut_or_skip(split, timeline)
    pairs = list(validator.split(np.zeros((timeline.known.size, 1))))
    assert len(pairs) == validator.get_n_splits() == len(folds.folds)
    for (train, test), fold in zip(pairs, folds.folds, strict=True):
        assert not meet(timeline, train, fold.test)
        assert (timeline.known[test] <= folds.seal).all()
        assert timeline.has_label[train].all()
        assert timeline.has_label[test].all()
        assert train.size == fold.train.size + fold.validate.size
    with pytest.raises(DataError, match="X has 3 rows"):
        next(validator.split([1, 2, 3]))


@settings(max_examples=30, deadline=None)
@given(timeline=ragged())
def test_purge_drops_no_more_than_it_counts(split, timeline):
    folds = cut_or_skip(split, timeline)
    usable = timeline.has_window & timeline.has_label
    for fold in every_fold(folds):
        for part, n_purged, pieces in (
            (fold.train, fold.purged_train, fold.stretches.train),
            (fold.validate, fold.purged_validate, fold.stretches.validate),
        ):
            assert (usable & inside(timeline, pieces)).sum() == part.size + n_purged


@settings(max_examples=30, deadline=None)
@given(timeline=ragged(), seed=st.integers(0, 1000))
def test_values_after_a_bound_do_not_move_rows_before_it(split, timeline, seed):
    """Which later rows have a window or a label, and when labels end, depends on later prices."""
    folds = cut_or_skip(split, timeline)
    rng = np.random.default_rng(seed)
    for which, fold in enumerate(every_fold(folds)):
        bound = fold.spans.train_end
        later = timeline.known > bound
        open_ended = (timeline.end > bound) & timeline.has_label
        scrambled = timeline._replace(
            end=np.where(open_ended, timeline.end + rng.integers(0, 9, later.size), timeline.end),
            has_window=np.where(later, True, timeline.has_window),
            has_label=np.where(later, True, timeline.has_label),
        )
        np.testing.assert_array_equal(
            every_fold(cut_or_skip(split, scrambled))[which].train, fold.train
        )


@settings(max_examples=20, deadline=None)
@given(timeline=ragged(), seed=st.integers(0, 1000))
def test_order_of_rows_does_not_matter(split, timeline, seed):
    order = np.random.default_rng(seed).permutation(timeline.known.size)
    mixed = timeline._replace(**{n: getattr(timeline, n)[order] for n in timeline._fields[:5]})
    for one, other in zip(
        every_fold(cut_or_skip(split, timeline)), every_fold(cut_or_skip(split, mixed)), strict=True
    ):
        for a, b in zip(one[:3], other[:3], strict=True):
            np.testing.assert_array_equal(a, np.sort(order[b]))


def test_a_label_across_the_bound_is_purged_whatever_its_instrument(split):
    """Instrument 1 has one row whose label would end after validation begins."""
    plain = regular(60 * 24, n_instruments=2)
    fold = split(plain).folds[0]
    row = fold.train[fold.train >= 60 * 24][10]  # an early row of the second instrument
    end = plain.end.copy()
    end[row] = fold.spans.validate_start + DAY_NS
    fold_ = split(plain._replace(end=end)).folds[0]
    assert row not in fold_.train
    assert fold_.purged_train == fold.purged_train + 1


def test_too_little_history_says_which_key_to_change(split):
    with pytest.raises(TooFewBarsError, match=r"`(train|validate|test|sealed|folds|groups)`"):
        split(regular(30))


def test_no_rows_is_said(split):
    with pytest.raises(TooFewBarsError, match="got none"):
        split(regular(0))


@pytest.mark.parametrize("kind", SPLITS.kinds())
def test_config_survives_its_own_json_and_refuses_unknown_keys(kind):
    config = SPLITS.config(kind)()
    assert SPLITS.parse(config.model_dump(mode="json")) == config
    assert config.kind == kind
    with pytest.raises(ConfigError, match="no such key"):
        SPLITS.parse({"kind": kind, "lenght": 3})
