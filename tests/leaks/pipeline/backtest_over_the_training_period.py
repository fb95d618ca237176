"""The backtest runs over the whole history, the years that were trained on included.

"The chart looks short otherwise": the equity curve starts with the first bar, and most of what it
shows was learned by heart.
"""

from typing import Literal

import numpy as np

from touchstone.config import Config
from touchstone.dataset import folds as f
from touchstone.dataset.splits import SPLITS

LAYER = "C"
DAY_NS = 86_400_000_000_000
STUDY: dict = {"folds": {"kind": "backtest_over_the_training_period"}}


class WholeConfig(Config):
    kind: Literal["backtest_over_the_training_period"] = "backtest_over_the_training_period"
    days: int = 9
    sealed: str = "14d"


@SPLITS.register(WholeConfig)
def whole(config, line):
    start, seal, last = f.history(line, config.sealed)
    part = config.days * DAY_NS
    spans = f.Spans(start, seal - part, seal - part, seal, seal, last)
    final = f.cut(line, spans)
    shown = np.flatnonzero(line.has_window & (line.known <= seal))
    fold = final._replace(test=shown, spans=spans._replace(test_start=start, test_end=seal))
    return f.Folds((fold,), final, seal)
