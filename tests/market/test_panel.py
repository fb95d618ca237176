"""Panel: ragged columns, their time-major view, and what is known until when."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import BarsError
from touchstone.market import Calendar, Panel, Timeframe
from touchstone.market.bars import FIELDS
from walks import HOUR_NS, START_NS, flat, panel_of, random_panel, random_walk

PANELS = st.builds(
    random_panel,
    n_instruments=st.integers(1, 5),
    n_bars=st.integers(1, 40),
    seed=st.integers(0, 999),
    missing=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
)


def test_rows_are_sorted_by_instrument_and_time():
    panel = panel_of(random_walk(3, symbol="B"), random_walk(2, symbol="A"))
    assert panel.symbols == ("B", "A")
    np.testing.assert_array_equal(panel.asset_id, [0, 0, 0, 1, 1])
    assert panel.asset_id.dtype == np.int32
    np.testing.assert_array_equal(panel.offsets, [0, 3, 5])


def test_needs_bars_of_distinct_symbols():
    with pytest.raises(BarsError, match="at least one instrument"):
        panel_of()
    with pytest.raises(BarsError, match="FLAT: stands twice"):
        panel_of(flat(3), flat(4))


@given(panel=PANELS)
def test_blocks_hold_every_row_once_at_its_time_and_instrument(panel):
    blocks = panel.blocks()
    assert blocks.row.shape == (blocks.time.size, panel.n_instruments)
    assert (np.diff(blocks.time) > 0).all()
    at, who = np.nonzero(blocks.valid)
    rows = blocks.row[at, who]
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(panel)))
    np.testing.assert_array_equal(panel.time[rows], blocks.time[at])
    np.testing.assert_array_equal(panel.asset_id[rows], who)
    assert blocks.valid.any(axis=1).all()
    assert panel.blocks() is blocks


@given(panel=PANELS)
def test_spread_and_back(panel):
    blocks = panel.blocks()
    wide = blocks.spread(panel.close)
    assert np.isnan(wide[~blocks.valid]).all()
    back = np.empty(len(panel))
    back[blocks.row[blocks.valid]] = wide[blocks.valid]
    np.testing.assert_array_equal(back, panel.close)


@given(panel=PANELS, seed=st.integers(0, 99))
def test_where_keeps_rows_order_and_instruments(panel, seed):
    keep = np.random.default_rng(seed).random(len(panel)) < 0.5
    panel = panel.map_side({"mood": np.arange(len(panel), dtype=float)})
    some = panel.where(keep)
    assert some.symbols == panel.symbols
    np.testing.assert_array_equal(some.asset_id, panel.asset_id[keep])
    for name in ("time", *FIELDS):
        np.testing.assert_array_equal(getattr(some, name), getattr(panel, name)[keep])
    np.testing.assert_array_equal(some.side["mood"], panel.side["mood"][keep])
    assert panel.where(np.ones(len(panel), bool)).content_hash() == panel.content_hash()


def test_an_empty_instrument_stays():
    panel = panel_of(random_walk(3, symbol="A"), random_walk(3, symbol="B"))
    some = panel.where(panel.asset_id == 1)
    assert some.symbols == ("A", "B")
    assert len(some.bars(0)) == 0
    assert len(some.bars(1)) == 3
    assert some.per_instrument(lambda bars: bars.close).size == 3
    assert (some.blocks().row[:, 0] == -1).all()
    nothing = panel.where(np.zeros(6, bool))
    assert nothing.blocks().row.shape == (0, 2)
    assert nothing.per_instrument(lambda bars: bars.close).size == 0


@given(panel=PANELS, end=st.integers(-1, 45))
def test_until_is_what_was_known(panel, end):
    cut = START_NS + end * HOUR_NS
    some = panel.until(cut)
    assert (some.time + HOUR_NS <= cut).all()
    assert len(some) == (panel.time + HOUR_NS <= cut).sum()
    assert some.until(cut).content_hash() == some.content_hash()


def test_until_counts_the_close_not_the_start():
    panel = panel_of(flat(3))
    assert len(panel.until(START_NS + HOUR_NS - 1)) == 0
    assert len(panel.until(START_NS + HOUR_NS)) == 1


@given(panel=PANELS)
def test_bars_back_to_a_panel(panel):
    bars = [panel.bars(i) for i in range(panel.n_instruments)]
    again = Panel.from_bars(bars, panel.timeframe, panel.calendar)
    assert again.content_hash() == panel.content_hash()


def test_every_content_changes_the_hash():
    panel = random_panel(2, 30, missing=0.2).map_side({})
    others = [
        replace(panel, symbols=("S00", "X")),
        replace(panel, timeframe=Timeframe("2h")),
        replace(panel, calendar=Calendar("FX")),
        panel.where(np.arange(len(panel)) > 0),
        panel.map_side({"a": panel.close}),
        panel.map_side({"b": panel.close}),
        panel.map_side({"b": panel.open}),
        replace(panel, offsets=panel.offsets + np.array([0, 1, 0])),
    ]
    for name in ("time", *FIELDS):
        column = getattr(panel, name).copy()
        column[5] = np.nextafter(column[5], np.inf) if name != "time" else column[5] + 1
        others.append(replace(panel, **{name: column}))
    hashes = {panel.content_hash(), *(o.content_hash() for o in others)}
    assert len(hashes) == 1 + len(others)
    assert (
        panel.map_side({"a": panel.close, "b": panel.open}).content_hash()
        == panel.map_side({"b": panel.open, "a": panel.close}).content_hash()
    )


def test_side_columns_of_another_length_are_refused():
    with pytest.raises(BarsError, match=r"mood.*\(3,\).*\(9,\)"):
        panel_of(flat(9)).map_side({"mood": np.ones(3)})
