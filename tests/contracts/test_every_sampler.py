"""Laws of every sampler: inside the space, a function of what is there, exactly so many."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import IntDistribution

from touchstone.tuning.by_number import drawn, marks, point, shuffled, size
from touchstone.tuning.samplers import SAMPLERS
from touchstone.tuning.search import Worth, begin, is_broken, left, seen, take
from tuning.searches import SPACE, THREE, a_search, climb, hill, run

SMALL = {"tpe": {"startup": 3}, "gp": {"startup": 6}, "nsga2": {"population": 3}}
KINDS = SAMPLERS.kinds()
BY_NUMBER = ("random", "grid")
INSIDE = SPACE.distributions


def asked(kind):
    return SAMPLERS.parse({"kind": kind, **SMALL.get(kind, {})})


def inside(settings):
    assert set(settings) == set(SPACE.keys)
    for key, value in settings.items():
        values = SPACE.keys[key]
        if values.choices:
            assert value in values.choices
            continue
        assert values.low <= value <= values.high
        if values.whole:
            assert isinstance(value, int)
        if values.step is not None and not values.log:
            assert ((value - values.low) / values.step) % 1 == pytest.approx(0)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_lie_in_the_space_and_follow_from_the_seed(kind, tmp_path):
    search = a_search(tmp_path, sampler=asked(kind))
    first = run(search)
    assert [t.number for t in first] == list(range(8))
    assert all(t.state == "complete" for t in first)
    for trial in first:
        inside(trial.params)
        assert trial.values == (pytest.approx(hill(trial.params)),)
    again = run(search._replace(name="again"))
    assert [t.params for t in again] == [t.params for t in first]
    other = run(search._replace(name="other", seed=8))
    assert [t.params for t in other] != [t.params for t in first]


@pytest.mark.parametrize("kind", KINDS)
def test_several_objectives_and_bounds_are_borne(kind, tmp_path):
    search = a_search(tmp_path, sampler=asked(kind), directions=("higher", "lower"), n_trials=6)

    def two(trial):
        broken = {"few leaves": trial.settings["leaves"] - 39.0}
        return Worth((hill(trial.settings), trial.settings["l2"]), broken)

    found = run(search, two)
    assert all(len(t.values) == 2 for t in found)
    for trial in found:
        assert trial.broken == {"few leaves": trial.params["leaves"] - 39.0}
        assert is_broken(trial) == (trial.params["leaves"] > 39)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_that_is_begun_again_has_the_settings_that_it_had(kind, tmp_path):
    """Whoever is killed in a trial leaves it; the same history then gives the same search."""
    whole = run(a_search(tmp_path, sampler=asked(kind)))
    search = a_search(tmp_path, sampler=asked(kind), name="torn")
    met = {}

    def killed(trial):
        if trial.number % 3 == 1 and trial.number not in met:
            met[trial.number] = trial.settings
            raise KeyboardInterrupt
        return climb(trial)

    for _ in range(10):
        begin(search, alone=True)
        try:
            while take(search, killed) is not None:
                pass
        except KeyboardInterrupt:
            continue
        break
    found = seen(search)
    assert sorted(met) == [1, 4, 7]
    assert {n: found[n].params for n in met} == met
    assert [(t.number, t.params, t.values) for t in found] == [
        (t.number, t.params, t.values) for t in whole
    ]


@pytest.mark.parametrize("kind", BY_NUMBER)
def test_by_number_settings_do_not_depend_on_who_takes_the_trial_and_when(kind, tmp_path):
    search = a_search(tmp_path, sampler=asked(kind))
    whole = {t.number: t.params for t in run(search)}
    nested = search._replace(name="nested")
    begin(nested, alone=True)

    def deep(trial):
        # Its trials are taken inside of each other, so they end in the opposite order.
        take(nested, deep)
        return climb(trial)

    take(nested, deep)
    assert left(nested) == 0
    assert {t.number: t.params for t in seen(nested)} == whole
    more = run(a_search(tmp_path, sampler=asked(kind), name="more", n_trials=12))
    assert {t.number: t.params for t in more[:8]} == whole


def test_a_grid_has_every_point_once_in_an_order_of_its_seed():
    n = size(INSIDE, 3)
    assert n == math.prod(len(marks(values, 3)) for values in INSIDE.values())
    walk = [point(5, k, INSIDE, 3) for k in range(200)]
    assert len({str(p) for p in walk}) == min(200, n)
    assert [point(6, k, INSIDE, 3) for k in range(200)] != walk
    assert point(5, n + 3, INSIDE, 3) == walk[3]


def test_a_grid_holds_some_values_of_a_logarithmic_range_of_whole_numbers():
    found = marks(IntDistribution(50, 1000, log=True), 4)
    assert found == [50, 136, 368, 1000]
    assert marks(IntDistribution(1, 3, log=True), 4) == [1, 2, 3]


@given(n=st.integers(1, 600), seed=st.integers(0, 2**31 - 1))
def test_the_order_of_a_grid_is_a_permutation(n, seed):
    assert {shuffled(k, n, seed) for k in range(n)} == set(range(n))


def test_random_settings_are_spread_as_the_space_says():
    found = [drawn(11, k, INSIDE) for k in range(4000)]
    logs = [math.log(s["learning_rate"] / 0.01) / math.log(20) for s in found]
    for values in (logs, [s["l2"] / 4 for s in found]):
        assert sum(values) / 4000 == pytest.approx(0.5, abs=4 * 0.2887 / 4000**0.5)
    for key, n in (("leaves", 8), ("max_bin", 3), ("head", 2)):
        counts = [sum(s[key] == v for s in found) for v in {s[key] for s in found}]
        assert len(counts) == n
        assert max(abs(c - 4000 / n) for c in counts) < 5 * (4000 / n) ** 0.5
    rows = sorted(s["min_rows"] for s in found)
    assert rows[0] == 50 or rows[0] < 52
    assert rows[2000] == pytest.approx((50 * 1000) ** 0.5, rel=0.15)


@pytest.mark.parametrize(("kind", "seeds", "n"), [("tpe", (0, 1, 2), 24), ("gp", (0,), 14)])
def test_what_learns_ends_higher_on_the_hill_than_chance(kind, seeds, n, tmp_path):
    for seed in seeds:
        late = {}
        for name in (kind, "random"):
            search = a_search(tmp_path, sampler=asked(name), name=f"{name} {seed}", seed=seed,
                              n_trials=n, space=THREE)  # fmt: skip
            late[name] = sum(t.values[0] for t in run(search)[-6:])
        assert late[kind] > late["random"]
