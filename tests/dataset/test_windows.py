"""Windows: equal to slicing and scaling by hand, independent of the batch, never materialised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.dataset.scalers import Scaler
from touchstone.dataset.scalers.standard import StandardConfig, standard
from touchstone.dataset.windows import SUMMARIES, Windows, complete
from touchstone.errors import TooFewBarsError


def market(sizes=(60, 5, 80), n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    offsets = np.r_[0, np.cumsum(sizes)].astype(np.int64)
    features = rng.normal(0, 3, (offsets[-1], n_features)).astype(np.float32)
    asset_id = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    return features, asset_id, offsets


def scaler_of(features, clip=1.5):
    return standard(StandardConfig(clip=clip), features, np.arange(len(features)))


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    n_features=st.integers(1, 9),
    lookback=st.integers(1, 30),
    seed=st.integers(0, 1000),
)
def test_gather_is_slicing_and_scaling_bit_for_bit(sizes, n_features, lookback, seed):
    features, asset_id, offsets = market(sizes, n_features, seed)
    scaler = Scaler("standard", *np.float32([[1.0] * n_features, [0.7] * n_features]), 2.0)
    rows = np.flatnonzero(complete(features, offsets, lookback))
    np.random.default_rng(seed).shuffle(rows)
    windows = Windows(features, asset_id, lookback, scaler)
    found = windows.gather(rows)
    assert found.dtype == np.float32
    assert found.shape == (rows.size, lookback, n_features)
    for i, row in enumerate(rows):
        by_hand = scaler.transform(features[row - lookback + 1 : row + 1])
        np.testing.assert_array_equal(found[i], by_hand)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=4),
    lookback=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_complete_is_a_whole_finite_window_of_one_instrument(sizes, lookback, seed):
    features, asset_id, offsets = market(sizes, 3, seed)
    rng = np.random.default_rng(seed)
    if len(features):
        bad = rng.integers(0, len(features), 3)
        features[bad, rng.integers(0, 3, 3)] = [np.nan, np.inf, -np.inf]
    expected = [
        row - lookback + 1 >= offsets[asset_id[row]]
        and np.isfinite(features[row - lookback + 1 : row + 1]).all()
        for row in range(len(features))
    ]
    np.testing.assert_array_equal(complete(features, offsets, lookback), expected)


def test_complete_is_not_fooled_by_numbers_that_overflow_when_added():
    features = np.full((4, 6), 3e38, np.float32)
    assert complete(features, np.array([0, 4]), 2).tolist() == [False, True, True, True]


def test_a_row_does_not_depend_on_its_batch_or_on_rows_outside_its_window():
    features, asset_id, offsets = market()
    rows = np.flatnonzero(complete(features, offsets, 8))
    windows = Windows(features, asset_id, 8, scaler_of(features))
    other = features.copy()
    row = int(rows[20])
    outside = np.setdiff1d(np.arange(len(features)), np.arange(row - 7, row + 1))
    other[outside] = np.nan
    alone = Windows(other, asset_id, 8, windows.scaler)
    one = np.array([row])
    np.testing.assert_array_equal(windows.gather(rows)[20], alone.gather(one)[0])
    np.testing.assert_array_equal(windows.tabular(rows)[20], alone.tabular(one)[0])


def test_tabular_summarises_the_scaled_window():
    features, asset_id, offsets = market(n_features=5)
    rows = np.flatnonzero(complete(features, offsets, 12))
    windows = Windows(features, asset_id, 12, scaler_of(features))
    gathered, table = windows.gather(rows).astype(float), windows.tabular(rows)
    weight = 0.5 ** (np.arange(11, -1, -1) / 3)
    expected = [
        gathered[:, -1],
        np.average(gathered, axis=1, weights=weight),
        gathered.mean(axis=1),
    ]
    assert table.dtype == np.float32
    np.testing.assert_allclose(table, np.concatenate(expected, axis=1), atol=2e-6)
    np.testing.assert_array_equal(table[:, :5], windows.gather(rows)[:, -1])
    names = windows.tabular_names(("a", "b", "c", "d", "e"))
    assert len(names) == table.shape[1] == len(SUMMARIES) * 5
    assert (names[0], names[5], names[14]) == ("a", "a.recent", "e.mean")


def test_a_missing_value_is_passed_on_not_hidden():
    features, asset_id, _ = market()
    features[20, 1] = np.nan
    windows = Windows(features, asset_id, 4, scaler_of(features))
    assert np.isnan(windows.gather(np.array([22]))[0, 1, 1])
    assert np.isnan(windows.tabular(np.array([22]))[0, [4, 7]]).all()


def test_buffer_is_reused():
    features, asset_id, offsets = market()
    rows = np.flatnonzero(complete(features, offsets, 8))
    windows = Windows(features, asset_id, 8)
    out = np.empty((64, 8, 3), np.float32)
    found = windows.gather(rows[:50], out)
    assert found.base is out or found is out
    np.testing.assert_array_equal(found, windows.gather(rows[:50]))
    with pytest.raises(ValueError, match="C-contiguous"):
        windows.gather(rows[:50], np.empty((3, 8, 64), np.float32).T)


@pytest.mark.parametrize("row", [6, 62, 66, 145, -1])
def test_a_row_without_a_whole_window_is_refused(row):
    features, asset_id, _ = market()
    windows = Windows(features, asset_id, 8)
    for ask in (windows.gather, windows.tabular):
        with pytest.raises(TooFewBarsError, match=f"row {row}: a window of 8 bars begins before"):
            ask(np.array([30, row]))


@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 50), batch=st.integers(1, 60), shuffled=st.booleans())
def test_batches_hold_every_row_once(n, batch, shuffled):
    features, asset_id, offsets = market((60, 60))
    rows = np.flatnonzero(complete(features, offsets, 8))[:n]
    windows = Windows(features, asset_id, 8, scaler_of(features))
    rng = np.random.default_rng(3) if shuffled else None
    seen = []
    for at, found, ids in windows.batches(rows, batch, rng):
        assert at.size <= batch
        np.testing.assert_array_equal(found, windows.gather(rows[at]))
        np.testing.assert_array_equal(ids, asset_id[rows[at]])
        seen.append(at.copy())
    assert [len(a) for a in seen[:-1]] == [batch] * (len(seen) - 1)
    order = np.concatenate(seen) if seen else np.empty(0, int)
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    if shuffled and n > 20:
        assert (order != np.arange(n)).any()
        again = [b.at for b in windows.batches(rows, batch, np.random.default_rng(3))]
        np.testing.assert_array_equal(order, np.concatenate(again))


def test_the_matrix_is_shared_not_copied():
    features, asset_id, _ = market()
    windows = Windows(features, asset_id, 8)
    assert np.shares_memory(windows.features, features)
    assert np.shares_memory(windows.with_scaler(scaler_of(features)).features, features)


def test_read_only_columns_are_enough():
    """Workers see the matrix memory-mapped for reading."""
    features, asset_id, offsets = market()
    scaler = scaler_of(features)
    rows = np.flatnonzero(complete(features, offsets, 8))
    expected = Windows(features, asset_id, 8, scaler)
    gathered, table = expected.gather(rows), expected.tabular(rows)
    for column in (features, asset_id, offsets, rows):
        column.flags.writeable = False
    windows = Windows(features, asset_id, 8, scaler_of(features))
    np.testing.assert_array_equal(np.flatnonzero(complete(features, offsets, 8)), rows)
    np.testing.assert_array_equal(windows.gather(rows), gathered)
    np.testing.assert_array_equal(windows.tabular(rows), table)
