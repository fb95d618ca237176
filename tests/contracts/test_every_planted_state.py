"""Promises that every planted state keeps. A new file in simulation/states/ is tested as it is."""

import numpy as np
import pytest

from leaves import leaves
from touchstone.errors import ConfigError
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.chains import stationary
from touchstone.simulation.planted import numbers
from touchstone.simulation.states import STATES


@pytest.fixture(params=STATES.kinds())
def config(request):
    return STATES.config(request.param)()


def test_its_columns_are_causal_and_whole(config):
    """Column t is known before bar t: later random numbers change no earlier one."""
    short, long = (
        STATES.part_of(config)(config, numbers(MarketConfig(n_instruments=3, n_bars=n), 7))
        for n in (500, 900)
    )
    for column, longer in zip(short, long, strict=True):
        assert column.shape == (3, 501)
        assert np.isfinite(column).all()
        np.testing.assert_array_equal(column, longer[:, :501])


def test_what_pays_is_a_function_of_the_state_and_is_seen(config):
    market = MarketConfig(planted=config, n_instruments=4, n_bars=20_000, ic=0.2)
    made = STATES.part_of(config)(config, numbers(market, 7))
    assert 0.02 < np.mean(made.paying**2) < 1.2  # so that `ic` means what it says
    assert made.shown.std() > 0.1
    _, truth = simulate(market, 7)
    np.testing.assert_allclose(
        (truth.drift / truth.sigma).reshape(4, -1), 0.2 * made.paying[:, 1:], atol=1e-12
    )


def test_a_chain_is_one(config):
    chain = getattr(config, "chain", None)
    if chain is None:
        pytest.skip("its state is a number")
    np.testing.assert_allclose(chain.transition.sum(axis=1), 1)
    assert chain.transition.min() >= 0
    law = stationary(chain.transition)
    np.testing.assert_allclose(law @ chain.transition, law, atol=1e-12)


def test_config_survives_its_own_json(config):
    assert STATES.parse(config.model_dump(mode="json", serialize_as_any=True)) == config
    market = MarketConfig(planted=config)
    assert MarketConfig.model_validate_json(market.canonical()) == market


def test_config_refuses_unknown_keys(config):
    with pytest.raises(ConfigError, match="no such key"):
        STATES.parse({"kind": config.kind, "lenght": 3})


def test_every_leaf_changes_the_fingerprint(config):
    prints = [config.fingerprint(), *(changed.fingerprint() for _, changed in leaves(config))]
    assert len(set(prints)) == len(prints) > 1


def test_every_field_is_documented(config):
    fields = type(config).model_fields.items()
    assert [name for name, field in fields if not field.description and name != "kind"] == []
