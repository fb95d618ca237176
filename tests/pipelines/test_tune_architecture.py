"""`touchstone tune` with method darts: honest rows, honest comparison, gone on with to the bit."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import binom, ttest_ind

from rewritten import rewritten
from small import touchstone
from touchstone.arrays import Float64
from touchstone.data.cache import StageCache
from touchstone.dataset.splits import timeline
from touchstone.models.darts import DartsConfig
from touchstone.pipelines.campaign_measures import Common
from touchstone.pipelines.inputs import whole_windows
from touchstone.pipelines.prepare import load, prepare
from touchstone.pipelines.progress import Silent
from touchstone.pipelines.run import Ask, ledger_of
from touchstone.pipelines.shelf import Resources
from touchstone.pipelines.study import read_study
from touchstone.pipelines.tune import tune
from touchstone.pipelines.tune_architecture import network_of
from touchstone.pipelines.tune_architecture_measures import difference_interval
from touchstone.pipelines.tune_architecture_search import ground_of, halves, searched
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.workspace import Workspace
from touchstone.reports.architecture import ArchitectureResult, sentence_of
from touchstone.reports.architecture_page import page
from touchstone.tuning.methods.darts import ArchitectureConfig
from touchstone.validation.day_bootstrap import days_of
from touchstone.validation.ledger import SqliteLedger

SETTINGS = {
    "name": "cells",
    "study": {
        "name": "cells",
        "bars": {"source": "simulated", "market": {"n_instruments": 3, "n_bars": 1600, "ic": 0.4}},
        "lookback": 6,
        "label": {
            "kind": "triple_barrier", "take_profit": 1, "stop_loss": 1, "horizon": 6,
            "width": "std(close / lag(close, 1) - 1, 48) * sqrt(6)",
        },
        "folds": {
            "kind": "walk_forward", "train": "expanding", "validate": "8d", "test": "11d",
            "folds": 1, "sealed": "10d",
        },
        "strategy": {"kind": "cost_aware", "margin_bp": [0, 20], "max_positions": 3},
    },
    "models": [{"kind": "darts", "cells": 1, "width": 8, "embedding": 4}],
    "budget": {"rows": 400, "epochs": 1},
    "method": {
        "kind": "darts", "nodes": 1, "epochs": 2, "warm_up": 1, "random_cells": 2,
        "stages": [{"cells": 1}, {"cells": 2, "operations": 3}],
    },
}  # fmt: skip


def written(folder: Path, **changes) -> Path:
    path = folder / "cells.yaml"
    path.write_text(yaml.safe_dump(SETTINGS | changes))
    return path


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """(where it was searched, the folder, its result, what the terminal showed)."""
    out = tmp_path_factory.mktemp("cells")
    code, said, err = touchstone("tune", written(out), "--out", out, "--jobs", 1, "-q")
    assert code == 0, err
    (folder,) = (out / "tunes").iterdir()
    result = ArchitectureResult.model_validate_json((folder / "result.json").read_bytes())
    return out, folder, result, said


def test_every_cell_is_trained_alike_and_stands_in_the_ledger(ended):
    out, folder, result, said = ended
    found, *random = result.cells
    assert (found.name, found.searched, result.winner) == ("found 1", True, "found 1")
    assert [cell.name for cell in random] == ["random 1", "random 2"]
    assert len({cell.genotype for cell in result.cells}) == 3
    assert all(len(cell.test_by_seed) == 3 for cell in result.cells)
    assert result.fingerprint == folder.name.rpartition("-")[2]
    book = SqliteLedger(out / ".touchstone" / "ledger.sqlite", "me", "none", lambda: "now")
    assert result.n_candidates == 3 * 2  # cells times margins; seeds and folds make no other
    facts = [json.loads(row.facts) for row in book.rows() if row.kind == "fit"]
    assert sum(one["model"] == "darts search" for one in facts) == 1
    assert sum(one["model"] == "darts" for one in facts) == 3 * 3  # cells, seeds, one fold
    assert sentence_of(result) in said
    assert not list(folder.glob("search-*")), "what was under way is over"


def test_the_figures_are_those_of_the_fits(ended):
    """The mean over the seeds, and the difference of the means."""
    _, _, result, _ = ended
    found, *random = result.cells
    for one, name in zip(result.compared, ("validation", "test"), strict=True):
        ours = np.mean(getattr(found, f"{name}_by_seed"))
        theirs = np.mean([np.mean(getattr(cell, f"{name}_by_seed")) for cell in random])
        assert one.found == pytest.approx(ours)
        assert one.difference == pytest.approx(ours - theirs)
        assert one.interval is None or one.interval[0] <= one.difference <= one.interval[1]


def test_the_winner_is_a_study_of_its_own(ended):
    _, folder, result, _ = ended
    study = read_study(str(folder / "found.yaml"), {})
    (model,) = study.config.models
    assert model.genotype == result.won.genotype
    assert (model.cells, model.width) == (1, 8)


def test_a_finished_search_is_shown_again(ended):
    out, folder, _, said = ended
    before = (folder / "result.json").stat().st_mtime_ns
    code, again, err = touchstone("tune", out / "cells.yaml", "--out", out, "--jobs", 1, "-q")
    assert (code, again.splitlines()[:-1]) == (0, said.splitlines()[:-1])
    assert "--again repeats it" in err
    assert (folder / "result.json").stat().st_mtime_ns == before


def test_the_page_says_the_verdict_whatever_it_is(ended):
    _, folder, result, _ = ended
    told = (folder / "report.html").read_text()
    assert sentence_of(result) in told
    assert told == page(result, json.loads((folder / "run.json").read_text())["command"])
    for ends, verdict in (
        ((0.01, 0.02), "beats"), ((-0.02, 0.03), "does not beat"), ((-0.2, -0.1), "is worse than"),
        (None, "does not beat"),
    ):  # fmt: skip
        on_test = result.on_test.model_copy(update={"interval": ends})
        other = result.model_copy(update={"compared": (result.compared[0], on_test)})
        assert other.verdict == verdict
        assert f"The found cell {verdict} a random cell of the same size" in page(other, "x")
        few = "Too few days for an interval, so nothing is claimed"
        assert (few in page(other, "x")) == (ends is None)


class Stops(Silent):
    """Presses Ctrl-C after so many epochs."""

    def __init__(self, after):
        self.left = after

    def advance(self, note=""):
        if note.startswith("search 1, stage"):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """(study, method and network, rows, workspace)."""
    out = tmp_path_factory.mktemp("ground")
    asked = read_tune(written(out))
    network = network_of(asked)
    study, workspace = asked.alone(network), Workspace(out)
    resources = Resources(StageCache(workspace.cache), ledger_of(workspace), Silent(), 1)
    loaded, data = load(study, Silent(), resources.cache)
    prepared = prepare(study, loaded, data, resources.cache, Silent())
    return study, (asked.config.method, network), prepared, resources


def test_the_halves_share_no_moment(ground):
    study, _, prepared, resources = ground
    found = ground_of(study, prepared, resources)
    panel, lookback = prepared.panel, study.config.lookback
    whole = whole_windows(prepared.features, prepared.inputs, panel, lookback) & panel.members
    line = timeline(panel, prepared.labels, whole, lookback)
    fold = prepared.folds.folds[0]
    assert np.isin(np.r_[found.weights, found.held], fold.train).all()
    assert line.end[found.weights].max() <= line.begin[found.held].min()
    assert found.n_purged > 0
    assert 0.8 < found.weights.size / found.held.size < 1.2
    # One bar more of the earlier half, and an outcome would reach into the later one's windows.
    naive = fold.train[line.known[fold.train] <= np.median(line.known[fold.train])]
    assert line.end[naive].max() > line.begin[found.held].min()
    assert all(part.size for part in halves(line, fold))


def test_nothing_but_the_first_folds_train_rows_changes_a_search(ground, tmp_path):
    """Features of every later bar, and outcomes of every other row, are drawn anew."""
    study, on, prepared, resources = ground
    rng, fold, labels = np.random.default_rng(3), prepared.folds.folds[0], prepared.labels
    late = prepared.panel.time > prepared.panel.time[fold.train].max()
    other = ~np.isin(np.arange(late.size), fold.train) & labels.known
    features, outcome = np.array(prepared.features), np.array(labels.outcome)
    features[late] = rng.standard_normal((late.sum(), features.shape[1]))
    outcome[other] = rng.permutation(outcome[other])
    told = labels._replace(outcome=outcome)
    changed = rewritten(prepared, study.config, resources.cache, (features, told))
    found = []
    for i, one in enumerate((prepared, changed)):
        rows = ground_of(study, one, resources)
        own = resources._replace(cache=StageCache(tmp_path / str(i)))
        found += searched(study, on, rows, ([5], tmp_path / f"search {i}"), own)
        assert np.array_equal(rows.labels.outcome, one.labels.outcome)
    assert not np.array_equal(outcome, labels.outcome)
    assert found[0] == found[1]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_search_that_was_stopped_goes_on(ground, tmp_path, after):
    study, on, prepared, resources = ground
    rows = ground_of(study, prepared, resources)
    caches = [resources._replace(cache=StageCache(tmp_path / name)) for name in ("a", "b")]
    (through,) = searched(study, on, rows, ([5], tmp_path / "through"), caches[0])
    stopped = caches[1]._replace(progress=Stops(after))
    with pytest.raises(KeyboardInterrupt):
        searched(study, on, rows, ([5], tmp_path / "stopped"), stopped)
    assert (tmp_path / "stopped" / "search-1.safetensors").is_file()
    (again,) = searched(study, on, rows, ([5], tmp_path / "stopped"), caches[1])
    assert again == through
    (kept,) = searched(study, on, rows, ([5], tmp_path / "stopped"), caches[1])
    assert kept == through
    assert not list((tmp_path / "stopped").iterdir())


def test_a_torn_checkpoint_is_told_and_begun_again(ground, tmp_path):
    study, on, prepared, resources = ground
    rows, notes = ground_of(study, prepared, resources), []

    class Hears(Silent):
        def note(self, text):
            notes.append(text)

    own = resources._replace(cache=StageCache(tmp_path / "cache"), progress=Hears())
    (tmp_path / "search-1.safetensors").write_bytes(b"torn")
    searched(study, on, rows, ([5], tmp_path), own)
    assert len(notes) == 1
    assert "a checkpoint is not used, and removed: the checkpoint cannot be read" in notes[0]


def again(out):
    """The same search by another way of calling it."""
    tune(read_tune(written(out)), Ask(Workspace(out), 1, "touchstone tune"), Silent(), [])


def test_killed_again_and_again_it_ends_in_the_same_bytes(ended, tmp_path):
    """While it searches, between search and fits, and among the fits."""
    _, folder, _, _ = ended
    rng, fork = np.random.default_rng(7), multiprocessing.get_context("fork")
    searching, fits = "tunes/*/search-1*", ".touchstone/cache/models/[!.]*"
    found = ".touchstone/cache/architectures/[!.]*"
    for signs, n in (((searching, found), 1), ((found,), 1), ((fits,), 4)):
        life = fork.Process(target=again, args=(tmp_path,), daemon=True)
        life.start()
        while life.is_alive() and max(len(list(tmp_path.glob(sign))) for sign in signs) < n:
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.05))
        assert life.is_alive()
        os.kill(life.pid, signal.SIGKILL)
        life.join()
        assert not list(tmp_path.glob("tunes/*/result.json"))
    again(tmp_path)
    (other,) = (tmp_path / "tunes").iterdir()
    assert other.name == folder.name
    for name in ("result.json", "found.yaml"):
        assert (other / name).read_bytes() == (folder / name).read_bytes()
    assert not list(other.glob("search-*"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"models": [{"kind": "gru"}]}, "searches the wiring of one darts, got ['gru']"),
        (
            {
                "models": [{"kind": "darts", "head": "multi_task"}],
                "study": SETTINGS["study"] | {"training": {"loss": {"kind": "multi_task"}}},
            },
            "learns from outcomes alone",
        ),
        ({"objectives": ["pr_auc", "f1"]}, "method 'darts' knows no more than one"),
        ({"objectives": ["sharpe"]}, "cells are compared by pr_auc, not by sharpe"),
        ({"backend": "ray"}, "backend: a search of an architecture"),
        (
            {"study": SETTINGS["study"] | {"folds": {"kind": "purged_kfold", "sealed": "10d"}}},
            "validates or tests on train rows of the first one",
        ),
    ],
)
def test_what_cannot_be_searched_says_why(tmp_path, changes, says):
    code, _, err = touchstone("tune", written(tmp_path, **changes), "--out", tmp_path, "-q")
    assert code == 2, err
    assert says in " ".join(err.split())


def test_without_models_the_size_is_the_override_or_the_default(tmp_path):
    bare = {k: v for k, v in SETTINGS.items() if k != "models"}
    path = tmp_path / "cells.yaml"
    path.write_text(yaml.safe_dump(bare))
    assert network_of(read_tune(path)) == DartsConfig()
    path.write_text(yaml.safe_dump(bare | {"overrides": [{"kind": "darts", "width": 24}]}))
    assert network_of(read_tune(path)).width == 24
    assert ArchitectureConfig().choices[0] == "none"


def days(n=60, seed=0):
    """Days of rows, and measures that are a mean over the days of a level and noise."""
    common = Common(days_of(np.arange(n)), seed)
    shared = np.random.default_rng(seed).normal(0, 0.05, n)

    def measure(level):
        def of(counts: Float64) -> float:
            return float(counts @ shared) / n + level  # so many days are drawn as there are

        return of

    return common, measure


def test_an_interval_knows_of_days_cells_and_seeds():
    common, measure = days()
    flat = [[measure(0.2)] * 3]
    alike = [[measure(0.2)] * 3 for _ in range(4)]
    low, high = difference_interval(common, flat, alike, 60)
    assert abs(low) < 1e-9
    assert abs(high) < 1e-9  # the days are the same for both, and nothing else differs
    near = [[measure(0.2 + c)] * 3 for c in (-0.01, 0.0, 0.0, 0.01)]
    better = [[measure(0.3 + s) for s in (-0.1, 0.0, 0.1)]]
    low, high = difference_interval(common, better, near, 60)
    assert 0 < low < 0.1 < high
    rough = [[measure(0.2 + c)] * 3 for c in (-0.3, -0.1, 0.1, 0.3)]
    low, high = difference_interval(common, better, rough, 60)
    assert low < 0 < high  # cells that differ that much say little of one
    few, of_few = days(n=5)
    assert difference_interval(few, [[of_few(0.3)]], [[of_few(0.2)]] * 2, 5) is None


def test_cells_alone_give_the_two_sample_t_interval():
    """Without noise of days it is the textbook's, on pooled deviations."""
    common = Common(days_of(np.arange(60)), 1)

    def fixed(level):
        return lambda counts: level * float(counts.sum() > 0)

    found, random = [0.31, 0.35, 0.33], [0.30, 0.29, 0.27, 0.31]
    got = difference_interval(
        common, [[fixed(v)] for v in found], [[fixed(v)] for v in random], 60
    )  # fmt: skip
    right = ttest_ind(found, random).confidence_interval(0.95)
    width = right.high - right.low
    assert got[0] == pytest.approx(right.low, abs=0.15 * width)
    assert got[1] == pytest.approx(right.high, abs=0.15 * width)


@pytest.mark.parametrize("n_found", [1, 3])
def test_a_side_that_is_no_better_is_seldom_called_better(n_found):
    """Cells and seeds drawn from one law: one interval in forty should lie wholly above 0."""
    above, n = 0, 100
    for i in range(n):
        rng = np.random.default_rng([i, n_found])
        common, measure = days(seed=i)
        sides = [
            [[measure(v) for v in rng.normal(rng.normal(0, 0.02), 0.02, 3)] for _ in range(size)]
            for size in (n_found, 5)
        ]
        ends = difference_interval(common, *sides, 2_000_000)  # few resamples are enough
        above += ends[0] > 0
    assert above <= binom.ppf(0.999, n, 0.025)
