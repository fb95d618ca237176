"""What a tracking server is told of searches for cells and of populations."""

import pytest

from reports import example_architecture, example_population
from searches import tune_file
from touchstone.pipelines.track_searched import architecture_batch, population_batch
from touchstone.pipelines.tune_config import read_tune
from touchstone.registry.tracking import Queue

ABOUT = {
    "command": "touchstone tune x", "versions": {"python": "3"},
    "started": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


def told(batch, tmp_path):
    """(the search, those below it by name), as they come out of the queue."""
    Queue(tmp_path).put(batch)
    (again,) = Queue(tmp_path).waiting()
    assert again == batch
    parent, *below = batch.runs
    assert {run.parent for run in below} == {parent.key}
    by = {run.name: run for run in below}
    assert len({run.key for run in batch.runs}) == len(batch.runs) == 1 + len(by)
    assert [file.path for file in parent.files] == ["result.json"]
    assert parent.tags["touchstone.kind"] == "tune"
    return parent, by


@pytest.fixture
def asked(tmp_path):
    place = tmp_path / "asked"
    place.mkdir()
    return read_tune(tune_file(place))


def folder_of(tmp_path):
    folder = tmp_path / "tunes"
    folder.mkdir()
    (folder / "result.json").write_text("{}")
    return folder


@pytest.mark.parametrize("name", example_architecture.EXAMPLES)
def test_every_search_and_every_cell_is_told(asked, tmp_path, name):
    result = example_architecture.EXAMPLES[name]()
    folder = folder_of(tmp_path)
    parent, by = told(architecture_batch(folder, asked, result, ABOUT), folder)
    assert parent.tags["touchstone.verdict"] == result.verdict
    once = {metric: value for metric, value, _ in parent.metrics}
    assert once["test/difference"] == result.on_test.difference
    assert ("test/low" in once) == (result.on_test.interval is not None)
    assert set(by) == {f"search {s.number}" for s in result.searches} | {
        cell.name for cell in result.cells
    }
    for one in result.searches:
        losses = [v for metric, v, _ in by[f"search {one.number}"].metrics if metric == "held_loss"]
        assert losses == [epoch.held_loss for epoch in one.history]
    for cell in result.cells:
        rows = by[cell.name].metrics
        assert ("test_pr_auc", cell.test, 0) in rows
        seeds = [(v, at) for metric, v, at in rows if metric == "test_pr_auc_by_seed"]
        assert seeds == [(v, i) for i, v in enumerate(cell.test_by_seed)]


@pytest.mark.parametrize("name", example_population.EXAMPLES)
def test_every_member_is_told_generation_by_generation(asked, tmp_path, name):
    result = example_population.EXAMPLES[name]()
    folder = folder_of(tmp_path)
    parent, by = told(population_batch(folder, asked, result, ABOUT), folder)
    once = {metric: value for metric, value, _ in parent.metrics}
    for one in result.populations:
        assert once[f"{one.name}/test_difference"] == one.difference
        for title, lives in ((one.name, one.lives), (f"{one.name} alone", one.alone)):
            for life in lives:
                rows = by[f"{title} member {life.member}"].metrics
                values = {at: v for metric, v, at in rows if metric == result.objective}
                assert values.get(life.generation) == life.value
                rate = ("setting/training.rate", life.settings["training.rate"], life.generation)
                assert rate in rows
                from_ = {at: v for metric, v, at in rows if metric == "copied_from"}
                copied = life.source not in (None, life.member)
                assert from_.get(life.generation) == (life.source if copied else None)
    assert len(by) == 2 * result.members * len(result.populations)
