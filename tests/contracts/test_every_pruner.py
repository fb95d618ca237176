"""Laws of every pruner: it leaves the best alone, and ends early or never, as its kind says."""

import statistics

import pytest

from touchstone.tuning.pruners import PRUNERS
from touchstone.tuning.search import Worth
from tuning.searches import a_search, run

KINDS = PRUNERS.kinds()
SMALL = {"median": {"startup": 4, "warmup": 1}, "hyperband": {"reduction": 2}}
N, STEPS = 16, 10


def found(kind, folder, direction="higher"):
    """Trials whose worth is their number's, shuffled, at every step."""
    sign = 1 if direction == "higher" else -1
    steps = {}

    def steady(trial):
        value = float(trial.number * 7 % N)
        for step in range(STEPS):
            steps[trial.number] = step
            trial.report(step, sign * value)
            if trial.is_behind():
                return None
        return Worth((sign * value,), {})

    pruner = {"kind": kind, **SMALL.get(kind, {})}
    search = a_search(folder, pruner=pruner, n_trials=N, directions=(direction,), n_steps=STEPS)
    return run(search, steady), steps


@pytest.mark.parametrize("direction", ["higher", "lower"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_runs_to_its_end_and_who_is_ended_is_ended_at_once(kind, direction, tmp_path):
    trials, steps = found(kind, tmp_path, direction)
    best = next(t for t in trials if t.number * 7 % N == N - 1)
    assert best.state == "complete"
    for trial in trials:
        assert trial.state in ("complete", "pruned")
        assert max(trial.steps) == steps[trial.number]
        assert (trial.state == "complete") == (steps[trial.number] == STEPS - 1) or (
            trial.state == "pruned"
        )
    n_steps = sum(step + 1 for step in steps.values())
    assert (n_steps == N * STEPS) == (kind == "none")


def test_the_median_ends_exactly_those_below_it(tmp_path):
    trials, steps = found("median", tmp_path)
    for trial in trials:
        ended = [t for t in trials[: trial.number] if t.state == "complete"]
        values = [t.number * 7 % N for t in ended]
        behind = len(values) >= 4 and trial.number * 7 % N < statistics.median(values)
        assert (steps[trial.number] == 1) == behind
