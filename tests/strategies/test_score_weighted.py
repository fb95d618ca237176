"""score_weighted: weights worked by hand, and a buffer that spares fills."""

import numpy as np
import pytest

from touchstone.backtest import run
from touchstone.errors import ConfigError
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.ledger import MemoryLedger
from touchstone.strategies import Outlook, Targets
from touchstone.strategies.score_weighted import ScoreWeightedConfig, score_weighted
from walks import random_panel


def outlook(expected, instant=None, hit=None, cost=0.0):
    expected = np.asarray(expected, float)
    n = expected.size
    hit = np.where(np.isnan(expected), np.nan, 0.5) if hit is None else np.asarray(hit, float)
    at = np.zeros(n, np.int64) if instant is None else np.asarray(instant)
    wide = np.full(n, 0.02)
    return Outlook(hit[:, None], wide, wide, 0.0, cost, expected, at)


def weights(view, **settings):
    return score_weighted(ScoreWeightedConfig(**{"max_weight": 1, **settings}), view, 8).weight


def test_weights_are_in_proportion_to_what_is_left_after_costs():
    view = outlook([0.004, 0.002, 0.003, np.nan, -0.1], cost=0.001)
    np.testing.assert_allclose(weights(view), [3 / 6, 1 / 6, 2 / 6, np.nan, 0])
    np.testing.assert_allclose(weights(view, gross=0.5), [3 / 12, 1 / 12, 2 / 12, np.nan, 0])
    np.testing.assert_allclose(weights(view, max_weight=0.3), [0.3, 1 / 6, 0.3, np.nan, 0])


def test_shorts_weigh_what_they_are_expected_to_fall():
    view = outlook([0.004, -0.004, 0.0005, -0.002], cost=0.001)
    np.testing.assert_allclose(weights(view, short=True), [3 / 7, -3 / 7, 0, -1 / 7])


def test_each_close_shares_its_own_whole():
    view = outlook([1, 3, 1, 2, -1], instant=[1, 2, 2, 1, 3])
    np.testing.assert_allclose(weights(view), [1 / 3, 3 / 4, 1 / 4, 2 / 3, 0])


def test_rank_weights_are_ranks_less_their_mean():
    view = outlook([0] * 5, hit=[0.1, 0.9, 0.5, 0.5, np.nan])
    settings = {"by": "probability", "weighting": "rank"}
    np.testing.assert_allclose(weights(view, short=True, **settings), [-0.5, 0.5, 0, 0, np.nan])
    np.testing.assert_allclose(weights(view, **settings), [0, 1, 0, 0, np.nan])
    np.testing.assert_array_equal(weights(outlook([0.3]), **settings), 0)


def test_a_probability_is_not_taken_for_a_return():
    with pytest.raises(ConfigError, match="proportional needs by: expected_net"):
        ScoreWeightedConfig.parse({"by": "probability"})


def test_an_account_follows_weights_and_a_buffer_spares_fills():
    panel = random_panel(4, 150, 6)
    expected = np.random.default_rng(0).normal(0.01, 0.01, len(panel))
    view, ledger = outlook(expected, panel.available_at), MemoryLedger()

    def followed(buffer):
        targets = score_weighted(ScoreWeightedConfig(buffer=buffer), view, 8)
        return run(panel, targets, AccountConfig(), CostsConfig(volume_cap=None), ledger, "data")

    tight, loose = followed(0.0), followed(0.1)
    assert loose.fills.row.size < 0.7 * tight.fills.row.size
    assert (tight.invested <= tight.equity).all()
    assert tight.invested.max() > 0.7 * tight.equity.max()


def test_a_weight_is_met_to_the_unit():
    panel = random_panel(1, 6, 7)
    weight = np.array([0.5, np.nan, np.nan, 0.0, np.nan, np.nan])
    free = CostsConfig(commission_bp=0, slippage_bp=0, volume_cap=None)
    done = run(panel, Targets(weight, 0.0), AccountConfig(), free, MemoryLedger(), "data")
    assert done.fills.row.tolist() == [1, 4]
    bought = 0.5 * 1_000_000 / panel.close[0]
    np.testing.assert_allclose(done.fills.quantity, [bought, bought])
    earned = bought * (panel.open[4] - panel.open[1])
    assert done.equity[-1] == pytest.approx(1_000_000 + earned)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (Targets(np.zeros(3), 0.0), r"targets.weight: needs one value per row.*\(3,\)"),
        (Targets(np.full(6, np.inf), 0.0), "must be finite.*row 0"),
        (Targets(np.full(6, -0.1), 0.0), r"at least 0, since .*account\.short"),
        (Targets(np.zeros(6), 1.5), "targets.buffer: needs a fraction"),
        (Targets(np.zeros(6), np.nan), "targets.buffer: needs a fraction"),
    ],
)
def test_weights_that_are_none_are_refused(targets, said):
    with pytest.raises(ConfigError, match=said):
        run(random_panel(1, 6, 7), targets, AccountConfig(), CostsConfig(), MemoryLedger(), "data")
