import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.example_result import example, market
from touchstone.errors import DataError
from touchstone.reports.contents import plain
from touchstone.reports.reference import explain_keys, result_reference
from touchstone.reports.result import (
    Curve,
    Diagnostic,
    Performance,
    StudyResult,
    from_json,
    to_json,
)
from touchstone.reports.terminal import summary_lines


def test_round_trip_and_determinism():
    content = to_json(example())
    assert content == to_json(example())
    assert from_json(content) == example()
    assert to_json(from_json(content)) == content


def test_order_of_mappings_does_not_matter():
    one = example(config={"a": 1, "b": {"c": 2, "d": 3}})
    two = example(config={"b": {"d": 3, "c": 2}, "a": 1})
    assert to_json(one) == to_json(two)


@given(st.sampled_from([np.nan, np.inf, -np.inf, np.float32("nan"), float("inf")]))
def test_a_number_that_is_not_there_is_null(value):
    part = Performance(
        sharpe=value, sharpe_interval=(value, 1.0), curve=Curve(equity=np.ones(3, np.float32))
    )
    assert part.sharpe is None
    assert part.sharpe_interval is None
    assert part.curve.equity == (1.0, 1.0, 1.0)
    assert Diagnostic(value=value).value is None
    content = to_json(example(config={"x": value, "y": [value, {"z": np.array([value])}]}))
    assert b"NaN" not in content
    assert b"Infinity" not in content
    assert json.loads(content)["config"] == {"x": None, "y": [None, {"z": [None]}]}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), json_values))
@settings(max_examples=30)
def test_any_config_survives(config):
    result = example_with(config)
    assert to_json(from_json(to_json(result))) == to_json(result)
    assert plain(plain(config)) == plain(config)


SMALL = example(market=market(where=[], sealed=None, walk_forward=None), null_twin=None)


def example_with(config):
    return SMALL.model_copy(update={"config": plain(config)})


def test_the_model_is_frozen_and_closed():
    result = example()
    with pytest.raises(ValueError, match="frozen"):
        result.name = "other"
    with pytest.raises(ValueError, match="started"):
        StudyResult(**(dict(result) | {"started": "2026-01-01"}))


def test_what_cannot_be_read_is_refused_with_the_way_out():
    with pytest.raises(DataError, match="not JSON"):
        from_json(b"{")
    with pytest.raises(DataError, match=r"schema version 2.*run the study again"):
        from_json(to_json(example()).replace(b'"schema_version": 1', b'"schema_version": 2'))
    with pytest.raises(DataError, match="fingerprint"):
        from_json(b'{"schema_version": 1, "name": "a"}')
    with pytest.raises(DataError, match="None"):
        from_json(b"[]")


def test_every_key_is_explained_and_every_number_has_a_unit():
    keys = explain_keys()
    assert len({k.path for k in keys}) == len(keys)
    assert not [k.path for k in keys if not k.meaning]
    unitless = [k.path for k in keys if "number" in k.kind and not k.unit]
    assert not unitless
    told = result_reference()
    assert told == result_reference()
    for key in ("| `break_even_cost_bp` | number or null | basis points", "`market.sealed.curve`"):
        assert key in told


def test_the_reference_knows_every_key_of_an_example():
    known = {k.path.rpartition(".")[2] for k in explain_keys()}

    def walk(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    content = json.loads(to_json(example(config={}, versions={})))
    named = set(walk(content)) - known
    free = "cash buy_and_hold equal_weight commission slippage spread time stop target".split()
    free += "+1 -1 0 logistic lightgbm gru".split() + list(market().diagnostics)
    assert named <= set(free)


def test_the_last_lines_of_the_terminal():
    lines = summary_lines(example())
    assert lines[0].startswith("Planted market: evidence.")
    assert any(line.startswith("Null twin: none.") for line in lines)
    assert any("95 % interval" in line for line in lines)
    assert all("\n" not in line for line in lines)
