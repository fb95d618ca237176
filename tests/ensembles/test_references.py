"""Each fitted kind against itself written slowly, and against what its paper proves of it."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from ensembles import slow
from ensembles.gathered import fit, gathered, of
from touchstone.ensembles import ENSEMBLES, logits
from touchstone.ensembles.combiners.moe import _inputs
from touchstone.ensembles.diversity import error_correlation
from touchstone.ensembles.rows import likelihood, shares, take
from touchstone.ensembles.timeline import effective_rows

SMALL = {"n_rows": 180, "n_assets": 3}
both = pytest.mark.parametrize("n_outcomes", [1, 3])


def part(kind, **settings):
    return ENSEMBLES.parse({"kind": kind, **settings})


@both
@pytest.mark.parametrize("half_life", [None, 20.0])
def test_online_weights_are_those_of_the_paper(n_outcomes, half_life):
    members, outcomes = gathered(3, n_outcomes, **SMALL)
    first, came = take(members, outcomes, np.flatnonzero(members.instant < members.instant[20]))
    config = part("online", half_life=half_life, share=0.01, learning_rate=0.7)
    online = fit(config, first, came)
    start = online.weights(members)[0]
    expected = slow.hedge(members, outcomes, config, start)
    np.testing.assert_allclose(online.weights(members, outcomes), expected, rtol=1e-9)
    at_rest = online.weights(members)
    assert (np.asarray(expected) != at_rest).any()


def test_hedge_with_log_loss_is_bayes_rule_moment_by_moment():
    """One instrument, no forgetting, no share, rate 1: the posterior of every row before."""
    members, outcomes = gathered(4, 3, n_rows=120, n_assets=1)
    known = members.instant + 1
    outcomes = outcomes._replace(known=known, weight=np.ones_like(outcomes.weight))
    config = part("online", half_life=None, share=0.0, learning_rate=1.0)
    online = fit(config, members, outcomes)
    expected = slow.posterior(members, outcomes, members.instant.size, 1.0)
    np.testing.assert_allclose(online.weights(members)[0], expected, rtol=1e-9)


def test_hedge_keeps_within_the_regret_of_its_theorem():
    """Log-loss is mixable: what the pool loses is at most the best member's loss plus ln K."""
    members, outcomes = gathered(5, 3, n_rows=400, n_assets=1)
    outcomes = outcomes._replace(known=members.instant + 1, weight=np.ones_like(outcomes.weight))
    config = part("online", half_life=None, share=0.0, learning_rate=1.0)
    start, came = take(members, outcomes, np.arange(2))
    if np.unique(came.outcome).size < 2:
        came = came._replace(outcome=np.array([1, 0], np.int8))
    online = fit(config, start, came)
    rest, after = take(members, outcomes, np.arange(2, 400))
    prior = online.weights(rest)[0]
    weight = online.weights(rest, after)
    given = likelihood(rest.score, after.outcome)
    pooled = -np.log((weight * given).sum(1)).sum()
    alone = -np.log(given).sum(0) - np.log(prior)
    assert pooled <= alone.min() + 1e-9


def test_money_follows_who_earned():
    rng = np.random.default_rng(0)
    members, outcomes = gathered(6, 3, n_rows=900)
    realised = 0.01 * rng.normal(size=members.instant.size)
    right = np.full((members.instant.size, 3), 1 / 3)
    right[:, 2] += np.sign(realised) * 0.2
    right[:, 0] -= np.sign(realised) * 0.2
    score = np.stack([right, right[:, ::-1], members.score[0]])
    members = members._replace(score=score)
    online = fit(part("online", loss="money"), members, outcomes._replace(realised=realised))
    weight = online.weights(members)[0]
    assert weight[0] > 0.9
    assert weight[1] < weight[2]


@both
@pytest.mark.parametrize("diversity", [0.0, 0.03])
def test_weighted_is_at_the_least_point(n_outcomes, diversity):
    """Conditions of Karush, Kuhn and Tucker, and no random weights are better."""
    members, outcomes = gathered(7, n_outcomes, n_rows=900)
    config = part("weighted", diversity=diversity, prior_rows=2.0)
    weight = fit(config, members, outcomes).weights(members)[0]
    n_members = weight.size
    strength = n_members * 2.0 / effective_rows(members, outcomes)
    correlation = error_correlation(members, outcomes)
    given, share = likelihood(members.score, outcomes.outcome), shares(outcomes.weight)

    def objective(w):
        away = w - 1 / n_members
        pulled = strength / 2 * away @ away + diversity * w @ correlation @ w
        return pulled - share @ np.log(given @ w)

    slope = (
        -(share / (given @ weight)) @ given
        + strength * (weight - 1 / n_members)
        + 2 * diversity * correlation @ weight
    )
    used = weight > 1e-9
    np.testing.assert_allclose(slope[used], slope[used][0], atol=1e-6)
    assert (slope[~used] >= slope[used][0] - 1e-6).all()
    rng = np.random.default_rng(0)
    for other in rng.dirichlet(np.full(n_members, 0.5), 200):
        assert objective(weight) <= objective(other)


