"""A finished run's model as one ONNX file, checked against the artifact's golden rows."""

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from touchstone.dataset.windows import Windows
from touchstone.errors import ArtifactError, ConfigError, DataError
from touchstone.files import write_bytes
from touchstone.models import OUTCOMES, head_of
from touchstone.models.onnx import ASSET_ID, PROBABILITY, ROWS, WINDOWS, to_onnx
from touchstone.models.scoring import DECIMALS
from touchstone.pipelines.finished import Finished
from touchstone.registry.artifact import Artifact, load
from touchstone.registry.golden import TOLERANCE

_TALKERS: Final = ("torch.onnx", "onnxscript", "onnx_ir")
"""Loggers that warn of packages and of tidying that a user of the file has nothing to do with."""


def export_onnx(run: Finished, target: Path) -> str:
    """Write the run's chosen, refitted model as ONNX; a line that says what was written.

    The graph takes scaled inputs; scaler, calibrator, strategy and all else that a decision needs
    stand in the file's metadata.

    Raises:
        DataError: the run kept no artifact, since no candidate earned more than cash.
        ConfigError: the extra `onnx` is not installed, or the model's kind has no graph.
        ArtifactError: the artifact was changed, or the graph says other than its golden rows.
    """
    folder = run.folder / "artifact"
    if not folder.is_dir():
        raise DataError(
            f"{run.name}: the run kept no artifact: none of its candidates earned more than cash "
            "before the seal, so none was refitted. --what folds writes each fold's model"
        )
    artifact = load(folder)
    with _quiet():
        content = to_onnx(artifact.decider.fitted, facts(artifact))
    apart = difference(artifact, content)
    if not apart <= TOLERANCE:
        raise ArtifactError(
            f"{target}: got scores {apart:.1e} from the golden ones, needed {TOLERANCE:.0e}: "
            "nothing was written"
        )
    write_bytes(target, content)
    n = len(artifact.golden.enter)
    return f"{target}: {len(content):,} bytes; {n} golden rows again to {apart:.1e}"


def facts(artifact: Artifact) -> dict[str, str]:
    """What stands between a window of features and a decision, as text by name."""
    decider, manifest = artifact.decider, artifact.manifest
    fitted, columns = decider.fitted, _columns(artifact)
    texts: dict[str, Any] = {
        "artifact": manifest.identity,
        "study": manifest.origin.study,
        "model": manifest.model,
        "inputs": ROWS if fitted.inputs == "tabular" else WINDOWS,
        "lookback": fitted.shape.lookback,
        "features": {f.name: f.expression for f in manifest.features},
        "columns": columns,
        "outcomes": OUTCOMES[head_of(fitted.config)],
        "decimals": DECIMALS,
        "asset_id": {symbol: i for i, symbol in enumerate(manifest.symbols)},
        "timeframe": manifest.timeframe,
        "calendar": manifest.calendar,
        "label": manifest.label,
        "strategy": manifest.strategy,
        "costs": manifest.costs,
        "hold_bars": manifest.hold_bars,
        "rest": manifest.rest,
    }
    found = {name: json.dumps(value) for name, value in texts.items()}
    found["scaler"] = decider.scaler.to_json()
    for name, part in (("calibrator", decider.calibrator), ("expected", decider.expected)):
        if part is not None:
            found[name] = part.to_json()
    if artifact.view is not None:
        found["view"] = artifact.view.to_json()
    return found


def difference(artifact: Artifact, content: bytes) -> float:
    """The largest distance of the graph's scores from the golden ones.

    Raises:
        ConfigError: onnxruntime is not installed.
    """
    session = _session(content)
    golden = artifact.golden
    (said,) = session.run([PROBABILITY], _inputs(artifact))
    return float(np.abs(np.round(said.astype(np.float64), DECIMALS) - golden.score).max(initial=0))


def _inputs(artifact: Artifact) -> dict[str, Any]:
    """The golden rows as the graph takes them."""
    golden = artifact.golden
    windows = _windows(artifact)
    n, lookback = golden.windows.shape[:2]
    ends = np.arange(n, dtype=np.int64) * lookback + lookback - 1
    if artifact.decider.fitted.inputs == "tabular":
        return {ROWS: windows.tabular(ends)}
    return {WINDOWS: windows.gather(ends), ASSET_ID: golden.asset_id.astype(np.int64)}


def _windows(artifact: Artifact) -> Windows:
    golden = artifact.golden
    n, lookback, n_features = golden.windows.shape
    flat = np.ascontiguousarray(golden.windows).reshape(n * lookback, n_features)
    ids = np.repeat(golden.asset_id, lookback)
    return Windows(flat, ids, lookback, artifact.decider.scaler)


def _columns(artifact: Artifact) -> tuple[str, ...]:
    """What each number of a bar, or of a tabular row, is."""
    view = artifact.view
    names = tuple(f.name for f in artifact.manifest.features) if view is None else view.names
    if artifact.decider.fitted.inputs == "window":
        return names
    return _windows(artifact).tabular_names(names)


def _session(content: bytes) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ConfigError(
            f"checking ONNX needs the package onnxruntime, got: {error}. "
            "Install the extra: pip install 'touchstone[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's talk about its own insides is left out; its errors are not."""
    before = {name: logging.getLogger(name).level for name in _TALKERS}
    try:
        for name in _TALKERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
