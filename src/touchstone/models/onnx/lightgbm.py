"""The trees' graph: one TreeEnsemble in float64, so that every row takes the branches it took."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import lightgbm as boosting
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from touchstone.errors import ConfigError
from touchstone.models.lightgbm import Lightgbm
from touchstone.models.onnx import IR_VERSION, ML_OPSET, OPSET, PROBABILITY, ROWS

_LEQ: Final = 0
"""BRANCH_LEQ: the true branch where the value is at most the split."""
_SUM: Final = 1
"""Leaves of an outcome's trees are added up."""


class _Node(NamedTuple):
    """One split; `yes` and `no` are the places of what follows, among nodes or among leaves."""

    feature: int
    split: float
    missing_is_yes: bool
    yes: int
    no: int
    yes_is_leaf: bool
    no_is_leaf: bool


class _Forest(NamedTuple):
    """All trees, one after the other."""

    nodes: list[_Node]
    leaf_outcome: list[int]
    leaf_value: list[float]
    roots: list[int]


def graph(fitted: Lightgbm) -> Any:
    """The ModelProto: trees, then softmax or the logistic function.

    Raises:
        ConfigError: a split that the format cannot say: by category, or with zero as missing.
    """
    n_outcomes = fitted.shape.n_outcomes
    told = boosting.Booster(model_str=fitted.text).dump_model()
    forest = _forest(told["tree_info"], n_outcomes)
    last = ("Sigmoid", {}) if n_outcomes == 1 else ("Softmax", {"axis": 1})
    nodes = [
        helper.make_node("Cast", [ROWS], ["exact"], to=TensorProto.DOUBLE),
        _ensemble(forest, n_outcomes),
        helper.make_node(last[0], ["raw"], ["said"], **last[1]),
        helper.make_node("Cast", ["said"], [PROBABILITY], to=TensorProto.FLOAT),
    ]
    n_columns = len(told["feature_names"])
    made = helper.make_graph(
        nodes,
        "lightgbm",
        [helper.make_tensor_value_info(ROWS, TensorProto.FLOAT, ["n", n_columns])],
        [helper.make_tensor_value_info(PROBABILITY, TensorProto.FLOAT, ["n", n_outcomes])],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)


def _forest(trees: list[dict[str, Any]], n_outcomes: int) -> _Forest:
    forest = _Forest([], [], [], [])
    for place, tree in enumerate(trees):
        forest.roots.append(len(forest.nodes))
        top = tree["tree_structure"]
        if "leaf_value" in top:
            # A tree of one leaf: both ways out of a split that asks nothing lead to it.
            at = _leaf(forest, top, place % n_outcomes)
            forest.nodes.append(_Node(0, 0.0, True, at, at, True, True))
            continue
        _grow(forest, top, place % n_outcomes)
    return forest


def _grow(forest: _Forest, top: Mapping[str, Any], outcome: int) -> None:
    """Add a tree's splits and leaves; without recursion, since trees are deep."""
    places = {id(split): len(forest.nodes) + i for i, split in enumerate(_splits(top))}
    for split in _splits(top):
        missing_is_yes, ends = _missing_is_yes(split), []
        for child in (split["left_child"], split["right_child"]):
            is_leaf = "leaf_value" in child
            ends.append((_leaf(forest, child, outcome) if is_leaf else places[id(child)], is_leaf))
        (yes, yes_is_leaf), (no, no_is_leaf) = ends
        forest.nodes.append(
            _Node(
                int(split["split_feature"]), float(split["threshold"]), missing_is_yes,
                yes, no, yes_is_leaf, no_is_leaf,
            )
        )  # fmt: skip


def _splits(top: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting = [top]
    while waiting:
        split = waiting.pop()
        yield split
        children = (split["right_child"], split["left_child"])
        waiting += [child for child in children if "leaf_value" not in child]


def _leaf(forest: _Forest, leaf: Mapping[str, Any], outcome: int) -> int:
    forest.leaf_outcome.append(outcome)
    forest.leaf_value.append(float(leaf["leaf_value"]))
    return len(forest.leaf_value) - 1


def _missing_is_yes(split: Mapping[str, Any]) -> bool:
    """Where LightGBM sends a missing value."""
    how, kind = split["decision_type"], split["missing_type"]
    if how != "<=" or kind not in ("None", "NaN"):
        raise ConfigError(
            f"lightgbm: a split {how!r} with missing values as {kind!r} has no ONNX form: needs "
            "splits '<=' with missing_type None or NaN"
        )
    if kind == "NaN":
        return bool(split["default_left"])
    return float(split["threshold"]) >= 0  # trees that met none take it for zero


def _ensemble(forest: _Forest, n_outcomes: int) -> Any:
    splits = forest.nodes

    def tensor(name: str, values: list[Any], dtype: type) -> Any:
        return numpy_helper.from_array(np.array(values, dtype), name)

    return helper.make_node(
        "TreeEnsemble",
        ["exact"],
        ["raw"],
        domain="ai.onnx.ml",
        n_targets=n_outcomes,
        aggregate_function=_SUM,
        tree_roots=forest.roots,
        nodes_modes=tensor("modes", [_LEQ] * len(splits), np.uint8),
        nodes_featureids=[s.feature for s in splits],
        nodes_splits=tensor("splits", [s.split for s in splits], np.float64),
        nodes_truenodeids=[s.yes for s in splits],
        nodes_falsenodeids=[s.no for s in splits],
        nodes_trueleafs=[int(s.yes_is_leaf) for s in splits],
        nodes_falseleafs=[int(s.no_is_leaf) for s in splits],
        nodes_missing_value_tracks_true=[int(s.missing_is_yes) for s in splits],
        leaf_targetids=forest.leaf_outcome,
        leaf_weights=tensor("weights", forest.leaf_value, np.float64),
    )
