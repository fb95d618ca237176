"""Searches as they may come out, for the pages: many trials, few, none, several objectives."""

import numpy as np

from touchstone.reports.tune import (
    SearchFound,
    SpaceKey,
    Step,
    TrialFound,
    TuneResult,
    Version,
    WinnerFound,
)

SPACE = (
    SpaceKey(key="hidden", low=16, high=128, step=16, log=False, choices=()),
    SpaceKey(key="layers", low=1, high=3, step=1, log=False, choices=()),
    SpaceKey(key="dropout", low=0.0, high=0.5, step=None, log=False, choices=()),
    SpaceKey(key="pooling", low=None, high=None, step=None, log=False,
             choices=("last", "mean", "additive", "self_attention")),
    SpaceKey(key="training.learning_rate", low=1e-4, high=1e-2, step=None, log=True, choices=()),
    SpaceKey(key="training.loss", low=None, high=None, step=None, log=False,
             choices=({"kind": "focal", "gamma": 2.0}, {"kind": "cross_entropy"})),
)  # fmt: skip


def drawn(key, rng):
    if key.choices:
        return key.choices[rng.integers(len(key.choices))]
    u = rng.random()
    value = key.low * (key.high / key.low) ** u if key.log else key.low + u * (key.high - key.low)
    return value if key.step is None else round((value - key.low) / key.step) * key.step + key.low


def trial(number, rng, n_objectives=1, shift=0.0):
    params = {key.key: drawn(key, rng) for key in SPACE}
    rate = np.log10(params["training.learning_rate"])
    worth = 0.2 + shift - 0.03 * (rate + 2.8) ** 2 - 0.1 * params["dropout"] ** 2
    worth += 0.01 * (params["pooling"] == "additive") + 0.006 * rng.standard_normal()
    luck = rng.random()
    steps = tuple(Step(step=i, value=worth * (1 - 0.6**i)) for i in range(1, 9))
    state, reason, values = "complete", "", (worth, 0.3 - worth + 0.05 * rng.standard_normal())
    if luck < 0.05:
        state, reason, values, steps = "failed", "the loss is not finite in epoch 3", (), ()
    elif luck < 0.12 and n_objectives > 1:
        state = "infeasible"
    elif worth < 0.17 and number > 8:
        state, reason, values, steps = "pruned", "below the median at step 3", (), steps[:3]
    return TrialFound(
        number=number, state=state, params=params, values=values[:n_objectives],
        constraints={"max_drawdown": 0.1 + 0.3 * luck} if n_objectives > 1 else {},
        steps=steps, reason=reason,
    )  # fmt: skip


def search(name="gru", n=60, n_objectives=1, seed=0, shift=0.0, kept="checkpoint"):
    """A search whose truth is known: the learning rate matters most."""
    rng = np.random.default_rng(seed)
    trials = tuple(trial(i, rng, n_objectives, shift) for i in range(n))
    done = [t for t in trials if t.state == "complete"]
    if n_objectives == 1:
        best = (max(done, key=lambda t: t.values[0]).number,)
    else:
        best = tuple(
            t.number for t in done
            if not any(o.values[0] > t.values[0] and o.values[1] < t.values[1] for o in done)
        )  # fmt: skip
    share = {"training.learning_rate": 0.71, "dropout": 0.12, "pooling": 0.09, "hidden": 0.04,
             "layers": 0.03, "training.loss": 0.01}  # fmt: skip
    return SearchFound(
        name=name, space=SPACE, trials=trials, best=best,
        importance=share if n >= 10 else None, winner=winner(trials[best[0]], name, kept),
    )  # fmt: skip


def winner(best, name="gru", kept="checkpoint"):
    top = best.values[0]
    worse = 0.004 if kept == "checkpoint" else -0.003
    versions = [Version(name="checkpoint", by_fold=(top - 0.01, top, top + 0.01), mean=top)]
    for i in range(3):
        mean = top - worse - 0.002 * i
        versions.append(
            Version(name=f"retrained, seed {1000 + i}", by_fold=(mean, mean - 0.02, mean + 0.02),
                    mean=mean)
        )  # fmt: skip
    return WinnerFound(
        number=best.number, settings={"kind": "gru"}, training={"learning_rate": 0.002},
        versions=tuple(versions), kept=kept, file=f"{name}.yaml",
    )  # fmt: skip


def result(*searches, n_objectives=1, **changed):
    facts = {
        "name": "example", "fingerprint": "0123456789ab", "method": "trials", "sampler": "tpe",
        "pruner": "median", "objectives": ("pr_auc", "max_drawdown")[:n_objectives],
        "directions": ("higher", "lower")[:n_objectives],
        "watched": "pr_auc",
        "limits": {"max_drawdown": 0.3} if n_objectives > 1 else {}, "searches": searches,
        "seed": 7, "n_candidates": 84,
        "data": {"hash": "ab", "n_instruments": 20, "first": "2022-01-01", "last": "2023-12-31",
                 "sealed_from": "2023-08-01", "n_folds": 3, "n_validate": 26_140},
        "notes": (), "machine": {"jobs": 2, "seconds": 4.2},
    }  # fmt: skip
    return TuneResult(**(facts | changed))


def nothing(name="gru"):
    """A search in which every trial failed."""
    rng = np.random.default_rng(1)
    trials = [
        trial(i, rng).model_copy(update={"state": "failed", "values": (), "steps": (),
                                         "reason": "<b>no</b> rows"})
        for i in range(4)
    ]  # fmt: skip
    return SearchFound(
        name=name, space=SPACE, trials=tuple(trials), best=(), importance=None, winner=None
    )


EXAMPLES = {
    "one": lambda: result(search()),
    "retrained": lambda: result(search(kept="retrained, seed 1000"), notes=("a <note>",)),
    "several": lambda: result(
        search(), search("lightgbm", 40, seed=1, shift=0.02), search("cnn_lstm", 12, seed=2),
        nothing("transformer"),
    ),
    "front": lambda: result(search(n_objectives=2, n=80), n_objectives=2),
    "few": lambda: result(search(n=3, seed=4)),
    "one trial": lambda: result(search(n=1, seed=3)),
    "none": lambda: result(nothing()),
}  # fmt: skip
