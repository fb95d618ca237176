"""Fitted models as ONNX graphs, for runtimes that have neither torch nor LightGBM. Bytes out.

A network's graph is exported by torch; a tabular kind has a file of its name here that writes its
graph by hand. Inputs are what `Fitted.raw` takes, scaled: `windows` (n, lookback, n_features)
float32 and `asset_id` (n,) int64, or `rows` (n, n_columns) float32; n is free. The output is
`probability` (n, n_outcomes) float32, not calibrated and not rounded. Needs the extra `onnx`.
"""

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from touchstone.errors import ConfigError
from touchstone.models import Fitted, members_of

WINDOWS: Final = "windows"
ASSET_ID: Final = "asset_id"
ROWS: Final = "rows"
PROBABILITY: Final = "probability"
OPSET: Final = 18
"""Of the standard operators; trees are of `ai.onnx.ml` 5."""
ML_OPSET: Final = 5
IR_VERSION: Final = 10
PRODUCER: Final = "touchstone"


def to_onnx(fitted: Fitted, facts: Mapping[str, str]) -> bytes:
    """The file's bytes; the same model and facts give the same bytes.

    Args:
        fitted: any model, the kinds of a plugin included where they are networks.
        facts: kept as the file's metadata, as they are.

    Raises:
        ConfigError: the extra `onnx` is not installed, an ensemble, or a tabular kind that has no
            graph.
    """
    model = _graph_of(fitted)
    model.producer_name, model.producer_version = PRODUCER, ""
    packages().helper.set_model_props(model, {name: facts[name] for name in sorted(facts)})
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def packages() -> Any:
    """The package onnx.

    Raises:
        ConfigError: it, or what torch exports with, is not installed.
    """
    try:
        for name in ("onnx.helper", "onnx.numpy_helper", "onnxscript"):
            importlib.import_module(name)
        return importlib.import_module("onnx")
    except ImportError as error:
        raise ConfigError(
            f"writing ONNX needs the packages onnx, onnxscript and onnxruntime, got: {error}. "
            "Install the extra: pip install 'touchstone[onnx]'"
        ) from None


def _graph_of(fitted: Fitted) -> Any:
    packages()
    if members_of(fitted.config):
        raise ConfigError(
            "an ensemble is no single graph: export its members from studies of their own, or "
            "take its artifact; `touchstone ensemble` distils one network from it"
        )
    if fitted.inputs == "window":
        return _module("network").graph(fitted)
    kind = str(getattr(fitted.config, "kind", "?"))
    try:
        written = _module(kind)
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{kind}":
            raise
        raise ConfigError(
            f"model {kind!r} has no ONNX graph: write one as {__name__}.{kind}, with a function "
            "graph(fitted) -> onnx.ModelProto"
        ) from None
    return written.graph(fitted)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")
