"""The promise: the packaged quickstart finds the planted edge and rejects its null twin."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_planted_is_evidence_and_the_null_twin_is_none(tmp_path):
    words = [
        sys.executable,
        "-m",
        "touchstone",
        "run",
        "--out",
        str(tmp_path),
        "--json",
        "--jobs",
        "1",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=900)
    result = json.loads(done.stdout)
    planted, twin = result["market"], result["null_twin"]
    assert (planted["verdict"]["word"], twin["verdict"]["word"]) == ("evidence", "none")
    assert planted["verdict"]["sealed_days"] == 73
    assert len(planted["candidates"]) == len(twin["candidates"]) == 32
    assert planted["skill"]["direction_auc"] > 0.6
    assert abs(twin["skill"]["direction_auc"] - 0.5) < 0.03
