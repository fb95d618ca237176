"""A run's model as an ONNX file: the golden rows again, and a decision from the file alone."""

import json

import numpy as np
import onnx
import pytest

from models.graphs import session
from registry.artifacts import LOOKBACK, N_FEATURES, decider, draw_rows, gru, logistic, parts
from touchstone.dataset.scalers import Scaler
from touchstone.dataset.windows import Windows
from touchstone.errors import ArtifactError, DataError
from touchstone.models.calibrators import OutcomeCalibrator, from_json
from touchstone.pipelines import onnx_file
from touchstone.pipelines.finished import Finished
from touchstone.registry.artifact import save
from touchstone.registry.golden import outlook, scores

MADE = {
    "network": lambda: decider(gru()),
    "trees' rows": lambda: decider(logistic(3 * N_FEATURES)),
    "buy": lambda: decider(logistic(3 * N_FEATURES, "buy")),
}


def run_of(folder, made):
    save(folder / "run" / "artifact", parts(made))
    return Finished(folder / "run", None)


@pytest.mark.parametrize("which", MADE)
def test_a_file_alone_gives_the_probabilities_of_the_artifact(tmp_path, which):
    """Scaled, scored, rounded and calibrated by what stands in the file, and by nothing else."""
    made, target = MADE[which](), tmp_path / "model.onnx"
    said = onnx_file.export_onnx(run_of(tmp_path, made), target)
    assert "32 golden rows again to" in said
    model = onnx.load_from_string(target.read_bytes())
    told = {p.key: p.value for p in model.metadata_props}
    rows = draw_rows(50, seed=9)
    flat = rows.windows.reshape(-1, N_FEATURES)
    ids = np.repeat(rows.asset_id, LOOKBACK)
    windows = Windows(flat, ids, json.loads(told["lookback"]), Scaler.from_json(told["scaler"]))
    ends = np.arange(50) * LOOKBACK + LOOKBACK - 1
    if json.loads(told["inputs"]) == "windows":
        given = {"windows": windows.gather(ends), "asset_id": rows.asset_id.astype(np.int64)}
        assert json.loads(told["columns"]) == list(json.loads(told["features"]))
    else:
        given = {"rows": windows.tabular(ends)}
        assert len(json.loads(told["columns"])) == 3 * N_FEATURES
    (raw,) = session(target.read_bytes()).run(["probability"], given)
    score = np.round(raw.astype(np.float64), json.loads(told["decimals"]))
    mine = scores(made, rows.windows, rows.asset_id)
    np.testing.assert_allclose(score, mine, rtol=0, atol=1e-5)
    seen = outlook(made, mine, rows)
    if "calibrator" in told:
        calibrated = OutcomeCalibrator.from_json(told["calibrator"]).apply(score)
        np.testing.assert_allclose(calibrated, seen.probability, rtol=0, atol=1e-3)
    if "expected" in told:
        expected = from_json(told["expected"]).apply(score[:, -1])
        np.testing.assert_allclose(expected, seen.expected, rtol=0, atol=1e-3)
    assert ("expected" in told) == (which == "buy")
    assert str(tmp_path).encode() not in target.read_bytes()


def test_a_graph_that_says_something_else_is_not_written(tmp_path, monkeypatch):
    run = run_of(tmp_path, decider(logistic(3 * N_FEATURES)))
    other = logistic(3 * N_FEATURES, seed=5)
    monkeypatch.setattr(onnx_file, "to_onnx", lambda _, facts: real(other, facts))
    target = tmp_path / "model.onnx"
    with pytest.raises(ArtifactError, match="nothing was written"):
        onnx_file.export_onnx(run, target)
    assert not target.exists()


def test_a_run_without_an_artifact_says_why(tmp_path):
    with pytest.raises(DataError, match="kept no artifact"):
        onnx_file.export_onnx(Finished(tmp_path, None), tmp_path / "model.onnx")


real = onnx_file.to_onnx
