"""The guide to tracking is true because it runs."""

import re
from pathlib import Path

from small import touchstone
from touchstone.registry.tracking import Batch, Queue, TrackedRun
from touchstone.registry.tracking_mlflow import LEFT_OUT

GUIDE = (Path(__file__).parents[2] / "docs" / "tracking.md").read_text()


def fences(label):
    return re.findall(rf"```{label}\n(.*?)```", GUIDE, re.DOTALL)


def test_its_code_runs():
    for block in fences("python"):
        exec(compile(block, "docs/tracking.md", "exec"), {})


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOUCHSTONE_TRACKING")  # as on a reader's machine
    [words] = [f.split()[2:] for f in fences("console")]
    code, told, err = touchstone(*words)
    assert code == 0, err
    [look] = [line.split(None, 1)[1] for line in told.splitlines() if line.startswith("look")]
    assert f"`{look}`" in GUIDE
    assert not list(tmp_path.iterdir())  # to look makes nothing


def test_its_sentence_is_the_one_that_is_said(tmp_path):
    """With a server's name that no network knows, and an event that waits for it."""
    queue = Queue(tmp_path / "runs" / "quickstart-1cb296fafe5d")
    queue.folder.mkdir(parents=True)
    fits = [
        TrackedRun(key=str(i), group="g", name="n", started_ms=0, ended_ms=1) for i in range(26)
    ]
    queue.put(Batch("b", tuple(fits)))
    uri = "http://127.0.0.1:9"
    code, _, err = touchstone("track", "flush", "--out", tmp_path, "--tracking", uri)
    [said] = [line.strip() for line in fences("text")[0].splitlines()]
    told = err.replace(f"{tmp_path}/", "").replace(uri, "http://tracking.example:5000")
    assert code == 3
    assert f"note: {said}" in told
    assert f"`{LEFT_OUT}`" in GUIDE