def test_weighted_is_where_the_algorithm_of_cover_ends():
    members, outcomes = gathered(8, 3, n_rows=900)
    given, share = likelihood(members.score, outcomes.outcome), shares(outcomes.weight)
    weight = np.full(5, 0.2)
    for _ in range(4000):
        weight = weight * ((share / (given @ weight)) @ given)
    found = fit(part("weighted", prior_rows=1e-6), members, outcomes).weights(members)[0]
    np.testing.assert_allclose(found, weight, atol=1e-4)


@pytest.mark.parametrize("kind", ["weighted", "regime"])
def test_a_member_that_comes_twice_shares_the_weight_that_it_had_alone(kind):
    """Where the pull to equal weights is weak; what is said of a row stays."""
    members, outcomes = gathered(8, 3, n_rows=900)
    config = part(kind, prior_rows=0.001)
    once = fit(config, members, outcomes)
    twins = of(members, [0, 1, 2, 3, 4, 1])._replace(name=())
    twice = fit(config, twins, outcomes)
    weight = twice.weights(twins)
    np.testing.assert_allclose(weight[:, 1], weight[:, 5], atol=1e-6)
    whole = np.c_[weight[:, 0], weight[:, 1] + weight[:, 5], weight[:, 2:5]]
    np.testing.assert_allclose(whole, once.weights(members), atol=2e-3)
    np.testing.assert_allclose(twice.combine(twins), once.combine(members), atol=1e-3)


def test_a_diversity_term_moves_weight_from_a_twin():
    members, outcomes = gathered(9, 3, noises=(0.8, 0.8, 0.8), n_blind=0, n_rows=3000)
    twin = members.score[[0, 0, 1, 2]] * [[[1.0]], [[0.98]], [[1.0]], [[1.0]]]
    twin /= twin.sum(2, keepdims=True)
    members = members._replace(score=twin)
    pair = [
        fit(part("weighted", diversity=d), members, outcomes).weights(members)[0][:2].sum()
        for d in (0.0, 0.05, 5.0)
    ]
    assert pair[0] > pair[1] > pair[2]


@both
def test_bma_is_the_posterior_of_the_tutorial(n_outcomes):
    members, outcomes = gathered(10, n_outcomes, **SMALL)
    n_effective = slow.effective_rows(members, outcomes)
    assert effective_rows(members, outcomes) == pytest.approx(n_effective, rel=1e-9)
    assert n_effective < members.instant.size / 2, "outcomes overlap, up to eight bars of them"
    bma = fit(part("bma", temper=0.3), members, outcomes)
    expected = slow.posterior(members, outcomes, n_effective, 0.3)
    np.testing.assert_allclose(bma.weights(members)[0], expected, rtol=1e-9)
    p = members.score
    mean = np.tensordot(expected, p, 1)
    variance = np.tensordot(expected, (p - mean) ** 2, 1)
    np.testing.assert_allclose(bma.uncertainty(members), np.sqrt(variance), atol=1e-12)


def test_effective_rows_know_apart_what_is_apart_and_copies():
    members, outcomes = gathered(11, 3, n_rows=300, n_assets=1)
    apart = outcomes._replace(known=members.instant + 1)
    assert effective_rows(members, apart) == pytest.approx(300)
    twice = take(members, apart, np.r_[np.arange(300), np.arange(300)])
    copies = twice[0]._replace(asset=np.repeat([0, 1], 300))
    assert effective_rows(copies, twice[1]) == pytest.approx(300)


@both
def test_the_gate_of_moe_is_at_a_least_point_of_the_papers_loss(n_outcomes):
    members, outcomes = gathered(12, n_outcomes, **SMALL)
    config = part("moe", l2=0.01)
    moe = fit(config, members, outcomes)
    columns = np.stack([members.named[e] for e in config.gate], axis=1)
    inputs = _inputs(columns, moe.centre, moe.scale)

    def loss(flat):
        theta = flat.reshape(moe.theta.shape)
        weights = [slow.gate(theta, row) for row in inputs]
        return slow.pooled_loss(members, outcomes, weights) + 0.005 * (flat**2).sum()

    said = [slow.gate(moe.theta, row) for row in inputs]
    np.testing.assert_allclose(moe.weights(members), said, rtol=1e-9)
    flat, step = moe.theta.ravel(), 1e-4
    for at in range(flat.size):
        move = np.zeros(flat.size)
        move[at] = step
        assert abs(loss(flat + move) - loss(flat - move)) / (2 * step) < 1e-5
    assert loss(flat) < loss(np.zeros(flat.size))


