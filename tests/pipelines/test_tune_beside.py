"""Two searches at once in one workspace share cache and ledger; neither disturbs the other."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from searches import BARRIER, TINY, rows_of_trials
from small import touchstone
from touchstone.pipelines.tune_config import read_tune
from touchstone.pipelines.tune_trial import study_of
from touchstone.reports.tune import TuneResult
from touchstone.tuning.space import spaces

N = 4


def asked(folder, name, seed):
    file = folder / f"{name}.yaml"
    changed = {"name": name, "seed": seed, "method": TINY["method"] | {"trials": N}}
    study = TINY["study"] | {"plugins": ["barrier.py"]}
    file.write_text(yaml.safe_dump(TINY | changed | {"study": study}))
    return file


def searches(folder, name):
    (path,) = (folder / "tunes").glob(f"{name}-*/result.json")
    return TuneResult.model_validate_json(path.read_bytes()).searches


def studies(file, found):
    """Fingerprints of what its trials were."""
    search = read_tune(file)
    (model,) = search.study.config.models
    space = spaces({"mlp": model}, search.study.config.training, search.config.space)["mlp"]
    return {study_of(search, space, dict(t.params)).fingerprint for t in found[0].trials}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2], ids=["the same question", "another question"])
def test_two_names_at_once_share_cache_and_ledger(tmp_path, seed):
    (tmp_path / "barrier.py").write_text(BARRIER)
    files = [asked(tmp_path, "one", 1), asked(tmp_path, "two", seed)]
    words = ["tune", "--out", str(tmp_path), "--jobs", "1", "--quiet", "--tracking", "off"]
    beside = subprocess.Popen(
        [sys.executable, "-m", "touchstone", *words, str(files[1])],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    code, _, err = touchstone(*words, files[0])  # waits until the other one is there
    _, said = beside.communicate(timeout=600)
    assert (code, beside.returncode) == (0, 0), err + said
    both = [searches(tmp_path, name) for name in ("one", "two")]
    assert (both[0] == both[1]) == (seed == 1)
    rows = set().union(*map(studies, files, both))
    assert len(rows) == (N if seed == 1 else 2 * N)
    assert rows_of_trials(tmp_path) == Counter(rows)
    # What one left in the other's way would show in a workspace of its own.
    alone = Path(tmp_path / "alone")
    assert touchstone("tune", files[0], "--out", alone, "--jobs", 1, "-q")[0] == 0
    assert searches(alone, "one") == both[0]
