"""Idle days and forgotten trials are named; honest ones are not."""

import numpy as np
import pytest

from reference.days import days_are_whole
from reference.intents import follow, random_intent
from touchstone.backtest import daily
from touchstone.ledger import Candidate
from touchstone.validation.audit.trials import trials_are_counted
from walks import random_panel


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_backtests_own_days_are_whole(missing):
    panel = random_panel(3, 400, 2, missing)
    run = follow(panel, random_intent(panel, 2, 0.01))
    _, returns = daily(panel, run)
    assert (returns == 0).any()
    assert (returns != 0).any()
    assert days_are_whole("one", panel, run, returns) is None


def test_idle_days_left_out_and_a_day_dressed_up_are_named():
    panel = random_panel(3, 400, 2)
    run = follow(panel, random_intent(panel, 2, 0.01))
    _, returns = daily(panel, run)
    fewer = days_are_whole("one", panel, run, returns[returns != 0])
    assert fewer is not None
    assert (fewer.layer, fewer.column) == ("E", "daily returns")
    assert fewer.old == f"{returns.size} days"
    for dressed in (1e-6, np.nan):
        other = returns.copy()
        other[5] += dressed
        found = days_are_whole("one", panel, run, other)
        assert found is not None
        assert "on 2022-01-06" in found.old


def test_trials_are_those_of_the_ledger():
    known = [Candidate(name, 0.1, 30) for name in ("a", "b", "b", "c")]
    assert trials_are_counted(3, known) is None
    found = trials_are_counted(1, known)
    assert found is not None
    assert (found.old, found.new) == ("3", "1")
