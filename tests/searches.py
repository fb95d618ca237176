"""A tiny real search for the command line, and what must hold of its ledger."""

import json
from collections import Counter
from pathlib import Path

import yaml

from touchstone.pipelines.run import ledger_of
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.tune_trial import study_of
from touchstone.pipelines.workspace import Workspace
from touchstone.tuning.space import spaces

TINY = {
    "name": "tiny",
    "study": {
        "name": "tiny",
        "bars": {
            "source": "simulated", "market": {"n_instruments": 3, "n_bars": 3000, "ic": 0.4},
        },
        "lookback": 4,
        "features": {"set": "none", "extra": {
            "r1": "close / lag(close, 1) - 1", "r8": "close / lag(close, 8) - 1"}},
        "label": {
            "kind": "triple_barrier", "take_profit": 2, "stop_loss": 1, "horizon": 8,
            "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
        },
        "folds": {"kind": "walk_forward", "train": "expanding", "validate": "15d", "test": "15d",
                  "folds": 2, "sealed": "25d"},
        "strategy": {"kind": "cost_aware", "margin_bp": [0], "max_positions": 4},
    },
    "models": [{"kind": "mlp", "hidden": [4]}],
    "method": {"kind": "trials", "trials": 6, "sampler": {"kind": "random"},
               "pruner": {"kind": "none"}},
    "space": {"mlp": {
        "hidden": [[4], [8]],
        "dropout": {"low": 0.0, "high": 0.4, "step": 0.2},
        "training.learning_rate": {"low": 0.001, "high": 0.02, "log": True},
        "training.weight_decay": [0.01],
    }},
    "budget": {"rows": 300, "epochs": 2},
}  # fmt: skip

BARRIER = """
import os, time
from pathlib import Path
here = Path(__file__).parent / "there"
here.mkdir(exist_ok=True)
(here / str(os.getpid())).touch()
until = time.monotonic() + 120
while len(list(here.iterdir())) < 2 and time.monotonic() < until:
    time.sleep(0.01)
"""
"""Whoever imports it waits for another process."""


def tune_file(folder: Path, study: dict | None = None, **method) -> Path:
    """The search as a file, some keys of its study and of its method changed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.yaml"
    changed = {"study": TINY["study"] | (study or {}), "method": TINY["method"] | method}
    path.write_text(yaml.safe_dump(TINY | changed))
    return path


def found(folder: Path) -> dict:
    """The one result in a workspace."""
    (path,) = (folder / "tunes").glob("*/result.json")
    return json.loads(path.read_text())


def trials(folder: Path) -> list[tuple]:
    """Number, state and settings of every trial, for comparison."""
    return [
        (t["number"], t["state"], json.dumps(t["params"], sort_keys=True))
        for search in found(folder)["searches"]
        for t in search["trials"]
    ]


def rows_of_trials(folder: Path) -> Counter:
    """Fingerprint of a study -> rows of the ledger that hold what it tried."""
    book = ledger_of(Workspace(folder, None))()
    assert book.verify() == ()
    return Counter(row.config for row in book.rows() if row.kind == "sweep")


def whole(folder: Path, file: Path, n_trials: int) -> None:
    """So many trials, all over, each in the ledger once."""
    asked = read_tune(file)
    told = found(folder)
    names = [search["name"] for search in told["searches"]]
    models = dict(zip(names, asked.study.config.models, strict=True))
    space = spaces(models, asked.study.config.training, asked.config.space)
    expected = Counter[str]()
    for search in told["searches"]:
        assert [t["number"] for t in search["trials"]] == list(range(n_trials))
        for t in search["trials"]:
            assert t["state"] in ("complete", "pruned")
            expected[study_of(asked, space[search["name"]], t["params"]).fingerprint] = 1
    assert rows_of_trials(folder) == expected
