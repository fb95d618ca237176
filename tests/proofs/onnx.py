"""Every option that changes a network's graph, through ONNX: 1e-5, batches of 1 and of 64.

    python -m pytest tests/proofs/onnx.py

The options are found, not listed: every choice of every network's config, each alone against the
defaults, and the pairs of `PAIRS`. A new network or option is exported here without a new line.
"""

import typing

import pytest
from pydantic_core import PydanticUndefined

from models.graphs import KINDS, SHAPE, TABULAR, assert_same, drawn
from touchstone.errors import ConfigError
from touchstone.models import MODELS
from touchstone.models.onnx import to_onnx

PAIRS = [
    {"kind": "transformer", "attention": "linear", "causal": False},
    {"kind": "transformer", "attention": "performer", "causal": False},
    {"kind": "transformer", "attention": "performer", "positions": "learned", "layers": 1},
    {"kind": "lstm", "bidirectional": True, "layers": 2, "pooling": "multi_head"},
    {"kind": "gru", "bidirectional": True, "pooling": "mean"},
    {"kind": "cnn_lstm", "pool": 2, "convolutions": 2, "pooling": "self"},
    {"kind": "volume_profile_cnn", "first": 1, "bins": 1},
    {"kind": "multiscale_cnn", "scales": [1, 2], "blocks": 3},
]


def choices(kind):
    """(name, value) of every option of a network but its default."""
    found = []
    for name, field in MODELS.config(kind).model_fields.items():
        if name == "kind" or field.default is PydanticUndefined:
            continue
        for value in values(field):
            settings = {"kind": kind, name: value}
            try:
                drawn(settings)
            except ConfigError:
                continue  # such a pair of options is refused, or wants another beside it
            found.append(settings)
    return found


def values(field):
    """Other values of a field: all of a choice, the other of a switch, one more of a count."""
    default, kind = field.default, field.annotation
    if typing.get_origin(kind) is typing.Literal:
        return [value for value in typing.get_args(kind) if value != default]
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, int):
        return [default + 1, default - 1] if default > 1 else [default + 1]
    if isinstance(default, tuple) and default:
        return [list(default[:-1])] if len(default) > 1 else [[*default, 2]]
    return []


EVERY = [c for kind in KINDS if kind not in TABULAR for c in choices(kind)] + PAIRS


def name(settings):
    """What a case is called."""
    return " ".join(f"{key}={value}" if key != "kind" else value for key, value in settings.items())


@pytest.mark.parametrize("settings", EVERY, ids=name)
def test_an_option_says_the_same_through_another_runtime(settings):
    fitted = drawn(settings)
    assert_same(fitted, to_onnx(fitted, {}))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in TABULAR])
def test_a_window_of_the_usual_size_says_the_same(kind):
    fitted = drawn({"kind": kind}, SHAPE._replace(lookback=24, n_features=23, n_assets=60))
    assert_same(fitted, to_onnx(fitted, {}))


def test_no_kind_or_attention_is_left_out():
    seen = {(c["kind"], c.get("attention", "softmax")) for c in EVERY}
    assert {a for kind, a in seen if kind == "transformer"} == {"softmax", "linear", "performer"}
    assert {kind for kind, _ in seen} == set(KINDS) - set(TABULAR)
    assert len(EVERY) > 40