def test_moe_and_regime_find_who_knows_what_and_when():
    """Two specialists: one sees the state where the column is high, the other where it is low."""
    rng = np.random.default_rng(13)
    members, outcomes = gathered(13, 3, noises=(0.3,), n_blind=1, n_rows=6000)
    column = rng.normal(size=members.instant.size)
    knows, blind = members.score
    high = (column > 0)[:, None]
    score = np.stack([np.where(high, knows, blind), np.where(high, blind, knows)])
    named = dict.fromkeys(members.named, column)
    members = members._replace(score=score, named=named)
    for config in (part("moe"), part("regime", quantiles=[0.5])):
        fitted = fit(config, members, outcomes)
        weight = fitted.weights(members)
        sure = np.abs(column) > 0.5
        assert (weight[sure, 0] > 0.5).tolist() == (column[sure] > 0).tolist()
        given = likelihood(members.score, outcomes.outcome)
        alone = -np.log(given).mean(0).min()
        assert -np.log((weight * given).sum(1)).mean() < alone - 0.05
    unknown = members._replace(named={e: np.full_like(c, np.nan) for e, c in named.items()})
    regime = fit(part("regime", quantiles=[0.5]), members, outcomes)
    np.testing.assert_array_equal(regime.weights(unknown), np.tile(regime.weight[-1], (6000, 1)))


def test_a_regime_of_few_rows_keeps_the_weights_of_all():
    members, outcomes = gathered(14, 3, n_rows=3000)
    column = np.where(np.arange(3000) % 500 == 0, 2.0, 0.0)
    members = members._replace(named={"c": column})
    away = []
    for prior_rows in (0.1, 1e5):
        config = part("regime", column="c", levels=[1.0], prior_rows=prior_rows)
        weight = fit(config, members, outcomes).weight
        away.append(np.abs(weight[1] - weight[2]).max())
    assert away[1] < 1e-3 < away[0]


@both
def test_stack_is_at_the_least_point_of_its_loss(n_outcomes):
    members, outcomes = gathered(15, n_outcomes, n_rows=600)
    theta = fit(part("stack", l2=0.01), members, outcomes).theta
    n_logits, width = theta.shape
    p = np.maximum(members.score, 1e-6)
    rest = p[:, :, 1] if n_outcomes == 3 else np.maximum(1 - members.score[:, :, 0], 1e-6)
    sides = [p[:, :, 0], p[:, :, 2]] if n_outcomes == 3 else [p[:, :, 0]]
    odds = [np.log(side / rest) for side in sides]
    came = np.where(outcomes.outcome == 1, n_logits, np.where(outcomes.outcome == -1, 1, 0))
    if n_outcomes == 1:
        came = (outcomes.outcome == 1).astype(int)

    def loss(flat):
        b = flat.reshape(n_logits, width)
        eta = np.stack([np.zeros(600), *(b[c, 0] + b[c, 1:] @ odds[c] for c in range(n_logits))])
        losses = np.log(np.exp(eta).sum(0)) - eta[came, np.arange(600)]
        pull = (width - 1) * 0.01 / 2 * ((b[:, 1:] - 1 / (width - 1)) ** 2).sum()
        return np.average(losses, weights=outcomes.weight) + pull

    best = minimize(loss, np.zeros(theta.size), method="BFGS", options={"gtol": 1e-8})
    assert loss(theta.ravel()) <= best.fun + 1e-9
    np.testing.assert_allclose(theta.ravel(), best.x, atol=2e-4)


def test_a_weak_penalty_is_plain_logistic_regression():
    members, outcomes = gathered(16, 1, n_rows=900)
    theta = fit(part("stack", l2=1e-9), members, outcomes).theta[0]
    x = np.log(members.score[:, :, 0] / (1 - members.score[:, :, 0])).T
    plain = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    plain.fit(x, outcomes.outcome == 1, sample_weight=outcomes.weight)
    np.testing.assert_allclose(theta[1:], plain.coef_[0], atol=1e-3)
    np.testing.assert_allclose(theta[0], plain.intercept_[0], atol=1e-3)


