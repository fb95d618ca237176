"""Many accounts in one pass end as each would alone, to the bit, however they are blocked."""

import numpy as np
import pytest

from reference.intents import random_intent
from touchstone.backtest.replay import wishes_of
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.execution.account import accounts, terms_of
from touchstone.execution.history import replay, timeline
from touchstone.execution.records import PURSE, tape
from touchstone.execution.sweeping import SWEPT, sweeping
from touchstone.metrics.trading import max_drawdown
from walks import random_panel

N_ACCOUNTS = 7


@pytest.fixture(scope="module")
def market():
    panel = random_panel(4, 300, seed=5, missing=0.1)
    line = timeline(panel)
    intent = random_intent(panel, 5, 0.4)
    return line, wishes_of(panel, line, intent)


@pytest.fixture(scope="module")
def terms():
    """Accounts that differ in every way that terms can."""
    found = terms_of(N_ACCOUNTS, AccountConfig(), CostsConfig(), 5)
    found[1] = terms_of(1, AccountConfig(short=True, daily_loss=0.01), CostsConfig(), 2)[0]
    found[2] = terms_of(1, AccountConfig(units="whole", cool_down=9), CostsConfig(impact=1), 3)[0]
    found["entry_level"] = [-np.inf, 0, 1, 2, 3, 4, 5]  # the last hears nothing
    found["exit_level"] = [0, -1, -2, 1, 0, 0, 0]
    found["scale"] = [1, 0.5, 1, 2, 0.1, 1, 1]
    found["commission"][3], found["volume_cap"][4] = 0.01, 1e-5
    return found


HOLD = np.array([6, 2, 3, 6, 2, 9, 6])
DEPOSIT = np.array([1e6, 5e5, 1e4, 1e6, 1e6, 2e6, 1e3])


def swept(terms, market, hold=HOLD, **blocks):
    """Records and equity at day ends, by account."""
    records, purses, days = np.zeros(N_ACCOUNTS, SWEPT), np.zeros(N_ACCOUNTS, PURSE), {}
    for block in sweeping(terms, hold, DEPOSIT, market, **blocks):
        records[block.place], purses[block.place] = block.swept, block.purse
        days |= dict(zip(block.place.tolist(), block.day_equity.copy(), strict=True))
    return records, purses, np.array([days[k] for k in range(N_ACCOUNTS)])


def alone(terms, market, k, hold=None):
    line, wishes = market
    state = accounts(1, line.rows.shape[1], AccountConfig(), CostsConfig(), 1)
    state.terms[0] = terms[k]
    for name in ("cash", "equity", "peak", "day_equity"):
        state.purse[name] = DEPOSIT[k]
    filled = tape(4000)
    if hold is not None:
        wishes = wishes._replace(hold=hold[k : k + 1])
    return replay(state, line, wishes, filled), state.purse[0], filled.fills[: filled.n[0]]


@pytest.mark.parametrize("hold", [HOLD, np.zeros(0, np.int64)], ids=["own hold", "the wishes'"])
def test_each_account_ends_as_it_would_alone_to_the_bit(market, terms, hold):
    records, purses, days = swept(terms, market, hold)
    line, _ = market
    ends = np.flatnonzero(np.r_[line.day[1:] != line.day[:-1], True])
    for k in range(N_ACCOUNTS):
        path, purse, fills = alone(terms, market, k, hold if hold.size else None)
        equity = path.cash + path.invested
        assert purses[k] == purse
        assert (records[k]["cash"], records[k]["invested"]) == (path.cash[-1], path.invested[-1])
        np.testing.assert_array_equal(days[k], equity[ends])
        assert records[k]["n_fills"] == fills.size
        assert records[k]["n_times"] == equity.size
        assert records[k]["drawdown"] == max_drawdown(equity)
        assert records[k]["peak"] == equity.max()
        value = np.abs(fills["quantity"]) * fills["reference"]
        for name, sums in {
            "traded": np.abs(fills["quantity"]) * fills["price"], "value": value,
            "commission": fills["commission"], "slippage": value * fills["slippage"],
            "spread": value * fills["spread"], "impact": value * fills["impact"],
            "wealth": equity, "exposure": path.invested / equity,
        }.items():  # fmt: skip
            np.testing.assert_allclose(records[k][name], sums.sum(), rtol=1e-11, err_msg=name)
    assert records["n_fills"][-1] == 0  # nothing at or above its level
    assert (records["n_fills"][:-1] > 0).all()


def test_how_many_walk_together_changes_nothing(market, terms):
    one, *others = (swept(terms, market, n_block=n) for n in (1, 3, 64))
    for other in others:
        for mine, its in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, its)


def test_the_money_of_closed_trades_is_what_equity_changed_by(market, terms):
    """Where nothing is left open: gained - lost = equity - deposit."""
    line, wishes = market
    early = wishes.first[-20]
    cut = wishes._replace(
        first=np.minimum(wishes.first, early), row=wishes.row[:early],
        instrument=wishes.instrument[:early], rank=wishes.rank[:early],
    )  # fmt: skip
    records, purses, _ = swept(terms, (line, cut))
    closed = records["invested"] == 0
    assert closed[[0, 1, 3]].all()
    earned = (records["gained"] - records["lost"])[closed]
    owed = (purses["dividends"] - purses["financed"])[closed]
    np.testing.assert_allclose(earned + owed, (records["equity"] - DEPOSIT)[closed], atol=1e-6)
    assert (records["n_wins"] <= records["n_trades"]).all()
