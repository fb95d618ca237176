"""forward_return: worked cases and a slow reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.reference import slow_forward_return
from touchstone.labels import UNKNOWN
from touchstone.labels.forward_return import ForwardReturnConfig, forward_return
from walks import flat, panel_of, random_panel

CONFIG = ForwardReturnConfig(horizon=3, threshold=0.0625)


@pytest.mark.parametrize(
    ("price", "outcome"), [(106.3, 1), (106.25, 0), (100.0, 0), (93.75, 0), (93.7, -1)]
)
def test_outcome_is_beyond_the_threshold(price, outcome):
    bars = flat(9, open={4: price}, high={4: max(price, 100)}, low={4: min(price, 100)})
    labels = forward_return(panel_of(bars), CONFIG)
    assert (labels.outcome[0], labels.exit[0]) == (outcome, 4)
    assert labels.realised[0] == price / 100 - 1


def test_no_barrier_and_unknown_at_the_end():
    labels = forward_return(panel_of(flat(9, low={2: 50.0})), CONFIG)
    assert np.isinf(labels.up).all()
    assert np.isinf(labels.down).all()
    assert labels.exit[0] == 4
    np.testing.assert_array_equal(labels.exit[-5:], [8, *[UNKNOWN] * 4])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_bars=st.integers(1, 80),
    missing=st.sampled_from((0.0, 0.3, 0.8)),
    horizon=st.integers(1, 9),
    options=st.tuples(*[st.sampled_from(("open", "close"))] * 2),
    scaled=st.booleans(),
)
def test_agrees_with_the_slow_reference(seed, n_bars, missing, horizon, options, scaled):
    panel = random_panel(3, n_bars, seed, missing)
    config = ForwardReturnConfig(
        horizon=horizon,
        threshold=0.005,
        entry=options[0],
        horizon_exit=options[1],
        width="w" if scaled else None,
    )
    rng = np.random.default_rng(seed)
    width = rng.choice([np.nan, np.inf, 0.0, 0.5, 2.0], len(panel)) if scaled else None
    labels = forward_return(panel, config, width)
    for i, (outcome, exit_, realised, _) in enumerate(slow_forward_return(panel, config, width)):
        assert (labels.outcome[i], labels.exit[i]) == (outcome, exit_), i
        assert np.isnan(labels.realised[i]) if realised is None else labels.realised[i] == realised
