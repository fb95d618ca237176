"""Results of populations, made without a network: the toy under an architecture's name."""

from touchstone.ledger import MemoryLedger
from touchstone.reports.population import (
    Again,
    Beside,
    Life,
    PopulationFound,
    PopulationResult,
)
from touchstone.reports.tune import SpaceKey
from touchstone.tuning.perturbing import Setting
from touchstone.tuning.population import Ended, Rules, ancestors, generations
from tuning.toy import Toy

RULES = Rules(members=6, generations=7, bottom=0.34, top=0.34)
SPACE = (
    Setting("h0", 0.0, 1.0), Setting("h1", 0.0, 1.0),
    Setting("training.rate", 1e-5, 1e-1, log=True),
    Setting("sort", choices=("adam", "adamw")), Setting("size", 16, 128, step=16, whole=True),
)  # fmt: skip


class Failing(Toy):
    """Member 4 begins with what cannot be trained."""

    def advance(self, turns):
        ended = super().advance(turns)
        return [
            Ended(None, None, "fold 1: diverged <in> epoch 1")
            if (turn.generation, turn.member) == (0, 4)
            else Ended(one.state, one.value / 5)
            for turn, one in zip(turns, ended, strict=True)
        ]


def lives(past):
    return tuple(
        Life(
            generation=p.number, member=m.member, source=m.source, value=m.value,
            settings=m.settings, reason=m.reason,
        )
        for p in past for m in p.members
    )  # fmt: skip


def beside(past, test):
    number, member = past[-1].best
    value = past[number].members[member].value
    folds = (value - 0.01, value + 0.01)
    return Beside(generation=number, member=member, value=value, by_fold=folds, test=test)


def found(name="gru", difference=0.004, interval=(-0.01, 0.02)):
    past, alone = (
        list(generations(r, SPACE, Failing(), 7, (MemoryLedger(), "data")))
        for r in (RULES, RULES._replace(bottom=0.0))
    )
    line = ancestors(past, *past[-1].best)
    ended = {(life.generation, life.member): life for life in lives(past)}
    return PopulationFound(
        name=name,
        space=tuple(
            SpaceKey(
                key=s.key, low=None if s.choices else s.low, high=None if s.choices else s.high,
                step=s.step, log=s.log, choices=s.choices,
            )
            for s in SPACE
        ),
        still=("hidden", "embedding"),
        lives=lives(past),
        alone=lives(alone),
        winner=beside(past, 0.2),
        fixed=beside(alone, 0.2 - difference),
        ancestors=tuple(ended[i, one.member] for i, one in enumerate(line)),
        difference=difference,
        interval=interval,
        again=tuple(Again(seed=s, by_fold=(0.1, 0.2), mean=0.15) for s in (8, 9, 10)),
        file=f"{name}.yaml",
    )  # fmt: skip


def result(*populations, **more):
    told = {
        "name": "grown", "fingerprint": "0123456789ab", "method": "population",
        "objective": "pr_auc", "direction": "higher", "members": RULES.members,
        "generations": RULES.generations, "epochs": 2, "seed": 7,
        "populations": populations or (found(),), "refused": {}, "n_candidates": 40,
        "data": {
            "hash": "x", "n_instruments": 4, "first": "2022-01-01", "last": "2022-05-05",
            "n_folds": 2, "n_validate": 2762, "n_test": 2880, "sealed_from": "2022-04-11",
        },
    }  # fmt: skip
    return PopulationResult(**told | more)


EXAMPLES = {
    "not told apart": result,
    "better": lambda: result(found(interval=(0.001, 0.01))),
    "worse": lambda: result(found(difference=-0.01, interval=(-0.02, -0.001))),
    "the same": lambda: result(found(difference=0.0, interval=(0.0, 0.0))),
    "two, some left out": lambda: result(
        found(), found("transformer", interval=None),
        refused={"lightgbm": "lightgbm has no weights that a member could take over"},
    ),
}  # fmt: skip
