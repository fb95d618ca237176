"""What a tracking server is told of a search: every trial once, below its search, no password."""

import json

import pytest

from reports.example_tune import EXAMPLES
from searches import tune_file
from touchstone.pipelines.track_tune import tune_batch
from touchstone.pipelines.tune_config import read_tune
from touchstone.registry.tracking import Queue

ABOUT = {
    "command": "touchstone tune x", "versions": {"python": "3"},
    "started": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_trial_is_told_below_its_search(tmp_path, name):
    asked = read_tune(tune_file(tmp_path))
    asked = asked._replace(
        config=asked.config.model_copy(update={"storage": "postgresql://me:s3cret@there/db"})
    )
    result = EXAMPLES[name]()
    (tmp_path / "result.json").write_text("{}")
    batch = tune_batch(tmp_path, asked, result, ABOUT)
    parent, *children = batch.runs
    trials = [(s, t) for s in result.searches for t in s.trials]
    assert len(children) == len(trials)
    assert {c.parent for c in children} <= {parent.key}
    assert len({r.key for r in batch.runs}) == len(batch.runs)
    for child, (search, trial) in zip(children, trials, strict=True):
        assert child.name == f"{search.name} trial {trial.number}"
        assert child.tags["touchstone.state"] == trial.state
        told = {name: value for name, value, _ in child.metrics}
        for objective, value in zip(result.objectives, trial.values, strict=False):
            assert told[objective] == value
        assert sum(n.endswith("_so_far") for n, _, _ in child.metrics) == len(trial.steps)
    winners = sum("touchstone.winner" in c.tags for c in children)
    assert winners == sum(s.winner is not None for s in result.searches)
    assert "s3cret" not in json.dumps([r.model_dump(mode="json") for r in batch.runs])
    Queue(tmp_path).put(batch)
    (again,) = Queue(tmp_path).waiting()
    assert again == batch
