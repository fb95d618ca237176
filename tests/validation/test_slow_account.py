"""The audit's slow account: the kernel's equal on thin volume, and what it does not judge."""

from dataclasses import replace

import numpy as np
import pytest

from touchstone.backtest import sweep
from touchstone.execution import AccountConfig, CostsConfig
from touchstone.strategies import Targets
from touchstone.validation.audit.account import followed, not_recomputed
from touchstone.validation.audit.evidence import Book, Evidence
from touchstone.validation.audit.fills import audit_fills, hard_bars
from walks import random_panel

FEES = {"commission_per_unit": 0.01, "commission_minimum": 5, "sell_fee_bp": 2,
        "sell_fee_per_unit": 0.003, "half_spread_bp": 3}  # fmt: skip


def thin(seed, scale):
    """Hard bars whose volume lets orders through in parts."""
    bars, intent = hard_bars(random_panel(4, 250, seed, missing=0.1), seed)
    rng = np.random.default_rng(seed)
    volume = np.where(bars.volume > 0, rng.lognormal(np.log(scale), 1, len(bars)), 0.0)
    return replace(bars, volume=volume), intent._replace(min_hold_bars=seed % 4)


def evidence(book, account, costs):
    return Evidence(None, None, 0, 0, (), (book,), account, costs, None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("units", ["fractional", "whole"])
def test_it_walks_as_the_kernel_does(seed, units):
    bars, intent = thin(seed, 20_000)
    account = AccountConfig(units=units)
    costs = CostsConfig(**(FEES if seed % 2 else {}))
    run = sweep(bars, [intent], account, costs)[0]
    assert run.n_partial > 20
    slow, equity, cash = followed(bars, intent, account, costs)
    assert len(slow.fills) == run.fills.row.size
    np.testing.assert_allclose(equity, run.equity, rtol=1e-9)
    np.testing.assert_allclose(cash, run.cash, rtol=1e-9, atol=1e-4)
    layer = audit_fills(evidence(Book("one", bars, intent, run), account, costs))
    assert (layer.finding, layer.notes) == (None, ())


BEYOND = {
    "weights": (lambda i: Targets(np.where(i.enter, i.weight, np.nan), 0.01), {}, {}),
    "short": (lambda i: i._replace(side=np.where(i.enter, -1, 1).astype(np.int8)),
              {"short": True}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", BEYOND)
def test_what_it_cannot_walk_is_added_up_and_said(case):
    decision, terms, extra = BEYOND[case]
    bars, intent = thin(1, 1e9)
    account, costs = AccountConfig(**terms), CostsConfig(**extra)
    told = decision(intent)
    run = sweep(bars, [told], account, costs)[0]
    assert not_recomputed(told, account) is not None
    layer = audit_fills(evidence(Book("one", bars, told, run), account, costs))
    assert layer.finding is None
    assert len(layer.notes) == 1
    assert "its books were added up" in layer.notes[0]
    equity = run.equity.copy()
    equity[200:] += 50.0
    fills = run.fills._replace(price=run.fills.reference * (1 - 0.001 * run.fills.side))
    for wrong in (run._replace(equity=equity), run._replace(fills=fills)):
        layer = audit_fills(evidence(Book("one", bars, told, wrong), account, costs))
        assert layer.finding is not None
