"""Promises that every label keeps. A new file in labels/ is tested here with no new test."""

import numpy as np
import pytest

from touchstone.errors import ConfigError
from touchstone.labels import LABELS, UNKNOWN
from touchstone.market import Bars
from walks import panel_of, random_panel, random_walk

PANEL = random_panel(3, 300, seed=7, missing=0.1)
COLUMNS = ("open", "high", "low", "close", "volume")


@pytest.fixture(params=[(k, scaled) for k in LABELS.kinds() for scaled in (False, True)], ids=str)
def label(request):
    kind, scaled = request.param
    if scaled and "width" not in LABELS.config(kind).model_fields:
        pytest.skip("takes no width")
    config = LABELS.parse({"kind": kind, **({"width": "a column"} if scaled else {})})

    def part(panel, width=None):
        if width is None and scaled:
            width = 0.01 * (1 + panel.volume / panel.volume.max())
        return LABELS.part(kind)(panel, config, width if scaled else None)

    return part


def test_is_one_answer_per_row(label):
    labels = label(PANEL)
    types = (np.int8, np.int64, np.float64, np.float64, np.float64, np.bool_)
    for column, dtype in zip(labels, types, strict=True):
        assert (column.dtype, column.shape) == (np.dtype(dtype), (len(PANEL),))


def test_columns_may_be_written_to_and_share_nothing(label):
    for i, column in enumerate(labels := label(PANEL)):
        assert column.flags.writeable
        assert not any(np.shares_memory(column, other) for other in labels[i + 1 :])


def test_unknown_is_never_an_answer(label):
    labels = label(PANEL)
    unknown = labels.exit == UNKNOWN
    assert unknown.any()
    assert not unknown.all()
    assert not labels.outcome[unknown].any()
    assert not labels.ambiguous[unknown].any()
    assert np.isnan(labels.realised[unknown]).all()
    assert np.isfinite(labels.realised[~unknown]).all()
    assert np.isin(labels.outcome, (-1, 0, 1)).all()


def test_exit_is_a_later_row_of_the_same_instrument(label):
    labels = label(PANEL)
    row = np.flatnonzero(labels.known)
    exit_ = labels.exit[row]
    assert (exit_ > row).all()
    np.testing.assert_array_equal(PANEL.asset_id[exit_], PANEL.asset_id[row])


def test_every_outcome_occurs_and_realised_agrees_in_sign(label):
    labels = label(random_panel(3, 300, seed=7))
    assert set(labels.outcome.tolist()) == {-1, 0, 1}
    assert (labels.realised[labels.outcome == 1] > 0).all()
    assert (labels.realised[labels.outcome == -1] < 0).all()


def test_the_row_itself_and_what_lies_behind_the_exit_change_nothing(label):
    """Only bars row + 1 .. exit matter (and the decision's own width and close)."""
    bars = random_walk(120, seed=5, volatility=0.02)
    width = np.full(120, 0.01)
    labels = label(panel_of(bars), width)
    for row in np.flatnonzero(labels.known)[::7]:
        exit_ = labels.exit[row]
        other = random_walk(120, seed=row + 50, volatility=0.05)
        keep = (np.arange(120) > row) & (np.arange(120) <= exit_)
        mixed = Bars(
            bars.symbol,
            bars.time,
            *(np.where(keep, getattr(bars, c), getattr(other, c)) for c in COLUMNS),
        )
        again = label(panel_of(mixed), width)
        for column, column_again in zip(labels, again, strict=True):
            assert column[row] == column_again[row]


def test_instruments_do_not_know_each_other(label):
    width = 0.01 * (1 + PANEL.volume / PANEL.volume.max())
    labels = label(PANEL, width)
    for i in range(PANEL.n_instruments):
        mine = PANEL.asset_id == i
        alone = label(panel_of(PANEL.bars(i)), width[mine])
        offset = PANEL.offsets[i]
        for name, column in alone._asdict().items():
            whole = getattr(labels, name)[mine]
            if name == "exit":
                whole = np.where(whole == UNKNOWN, UNKNOWN, whole - offset)
            np.testing.assert_array_equal(column, whole)


def test_prices_in_another_currency_change_nothing(label):
    width = np.full(len(PANEL), 0.01)
    scaled = PANEL.where(np.ones(len(PANEL), bool))
    for name in COLUMNS[:4]:
        getattr(scaled, name)[:] *= 4.0  # a power of two: bit for bit
    for a, b in zip(label(PANEL, width), label(scaled, width), strict=True):
        np.testing.assert_array_equal(a, b)


def test_works_on_nothing(label):
    empty = PANEL.where(np.zeros(len(PANEL), bool))
    assert label(empty, np.empty(0)).outcome.size == 0


@pytest.mark.parametrize("kind", LABELS.kinds())
def test_config_survives_its_own_json_and_refuses_unknown_keys(kind):
    config = LABELS.config(kind)()
    assert LABELS.parse(config.model_dump(mode="json")) == config
    assert config.kind == kind
    with pytest.raises(ConfigError, match="no such key"):
        LABELS.parse({"kind": kind, "lenght": 3})
