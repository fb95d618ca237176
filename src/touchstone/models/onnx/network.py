"""A network's graph: what torch exports, with all that tells of this machine taken out."""

import warnings
from typing import Any

import torch

from touchstone.models.layers.network import FittedNetwork, Network, probabilities
from touchstone.models.onnx import ASSET_ID, IR_VERSION, OPSET, PROBABILITY, WINDOWS


class _Said(torch.nn.Module):
    """From windows to the probabilities of `FittedNetwork.raw`."""

    def __init__(self, network: Network, n_outcomes: int) -> None:
        super().__init__()
        self.network, self.n_outcomes = network, n_outcomes

    def forward(self, windows: torch.Tensor, asset_id: torch.Tensor) -> torch.Tensor:
        """(n, lookback, n_features), (n,) -> (n, n_outcomes)."""
        # A head with tasks beside the outcomes gives the outcomes first.
        return probabilities(self.network(windows, asset_id)[:, : self.n_outcomes])


def graph(fitted: FittedNetwork) -> Any:
    """The ModelProto of a network on the CPU, in evaluation mode; n stays free."""
    shape = fitted.shape
    # Two rows, not one: torch takes a dimension of 1 for a constant.
    given = torch.zeros(2, shape.lookback, shape.n_features), torch.zeros(2, dtype=torch.int64)
    n = torch.export.Dim("n", min=1)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter about its own insides
        program = torch.onnx.export(
            _Said(fitted.network, shape.n_outcomes).eval(),
            given,
            dynamo=True,
            dynamic_shapes=({0: n}, {0: n}),
            input_names=[WINDOWS, ASSET_ID],
            output_names=[PROBABILITY],
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None  # without a file the exporter gives the program
    model = program.model_proto
    model.ir_version = IR_VERSION
    _strip(model)
    return model


def _strip(model: Any) -> None:
    """Take out traces of the stack, with the paths of whoever exported, and shapes in between."""
    graphs = [model.graph, *model.functions]
    for part in graphs:
        part.doc_string = ""
        del part.metadata_props[:]
        del part.value_info[:]
        for node in part.node:
            node.doc_string = ""
            del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
    del model.metadata_props[:]
    model.doc_string = ""