def test_stack_chooses_a_strong_penalty_where_there_is_nothing_to_learn():
    """Equal members want equal coefficients; members turned upside down want none of that."""
    members, outcomes = gathered(17, 3, noises=(0.9,) * 8, n_blind=0, n_rows=900)
    assert fit(part("stack"), members, outcomes).l2 >= 1e-2
    assert fit(part("stack", l2=0.5), members, outcomes).l2 == 0.5
    bent = members._replace(score=np.stack([members.score[0], *members.score[1:, ::-1]]))
    assert fit(part("stack"), bent, outcomes).l2 <= 1e-2


def test_linear_blend_has_the_least_squares_of_its_hold_out():
    members, outcomes = gathered(18, 3, n_rows=900)
    config = part("blend", blender="linear", hold_out=0.4, l2=1e-3)
    weight = fit(config, members, outcomes).weights(members)[0]
    cut = np.sort(members.instant)[540]
    late = np.flatnonzero(members.instant >= cut)
    y = outcomes.outcome[late][:, None] == [-1, 0, 1]
    share = shares(outcomes.weight[late])

    def loss(w):
        error = y - np.tensordot(w, members.score[:, late], 1)
        return share @ (error**2).sum(1) + 1e-3 * ((w - 0.2) ** 2).sum()

    bounds, one = [(0, 1)] * 5, {"type": "eq", "fun": lambda w: w.sum() - 1}
    best = minimize(loss, np.full(5, 0.2), bounds=bounds, constraints=one, options={"ftol": 1e-14})
    assert loss(weight) <= best.fun + 1e-10
    np.testing.assert_allclose(weight, best.x, atol=1e-4)


@pytest.mark.parametrize("blender", ["linear", "logistic"])
def test_blend_weighs_by_the_hold_out_alone_and_chooses_by_the_rest_alone(blender):
    members, outcomes = gathered(19, 3, n_rows=900)
    cut = np.sort(members.instant)[600]
    late = members.instant >= cut
    config = part("blend", blender=blender, hold_out=1 / 3)
    other = outcomes._replace(outcome=np.where(late, outcomes.outcome, 0).astype(np.int8))
    assert fit(config, members, other).files() == fit(config, members, outcomes).files()
    pruned = part("blend", blender=blender, hold_out=1 / 3, prune=2)
    kept = np.flatnonzero(fit(pruned, members, outcomes).weights(members)[0])
    straddles = ~late & (outcomes.known > cut)
    assert straddles.any()
    rng = np.random.default_rng(0)
    shuffled = outcomes.outcome.copy()
    hidden = late | straddles
    shuffled[hidden] = rng.permutation(shuffled[hidden])
    again = fit(pruned, members, outcomes._replace(outcome=shuffled)).weights(members)[0]
    assert set(np.flatnonzero(again)) <= set(kept)
    assert kept.size <= 2


def test_the_geometric_mean_is_the_mean_of_the_log_odds():
    members, outcomes = gathered(20, 3, n_rows=300)
    said = fit(part("mean", how="geometric"), members, outcomes).combine(members)
    mean = np.exp(np.log(members.score).mean(0))
    np.testing.assert_allclose(said, mean / mean.sum(1, keepdims=True), rtol=1e-9)
    np.testing.assert_array_equal(
        said, logits.combine(members.score, logits.prior(2, len(members.score)))
    )


def test_a_hard_vote_counts_and_a_soft_one_hears_the_majority():
    members, outcomes = gathered(21, 3, n_rows=300)
    rate = np.array([outcomes.weight[outcomes.outcome == c].sum() for c in (-1, 0, 1)])
    rate /= rate.sum()
    votes = np.array([[int(np.argmax(p / rate)) for p in member] for member in members.score])
    hard = fit(part("vote", how="hard"), members, outcomes).combine(members)
    soft = fit(part("vote"), members, outcomes).combine(members)
    for i in range(300):
        count = np.bincount(votes[:, i], minlength=3)
        np.testing.assert_allclose(hard[i], count / 5, atol=1e-15)
        heard = members.score[count[votes[:, i]] == count.max(), i]
        np.testing.assert_allclose(soft[i], heard.mean(0), atol=1e-12)


def test_one_member_of_a_pool_is_itself():
    members, outcomes = gathered(22, 1, n_rows=300)
    alone = of(members, [2])
    for kind in ("mean", "weighted", "bma", "online", "regime", "moe"):
        said = fit(part(kind), alone, outcomes).combine(alone)
        np.testing.assert_array_equal(said, members.score[2])
