"""A user's own part in a file beside the study: found by kind, used by worker processes too."""

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
    (tmp_path / "mine.py").write_text(PLUGIN + "\n# another thought\n")
    assert read_study(str(study)).fingerprint != first
