"""The oracle of a study: calibrated on other paths than its own, richer than who knows less."""

import numpy as np
import pytest

from touchstone.errors import DataError
from touchstone.execution.account import AccountConfig
from touchstone.execution.costs import CostsConfig
from touchstone.labels import LABELS
from touchstone.pipelines.decide import intend
from touchstone.pipelines.oracle import (
    oracle_odds,
    oracle_outlook,
    oracle_rule,
    rows_of,
    share_of_oracle,
    true_earnings,
)
from touchstone.simulation import MarketConfig, simulate
from touchstone.simulation.fresh import as_it_ends, fresh_paths
from touchstone.strategies import STRATEGIES, Intent

LABEL = LABELS.parse(
    {
        "kind": "triple_barrier", "take_profit": 2, "stop_loss": 1, "horizon": 8,
        "width": "std(close / lag(close, 1) - 1, 48) * sqrt(8)",
    }
)  # fmt: skip
COSTS = CostsConfig()
TERMS = (AccountConfig(), COSTS)
PLANTED = [None, "markov", "ornstein_uhlenbeck", "burst"]


def market(planted=None, **changes):
    settings = {"n_instruments": 6, "n_bars": 8760, "ic": 0.2, "planted": planted}
    return MarketConfig.parse(settings | changes)


def strategy(margin_bp=0, kind="cost_aware"):
    name = "margin_bp" if kind == "cost_aware" else "entry_threshold"
    return STRATEGIES.parse({"kind": kind, name: [margin_bp], "max_positions": 6})


@pytest.mark.parametrize("planted", PLANTED)
def test_odds_hold_on_a_fresh_path(planted):
    config = market(planted)
    odds = oracle_odds(LABEL, config, 3)
    assert 0 < odds.chance_error < 0.01
    assert 0 < odds.expected_error < 6e-4
    blocks = []
    for panel, truth in fresh_paths(config, 3, years=4):
        view, labels = oracle_outlook(odds, LABEL, COSTS, (panel, truth)), rows_of(LABEL, panel)
        rows = labels.known & np.isfinite(view.hit)
        np.testing.assert_allclose(view.probability[rows].sum(axis=1), 1)
        hit = np.stack([labels.outcome[rows] == v for v in (-1, 0, 1)], axis=1)
        apart = hit - view.probability[rows], labels.realised[rows] - view.expected[rows]
        group = np.searchsorted(
            np.quantile(view.expected[rows], [0.25, 0.5, 0.75]), view.expected[rows]
        )
        wild = truth.sigma[rows] > np.median(truth.sigma)
        group = group + 4 * wild
        week = panel.time[rows] // (14 * 86_400 * 10**9)
        for w in np.unique(week):
            of = [(week == w) & (group == g) for g in range(8)]
            if min(o.sum() for o in of) > 20:
                blocks.append([[*apart[0][o].mean(axis=0), apart[1][o].mean()] for o in of])
    table = np.array(
        blocks
    )  # (blocks of two weeks, quarters of the expectation x volatility, told)
    error = table.std(axis=0, ddof=1) / np.sqrt(len(table))
    slack = np.array([odds.chance_error] * 3 + [odds.expected_error])
    assert (np.abs(table.mean(axis=0)) < 3.5 * error + 2 * slack).all()


def test_who_knows_the_truth_earns_more_than_who_sees_volume_alone():
    config = market(ic=0.15)
    odds = oracle_odds(LABEL, config, 3)
    best = max(
        (
            true_earnings(oracle_rule(odds, LABEL, strategy(m), COSTS), config, 3, TERMS, 3)
            for m in (0, 20)
        ),
        key=lambda e: e.net_return,
    )
    assert best.sharpe > 3

    def by_volume(quantile):
        def rule(panel, truth):
            view = oracle_outlook(odds, LABEL, COSTS, (panel, truth))
            volume = np.log(panel.volume)
            level = np.concatenate(
                [
                    volume[a:b] - volume[a:b].mean()
                    for a, b in zip(panel.offsets[:-1], panel.offsets[1:], strict=True)
                ]
            )
            seen = np.where(level > np.quantile(level, quantile), 1.0, 0.0)
            known = view._replace(probability=np.stack([1 - seen, 0 * seen, seen], axis=1))
            return intend(LABEL, strategy(0.5, "threshold"), known)

        return rule

    oracle = oracle_rule(odds, LABEL, strategy(20), COSTS)
    itself = share_of_oracle((oracle, oracle), config, 3, TERMS, 2)
    assert itself.share == 1
    assert itself.error == 0
    part = share_of_oracle((by_volume(0.9), oracle), config, 3, TERMS, 2)
    assert part.share == part.rule.net_return / part.oracle.net_return < 1 - 3 * part.error
    for quantile in (0.5, 0.8, 0.95):
        other = true_earnings(by_volume(quantile), config, 3, TERMS, 3)
        assert other.net_return < best.net_return


def test_without_an_edge_the_truth_is_worth_nothing():
    config = market(ic=0)
    odds = oracle_odds(LABEL, config, 3)
    earned = true_earnings(oracle_rule(odds, LABEL, strategy(), COSTS), config, 3, TERMS, 2)
    assert earned.n_trades < 50
    assert earned.net_return < 0.02
    with pytest.raises(DataError, match="of it can be told"):
        share_of_oracle((nothing, nothing), config, 3, TERMS, 1)


def nothing(panel, _truth):
    n = len(panel)
    none, inf = np.zeros(n, bool), np.full(n, np.inf)
    return Intent(none, np.zeros(n), none, inf, inf, np.ones(n), 8, 1)


def test_outcomes_alone_are_worth_less_than_the_mean_where_barriers_are_far():
    """Most of what drifts there ends at the horizon, which three outcomes price alike."""
    config = market(ic=0.15)
    odds = oracle_odds(LABEL, config, 3)
    rules = [oracle_rule(odds, LABEL, strategy(20), COSTS, k) for k in ("outcomes", "return")]
    found = share_of_oracle(tuple(rules), config, 3, TERMS, 3)
    assert 0.3 < found.share < 1 - 3 * found.error


def test_fresh_paths_are_other_paths_and_a_decoys_have_no_edge():
    config = market(edge_until="80%", n_bars=3000)
    seen = simulate(config, 5)[0].content_hash()
    paths = list(fresh_paths(config, 5, years=1))
    assert len(paths) == 3
    assert len({seen, *(p.content_hash() for p, _ in paths)}) == 4
    assert not any(t.drift.any() for _, t in paths)
    again = next(fresh_paths(config, 5, years=1))[0]
    assert again.content_hash() == paths[0][0].content_hash()
    alive = market(n_bars=3000)
    assert as_it_ends(alive) == alive
    assert next(fresh_paths(alive, 5))[1].drift.any()


def test_what_lived_before_a_decoys_death_earns_nothing_after():
    config = market(ic=0.3, edge_until="80%")
    rule = oracle_rule(oracle_odds(LABEL, config, 3), LABEL, strategy(20), COSTS)
    dead = true_earnings(rule, config, 3, TERMS, 4)
    alive = true_earnings(rule, config.model_copy(update={"edge_until": None}), 3, TERMS, 4)
    assert alive.sharpe > 5
    assert dead.sharpe < 3 * dead.error  # it loses its costs
    assert dead.net_return < 0
    assert alive.n_days == dead.n_days >= 4 * 365
    assert true_earnings(rule, config, 3, TERMS, 4) == dead
