"""Return, volatility and regime until the exit: a slow reference, and who may know them when."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError
from touchstone.labels import LABELS
from touchstone.labels.tasks import STILL, fit_tasks, paths, targets
from touchstone.models import TASKS
from walks import flat, panel_of, random_panel


def labelled(panel, kind="triple_barrier", **more):
    config = LABELS.parse({"kind": kind, "horizon": 5, **more})
    return LABELS.part_of(config)(panel, config, None)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9999), st.sampled_from(LABELS.kinds()), st.sampled_from((0.0, 0.4)))
def test_agrees_with_the_slow_reference_and_unknown_stays_out(seed, kind, missing):
    panel = random_panel(3, 60, seed, missing)
    labels = labelled(panel, kind)
    close, exits, expected = panel.close.tolist(), labels.exit.tolist(), []
    for row, exit_ in enumerate(exits):
        if exit_ < 0:
            expected.append([math.nan] * 3)
            continue
        moves = [math.log(close[bar] / close[bar - 1]) for bar in range(row + 1, exit_ + 1)]
        size = math.sqrt(sum(m * m for m in moves) / len(moves))
        trend = sum(moves) / math.sqrt(sum(m * m for m in moves)) if size > 0 else 0.0
        expected.append([labels.realised[row], math.log(max(size, STILL)), trend])
        assert abs(trend) <= math.sqrt(len(moves)) + 1e-9
    np.testing.assert_allclose(paths(panel, labels), expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9999), st.integers(10, 40))
def test_nothing_after_the_exit_is_known(seed, cut):
    panel = random_panel(1, 60, seed, 0.0)
    labels = labelled(panel)
    columns = {
        name: getattr(panel, name).copy() for name in ("open", "high", "low", "close", "volume")
    }
    for column in columns.values():
        column[cut:] *= 1.5
    other = dataclasses.replace(panel, **columns)
    before, after = paths(panel, labels), paths(other, labelled(other))
    settled = np.flatnonzero((labels.exit >= 0) & (labels.exit < cut))
    np.testing.assert_array_equal(before[settled], after[settled])
    assert settled.size


def test_is_scaled_by_the_rows_it_is_given_and_no_others():
    panel = random_panel(2, 400, 3)
    labels = labelled(panel)
    found, rows = paths(panel, labels), np.flatnonzero(labels.known)[::2]
    scale = fit_tasks(found, rows)
    out = targets(found, scale, rows)
    assert (out.dtype, out.shape) == (np.float32, (rows.size, len(TASKS)))
    np.testing.assert_allclose(out[:, :2].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(out[:, :2].std(0), 1, atol=1e-5)
    counts = np.bincount(out[:, 2].astype(int), minlength=TASKS["regime"]) / rows.size
    np.testing.assert_allclose(counts, 1 / 3, atol=0.02)
    mean_trend = [found[rows[out[:, 2] == regime], 2].mean() for regime in range(3)]
    assert mean_trend == sorted(mean_trend)
    others = found.copy()
    others[np.setdiff1d(np.flatnonzero(labels.known), rows)] *= 100
    np.testing.assert_array_equal(targets(others, fit_tasks(others, rows), rows), out)


def test_prices_that_stand_still_are_quiet_and_finite():
    panel = panel_of(flat(20))
    labels = labelled(panel)
    rows = np.flatnonzero(labels.known)
    found = paths(panel, labels)
    np.testing.assert_array_equal(found[rows], [[0.0, math.log(STILL), 0.0]] * rows.size)
    assert np.isfinite(targets(found, fit_tasks(found, rows), rows)).all()


def test_refuses_rows_whose_exit_is_not_known():
    panel = random_panel(1, 40, 1)
    found = paths(panel, labelled(panel))
    with pytest.raises(ConfigError, match="row 39 has no known exit"):
        fit_tasks(found, np.array([3, 39]))
    with pytest.raises(ConfigError, match="got none"):
        fit_tasks(found, np.array([], int))
    with pytest.raises(ConfigError, match="take rows where"):
        targets(found, fit_tasks(found, np.arange(9)), np.array([39]))
