"""A user's own part in a file beside the study: found by kind, used by worker processes too."""

import json
import subprocess
import sys

import touchstone as ts
from small import small_study
from touchstone.pipelines.study import read_study

PLUGIN = '''
"""Enter every tenth row."""
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.strategies import STRATEGIES, Intent


class EveryTenthConfig(Config):
    kind: Literal["every_tenth"] = "every_tenth"
    step: int = 10

    def candidates(self):
        return (self,)


@STRATEGIES.register(EveryTenthConfig)
def every_tenth(config, outlook, hold_bars):
    scored = ~np.isnan(outlook.hit)
    enter = scored & (np.arange(scored.size) % config.step == 0)
    none = np.full(scored.size, np.inf)
    weight = np.full(scored.size, 0.1)
    return Intent(enter, outlook.hit, ~scored, none, none, weight, hold_bars, 10)
'''


LABEL = '''
"""The next bars' return against a threshold."""
from typing import Literal

from touchstone.config import Config
from touchstone.labels import LABELS
from touchstone.labels.forward_return import ForwardReturnConfig, forward_return


class MineConfig(Config):
    kind: Literal["mine"] = "mine"
    horizon: int = 8


@LABELS.register(MineConfig)
def mine(panel, config, width=None):
    return forward_return(panel, ForwardReturnConfig(horizon=8, threshold={threshold}), width)
'''


def test_a_plugin_is_fingerprinted_by_its_source_and_works_in_every_process(tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    study = small_study(
        tmp_path,
        plugins=["mine.py"],
        strategy={"kind": "every_tenth"},
        models=[{"kind": "logistic"}],
    )
    first = read_study(str(study)).fingerprint
    run = ts.run(str(study), out=tmp_path, jobs=2)
    (one,) = run.result.market.candidates
    assert one.n_trades > 100
    (tmp_path / "mine.py").write_text(PLUGIN.replace("step: int = 10", "step: int = 25"))
    assert read_study(str(study)).fingerprint != first


def test_an_edited_plugin_makes_every_stage_anew(tmp_path):
    """Labels, fits and candidates of the old source must not answer for the new one."""
    found = []
    for threshold in ("0.0", "0.02"):
        (tmp_path / "mine.py").write_text(LABEL.format(threshold=threshold))
        study = small_study(
            tmp_path, plugins=["mine.py"], label={"kind": "mine"}, models=[{"kind": "logistic"}],
            strategy={"kind": "threshold", "entry_threshold": [0.3]},
        )  # fmt: skip
        words = [sys.executable, "-m", "touchstone", "run", str(study), "--json", "--jobs", "1"]
        done = subprocess.run([*words, "--out", str(tmp_path)], capture_output=True, check=True)
        found.append(json.loads(done.stdout)["market"])
    assert found[0]["label"]["base_rates"] != found[1]["label"]["base_rates"]
    assert [market["ledger"]["n_candidates"] for market in found] == [1, 2]
