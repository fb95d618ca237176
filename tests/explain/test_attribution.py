"""SHAP values and integrated gradients add up, equal their definitions, and change nothing."""

import copy
import functools
import itertools

import numpy as np
import pytest
import torch

from explain.subjects import DRIVER, FLAT, KINDS, LOOKBACK, NAMES, NETWORKS, TABULAR, some, subject
from touchstone.errors import ConfigError, DataError
from touchstone.explain import margin_of
from touchstone.explain.attribution import UNSAID, bars_back, summed_up
from touchstone.explain.expected_gradients import background, expected_gradients
from touchstone.explain.integrated_gradients import integrated_gradients
from touchstone.explain.margins import Margin, margins
from touchstone.explain.parts import inputs_of
from touchstone.explain.shap_values import shap
from touchstone.models import MODELS, OUTCOMES, Shape
from touchstone.models.layers.network import FittedNetwork, Network

HEADS = ("barrier", "buy")
N = 132
"""Rows, of eleven days: ten are the fewest that have an interval."""


@functools.cache
def shared(kind):
    return shap([subject(kind, n=N)], 4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_feature_is_the_largest_and_an_empty_one_is_nothing(kind):
    found = shared(kind)
    assert int(np.argmax(found.size)) == DRIVER
    low, high = found.interval[DRIVER]
    assert 0 < low < found.size[DRIVER] < high
    assert (found.size[FLAT], found.interval[FLAT]) == (0, None)
    assert not found.values[:, FLAT].any()


@pytest.mark.parametrize("kind", KINDS)
def test_its_columns_belong_together(kind):
    found, this = shared(kind), subject(kind, n=N)
    n, parts = this.rows.size, LOOKBACK if kind in NETWORKS else 3
    assert found.values.shape == found.level.shape == (n, len(NAMES))
    assert found.by_part.shape == found.signed_by_part.shape == (parts, len(NAMES))
    assert len(found.parts) == parts
    np.testing.assert_allclose(found.signed_by_part.sum(0), found.mean, atol=1e-9)
    np.testing.assert_allclose(np.abs(found.values).mean(0), found.size)
    assert (found.by_part.sum(0) >= found.size - 1e-9).all()
    np.testing.assert_array_equal(found.level, this.windows.gather(this.rows)[:, -1])
    raw = this.fitted.raw(inputs_of(this, this.rows), this.windows.ids(this.rows))
    np.testing.assert_allclose(found.margin, margin_of(raw), atol=1e-4)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", TABULAR)
def test_values_of_tabular_kinds_add_up_exactly(kind, head):
    found = shap([subject(kind, head, n=200)])
    np.testing.assert_allclose(found.gap, 0, atol=1e-7)
    assert found.parts == ("last", "recent", "mean")


@pytest.mark.parametrize("head", HEADS)
def test_trees_agree_with_another_implementation(head):
    explainers = pytest.importorskip("shap")
    this = subject("lightgbm", head, n=60)
    inputs = inputs_of(this, this.rows)
    ours = this.fitted.contributions(inputs)
    raw = this.fitted._booster.predict(inputs, raw_score=True).reshape(len(inputs), -1)
    np.testing.assert_allclose(ours.sum(2), raw, atol=1e-9)
    explainer = explainers.TreeExplainer(
        this.fitted._booster, feature_perturbation="tree_path_dependent"
    )
    explainer.model.model_type = "internal"  # its own algorithm, not LightGBM's that we call
    # It takes the trees of all outcomes for those of one.
    theirs = np.asarray(explainer.shap_values(inputs)).reshape(len(inputs), -1)
    np.testing.assert_allclose(ours[:, :, :-1].sum(1), theirs, atol=1e-6)


def test_lines_are_the_shapley_values_of_the_game_of_leaving_columns_at_their_mean():
    """Over all coalitions of the features, each with its three summaries."""
    this = subject("logistic", n=4)
    found = shap([this])
    inputs, ids = inputs_of(this, this.rows).astype(np.float64), this.windows.ids(this.rows)
    usual = this.windows.tabular(this.train).mean(0, dtype=np.float64)
    n, f = len(inputs), len(NAMES)

    def worth(coalition):
        held = np.tile(usual, (n, 1))
        columns = [j + k * f for j in coalition for k in range(3)]
        held[:, columns] = inputs[:, columns]
        return margin_of(this.fitted.raw(held, ids))

    values = np.zeros((n, f))
    orders = list(itertools.permutations(range(f)))
    known = {}
    for order in orders:
        for place, j in enumerate(order):
            for members in (frozenset(order[:place]), frozenset(order[: place + 1])):
                if members not in known:
                    known[members] = worth(members)
            values[:, j] += known[frozenset(order[: place + 1])] - known[frozenset(order[:place])]
    np.testing.assert_allclose(found.values, values / len(orders), atol=1e-6)


@pytest.mark.parametrize("kind", NETWORKS)
def test_values_of_networks_nearly_add_up_and_say_by_how_much(kind):
    found, this = shared(kind), subject(kind, n=N)
    assert found.gap_share <= UNSAID
    assert np.sqrt(np.mean(found.gap**2)) == pytest.approx(
        found.gap_share * np.sqrt(np.mean((found.margin - found.base) ** 2))
    )
    usual = background(this, 4)
    asset = np.full(4, this.windows.ids(this.rows)[0], np.int32)
    assert found.base[0] == pytest.approx(margins(this.fitted, usual, asset).mean(), abs=1e-5)


def test_only_rows_that_do_not_add_up_are_walked_again_and_no_further_than_the_ladder():
    """Of a walk that misses what moved by its size over the square of the places."""
    moved, walked = np.array([0.1, 1.0, -8.0, 4.0]), []

    def walk(some, n):
        walked.append((some.tolist(), n))
        return np.tile(moved[some] * (1 - 1 / n**2) / 6, (2, 3, 1)).transpose(2, 0, 1)

    enough = 0.05 * np.sqrt(np.mean(moved**2))
    found = summed_up(walk, moved, (2, 4, 8), 0.05)
    assert walked == [([0, 1, 2, 3], 2), ([1, 2, 3], 4), ([2, 3], 8)]
    assert (np.abs(moved - found.sum((1, 2))) <= enough).all()
    walked.clear()
    summed_up(walk, moved, (2, 4), 0.0)
    summed_up(walk, moved, (2, 4), np.inf)
    assert [n for _, n in walked] == [2, 4, 2]


def slope_by_differences(module, window, asset):
    """Central differences in float64, (lookback, f)."""
    flat = torch.from_numpy(window.astype(np.float64)).flatten()
    step = 1e-5 * torch.eye(flat.numel(), dtype=torch.float64)
    ids = torch.full((flat.numel(),), int(asset))
    with torch.no_grad():
        up = module((flat + step).view(-1, *window.shape), ids)
        down = module((flat - step).view(-1, *window.shape), ids)
    return ((up - down) / 2e-5).numpy().reshape(window.shape)


def test_expected_and_integrated_gradients_equal_their_definitions():
    this = subject("transformer", n=3)
    module = copy.deepcopy(Margin(this.fitted.network, 3)).double()
    expected = expected_gradients([this], 2, unsaid=np.inf)
    windows, ids = this.windows.gather(this.rows), this.windows.ids(this.rows)
    integrated = integrated_gradients([this], (4,))

    def mean_slope(begin, window, asset, n):
        places, weights = np.polynomial.legendre.leggauss(n)
        return sum(
            w / 2 * slope_by_differences(module, begin + (p + 1) / 2 * (window - begin), asset)
            for p, w in zip(places, weights, strict=True)
        )

    for i, window in enumerate(windows):
        ways = [(window - b) * mean_slope(b, window, ids[i], 3) for b in background(this, 2)]
        np.testing.assert_allclose(expected.values[i], np.mean(ways, 0).sum(0), atol=2e-4)
        whole = window * mean_slope(np.zeros_like(window), window, ids[i], 4)
        np.testing.assert_allclose(integrated.values[i], whole.sum(0), atol=2e-4)


@pytest.mark.parametrize("kind", NETWORKS)
def test_integrated_gradients_add_up_and_find_the_planted_feature(kind):
    this = subject(kind, n=24)
    found = integrated_gradients([this], (4, 8, 16, 32, 64))
    assert found.gap_share <= UNSAID
    assert int(np.argmax(found.size)) == DRIVER
    assert found.size[FLAT] == 0
    assert found.parts == bars_back(LOOKBACK) == ("-5", "-4", "-3", "-2", "-1", "0")
    nothing = np.zeros((1, LOOKBACK, len(NAMES)), np.float32)
    bases = {a: margins(this.fitted, nothing, np.array([a], np.int32))[0] for a in range(3)}
    ids = this.windows.ids(this.rows)
    np.testing.assert_allclose(found.base, [bases[a] for a in ids], atol=1e-5)


@pytest.mark.parametrize("head", OUTCOMES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_the_margin_that_gradients_follow_is_that_of_the_probabilities(kind, head):
    config = MODELS.parse({"kind": kind, "head": head})
    shape = Shape(LOOKBACK, len(NAMES), 3, len(OUTCOMES[head]))
    torch.manual_seed(0)
    network = MODELS.part(kind).built(config, shape).eval().requires_grad_(requires_grad=False)
    fitted = FittedNetwork(config, shape, network, 1)
    windows = np.random.default_rng(0).standard_normal((9, *shape[:2])).astype(np.float32)
    ids = np.arange(9, dtype=np.int32) % 4
    want = margin_of(fitted.raw(windows, ids))
    np.testing.assert_allclose(margins(fitted, windows, ids), want, atol=1e-5)


class Blinded(Network):
    """A network that provably cannot use one feature."""

    def __init__(self, network, column):
        torch.nn.Module.__init__(self)
        self.network, self.column = network, column

    def forward(self, windows, asset_id):
        keep = torch.ones(windows.shape[2])
        keep[self.column] = 0
        return self.network(windows * keep, asset_id)


@pytest.mark.parametrize("kind", NETWORKS)
def test_what_a_network_cannot_see_has_no_share(kind):
    this = subject(kind, n=12)
    inside = this.fitted
    blind = FittedNetwork(inside.config, inside.shape, Blinded(inside.network, DRIVER).eval(), 1)
    this = this._replace(fitted=blind)
    for found in (shap([this], 2), integrated_gradients([this], (3,))):
        assert found.size[DRIVER] == 0
        assert found.size.sum() > 0


@pytest.mark.parametrize("kind", ["gru", "lightgbm", "logistic"])
def test_equal_in_every_bit_whatever_the_order_of_rows_and_each_time(kind):
    this = subject(kind, n=90)
    methods = [lambda s: shap([s], 3)]
    methods += [lambda s: integrated_gradients([s], (4,))] * (kind in NETWORKS)
    order = np.random.default_rng(0).permutation(this.rows.size)
    shuffled = some(this, order)._replace(train=this.train[::-1])
    for method in methods:
        first, again, other = method(this), method(this), method(shuffled)
        for a, b, c in zip(first, again, other, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize("kind", NETWORKS)
def test_looking_leaves_the_network_as_it_was(kind):
    this = subject(kind, n=8)
    before = this.fitted.files()
    shap([this], 2)
    integrated_gradients([this], (2,))
    assert this.fitted.files() == before
    assert not any(p.requires_grad or p.grad is not None for p in this.fitted.network.parameters())
    assert not this.fitted.network.training


def test_folds_stand_one_after_the_other_and_few_days_have_no_interval():
    this = subject("logistic", n=120)
    folds = [some(this, slice(0, 60)), some(this, slice(60, None))]
    whole, parts = shap([this]), shap([folds[0], folds[1]._replace(name="fold 2")])
    np.testing.assert_array_equal(whole.values, parts.values)
    assert whole.interval[DRIVER] is not None
    assert shap([folds[0]]).interval == (None,) * len(NAMES)


@pytest.mark.parametrize("kind", TABULAR)
def test_gradients_are_refused_where_there_are_none(kind):
    with pytest.raises(ConfigError, match=f"{kind} has none"):
        integrated_gradients([subject(kind, n=5)])


def test_refuses_what_it_cannot_do():
    for kind in ("logistic", "mlp"):
        this = subject(kind, n=5)
        with pytest.raises(DataError, match="no rows"):
            shap([some(this, slice(0))])
    with pytest.raises(DataError, match="no rows"):
        integrated_gradients([some(subject("mlp"), slice(0))])
    with pytest.raises(DataError, match="no train rows"):
        shap([subject("mlp", n=5)._replace(train=np.zeros(0, np.int64))])

    class Own:
        inputs, config = "tabular", MODELS.config("logistic")()

    with pytest.raises(ConfigError, match="no SHAP values"):
        shap([subject("logistic", n=5)._replace(fitted=Own())])
