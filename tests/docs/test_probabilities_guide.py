"""docs/probabilities.md runs: its Python, and its command on a small artifact."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from registry.artifacts import N_FEATURES, decider, draw_rows, gru, logistic, parts
from reports.example_result import example
from small import touchstone
from touchstone.dataset.windows import Windows
from touchstone.models.calibrators import CALIBRATORS, Constant, OutcomeCalibrator, fit
from touchstone.models.calibrators.beta import BetaConfig
from touchstone.pipelines.thresholds import GRID
from touchstone.registry.artifact import save
from touchstone.registry.golden import outlook, scores
from touchstone.reports.result import to_json

GUIDE = (Path(__file__).parents[2] / "docs" / "probabilities.md").read_text()
FIRST, SECOND = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def test_the_first_example_misses_the_bar_and_then_meets_it(capsys):
    exec(compile(FIRST, "probabilities.md", "exec"), {})
    assert capsys.readouterr().out == "missed met\n"


MADE = {
    "a network": lambda: decider(gru()),
    "rows, three outcomes": lambda: decider(logistic(3 * N_FEATURES)),
    "rows, platt": lambda: decider(logistic(3 * N_FEATURES), "platt"),
    "a score as it is": lambda: decider(logistic(3 * N_FEATURES, "buy")),
    "rows, beta": lambda: with_beta(logistic(3 * N_FEATURES)),
}


def with_beta(fitted):
    """Calibrated by `beta`, but for an outcome that never came and one that is never told."""
    made, rows = decider(fitted), draw_rows(400, seed=5)
    score = scores(made, rows.windows, rows.asset_id)
    hit = np.random.default_rng(2).random(400) < score[:, -1]
    columns = (Constant(0.0), Constant(0.0), fit(BetaConfig(), score[:, -1], hit))
    return made._replace(calibrator=OutcomeCalibrator(columns, (0.2, 0.3, 0.5)))


@pytest.mark.parametrize("which", MADE)
def test_the_program_says_what_the_artifact_says_by_the_file_alone(tmp_path, monkeypatch, which):
    """The command's file, read by the guide's own program: raw windows in, probabilities out."""
    made, folder = MADE[which](), tmp_path / "runs" / "desk"
    save(folder / "artifact", parts(made))
    (folder / "result.json").write_bytes(to_json(example()))
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"^\$ touchstone (.*)$", GUIDE, re.MULTILINE)
    code, out, err = touchstone(*command.split())
    assert code == 0, err
    assert out.startswith("model.onnx: ")
    program = {}
    exec(compile(SECOND, "probabilities.md", "exec"), program)
    rows = draw_rows(65, seed=3)
    ids = np.where(np.arange(65) % 9 == 0, -1, rows.asset_id)  # one never met
    right = outlook(made, scores(made, rows.windows, ids.astype(np.int32)), rows).probability
    for n in (1, 64, 65):
        said = program["probabilities"](rows.windows[:n], ids[:n])
        np.testing.assert_allclose(said, right[:n], rtol=0, atol=1e-4)
    assert np.ptp(right[:, -1]) > 0.05 or which == "rows, beta"


def function(name):
    """One function of the guide's program alone."""
    found = {"np": np}
    text = re.search(rf"^def {name}\(.*?(?=^\S|\Z)", SECOND, re.DOTALL | re.MULTILINE)
    exec(compile(text.group(), "probabilities.md", "exec"), found)
    return found[name]


@pytest.mark.parametrize("kind", CALIBRATORS.kinds())
def test_the_program_knows_every_curve(kind):
    rng = np.random.default_rng(1)
    score = rng.random(900)
    made = fit(CALIBRATORS.config(kind)(), score, rng.random(900) < score)
    asked = np.r_[score, 0.0, 1.0]
    said = function("curve")(json.loads(made.to_json()), asked)
    np.testing.assert_allclose(said, made.apply(asked), rtol=0, atol=1e-12)


def test_the_program_sums_as_the_windows_do():
    """A daily cycle leaves rounding alone: every bit of it is the same, and it is not 0."""
    hour = np.arange(24 * 40)
    cycle = np.sin(2 * np.pi * hour / 24).astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(hour.size).astype(np.float32)
    flat = np.stack([cycle, noise], axis=1)
    ends = np.arange(23, hour.size)
    mine = Windows(flat, np.zeros(hour.size, np.int32), 24).tabular(ends)
    window = flat[ends[:, None] + np.arange(-23, 1)]
    np.testing.assert_array_equal(function("tabular")(window), mine)
    assert 0 < np.abs(mine[:, 4]).max() < 1e-6
    assert not np.array_equal(window.mean(1)[:, 0], mine[:, 4])


@pytest.mark.parametrize("kind", CALIBRATORS.kinds())
def test_every_calibrator_is_in_the_guide(kind):
    assert f"{{kind: {kind}}}" in GUIDE


def test_the_grid_is_the_one_of_the_code():
    assert "0.01, 0.02, 0.05, 0.1, 0.2, ..., 0.9" in GUIDE
    assert GRID[:5] == (0.01, 0.02, 0.05, 0.1, 0.2)
    assert GRID[-1] == 0.9
