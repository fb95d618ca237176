"""What makes another candidate, and what only repeats one; a trial that failed was tried."""

import json
import re

from leaves import leaves
from promotions import QUICK, book_of
from small import small_study, touchstone
from touchstone.ledger import Span
from touchstone.pipelines.decide import candidate_fingerprint
from touchstone.pipelines.study import identified, read_study
from touchstone.simulation import MarketConfig, simulate

REPEATS = re.compile(
    r"name|seed|refit|null_twin|universe|surrogates|capacity\..*|folds\..*|training\.(epochs|threads|device|precision|keep_every)"
)
"""Settings that repeat a candidate: folds, seeds, surrogates, epochs, a refit by both, where it is
computed."""
SEEN_IN_THE_PANEL = re.compile(r"bars\..*|symbols|side.*")
"""Settings whose effect is in the bars themselves, which the fingerprint holds."""


def named(study, panel):
    """The candidates of a study, the market being this one."""
    config = study.config
    return {
        candidate_fingerprint(study, panel, model, strategy)
        for model in config.models
        for strategy in config.strategy.candidates()
    }


def test_every_leaf_of_a_study_makes_other_candidates_or_is_known_to_repeat_them(tmp_path):
    (tmp_path / "x").write_text("")  # the plugin that one leaf names
    study = read_study(str(small_study(tmp_path)))
    panel = simulate(MarketConfig(n_instruments=2, n_bars=100), 1)[0]
    before, repeats = named(study, panel), set()
    for path, changed in leaves(study.config):
        after = named(identified(changed, tmp_path), panel)
        if REPEATS.fullmatch(path) or SEEN_IN_THE_PANEL.fullmatch(path):
            assert after == before, path
            repeats.add(path)
        else:
            assert after != before, path
    assert {"seed", "training.epochs", "training.device", "folds.train", "folds.sealed"} <= repeats


FAILING = '''
"""Enters now and then; its second step breaks."""
from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.errors import DataError
from touchstone.strategies import STRATEGIES, Intent


class NowAndThenConfig(Config):
    kind: Literal["now_and_then"] = "now_and_then"
    step: tuple[int, ...] = (10, 25)

    def candidates(self):
        return tuple(NowAndThenConfig(step=(step,)) for step in self.step)


@STRATEGIES.register(NowAndThenConfig)
def now_and_then(config, outlook, hold_bars):
    if config.step == (25,) and outlook.hit.size > 1000:  # not where it is tried before the fits
        raise DataError("this trial breaks")
    scored = ~np.isnan(outlook.hit)
    enter = scored & (np.arange(scored.size) % config.step[0] == 0)
    none = np.full(scored.size, np.inf)
    return Intent(enter, outlook.hit, ~scored, none, none, np.full(scored.size, 0.1), hold_bars, 10)
'''


def test_a_trial_that_failed_counts_as_a_candidate_without_a_score(tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    settings = QUICK | {"models": [{"kind": "logistic"}], "plugins": ["failing.py"]}
    study = small_study(tmp_path, **settings, strategy={"kind": "now_and_then"})
    code, _, err = touchstone("run", study, "--out", tmp_path, "--jobs", 1, "-q")
    assert (code, "this trial breaks" in err) == (3, True)
    book = book_of(tmp_path)
    (row,) = [row for row in book.rows() if row.kind == "sweep"]
    facts = json.loads(row.facts)
    span = Span(**{**facts["span"], "symbols": tuple(facts["span"]["symbols"])})
    found = book.candidates(span)
    assert len(found) == 2
    assert all((c.daily_sharpe, c.n_trades) == (None, 0) for c in found)
    assert touchstone("ledger", "verify", "--out", tmp_path)[0] == 0
    assert touchstone("run", study, "--out", tmp_path, "--jobs", 1, "-q",
                      "--set", "strategy.step=[10]")[0] == 0  # fmt: skip
    scored = {c.fingerprint: c for c in book.candidates(span)}
    assert len(scored) == 2  # the one that was tried again stands once, with its score
    assert sorted(c.n_trades > 0 for c in scored.values()) == [False, True]
