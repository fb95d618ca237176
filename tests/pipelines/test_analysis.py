"""A run's analysis as the result holds it: sums add up, and no number where there is none."""

import json
from collections import defaultdict

import numpy as np
import pytest

from reference.intents import intent_of, random_intent
from touchstone.backtest import daily
from touchstone.backtest.again import again_of
from touchstone.backtest.capacity import CapacityConfig
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.pipelines.analysis import Traced, analysis
from touchstone.pipelines.study import StudyConfig
from touchstone.reports.analysis import Analysis
from walks import flat, panel_of, random_panel

TWO = CapacityConfig(deposits=(1e5, 1e9))


def analysed(panel, intent, replayed=True, account=None, costs=None):
    account, costs = account or AccountConfig(), costs or CostsConfig()
    again = again_of(panel, intent)
    run = again(account, costs)
    benchmark = panel.close[: daily(panel, run)[1].size] / 1e4 - 0.01
    traced = Traced(panel, run, again if replayed else None, account, costs, TWO)
    return run, analysis(traced, (("market", benchmark),), np.random.default_rng(1))


def test_every_division_of_a_long_and_short_account_adds_up():
    panel = random_panel(4, 500, 7, missing=0.1)
    intent = random_intent(panel, 1, 0.2)
    intent = intent._replace(side=np.where(np.arange(len(panel)) % 3, 1, -1).astype(np.int8))
    account = AccountConfig(short=True, max_gross=1.5)
    run, found = analysed(panel, intent, True, account, CostsConfig(borrow_bp=200))
    net, costs = defaultdict(float), defaultdict(float)
    for row in found.attribution:
        net[row.by] += row.net
        costs[row.by] += row.costs
        assert row.net == pytest.approx(row.gross - row.costs, abs=1e-6)
    assert set(net) == {"instrument", "side", "hour", "regime", "exit", "cost"}
    assert {r.name for r in found.attribution if r.by == "side"} == {"long", "short", "borrowing"}
    for by, total in net.items():
        assert total == pytest.approx(found.profit, abs=0.01), by
        assert costs[by] == pytest.approx(run.paid.total, abs=0.01), by
    assert found.profit == run.equity[-1] - run.initial_cash
    months = np.prod([1 + m.net_return for m in found.months])
    regimes = np.prod([1 + r.net_return for r in found.regimes])
    assert months == pytest.approx(1 + run.total_return)
    assert regimes == pytest.approx(1 + run.total_return)
    [beside] = found.relative
    assert beside.alpha_interval[0] < beside.alpha < beside.alpha_interval[1]
    assert beside.information_ratio_interval is not None
    assert [p.deposit for p in found.capacity.points] == [1e5, 1e9]
    assert Analysis.model_validate(json.loads(found.model_dump_json())) == found


def test_without_a_replay_only_capacity_and_readings_are_missing():
    panel = random_panel(2, 200, 3)
    _, with_it = analysed(panel, random_intent(panel))
    _, without = analysed(panel, random_intent(panel), replayed=False)
    assert without == with_it.model_copy(update={"capacity": None, "ambiguity": None})
    assert with_it.capacity is not None
    assert with_it.ambiguity is not None


@pytest.mark.parametrize("n_bars", [5, 60])
def test_without_trades(n_bars):
    panel = panel_of(flat(n_bars))
    _, found = analysed(panel, intent_of(panel, []))
    assert found.profit == 0
    assert found.attribution == ()
    assert found.drawdowns == ()
    assert found.capacity is None
    assert found.ambiguity.share is None
    assert found.costs_in_sharpe.gross is None
    assert found.relative[0].beta is None  # the benchmark stood still
    assert all(m.net_return == 0 for m in found.months)


def test_one_day_has_no_ratio():
    panel = random_panel(2, 20, 4)
    _, found = analysed(panel, random_intent(panel, 1, 0.5))
    assert len(found.months) == 1
    assert found.costs_in_sharpe.net is None
    assert found.relative[0].alpha is None
    assert found.regimes[0].volatility is None
    assert all(p.sharpe is None for p in found.capacity.points)
    assert found.capacity.half_sharpe is None
    assert found.attribution


def test_the_curves_settings_are_part_of_a_study_only_where_they_are_set():
    assert "capacity" not in StudyConfig().canonical()
    told = StudyConfig.parse({"capacity": {"impact": 0.5}}).canonical()
    assert '"impact":0.5' in told
