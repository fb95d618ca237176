"""Clean: folds of one's own, of unequal length, purged by the house's rule."""

from typing import Literal

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS

LAYER = None
HOUR_NS = 3_600_000_000_000
STUDY: dict = {"folds": {"kind": "pipeline_split_of_ones_own"}}


class OwnConfig(Config):
    kind: Literal["pipeline_split_of_ones_own"] = "pipeline_split_of_ones_own"
    sealed: str = "14d"
    hours: tuple[int, ...] = (170, 260)
    """Lengths of the tests, the last one first."""


@SPLITS.register(OwnConfig)
def own(config, line):
    start, seal, last = f.history(line, config.sealed)
    folds, end = [], seal
    for hours in config.hours:
        test = end - hours * HOUR_NS
        folds.insert(0, f.cut(line, f.Spans(start, test - 200 * HOUR_NS, test - 200 * HOUR_NS,
                                            test, test, end)))  # fmt: skip
        end = test
    final = f.cut(
        line, f.Spans(start, seal - 200 * HOUR_NS, seal - 200 * HOUR_NS, seal, seal, last)
    )
    return f.Folds(tuple(folds), final, seal)
