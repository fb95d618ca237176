"""The account's limits over a strategy's wishes: one law each, on prices worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from reference.intents import FREE, intent_of
from touchstone.backtest import sweep
from touchstone.execution import REASONS, AccountConfig
from touchstone.strategies import Targets
from walks import flat, panel_of

CASH = 1_000_000.0


def panel(n_bars=30, n_instruments=3, **rows):
    """Instruments that stand at 100, but for the given rows of the first."""
    bars = [flat(n_bars, **(rows if i == 0 else {})) for i in range(n_instruments)]
    return panel_of(*(replace(b, symbol=f"S{i}") for i, b in enumerate(bars)))


def weighed(run, at):
    """What was bought at the opens of `at`, share of the deposit, by instrument."""
    bought = np.zeros(3)
    which = np.isin(run.fills.row % 30, at)
    np.add.at(bought, run.fills.row[which] // 30, (run.fills.quantity * run.fills.price)[which])
    return bought / CASH


def followed(market, decision, **limits):
    return sweep(market, [decision], AccountConfig(**limits), FREE)[0]


def all_three(weight=0.3, hold=50, first=0):
    """Wish for every instrument at one close, the first symbol first."""
    return {first: 3.0, 30 + first: 2.0, 60 + first: 1.0}, {"weight": weight, "hold": hold}


def wishes(market, **more):
    enter, settings = all_three(**more)
    return intent_of(market, enter, **settings)


def test_without_limits_every_wish_is_met():
    np.testing.assert_allclose(weighed(followed(panel(), wishes(panel())), [1]), 0.3)


def test_max_gross_ends_what_is_entered():
    np.testing.assert_allclose(
        weighed(followed(panel(), wishes(panel()), max_gross=0.5), [1]), [0.3, 0.2, 0.0]
    )


def test_max_gross_counts_shorts_above_0():
    market = panel()
    side = np.ones(90, np.int8)
    side[:30] = -1
    run = followed(market, wishes(market)._replace(side=side), max_gross=0.5, short=True)
    np.testing.assert_allclose(weighed(run, [1]), [0.3, 0.2, 0.0])
    assert run.fills.side.tolist() == [-1, 1]


def test_max_weight_bounds_one_instrument():
    np.testing.assert_allclose(
        weighed(followed(panel(), wishes(panel()), max_weight=0.25), [1]), 0.25
    )
    targets = Targets(np.where(np.arange(90) % 30 == 0, 0.3, np.nan), 0.0)
    np.testing.assert_allclose(weighed(followed(panel(), targets, max_weight=0.25), [1]), 0.25)


def test_max_group_bounds_instruments_together():
    market = replace(panel(), groups={"S0": "metals", "S2": "metals", "S1": "grains"})
    run = followed(market, wishes(market), max_group=0.4)
    np.testing.assert_allclose(weighed(run, [1]), [0.3, 0.3, 0.1])


@pytest.mark.parametrize("gives", ["wishes", "weights"])
def test_a_daily_loss_sends_everything_home_until_the_next_day(gives):
    """Held 0.9 of equity; at bar 5 the first falls by a quarter: 7.5 % of equity."""
    fallen = dict.fromkeys(range(5, 30), 75.0)
    market = panel(close=fallen, open=dict.fromkeys(range(6, 30), 75.0), low=fallen)
    if gives == "wishes":
        first = wishes(market)
        again = wishes(market, first=10).enter | wishes(market, first=25).enter
        decision = first._replace(enter=first.enter | again)
    else:
        at = np.isin(np.arange(90) % 30, [0, 6, 10, 25])
        decision = Targets(np.where(at, 0.3, np.nan), 0.0)
    spared = followed(market, decision, daily_loss=0.08)
    hit = followed(market, decision, daily_loss=0.07)
    limit = hit.fills.reason == REASONS.index("limit")
    assert not (spared.fills.reason == REASONS.index("limit")).any()
    assert limit.sum() == 3
    assert set(hit.fills.row[limit] % 30) == {6}, "decided at the close of 5"
    assert (hit.n_held[6:24] == 0).all(), "what was wished at 10 was wished on the same day"
    assert (hit.n_held[26:] == 3).all(), "the next day begins at bar 24"


def test_a_drawdown_ends_it_for_good():
    fallen = dict.fromkeys(range(5, 30), 75.0)
    market = panel(close=fallen, open=dict.fromkeys(range(6, 30), 75.0), low=fallen)
    decision = wishes(market)
    decision = decision._replace(enter=decision.enter | wishes(market, first=25).enter)
    hit = followed(market, decision, drawdown=0.07)
    assert (hit.n_held[6:] == 0).all()
    assert hit.equity[-1] == pytest.approx(CASH * (1 - 0.3 * 0.25))
    spared = followed(market, decision, drawdown=0.08)
    assert (spared.n_held[6:] == 3).all()


def test_after_a_stop_its_instrument_cools_down():
    """Stopped in bar 3; wished at every close; `cool_down` bars later it is entered again."""
    market = panel(n_bars=30, n_instruments=1, low={3: 90.0})
    every = intent_of(market, range(30), weight=0.3, down=0.05, hold=100)
    entered = {
        bars: followed(market, every, cool_down=bars).fills.row.tolist() for bars in (0, 1, 5)
    }
    assert entered[0] == [1, 3, 4], "ordered at the close of the bar of the stop"
    assert entered[1] == [1, 3, 5]
    assert entered[5] == [1, 3, 9]
