"""Promises that every sizing keeps. A new file in strategies/sizing/ is tested with no new test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies.outlooks import random_outlook, rows_of
from touchstone.errors import ConfigError
from touchstone.strategies import STRATEGIES, columns_of
from touchstone.strategies.sizing import SIZINGS

KINDS = SIZINGS.kinds()
every = pytest.mark.parametrize("kind", KINDS)
few = settings(max_examples=4, deadline=None)
seeds = st.integers(0, 10_000)


def sized(kind, outlook, slots=5):
    config = SIZINGS.config(kind)()
    return SIZINGS.part(kind)(config, outlook, slots)


def test_the_family_holds_those_of_the_design():
    assert {"fixed", "equal_weight", "volatility_target", "fractional_kelly"} <= set(KINDS)


@every
def test_config_survives_its_own_json_and_refuses_unknown_keys(kind):
    config = SIZINGS.config(kind)()
    assert SIZINGS.parse(config.model_dump(mode="json", serialize_as_any=True)) == config
    with pytest.raises(ConfigError, match="no such key"):
        SIZINGS.parse({"kind": kind, "fractoin": 0.3})


@every
@few
@given(seeds, st.integers(1, 50))
def test_a_weight_is_a_share_of_equity(kind, seed, slots):
    weight = sized(kind, random_outlook(SIZINGS.config(kind)(), seed), slots)
    assert weight.shape == (300,)
    assert weight.dtype == np.float64
    assert (weight > 0).any()
    assert ((weight >= 0) & (weight <= 1)).all(), "0 where it says to hold nothing"


@every
@few
@given(seeds)
def test_a_row_is_sized_by_that_row_alone(kind, seed):
    outlook = random_outlook(SIZINGS.config(kind)(), seed)
    some = np.random.default_rng(seed).permutation(300)[:40]
    part = sized(kind, rows_of(outlook, some)._replace(instant=None, asset=None))
    np.testing.assert_array_equal(sized(kind, outlook)[some], part)


@every
def test_a_strategy_reads_the_columns_of_its_sizing_and_enters_nothing_of_size_0(kind):
    config = STRATEGIES.parse({"kind": "threshold", "entry_threshold": 0, "sizing": {"kind": kind}})
    asked = columns_of(SIZINGS.config(kind)())
    assert columns_of(config) == asked
    outlook = random_outlook(config, 5)
    intent = STRATEGIES.part_of(config)(config, outlook, 8)
    weight = sized(kind, outlook, config.max_positions)
    np.testing.assert_array_equal(intent.enter, ~np.isnan(outlook.hit) & (weight > 0))
    if asked:
        unknown = outlook._replace(named={text: np.full(300, np.nan) for text in asked})
        assert not STRATEGIES.part_of(config)(config, unknown, 8).enter.any()
