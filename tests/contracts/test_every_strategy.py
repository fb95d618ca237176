"""Promises that every strategy keeps. A new file in strategies/ is tested here with no new test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.intents import follow
from touchstone.errors import ConfigError
from touchstone.strategies import STRATEGIES, Outlook
from walks import random_panel

KINDS = STRATEGIES.kinds()
kinds = st.sampled_from(KINDS)


def decide(kind, outlook, hold_bars=8):
    config = STRATEGIES.config(kind)().candidates()[0]
    return STRATEGIES.part(kind)(config, outlook, hold_bars)


def random_outlook(seed, n=300, missing=0.2):
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet([2, 4, 2], n)
    probability[rng.random(n) < missing] = np.nan
    up, down = rng.uniform(0.01, 0.08, n), rng.uniform(0.01, 0.04, n)
    return Outlook(probability, up, down, 0.001, 0.003, None)


def rows_of(outlook, rows):
    return outlook._replace(
        probability=outlook.probability[rows], up=outlook.up[rows], down=outlook.down[rows]
    )


def test_the_family_holds_the_two_of_the_design():
    assert {"threshold", "cost_aware"} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_config_survives_its_own_json_and_refuses_unknown_keys(kind):
    config = STRATEGIES.config(kind)()
    assert STRATEGIES.parse(config.model_dump(mode="json", serialize_as_any=True)) == config
    with pytest.raises(ConfigError, match="no such key"):
        STRATEGIES.parse({"kind": kind, "max_postions": 3})


@pytest.mark.parametrize("kind", KINDS)
def test_candidates_differ_and_are_their_own_only_candidate(kind):
    candidates = STRATEGIES.config(kind)().candidates()
    assert len({c.fingerprint() for c in candidates}) == len(candidates) >= 1
    for one in candidates:
        assert one.candidates() == (one,)


@settings(max_examples=30, deadline=None)
@given(kinds, st.integers(0, 1000))
def test_columns_fit_the_rows_and_can_be_traded(kind, seed):
    outlook = random_outlook(seed)
    intent = decide(kind, outlook, hold_bars=5)
    assert all(column.shape == (300,) for column in intent[:6])
    assert intent.enter.dtype == intent.leave.dtype == np.bool_
    rows = intent.enter
    assert np.isfinite(intent.rank[rows]).all()
    assert ((intent.weight[rows] > 0) & (intent.weight[rows] <= 1)).all()
    assert (intent.up[rows] > 0).all()
    assert (intent.down[rows] > 0).all()
    assert intent.hold_bars == 5
    assert intent.max_positions >= 1


@settings(max_examples=30, deadline=None)
@given(kinds, st.integers(0, 1000))
def test_a_row_without_a_score_is_neither_entered_nor_left(kind, seed):
    outlook = random_outlook(seed)
    intent = decide(kind, outlook)
    unknown = np.isnan(outlook.hit)
    assert not (intent.enter | intent.leave)[unknown].any()


@settings(max_examples=30, deadline=None)
@given(kinds, st.integers(0, 1000), st.integers(1, 299))
def test_a_row_is_decided_by_that_row_alone(kind, seed, cut):
    """So no decision looks ahead, and none depends on how many rows stand beside it."""
    outlook = random_outlook(seed)
    whole = decide(kind, outlook)
    some = np.random.default_rng(seed).permutation(300)[:cut]
    part = decide(kind, rows_of(outlook, some))
    for one, other in zip(whole[:6], part[:6], strict=True):
        np.testing.assert_array_equal(one[some], other)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_intends_the_account_can_follow(kind):
    panel = random_panel(3, 100, 1, missing=0.1)
    run = follow(panel, decide(kind, random_outlook(2, len(panel))))
    assert np.isfinite(run.equity).all()
    assert run.trades.pnl.size > 0
