"""Searches of a function that costs nothing, in a journal of their own."""

import math

from touchstone.config import Config
from touchstone.models import MODELS
from touchstone.training import TrainingConfig
from touchstone.tuning.pruners import PRUNERS
from touchstone.tuning.samplers import SAMPLERS
from touchstone.tuning.search import Search, Worth, begin, left, seen, take
from touchstone.tuning.space import space_of
from touchstone.tuning.storage import Place

SPACE = space_of(
    MODELS.parse({"kind": "lightgbm"}),
    TrainingConfig(),
    {"max_bin": [15, 31, 63], "head": ["barrier", "buy"], "l2": {"low": 0.0, "high": 4.0}},
    "space",
)

THREE = space_of(
    MODELS.parse({"kind": "lightgbm"}),
    TrainingConfig(),
    {"min_rows": 200, "feature_fraction": 0.6, "l2": {"low": 0.0, "high": 4.0}},
    "space",
)
"""Only what the hill is made of."""


def a_search(folder, **changes) -> Search:
    """Eight random trials; keys changed."""
    asked = Search(
        place=Place(str(folder / "trials.journal"), shared=False),
        name="a search",
        n_trials=8,
        directions=("higher",),
        space=SPACE,
        sampler=SAMPLERS.parse("random"),
        pruner=PRUNERS.parse("none"),
        n_steps=10,
        seed=7,
    )
    for key in ("sampler", "pruner"):
        family = {"sampler": SAMPLERS, "pruner": PRUNERS}[key]
        if key in changes and not isinstance(changes[key], Config):
            changes[key] = family.parse(changes[key])
    return asked._replace(**changes)


def hill(settings) -> float:
    """Highest, 0, at leaves 31, l2 1, learning_rate 0.05."""
    off = (
        (settings["leaves"] - 31) / 28, settings["l2"] - 1,
        math.log(settings["learning_rate"] / 0.05),
    )  # fmt: skip
    return -sum(x * x for x in off)


def climb(trial) -> Worth:
    """The hill, as a trial."""
    return Worth((hill(trial.settings),), {})


def run(search, measure=climb, **begun):
    """Every trial of a search in this process, one after the other."""
    begin(search, alone=True, **begun)
    while take(search, measure) is not None:
        pass
    assert left(search) == 0
    return seen(search)
