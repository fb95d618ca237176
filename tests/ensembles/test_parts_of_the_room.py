"""Time, pruning, diversity, groups and the page's weights: what the kinds are made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ensembles import slow
from ensembles.gathered import HOUR, fit, gathered, of
from touchstone.ensembles import ENSEMBLES, Members, columns_of, recalibrates
from touchstone.ensembles.diversity import diversity
from touchstone.ensembles.pruning import select
from touchstone.ensembles.rows import base_rate, column_of, likelihood, shares
from touchstone.ensembles.simplex import least_quadratic
from touchstone.ensembles.timeline import folds, parted, thinned
from touchstone.ensembles.votes import decisions
from touchstone.ensembles.weights import by_cells, over_time, spread
from touchstone.errors import ConfigError, DataError
from touchstone.seeding import derive

times = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=80)


@settings(max_examples=150, deadline=None)
@given(times, st.integers(1, 6), st.floats(0.05, 0.95))
def test_no_earlier_row_is_unknown_when_the_later_ones_begin(rows, n, share):
    instant = np.array([t for t, _ in rows], np.int64)
    known = instant + np.array([d for _, d in rows], np.int64)
    for earlier, later in (parted(instant, known, share), *folds(instant, known, n)):
        if earlier.size and later.size:
            assert known[earlier].max() <= instant[later].min()
            assert instant[earlier].max() < instant[later].min()
        left_out = np.setdiff1d(np.flatnonzero(instant < instant[later].min(initial=99)), earlier)
        if later.size:
            assert (known[left_out] > instant[later].min()).all(), "purged without need"
    judged = np.concatenate([later for _, later in folds(instant, known, n)])
    assert np.unique(judged).size == judged.size


@settings(max_examples=50, deadline=None)
@given(times, st.integers(1, 30))
def test_thinned_rows_are_spread_over_time(rows, at_most):
    instant = np.array([t for t, _ in rows], np.int64)
    some = thinned(instant, at_most)
    assert some.size == min(at_most, instant.size)
    assert (np.diff(some) > 0).all()
    assert instant[some].min() == instant.min()
    if some.size > 1:
        assert instant[some].max() == instant.max()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_least_quadratic_meets_its_conditions(seed, n):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(n, rng.integers(1, n + 1)))
    bend, slope = half @ half.T + 1e-6 * np.eye(n), rng.normal(size=n)
    weight = least_quadratic(bend, slope, np.full(n, 1 / n))
    assert weight.sum() == pytest.approx(1, abs=1e-12)
    assert (weight >= 0).all()
    gradient = bend @ weight + slope
    assert np.ptp(gradient[weight > 1e-9]) < 1e-6
    assert (gradient >= gradient[weight > 1e-9].max() - 1e-6).all()


def test_pruning_goes_the_papers_way():
    members, outcomes = gathered(1, 3, n_rows=240)
    found = select(members, outcomes, n_steps=12)
    given_, share = likelihood(members.score, outcomes.outcome), shares(outcomes.weight)
    bag, losses = slow.selection(given_, share, 12)
    assert found.added.tolist() == bag
    np.testing.assert_allclose(found.loss, losses, rtol=1e-9)
    assert found.n_best == int(np.argmin(losses)) + 1
    np.testing.assert_allclose(found.weight.sum(), 1)
    expected = np.bincount(bag[: found.n_best], minlength=5) / found.n_best
    np.testing.assert_array_equal(found.weight, expected)
    assert found.kept.tolist() == sorted(set(bag[: found.n_best]))


def test_pruning_leaves_out_who_knows_nothing_and_keeps_at_most():
    members, outcomes = gathered(2, 3, noises=(0.3, 0.4), n_blind=6, n_rows=3000)
    assert set(select(members, outcomes).kept) <= {0, 1}
    members, outcomes = gathered(3, 3, noises=(0.5,) * 6, n_blind=0, n_rows=3000)
    assert select(members, outcomes).kept.size > 2
    assert select(members, outcomes, at_most=2).kept.size == 2
    assert select(members, outcomes, n_steps=1).kept.size == 1


@pytest.mark.parametrize("n_outcomes", [1, 3])
def test_diversity_is_that_of_the_paper(n_outcomes):
    members, outcomes = gathered(4, n_outcomes, n_rows=600)
    found = diversity(members, outcomes)
    came, share = column_of(outcomes.outcome, n_outcomes), shares(outcomes.weight)
    right = decisions(members.score, base_rate(members, outcomes)) == came
    for a in range(5):
        for b in range(5):
            pair = slow.diversity_of_two(right[a], right[b], share)
            got = found.disagreement[a, b], found.q[a, b], found.double_fault[a, b]
            np.testing.assert_allclose(got, pair, atol=1e-9)
    apart = found.disagreement[~np.eye(5, dtype=bool)].mean()
    assert found.kohavi_wolpert == pytest.approx(4 / 10 * apart, rel=1e-9)
    np.testing.assert_allclose(found.accuracy, [(share * r).sum() for r in right])


def test_errors_correlate_as_numpy_says_and_twins_err_together():
    members, outcomes = gathered(5, 1, n_rows=900)
    outcomes = outcomes._replace(weight=np.ones_like(outcomes.weight))
    error = (outcomes.outcome == 1) - members.score[:, :, 0]
    found = diversity(members, outcomes)
    np.testing.assert_allclose(found.error_correlation, np.corrcoef(error), atol=1e-9)
    twins = diversity(of(members, [0, 1])._replace(score=members.score[[0, 0]]), outcomes)
    assert twins.error_correlation[0, 1] == pytest.approx(1)
    assert twins.disagreement[0, 1] == pytest.approx(0)
    assert twins.q[0, 1] == 1
    assert twins.kohavi_wolpert == pytest.approx(0)


def test_groups_are_written_with_patterns_and_the_first_that_names_a_member_has_it():
    members, outcomes = gathered(6, 3)
    members = members._replace(name=("gru", "gru long", "lstm", "mlp", "trees"))
    told = {"kind": "hierarchy", "groups": {"recurrent": ["*lstm", "gru*"], "long": ["* long"]}}
    with pytest.raises(ConfigError, match="no member is left for group 'long'"):
        fit(ENSEMBLES.parse(told), members, outcomes)
    told["groups"] = {"long": ["* long"], "recurrent": ["*lstm", "gru*"]}
    found = fit(ENSEMBLES.parse(told), members, outcomes)
    assert found.names == ("long", "recurrent", "others")
    assert found.group.tolist() == [1, 0, 1, 2, 2]
    with pytest.raises(DataError, match="all different"):
        fit(ENSEMBLES.parse(told), members._replace(name=("gru",) * 5), outcomes)


def test_a_hierarchy_weighs_groups_by_what_they_said_of_rows_that_were_new_to_them():
    members, outcomes = gathered(7, 3, n_rows=900)
    config = ENSEMBLES.parse({"kind": "hierarchy", "groups": {"some": ["0", "4"]}})
    found = fit(config, members, outcomes, seed=5)
    part = parted(members.instant, outcomes.known, config.hold_out)
    weighted = ENSEMBLES.part("weighted")
    at = [np.array([0, 4]), np.array([1, 2, 3])]
    said, inner = [], []
    for group in at:
        mine = of(members, group)
        early = mine._replace(
            score=np.ascontiguousarray(mine.score[:, part.earlier]),
            instant=mine.instant[part.earlier], asset=mine.asset[part.earlier], named={},
        )  # fmt: skip
        came = type(outcomes)(*(c[part.earlier] for c in outcomes))
        said.append(weighted.fit(config.inner, early, came, 0).combine(mine)[part.later])
        inner.append(weighted.fit(config.inner, mine, outcomes, 0))
    late = Members(np.stack(said), members.instant[part.later], members.asset[part.later])
    came = type(outcomes)(*(c[part.later] for c in outcomes))
    outer = weighted.fit(config.outer, late, came, derive(5, "outer"))
    np.testing.assert_array_equal(found.outer.weights(late), outer.weights(late))
    groups = np.stack([i.combine(of(members, g)) for i, g in zip(inner, at, strict=True)])
    whole = outer.combine(Members(groups, members.instant, members.asset))
    np.testing.assert_array_equal(found.combine(members), whole)


def test_a_hierarchy_does_not_hold_itself():
    for where in ("inner", "outer"):
        with pytest.raises(ConfigError, match="may not be a hierarchy itself"):
            ENSEMBLES.parse({"kind": "hierarchy", where: {"kind": "hierarchy"}})
    for groups in ({"others": ["a"]}, {"a": []}, {"": ["a"]}):
        with pytest.raises(ConfigError, match="needs a name"):
            ENSEMBLES.parse({"kind": "hierarchy", "groups": groups})


def test_what_a_config_asks_for_is_found_inside_it():
    told = {"kind": "hierarchy", "inner": {"kind": "moe", "gate": ["a", "b"]},
            "outer": {"kind": "regime", "column": "b"}}  # fmt: skip
    config = ENSEMBLES.parse(told)
    assert columns_of(config) == ("a", "b")
    assert not recalibrates(config)
    assert recalibrates(ENSEMBLES.parse({"kind": "hierarchy", "inner": {"kind": "stack"}}))
    assert columns_of(ENSEMBLES.parse("mean")) == ()


@pytest.mark.parametrize(
    "told", [{"quantiles": []}, {"quantiles": [0.6, 0.3]}, {"levels": [1.0, 1.0]}]
)
def test_cuts_of_regimes_rise(told):
    with pytest.raises(ConfigError, match="need to rise"):
        ENSEMBLES.parse({"kind": "regime", **told})


def test_weights_of_a_page_are_means_of_stretches_and_cells():
    rng = np.random.default_rng(8)
    weights, instant = rng.dirichlet(np.ones(3), 600), HOUR * np.repeat(np.arange(200), 3)
    time = over_time(weights, instant, 10)
    assert time.begin.tolist() == (HOUR * np.arange(0, 200, 20)).tolist()
    np.testing.assert_allclose(time.weight, weights.reshape(10, 60, 3).mean(1))
    column = np.where(rng.random(600) < 0.1, np.nan, rng.normal(size=600))
    cells = by_cells(weights, column, 4)
    assert np.isnan(cells.low).tolist() == [False] * 4 + [True]
    assert cells.n_rows.sum() == 600
    np.testing.assert_allclose(cells.weight[-1], weights[np.isnan(column)].mean(0))
    lowest = column < cells.low[1]
    np.testing.assert_allclose(cells.weight[0], weights[lowest].mean(0))
    np.testing.assert_allclose((cells.weight * cells.n_rows[:, None]).sum(), 600)
    blank = by_cells(weights, np.full(600, np.nan))
    np.testing.assert_allclose(blank.weight, weights.mean(0)[None])


def test_members_of_one_mind_leave_no_doubt_between_them():
    members, outcomes = gathered(9, 3, n_rows=300)
    weights = fit(ENSEMBLES.parse("mean"), members, outcomes).weights(members)
    p = members.score
    np.testing.assert_allclose(spread(p, weights), p.std(0), atol=1e-12)
    np.testing.assert_allclose(spread(p[[1, 1, 1, 1, 1]], weights), 0, atol=1e-12)
