"""The logistic regression's graph: the same few operations in float64."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from touchstone.models.logistic import Logistic
from touchstone.models.onnx import IR_VERSION, OPSET, PROBABILITY, ROWS


def graph(fitted: Logistic) -> Any:
    """The ModelProto: softmax, or for one outcome the logistic function, of a linear one."""
    parts = fitted.coefficients._asdict()
    held = [numpy_helper.from_array(np.ascontiguousarray(p), n) for n, p in parts.items()]
    last = ("Sigmoid", {}) if fitted.shape.n_outcomes == 1 else ("Softmax", {"axis": 1})
    nodes = [
        helper.make_node("Cast", [ROWS], ["exact"], to=TensorProto.DOUBLE),
        helper.make_node("Sub", ["exact", "centre"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "slope"], ["sloped"]),
        helper.make_node("Add", ["sloped", "bias"], ["logits"]),
        helper.make_node(last[0], ["logits"], ["said"], **last[1]),
        helper.make_node("Cast", ["said"], [PROBABILITY], to=TensorProto.FLOAT),
    ]
    shapes = (fitted.coefficients.centre.size, fitted.shape.n_outcomes)
    made = helper.make_graph(
        nodes,
        "logistic",
        [helper.make_tensor_value_info(ROWS, TensorProto.FLOAT, ["n", shapes[0]])],
        [helper.make_tensor_value_info(PROBABILITY, TensorProto.FLOAT, ["n", shapes[1]])],
        held,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
